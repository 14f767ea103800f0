//! Which order lines count in a window, and which do not.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::{
    Counted, Evidence, Excluded, Figure, LineGroup, Reason, RowKind, Rows, Subject, Unknown, Why,
    ZonedWindow, levels::exclude,
};
use crate::{calendar::Window, clock::Timestamp, tenant::LowStockRule};

/// Lines by what becomes of them in a figure.
pub(super) struct Lines {
    pub(super) counted: Rows,
    by_day: BTreeMap<NaiveDate, Rows>,
    excluded: Vec<Excluded>,
}

impl LineGroup {
    /// Why its lines do not count in a figure; none where they do.
    fn excluded(&self, figure: Figure, window: Window) -> Option<Reason> {
        let by_day = if figure == Figure::OrderedToday {
            (self.day < window.today).then_some(Reason::BeforeToday)
        } else if self.day < window.first {
            Some(Reason::BeforeWindow)
        } else {
            (self.day == window.today).then_some(Reason::Today)
        };
        let after = (self.day > window.today).then_some(Reason::AfterToday);
        let by_fate = match (figure, self.is_cancelled) {
            (Figure::CancelledUnits, false) => Some(Reason::NotCancelled),
            (Figure::CancelledUnits, true) | (_, false) => None,
            (_, true) => Some(Reason::Cancelled),
        };
        let unmatched = (!self.is_matched).then_some(Reason::Unmatched);
        by_day.or(after).or(by_fate).or(unmatched)
    }
}

impl Evidence {
    /// What becomes of the lines in a figure of orders.
    pub(super) fn lines_of(&self, figure: Figure, window: Window) -> Lines {
        let mut lines = Lines { counted: Rows::default(), by_day: BTreeMap::new(), excluded: Vec::new() };
        for group in &self.lines {
            match group.excluded(figure, window) {
                None => {
                    lines.counted.add(group.rows);
                    lines.by_day.entry(group.day).or_default().add(group.rows);
                }
                // A line of no variant would not be the product's even if it counted.
                Some(reason) if group.is_matched || reason == Reason::Unmatched => {
                    exclude(&mut lines.excluded, reason, group.rows);
                }
                Some(_) => {}
            }
        }
        lines
    }

    /// Value of the lines that ordered units count, in minor units of the product's currency.
    pub(super) fn value_of(&self, window: Window) -> i64 {
        self.ordered(window)
            .filter(|group| group.currency == self.currency)
            .map(|group| group.value_minor)
            .sum()
    }

    fn ordered(&self, window: Window) -> impl Iterator<Item = &LineGroup> {
        self.lines.iter().filter(move |group| group.excluded(Figure::OrderedUnits, window).is_none())
    }

    /// Why a figure of orders says what it says.
    pub(super) fn why_orders(
        &self,
        figure: Figure,
        rule: LowStockRule,
        window: ZonedWindow,
        now: Timestamp,
    ) -> Why {
        let Lines { mut counted, mut by_day, mut excluded } = self.lines_of(figure, window.window);
        let mut unknown = self.unknown(Subject::Orders);
        if figure == Figure::Revenue {
            unknown = unknown.or(self.currency.is_none().then_some(Unknown::NoPrice));
            (counted, by_day) = (Rows::default(), BTreeMap::new());
            for group in self.ordered(window.window) {
                match group.currency {
                    None => exclude(&mut excluded, Reason::WithoutPrice, group.rows),
                    other if other != self.currency => {
                        exclude(&mut excluded, Reason::OtherCurrency, group.rows);
                    }
                    Some(_) => {
                        counted.add(group.rows);
                        by_day.entry(group.day).or_default().add(group.rows);
                    }
                }
            }
        }
        Why {
            rule: figure.rule(rule),
            unknown,
            follows_from: figure.follows_from(),
            window: Some(window),
            counted: Some(Counted {
                kind: RowKind::OrderLines,
                all: counted,
                of_inactive_variants: None,
                by_warehouse: Vec::new(),
                by_day: by_day.into_iter().collect(),
            }),
            excluded,
            sources: vec![self.source(Subject::Orders, now)],
        }
    }
}
