//! Which levels count for stock, and which do not.

use std::collections::BTreeMap;

use super::{
    Counted, Evidence, Excluded, Figure, LevelGroup, Place, Reason, RowKind, Rows, Subject, Unknown, Why,
};
use crate::{clock::Timestamp, marketplace::Side, tenant::LowStockRule};

impl LevelGroup {
    /// Why its levels do not count; none where they do.
    fn excluded(&self, is_granted: bool) -> Option<Reason> {
        match (self.is_measured, self.is_read) {
            (true, _) if self.is_known => None,
            (true, _) if is_granted => Some(Reason::VariantUnknown),
            (true, _) => Some(Reason::NotGranted),
            (false, true) => Some(Reason::NotCounted),
            (false, false) => Some(Reason::NeverMeasured),
        }
    }
}

/// Adds rows to those excluded for the same reason.
pub(super) fn exclude(excluded: &mut Vec<Excluded>, reason: Reason, rows: Rows) {
    if rows.rows == 0 {
        return;
    }
    match excluded.iter_mut().find(|known| known.reason == reason) {
        Some(known) => known.rows.add(rows),
        None => excluded.push(Excluded { reason, rows }),
    }
}

impl Evidence {
    /// Levels of some sides, each with the reason for which it does not count.
    fn levels_of(&self, sides: &[Side]) -> impl Iterator<Item = (&LevelGroup, Option<Reason>)> {
        self.levels.iter().filter_map(|group| {
            let side = group.place.kind.side();
            let is_granted = self.is_granted(Subject::of(side));
            sides.contains(&side).then(|| (group, group.excluded(is_granted)))
        })
    }

    /// Units that can be sold on a side.
    pub(super) fn stock_of(&self, side: Side) -> i64 {
        let levels = self.levels_of(std::slice::from_ref(&side));
        levels.filter(|(_, reason)| reason.is_none()).map(|(group, _)| group.stock.units).sum()
    }

    /// Why a figure of stock says what it says.
    pub(super) fn why_stock(
        &self,
        figure: Figure,
        rule: LowStockRule,
        sides: &[Side],
        now: Timestamp,
    ) -> Why {
        let (mut all, mut of_inactive, mut excluded) = (Rows::default(), Rows::default(), Vec::new());
        let mut by_warehouse: BTreeMap<&Place, Rows> = BTreeMap::new();
        for (group, reason) in self.levels_of(sides) {
            if let Some(reason) = reason {
                exclude(&mut excluded, reason, group.stock);
                continue;
            }
            all.add(group.stock);
            if !group.is_active {
                of_inactive.add(group.stock);
            }
            by_warehouse.entry(&group.place).or_default().add(group.stock);
        }
        let unknown = match sides {
            [side] if figure != Figure::TotalStock => self.unknown(Subject::of(*side)),
            _ => self.no_side_known(),
        };
        Why {
            rule: figure.rule(rule),
            unknown,
            follows_from: figure.follows_from(),
            window: None,
            counted: Some(Counted {
                kind: RowKind::Levels,
                all,
                of_inactive_variants: Some(of_inactive),
                by_warehouse: owned(by_warehouse),
                by_day: Vec::new(),
            }),
            excluded,
            sources: sides.iter().map(|side| self.source(Subject::of(*side), now)).collect(),
        }
    }

    /// Why a figure of units on their way says what it says. They are of variants; only some are told place by place.
    pub(super) fn why_transit(&self, figure: Figure, rule: LowStockRule, now: Timestamp) -> Why {
        type Told = (Rows, fn(&LevelGroup) -> Rows);
        let (of_variants, of_levels): Told = match figure {
            Figure::InTransitReturns => (self.variants.returns, |group| group.returns),
            _ => (self.variants.to_customer, |group| group.to_customer),
        };
        let mut by_warehouse: BTreeMap<&Place, Rows> = BTreeMap::new();
        for (group, reason) in self.levels_of(&[Side::Fbo]) {
            if reason.is_none() && of_levels(group).rows > 0 {
                by_warehouse.entry(&group.place).or_default().add(of_levels(group));
            }
        }
        let untold = Rows { rows: self.variants.all() - of_variants.rows, units: 0 };
        let mut excluded = Vec::new();
        exclude(&mut excluded, Reason::NotTold, untold);
        let unknown = if of_variants.rows > 0 {
            None
        } else {
            Some(self.unknown(Subject::Fbo).unwrap_or(Unknown::NotCounted))
        };
        Why {
            rule: figure.rule(rule),
            unknown,
            follows_from: figure.follows_from(),
            window: None,
            counted: Some(Counted {
                kind: RowKind::Variants,
                all: of_variants,
                of_inactive_variants: None,
                by_warehouse: owned(by_warehouse),
                by_day: Vec::new(),
            }),
            excluded,
            sources: vec![self.source(Subject::Fbo, now)],
        }
    }
}

fn owned(by_warehouse: BTreeMap<&Place, Rows>) -> Vec<(Place, Rows)> {
    by_warehouse.into_iter().map(|(place, rows)| (place.clone(), rows)).collect()
}
