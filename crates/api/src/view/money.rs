//! Money on the wire.

use domain::money::Money;
use serde::Serialize;
use utoipa::ToSchema;

/// An amount of money.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Money)]
pub(crate) struct MoneyView {
    /// A decimal with the digits of the currency.
    #[schema(example = "12.50")]
    amount: String,
    /// ISO 4217 code.
    #[schema(example = "RUB")]
    currency: String,
}

impl From<Money> for MoneyView {
    fn from(money: Money) -> Self {
        Self { amount: money.decimal(), currency: money.currency.code().to_owned() }
    }
}
