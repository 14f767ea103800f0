//! Stock: exact per seller warehouse, and the two reports.

use std::collections::HashSet;

use actix_web::http::StatusCode;
use actix_web::web::Bytes;
use actix_web::{Error, HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::errors;
use crate::edge::Caller;
use crate::state::Shared;
use crate::world::seller::Seller;
use crate::world::stock::{Level, Place, Side, wb_warehouse};

/// What the marketplace shows in place of its own warehouses while they are masked.
const MASKED_ID: i64 = -999_999;
const MASKED_NAME: &str = "Склад WB";

const MAX_SIZES: usize = 1000;
const MAX_ARTICLES: usize = 1000;
const MAX_ROWS: usize = 250_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SizesRequest {
    chrt_ids: Vec<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Amount {
    chrt_id: i64,
    amount: u32,
}

pub(super) async fn in_seller_warehouse(
    shared: web::Data<Shared>,
    caller: web::ReqData<Caller>,
    warehouse_id: web::Path<String>,
    body: Bytes,
) -> HttpResponse {
    let bad_request = |code, message| errors::marketplace(StatusCode::BAD_REQUEST, code, message);
    let Ok(warehouse_id) = warehouse_id.parse() else {
        return bad_request("IncorrectParameter", "Передан некорректный параметр");
    };
    let Ok(SizesRequest { chrt_ids }) = serde_json::from_slice(&body) else {
        return bad_request("IncorrectRequestBody", "Некорректное тело запроса");
    };
    if chrt_ids.len() > MAX_SIZES {
        return bad_request("IncorrectRequest", "Переданы некорректные данные");
    }
    let state = shared.present();
    let seller = &state.world.sellers[caller.seller];
    if seller.warehouse(warehouse_id).is_none() {
        return errors::marketplace(StatusCode::NOT_FOUND, "NotFound", "Not found");
    }
    let mut asked = HashSet::new();
    let stocks = chrt_ids.into_iter().filter(|chrt_id| asked.insert(*chrt_id)).filter_map(|chrt_id| {
        let mut levels = seller.stock.of(chrt_id);
        let (_, level) = levels.find(|(place, _)| *place == Place::Seller(warehouse_id))?;
        (level.available > 0).then_some(Amount { chrt_id, amount: level.available })
    });
    HttpResponse::Ok().json(json!({"stocks": stocks.collect::<Vec<_>>()}))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ReportRequest {
    nm_ids: Vec<i64>,
    chrt_ids: Vec<i64>,
    limit: u32,
    offset: u32,
}

impl Default for ReportRequest {
    fn default() -> Self {
        Self { nm_ids: Vec::new(), chrt_ids: Vec::new(), limit: 250_000, offset: 0 }
    }
}

impl ReportRequest {
    fn parse(body: &[u8]) -> Result<Self, Error> {
        let invalid = |detail: &str| {
            errors::refusal(errors::reports(StatusCode::BAD_REQUEST, "Invalid request body", detail))
        };
        let request: Self = serde_json::from_slice(body).map_err(|error| invalid(&error.to_string()))?;
        if request.nm_ids.len() > MAX_ARTICLES {
            return Err(invalid("nmIds (must contain at most 1000 items)"));
        }
        if request.limit() > MAX_ROWS {
            return Err(invalid("limit (must be at most 250000)"));
        }
        Ok(request)
    }

    fn limit(&self) -> usize {
        usize::try_from(self.limit).unwrap_or(usize::MAX)
    }

    fn offset(&self) -> usize {
        usize::try_from(self.offset).unwrap_or(usize::MAX)
    }

    /// `chrtIds` only narrows down articles that are named.
    fn wants(&self, nm_id: i64, chrt_id: i64) -> bool {
        self.nm_ids.is_empty()
            || self.nm_ids.contains(&nm_id) && (self.chrt_ids.is_empty() || self.chrt_ids.contains(&chrt_id))
    }

    fn answer(&self, rows: Vec<Row>) -> HttpResponse {
        let items: Vec<Row> = rows.into_iter().skip(self.offset()).take(self.limit()).collect();
        if items.is_empty() {
            return HttpResponse::NoContent().finish();
        }
        HttpResponse::Ok().json(json!({"data": {"items": items}}))
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    nm_id: i64,
    chrt_id: i64,
    warehouse_id: i64,
    warehouse_name: &'static str,
    region_name: &'static str,
    quantity: u32,
    #[serde(flatten)]
    transit: Option<Transit>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Transit {
    in_way_to_client: u32,
    in_way_from_client: u32,
}

pub(super) async fn wb_report(
    shared: web::Data<Shared>,
    caller: web::ReqData<Caller>,
    body: Bytes,
) -> Result<HttpResponse, Error> {
    let request = ReportRequest::parse(&body)?;
    let state = shared.present();
    let mut rows = Vec::new();
    for (nm_id, chrt_id, levels) in sides(&state.world.sellers[caller.seller], Side::Fbo, &request) {
        if state.world.masked {
            let sum = levels.iter().fold(Level::default(), |sum, (_, level)| Level {
                available: sum.available + level.available,
                to_client: sum.to_client + level.to_client,
                from_client: sum.from_client + level.from_client,
                ..sum
            });
            rows.extend(wb_row(nm_id, chrt_id, (MASKED_ID, MASKED_NAME, MASKED_NAME), &sum));
        } else {
            rows.extend(levels.iter().filter_map(|(id, level)| {
                let warehouse = wb_warehouse(*id)?;
                wb_row(nm_id, chrt_id, (*id, warehouse.name, warehouse.region), level)
            }));
        }
    }
    Ok(request.answer(rows))
}

pub(super) async fn seller_report(
    shared: web::Data<Shared>,
    caller: web::ReqData<Caller>,
    body: Bytes,
) -> Result<HttpResponse, Error> {
    let request = ReportRequest::parse(&body)?;
    let state = shared.present();
    let seller = &state.world.sellers[caller.seller];
    let mut rows = Vec::new();
    for (nm_id, chrt_id, levels) in sides(seller, Side::Fbs, &request) {
        rows.extend(levels.iter().filter(|(_, level)| level.available > 0).filter_map(|(id, level)| {
            let warehouse = seller.warehouse(*id)?;
            Some(Row {
                nm_id,
                chrt_id,
                warehouse_id: *id,
                warehouse_name: warehouse.name,
                region_name: warehouse.office.region,
                quantity: level.available,
                transit: None,
            })
        }));
    }
    Ok(request.answer(rows))
}

type SizeLevels<'a> = (i64, i64, Vec<(i64, &'a Level)>);

/// The levels of one side, size by size, in a stable order.
fn sides<'a>(
    seller: &'a Seller,
    side: Side,
    request: &'a ReportRequest,
) -> impl Iterator<Item = SizeLevels<'a>> + 'a {
    let sizes = seller.cards.iter().flat_map(|card| card.sizes.iter().map(|size| (card.nm_id, size.chrt_id)));
    sizes.filter(|&(nm_id, chrt_id)| request.wants(nm_id, chrt_id)).map(move |(nm_id, chrt_id)| {
        let levels = seller.stock.of(chrt_id).filter(|(place, _)| place.side() == side);
        (nm_id, chrt_id, levels.map(|(place, level)| (place.id(), level)).collect())
    })
}

/// A row, unless there is nothing to say.
fn wb_row(nm_id: i64, chrt_id: i64, place: (i64, &'static str, &'static str), level: &Level) -> Option<Row> {
    let (warehouse_id, warehouse_name, region_name) = place;
    let transit = Transit { in_way_to_client: level.to_client, in_way_from_client: level.from_client };
    (level.available + level.to_client + level.from_client > 0).then_some(Row {
        nm_id,
        chrt_id,
        warehouse_id,
        warehouse_name,
        region_name,
        quantity: level.available,
        transit: Some(transit),
    })
}
