//! Making a reading the picture: ledger, levels, and the figures of variants, set by set.

use domain::{
    clock::Timestamp,
    ids::{AccountId, PassId},
    marketplace::Side,
    picture::Cause,
};
use sea_orm::DbBackend;
use uuid::Uuid;

use super::{discard, ledger::next_moment};
use crate::{db::WriteTx, error::Error};

/// A reading that has ended.
#[derive(Debug, Clone, Copy)]
pub struct Reading {
    /// Of which account.
    pub account: AccountId,
    /// Which one.
    pub pass: PassId,
    /// What changes levels by it.
    pub cause: Cause,
    /// Of which side.
    pub side: Side,
    /// Whether it carried all there is. Only then does what it did not carry become zero.
    pub complete: bool,
    /// When it began.
    pub began_at: Timestamp,
    /// Now.
    pub at: Timestamp,
}

/// Makes a reading the picture: ledger, levels, and the figures of the variants. Says how many levels changed.
pub async fn apply(tx: &WriteTx, reading: Reading) -> Result<u64, Error> {
    let reading = Reading { at: next_moment(tx, reading.at).await?, ..reading };
    tx.join_as_sets().await?;
    if !reading.complete {
        set_torn_apart_aside(tx, reading).await?;
    }
    let mut movements = write_changes(tx, reading).await?;
    replace_levels(tx, reading).await?;
    if reading.complete {
        movements += zero_missing(tx, reading).await?;
    }
    write_variant_figures(tx, reading).await?;
    discard(tx, reading.pass, reading.side).await?;
    Ok(movements)
}

/// The kinds of warehouse of a side, as a list in SQL. Constants, never input.
const fn kinds(side: Side) -> &'static str {
    match side {
        Side::Fbo => "('marketplace', 'aggregate')",
        Side::Fbs => "('seller')",
    }
}

/// The stored figure of a side.
const fn side_column(side: Side) -> &'static str {
    match side {
        Side::Fbo => "fbo_stock",
        Side::Fbs => "fbs_stock",
    }
}

/// An expression for a new UUIDv7 in each row of a statement; `$ms` is a placeholder with milliseconds since 1970.
fn new_id(backend: DbBackend, ms: &str) -> String {
    match backend {
        DbBackend::Postgres => format!(
            "(lpad(to_hex({ms}), 12, '0') || '7' || substr(replace(gen_random_uuid()::text, '-', ''), 1, 3) || '8' \
             || substr(replace(gen_random_uuid()::text, '-', ''), 18, 15))::uuid"
        ),
        _ => format!(
            "unhex(printf('%012x7%03x8%03x%012x', {ms}, random() & 4095, random() & 4095, \
             random() & 281474976710655))"
        ),
    }
}

/// Takes out of an incomplete reading the variants whose stock stood as one row for all of the marketplace's places and
/// now comes place by place, or the other way round: their parts and their old sum must not be added, and the parts
/// that are missing must not be lost.
async fn set_torn_apart_aside(tx: &WriteTx, reading: Reading) -> Result<(), Error> {
    let sql = "DELETE FROM stock_reading WHERE tenant_id = $1 AND pass_id = $2 AND side = $3 AND EXISTS ( \
                 SELECT 1 FROM stock_level l \
                 JOIN warehouse old ON old.tenant_id = l.tenant_id AND old.id = l.warehouse_id \
                 JOIN warehouse new ON new.tenant_id = l.tenant_id AND new.id = stock_reading.warehouse_id \
                 WHERE l.tenant_id = stock_reading.tenant_id AND l.variant_id = stock_reading.variant_id \
                   AND l.available <> 0 AND 'aggregate' IN (old.kind, new.kind) \
                   AND 'marketplace' IN (old.kind, new.kind) \
                   AND NOT EXISTS (SELECT 1 FROM stock_reading r WHERE r.tenant_id = l.tenant_id \
                     AND r.pass_id = stock_reading.pass_id AND r.variant_id = l.variant_id \
                     AND r.warehouse_id = l.warehouse_id))";
    let values = [tx.tenant().into(), reading.pass.as_uuid().into(), reading.side.name().into()];
    tx.execute(sql, values).await?;
    Ok(())
}

async fn write_changes(tx: &WriteTx, reading: Reading) -> Result<u64, Error> {
    // The side's figure is known of every variant that a complete reading has covered: what is new there was zero. A
    // level that nobody counts any more ends as unknown; one that nobody ever counted is nothing to tell of.
    let sql = format!(
        "INSERT INTO stock_movement (tenant_id, id, account_id, product_id, variant_id, warehouse_id, at, before, \
         after, cause, sync_id) \
         SELECT r.tenant_id, {id}, r.account_id, r.product_id, r.variant_id, r.warehouse_id, $4, \
                CASE WHEN l.available IS NOT NULL THEN l.available WHEN v.{figure} IS NOT NULL THEN 0 END, \
                r.available, $6, {sync} \
         FROM stock_reading r \
         JOIN variant v ON v.tenant_id = r.tenant_id AND v.id = r.variant_id \
         LEFT JOIN stock_level l ON l.tenant_id = r.tenant_id AND l.variant_id = r.variant_id \
              AND l.warehouse_id = r.warehouse_id \
         WHERE r.tenant_id = $1 AND r.pass_id = $2 AND r.side = $3 AND r.warehouse_id <> $7 \
           AND CASE WHEN l.available IS NOT NULL THEN l.available IS DISTINCT FROM r.available \
                    WHEN v.{figure} IS NOT NULL THEN r.available <> 0 ELSE r.available IS NOT NULL END",
        id = new_id(tx.backend(), "CAST($5 AS BIGINT)"),
        figure = side_column(reading.side),
        sync = sync_column(reading.cause, "r.pass_id"),
    );
    let values = [
        tx.tenant().into(),
        reading.pass.as_uuid().into(),
        reading.side.name().into(),
        reading.at.into(),
        reading.at.timestamp_millis().into(),
        reading.cause.name().into(),
        Uuid::nil().into(),
    ];
    tx.execute(&sql, values).await
}

/// The ledger's column for the sync: a pass that is none has none.
const fn sync_column(cause: Cause, pass: &'static str) -> &'static str {
    match cause {
        Cause::Sync => pass,
        Cause::Import => "NULL",
    }
}

async fn replace_levels(tx: &WriteTx, reading: Reading) -> Result<(), Error> {
    // Rows that say what the level says already are left alone: mostly nothing has changed since the last reading.
    let sql = "INSERT INTO stock_level (tenant_id, variant_id, warehouse_id, account_id, product_id, available, \
               reserved, on_hand, in_transit_to_customer, in_transit_returns, written_by) \
               SELECT r.tenant_id, r.variant_id, r.warehouse_id, r.account_id, r.product_id, r.available, \
                      r.reserved, r.on_hand, r.in_transit_to_customer, r.in_transit_returns, r.pass_id \
               FROM stock_reading r \
               LEFT JOIN stock_level l ON l.tenant_id = r.tenant_id AND l.variant_id = r.variant_id \
                    AND l.warehouse_id = r.warehouse_id \
               WHERE r.tenant_id = $1 AND r.pass_id = $2 AND r.side = $3 AND r.warehouse_id <> $4 \
                 AND (l.variant_id IS NULL OR l.available IS DISTINCT FROM r.available \
                      OR l.reserved IS DISTINCT FROM r.reserved OR l.on_hand IS DISTINCT FROM r.on_hand \
                      OR l.in_transit_to_customer IS DISTINCT FROM r.in_transit_to_customer \
                      OR l.in_transit_returns IS DISTINCT FROM r.in_transit_returns) \
               ON CONFLICT (tenant_id, variant_id, warehouse_id) DO UPDATE SET \
                 available = excluded.available, reserved = excluded.reserved, on_hand = excluded.on_hand, \
                 in_transit_to_customer = excluded.in_transit_to_customer, \
                 in_transit_returns = excluded.in_transit_returns, written_by = excluded.written_by";
    let values =
        [tx.tenant().into(), reading.pass.as_uuid().into(), reading.side.name().into(), Uuid::nil().into()];
    tx.execute(sql, values).await?;
    Ok(())
}

/// Levels of the side that the reading did not carry, whichever reading wrote them.
fn missing(side: Side) -> String {
    format!(
        "stock_level.tenant_id = $1 AND stock_level.account_id = $2 AND stock_level.available IS NOT NULL \
         AND stock_level.warehouse_id IN (SELECT w.id FROM warehouse w WHERE w.tenant_id = $1 \
             AND w.account_id = $2 AND w.kind IN {kinds}) \
         AND NOT EXISTS (SELECT 1 FROM stock_reading r WHERE r.tenant_id = stock_level.tenant_id \
             AND r.pass_id = $3 AND r.variant_id = stock_level.variant_id \
             AND r.warehouse_id = stock_level.warehouse_id)",
        kinds = kinds(side)
    )
}

async fn zero_missing(tx: &WriteTx, reading: Reading) -> Result<u64, Error> {
    let missing = missing(reading.side);
    let id = new_id(tx.backend(), "CAST($5 AS BIGINT)");
    let sql = format!(
        "INSERT INTO stock_movement (tenant_id, id, account_id, product_id, variant_id, warehouse_id, at, before, \
         after, cause, sync_id) \
         SELECT tenant_id, {id}, account_id, product_id, variant_id, warehouse_id, $4, available, 0, $6, {sync} \
         FROM stock_level WHERE {missing} AND stock_level.available <> 0",
        sync = sync_column(reading.cause, "$3"),
    );
    let place = [tx.tenant().into(), reading.account.as_uuid().into(), reading.pass.as_uuid().into()];
    let mut values = place.to_vec();
    values.extend([reading.at.into(), reading.at.timestamp_millis().into(), reading.cause.name().into()]);
    let movements = tx.execute(&sql, values).await?;
    let sql = format!(
        "UPDATE stock_level SET available = 0, written_by = $3, \
         reserved = CASE WHEN reserved IS NOT NULL THEN 0 END, \
         on_hand = CASE WHEN on_hand IS NOT NULL THEN 0 END, \
         in_transit_to_customer = CASE WHEN in_transit_to_customer IS NOT NULL THEN 0 END, \
         in_transit_returns = CASE WHEN in_transit_returns IS NOT NULL THEN 0 END \
         WHERE {missing} AND (available <> 0 OR COALESCE(reserved, 0) <> 0 OR COALESCE(on_hand, 0) <> 0 \
           OR COALESCE(in_transit_to_customer, 0) <> 0 OR COALESCE(in_transit_returns, 0) <> 0)"
    );
    tx.execute(&sql, place).await?;
    Ok(movements)
}

/// Sums the side into the figures of its variants: of all that were known when a complete reading began, and of those
/// that the reading carried.
async fn write_variant_figures(tx: &WriteTx, reading: Reading) -> Result<(), Error> {
    // Transit is told by the marketplace's side alone; a seller's warehouse knows nothing of it.
    let transit: &[&str] = match reading.side {
        Side::Fbo => &["in_transit_to_customer", "in_transit_returns"],
        Side::Fbs => &[],
    };
    let figure = side_column(reading.side);
    // A variant that nobody counts is unknown, wherever it lies.
    let mut sums = vec![format!(
        "CAST(CASE WHEN r.uncounted = 1 THEN NULL ELSE COALESCE(l.available, 0) END AS BIGINT) AS {figure}"
    )];
    // None in transit is a measurement where the reading tells of transit at all. Units on their way are told place by
    // place, or of the variant as a whole.
    sums.extend(transit.iter().map(|column| {
        format!(
            "CAST(CASE WHEN l.{column} IS NULL AND NOT EXISTS (SELECT 1 FROM stock_reading x \
               WHERE x.tenant_id = $1 AND x.pass_id = $3 AND x.{column} IS NOT NULL) THEN v.{column} \
             ELSE COALESCE(l.{column}, 0) + COALESCE(r.{column}, 0) END AS BIGINT) AS {column}"
        )
    }));
    let of_places: Vec<String> =
        transit.iter().map(|column| format!(", SUM(x.{column}) AS {column}")).collect();
    let of_places = of_places.concat();
    let of_no_place: Vec<String> = transit
        .iter()
        .map(|column| format!(", SUM(CASE WHEN x.warehouse_id = $7 THEN x.{column} END) AS {column}"))
        .collect();
    let of_no_place = of_no_place.concat();
    let columns = || std::iter::once(figure).chain(transit.iter().copied());
    let set: Vec<String> = columns().map(|column| format!("{column} = s.{column}")).collect();
    let differs: Vec<String> =
        columns().map(|column| format!("variant.{column} IS DISTINCT FROM s.{column}")).collect();
    let sql = format!(
        "UPDATE variant SET {set} FROM ( \
           SELECT v.id, {sums} FROM variant v \
           LEFT JOIN (SELECT x.variant_id, SUM(x.available) AS available{of_places} FROM stock_level x \
                      JOIN warehouse w ON w.tenant_id = x.tenant_id AND w.id = x.warehouse_id \
                      WHERE x.tenant_id = $1 AND x.account_id = $2 AND w.kind IN {kinds} \
                      GROUP BY x.variant_id) l ON l.variant_id = v.id \
           LEFT JOIN (SELECT x.variant_id, MAX(CASE WHEN x.available IS NULL AND x.warehouse_id <> $7 THEN 1 \
                        ELSE 0 END) AS uncounted{of_no_place} FROM stock_reading x \
                      WHERE x.tenant_id = $1 AND x.pass_id = $3 AND x.side = $6 \
                      GROUP BY x.variant_id) r ON r.variant_id = v.id \
           WHERE v.tenant_id = $1 AND v.account_id = $2 \
             AND (($4 AND v.first_seen_at <= $5) OR r.variant_id IS NOT NULL)) s \
         WHERE variant.tenant_id = $1 AND variant.id = s.id AND ({differs})",
        set = set.join(", "),
        sums = sums.join(", "),
        differs = differs.join(" OR "),
        kinds = kinds(reading.side),
    );
    let values = [
        tx.tenant().into(),
        reading.account.as_uuid().into(),
        reading.pass.as_uuid().into(),
        reading.complete.into(),
        reading.began_at.into(),
        reading.side.name().into(),
        Uuid::nil().into(),
    ];
    tx.execute(&sql, values).await?;
    Ok(())
}
