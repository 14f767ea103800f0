//! `/api/v1/products/{id}/explain`.

use actix_web::{
    get,
    web::{Data, Json},
};
use app::App;
use domain::ids::ProductId;

use super::views::ExplanationView;
use crate::{
    extract::{Authenticated, Id, NoQuery},
    problem::Problem,
};

/// Why each figure of a product says what it says.
///
/// Every figure is counted anew from the rows beneath it: stock from the levels of the variants, orders from the order
/// lines of the window. `value` is what they come to, `stored` what every other answer shows, and `agrees` says whether
/// the two are the same. They are, but for figures of orders between the reading of lines and their counting: while a
/// sync is under way (`running_sync_id`), after one that was stopped, and while orders cannot be read wholly.
///
/// `counted` are the rows that make up the figure, `excluded` those that belong to the product and do not count, by the
/// reason. Order lines are looked at for the last 30 days, or as far back as the window lies; what was ordered before is
/// in no window. `sources` are the calls of the marketplace that told it, how old that is, and which sync wrote it.
#[utoipa::path(
    tag = "Catalogue",
    operation_id = "getProductExplanation",
    params(("id" = uuid::Uuid, Path, description = "Id of the product")),
    responses((status = 200, description = "The figures, explained", body = ExplanationView)),
)]
#[get("/products/{id}/explain")]
pub(in crate::resources::products) async fn explain(
    app: Data<App>,
    caller: Authenticated,
    _query: NoQuery,
    id: Id<ProductId>,
) -> Result<Json<ExplanationView>, Problem> {
    Ok(Json(app.catalogue().explain(&caller, id.0).await?.into()))
}
