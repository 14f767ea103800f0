//! Order lines on the wire.

use chrono::{DateTime, Utc};
use domain::picture::OrderLine;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::view::{Marketplace, MoneyView};

/// One line of an order.
#[derive(Serialize, ToSchema)]
#[schema(as = OrderLine)]
pub(super) struct OrderLineView {
    #[schema(example = "0199c0de-0000-7000-8000-000000000050")]
    id: Uuid,
    account_id: Uuid,
    marketplace: Marketplace,
    /// The marketplace's id of the line.
    #[schema(example = "12345678.90123456.1.0")]
    external_id: String,
    /// The basket it was bought in, shared by several lines.
    #[schema(example = "8543276451298734")]
    basket_id: Option<String>,
    /// Its variant; null where it belongs to no known one.
    variant_id: Option<Uuid>,
    /// The marketplace's id of the variant.
    #[schema(example = "264531876")]
    external_variant_id: Option<String>,
    /// Where it is sent from.
    warehouse_id: Option<Uuid>,
    /// The name of that place.
    #[schema(example = "Коледино")]
    warehouse_name: Option<String>,
    /// Units.
    #[schema(example = 1)]
    quantity: i64,
    /// What the seller sells it for.
    price: Option<MoneyView>,
    /// The price before discounts.
    list_price: Option<MoneyView>,
    /// What the customer pays.
    paid_price: Option<MoneyView>,
    /// When it was ordered.
    ordered_at: DateTime<Utc>,
    /// When the marketplace last changed it.
    changed_at: DateTime<Utc>,
    /// When it was cancelled; null if it was not.
    cancelled_at: Option<DateTime<Utc>>,
    /// Its state, in the marketplace's word.
    #[schema(example = "ordered")]
    status: String,
}

impl From<OrderLine> for OrderLineView {
    fn from(line: OrderLine) -> Self {
        Self {
            id: line.id.into(),
            account_id: line.account_id.into(),
            marketplace: line.marketplace.into(),
            external_id: line.external_id,
            basket_id: line.basket_id,
            variant_id: line.variant_id.map(Uuid::from),
            external_variant_id: line.external_variant_id,
            warehouse_id: line.warehouse_id.map(Uuid::from),
            warehouse_name: line.warehouse_name,
            quantity: line.quantity,
            price: line.price.map(MoneyView::from),
            list_price: line.list_price.map(MoneyView::from),
            paid_price: line.paid_price.map(MoneyView::from),
            ordered_at: line.ordered_at,
            changed_at: line.changed_at,
            cancelled_at: line.cancelled_at,
            status: line.status,
        }
    }
}
