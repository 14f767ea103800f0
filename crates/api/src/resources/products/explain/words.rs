//! Closed sets of words of explanations.

use domain::{explain, figures};
use serde::Serialize;
use utoipa::ToSchema;

/// Declares a set of words for a set of the domain; a new member there does not compile until it is here.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident as $schema:ident of $domain:path { $($(#[$word:meta])* $member:ident),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Serialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        #[schema(as = $schema)]
        pub(super) enum $name {
            $($(#[$word])* $member,)*
        }

        impl From<$domain> for $name {
            fn from(word: $domain) -> Self {
                use $domain as Domain;
                match word { $(Domain::$member => Self::$member,)* }
            }
        }
    )*};
}

words! {
    /// A figure of a product.
    Figure as FigureName of explain::Figure {
        TotalStock, FboStock, FbsStock, InTransitToCustomer, InTransitReturns, OrderedUnits, CancelledUnits,
        OrderedToday, VelocityPerDay, DaysOfCover, Revenue, StockState, LowStock,
    }
    /// How the stock stands by your company's rule: none, less than it wants, or enough.
    Verdict as StockVerdict of explain::Verdict { Out, Low, Enough }
    /// Why a figure is unknown: the marketplace has no such side; the product has no variants; the credential does not
    /// grant it; it has not been read, or not since the product came; the marketplace does not count or tell it; no
    /// order line of the account has a price.
    Unknown as UnknownReason of explain::Unknown { NoSuchSide, NoVariants, NotGranted, NotRead, NotCounted, NoPrice }
    /// What rows are: stock of one variant in one warehouse, variants, or order lines.
    RowKind as RowKind of explain::RowKind { Levels, Variants, OrderLines }
    /// Why rows do not count.
    ///
    /// Levels: `not_granted` (the credential does not grant their side; what they say is old), `not_counted` (the
    /// marketplace keeps no count there), `variant_unknown` (the stock of the variant on that side is unknown: not
    /// counted elsewhere, or not read again yet), `never_measured` (only orders were sent from there). Variants:
    /// `not_told` (nobody tells what is on its way). Order lines: `before_window`, `today` and `before_today` (the day
    /// does not count), `after_today` (ordered after the window and its today), `cancelled`, `not_cancelled`,
    /// `unmatched` (they name the product but none of its variants), `without_price`, `other_currency`.
    Reason as ExclusionReason of explain::Reason {
        NotGranted, NotCounted, VariantUnknown, NeverMeasured, NotTold, BeforeWindow, Today, BeforeToday, AfterToday,
        Cancelled, NotCancelled, Unmatched, WithoutPrice, OtherCurrency,
    }
    /// What was read: stock in the marketplace's warehouses, stock in the seller's, or orders.
    Subject as ReadingSubject of explain::Subject { Fbo, Fbs, Orders }
    /// Why a reading is old: two sync intervals have passed since, or the marketplace has changed its answers, so that
    /// there is no newer one.
    Staleness as StaleReason of figures::Staleness { TooOld, ContractChanged }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_spelled_as_the_domain_publishes_them() {
        let word = |value: serde_json::Value| value.as_str().unwrap().to_owned();
        for figure in explain::Figure::ALL {
            assert_eq!(word(serde_json::to_value(Figure::from(figure)).unwrap()), figure.name());
        }
        for verdict in explain::Verdict::ALL {
            assert_eq!(word(serde_json::to_value(Verdict::from(verdict)).unwrap()), verdict.name());
        }
    }
}
