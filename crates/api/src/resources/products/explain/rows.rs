//! Rows, windows and sources on the wire.

use chrono::{DateTime, NaiveDate, Utc};
use domain::{
    calendar::WINDOW_DAYS,
    explain::{Counted, Excluded, Place, Rows, Source, ZonedWindow},
};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::words::{Reason, RowKind, Staleness, Subject};
use crate::view::WarehouseKind;

/// The days that a figure counts: complete days of the marketplace's zone, today excluded.
#[derive(Serialize, ToSchema)]
#[schema(as = CountedWindow)]
pub(super) struct WindowView {
    /// The first day that counts.
    #[schema(example = "2026-11-13")]
    first_day: NaiveDate,
    /// The last day that counts.
    #[schema(example = "2026-11-19")]
    last_day: NaiveDate,
    /// The running day, which does not count; `ordered_today` counts it alone.
    #[schema(example = "2026-11-20")]
    today: NaiveDate,
    /// Complete days.
    #[schema(example = 7)]
    days: u32,
    /// The zone whose days they are.
    #[schema(example = "Europe/Moscow")]
    zone: &'static str,
    /// Whether it ends before the present day. One that does not was counted last: orders have not been read since, or
    /// midnight has just passed.
    #[schema(example = true)]
    is_current: bool,
}

impl From<ZonedWindow> for WindowView {
    fn from(ZonedWindow { window, zone, is_current }: ZonedWindow) -> Self {
        Self {
            first_day: window.first,
            last_day: window.last,
            today: window.today,
            days: WINDOW_DAYS,
            zone: zone.name(),
            is_current,
        }
    }
}

/// A number of rows and the units in them.
#[derive(Serialize, ToSchema)]
#[schema(as = RowCount)]
pub(super) struct RowsView {
    /// Rows.
    #[schema(example = 4)]
    rows: i64,
    /// Units in them.
    #[schema(example = 9)]
    units: i64,
}

impl From<Rows> for RowsView {
    fn from(Rows { rows, units }: Rows) -> Self {
        Self { rows, units }
    }
}

/// The rows that a figure counts.
#[derive(Serialize, ToSchema)]
#[schema(as = CountedRows)]
pub(super) struct CountedView {
    kind: RowKind,
    #[serde(flatten)]
    all: RowsView,
    /// Those of variants that are not in the catalogue any more; they count all the same. Told of levels only.
    of_inactive_variants: Option<RowsView>,
    /// Warehouse by warehouse; empty for order lines. Of units on their way, only those that are told by place.
    by_warehouse: Vec<WarehouseRowsView>,
    /// Day by day, days without any left out; empty for stock.
    by_day: Vec<DayRowsView>,
}

impl From<Counted> for CountedView {
    fn from(counted: Counted) -> Self {
        Self {
            kind: counted.kind.into(),
            all: counted.all.into(),
            of_inactive_variants: counted.of_inactive_variants.map(RowsView::from),
            by_warehouse: counted.by_warehouse.into_iter().map(WarehouseRowsView::from).collect(),
            by_day: counted.by_day.into_iter().map(DayRowsView::from).collect(),
        }
    }
}

/// Rows in one warehouse.
#[derive(Serialize, ToSchema)]
#[schema(as = WarehouseRows)]
struct WarehouseRowsView {
    #[schema(example = "0199c0de-0000-7000-8000-000000000040")]
    warehouse_id: Uuid,
    /// The marketplace's id.
    #[schema(example = "507")]
    external_id: Option<String>,
    /// Its name.
    #[schema(example = "Коледино")]
    name: String,
    kind: WarehouseKind,
    #[serde(flatten)]
    rows: RowsView,
}

impl From<(Place, Rows)> for WarehouseRowsView {
    fn from((place, rows): (Place, Rows)) -> Self {
        Self {
            warehouse_id: place.id.into(),
            external_id: place.external_id,
            name: place.name,
            kind: place.kind.into(),
            rows: rows.into(),
        }
    }
}

/// Rows of one day.
#[derive(Serialize, ToSchema)]
#[schema(as = DayRows)]
struct DayRowsView {
    /// The day, in the zone.
    #[schema(example = "2026-11-19")]
    day: NaiveDate,
    #[serde(flatten)]
    rows: RowsView,
}

impl From<(NaiveDate, Rows)> for DayRowsView {
    fn from((day, rows): (NaiveDate, Rows)) -> Self {
        Self { day, rows: rows.into() }
    }
}

/// Rows of the product that do not count.
#[derive(Serialize, ToSchema)]
#[schema(as = ExcludedRows)]
pub(super) struct ExcludedView {
    reason: Reason,
    #[serde(flatten)]
    rows: RowsView,
}

impl From<Excluded> for ExcludedView {
    fn from(excluded: Excluded) -> Self {
        Self { reason: excluded.reason.into(), rows: excluded.rows.into() }
    }
}

/// What was read of the marketplace, and when.
#[derive(Serialize, ToSchema)]
#[schema(as = FigureSource)]
pub(super) struct SourceView {
    subject: Subject,
    /// Whether the account's credential grants it.
    #[schema(example = true)]
    granted: bool,
    /// The call of the marketplace that told it last, or `import`; null before the first complete reading.
    #[schema(example = "GET /api/v1/supplier/orders")]
    call: Option<String>,
    /// When the last complete reading began: nothing in it is older; null before the first.
    as_of: Option<DateTime<Utc>>,
    /// Whether that is old.
    #[schema(example = false)]
    stale: bool,
    /// Why it is old.
    stale_because: Option<Staleness>,
    /// The sync that wrote it; null where it came otherwise, or that is not known any more.
    sync_id: Option<Uuid>,
    /// Variants of the product of which it is known.
    #[schema(example = 3)]
    variants_known: i64,
    /// Variants of the product of which it is not.
    #[schema(example = 0)]
    variants_unknown: i64,
}

impl From<Source> for SourceView {
    fn from(source: Source) -> Self {
        Self {
            subject: source.subject.into(),
            granted: source.is_granted,
            call: source.reading.call,
            as_of: source.reading.as_of,
            stale: source.stale.is_some(),
            stale_because: source.stale.map(Staleness::from),
            sync_id: source.reading.sync_id.map(Uuid::from),
            variants_known: source.variants_known,
            variants_unknown: source.variants_unknown,
        }
    }
}
