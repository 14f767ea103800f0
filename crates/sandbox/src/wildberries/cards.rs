//! Product cards, listed and trashed, page by page.

use actix_web::web::Bytes;
use actix_web::{Error, HttpResponse, web};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::errors;
use crate::edge::Caller;
use crate::state::Shared;
use crate::world::catalogue::{Card, Size};

const MAX_CARDS: usize = 100;

#[derive(Deserialize)]
pub(super) struct Locale {
    locale: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct CardsRequest {
    settings: Settings,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Settings {
    sort: Sort,
    filter: Filter,
    cursor: Cursor,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Sort {
    ascending: bool,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Filter {
    with_photo: i32,
    text_search: String,
    #[serde(rename = "objectIDs")]
    object_ids: Vec<i64>,
    brands: Vec<String>,
    #[serde(rename = "imtID")]
    imt_id: Option<i64>,
}

#[derive(Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Cursor {
    limit: usize,
    updated_at: Option<DateTime<Utc>>,
    trashed_at: Option<DateTime<Utc>>,
    #[serde(rename = "nmID")]
    nm_id: i64,
}

impl Default for Cursor {
    fn default() -> Self {
        Self { limit: 10, updated_at: None, trashed_at: None, nm_id: 0 }
    }
}

impl Filter {
    fn lets_through(&self, card: &Card) -> bool {
        let found = || {
            card.vendor_code == self.text_search
                || card.nm_id.to_string() == self.text_search
                || card.sizes.iter().any(|size| size.barcodes.contains(&self.text_search))
        };
        (self.with_photo != 1 || card.has_photo)
            && (self.text_search.is_empty() || found())
            && (self.object_ids.is_empty() || self.object_ids.contains(&card.subject.id))
            && (self.brands.is_empty() || self.brands.iter().any(|brand| brand == card.brand))
            && self.imt_id.is_none_or(|imt_id| imt_id == card.imt_id)
    }
}

/// One page and the cursor behind it: cards in the order of (`moment`, nmID), after the cursor of the
/// request.
struct Page<'a> {
    cards: Vec<&'a Card>,
    cursor: (Option<DateTime<Utc>>, i64),
}

fn page<'a>(
    cards: impl Iterator<Item = &'a Card>,
    request: &CardsRequest,
    after: Option<DateTime<Utc>>,
    moment: impl Fn(&Card) -> DateTime<Utc>,
) -> Page<'a> {
    let Settings { sort, filter, cursor } = &request.settings;
    let key = |card: &Card| (moment(card), card.nm_id);
    let mut cards: Vec<&Card> = cards.filter(|card| filter.lets_through(card)).collect();
    cards.sort_unstable_by_key(|card| key(card));
    if !sort.ascending {
        cards.reverse();
    }
    if let Some(after) = after {
        let after = (after, cursor.nm_id);
        cards.retain(|card| if sort.ascending { key(card) > after } else { key(card) < after });
    }
    cards.truncate(cursor.limit);
    let cursor = cards.last().map_or((after, cursor.nm_id), |card| (Some(moment(card)), card.nm_id));
    Page { cards, cursor }
}

fn parse(body: &[u8]) -> Result<CardsRequest, Error> {
    let mut request: CardsRequest =
        serde_json::from_slice(body).map_err(|_| errors::refusal(errors::undecodable()))?;
    let limit = &mut request.settings.cursor.limit;
    if *limit > MAX_CARDS {
        return Err(errors::refusal(errors::content("Limit must be less than or equal to 100")));
    }
    if *limit == 0 {
        *limit = Cursor::default().limit;
    }
    Ok(request)
}

pub(super) async fn list(
    shared: web::Data<Shared>,
    caller: web::ReqData<Caller>,
    locale: web::Query<Locale>,
    body: Bytes,
) -> Result<HttpResponse, Error> {
    let request = parse(&body)?;
    let state = shared.present();
    let listed = state.world.sellers[caller.seller].cards.iter().filter(|card| card.trashed_at.is_none());
    let page = page(listed, &request, request.settings.cursor.updated_at, |card| card.updated_at);
    let english = locale.locale.as_deref() == Some("en");
    let cards: Vec<CardView<'_>> = page.cards.iter().map(|card| CardView::of(card, english)).collect();
    let (moment, nm_id) = page.cursor;
    let cursor = cursor("updatedAt", moment, nm_id, cards.len());
    Ok(HttpResponse::Ok().json(json!({"cards": cards, "cursor": cursor})))
}

pub(super) async fn trash(
    shared: web::Data<Shared>,
    caller: web::ReqData<Caller>,
    body: Bytes,
) -> Result<HttpResponse, Error> {
    let request = parse(&body)?;
    let state = shared.present();
    let trashed = state.world.sellers[caller.seller].cards.iter().filter(|card| card.trashed_at.is_some());
    let moment = |card: &Card| card.trashed_at.unwrap_or(card.updated_at);
    let page = page(trashed, &request, request.settings.cursor.trashed_at, moment);
    let card = |card: &&Card| {
        json!({
            "nmID": card.nm_id,
            "vendorCode": card.vendor_code,
            "subjectID": card.subject.id,
            "subjectName": card.subject.name,
            "photos": photos(card),
            "sizes": card.sizes.iter().map(SizeView::of).collect::<Vec<_>>(),
            "createdAt": stamp(card.created_at),
            "trashedAt": stamp(moment(card)),
        })
    };
    let cards: Vec<_> = page.cards.iter().map(card).collect();
    let (moment, nm_id) = page.cursor;
    let cursor = cursor("trashedAt", moment, nm_id, cards.len());
    Ok(HttpResponse::Ok().json(json!({"cards": cards, "cursor": cursor})))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CardView<'a> {
    #[serde(rename = "nmID")]
    nm_id: i64,
    #[serde(rename = "imtID")]
    imt_id: i64,
    #[serde(rename = "nmUUID")]
    nm_uuid: uuid::Uuid,
    #[serde(rename = "subjectID")]
    subject_id: i64,
    subject_name: &'static str,
    vendor_code: &'a str,
    brand: &'static str,
    title: &'a str,
    description: String,
    need_kiz: bool,
    photos: Vec<serde_json::Value>,
    sizes: Vec<SizeView<'a>>,
    created_at: String,
    updated_at: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SizeView<'a> {
    #[serde(rename = "chrtID")]
    chrt_id: i64,
    tech_size: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    wb_size: Option<&'static str>,
    skus: &'a [String],
}

impl<'a> SizeView<'a> {
    fn of(size: &'a Size) -> Self {
        Self { chrt_id: size.chrt_id, tech_size: size.label, wb_size: size.russian, skus: &size.barcodes }
    }
}

impl<'a> CardView<'a> {
    fn of(card: &'a Card, english: bool) -> Self {
        Self {
            nm_id: card.nm_id,
            imt_id: card.imt_id,
            nm_uuid: card.nm_uuid,
            subject_id: card.subject.id,
            subject_name: if english { card.subject.name_en } else { card.subject.name },
            vendor_code: &card.vendor_code,
            brand: card.brand,
            title: &card.title,
            description: format!("{} бренда {}", card.title, card.brand),
            need_kiz: false,
            photos: photos(card),
            sizes: card.sizes.iter().map(SizeView::of).collect(),
            created_at: stamp(card.created_at),
            updated_at: stamp(card.updated_at),
        }
    }
}

/// Where to go on. Before the first card there is no moment to name.
fn cursor(name: &str, moment: Option<DateTime<Utc>>, nm_id: i64, total: usize) -> serde_json::Value {
    let mut cursor = json!({"nmID": nm_id, "total": total});
    if let Some(moment) = moment {
        cursor[name] = json!(stamp(moment));
    }
    cursor
}

fn photos(card: &Card) -> Vec<serde_json::Value> {
    let url = |size: &str| format!("https://photos.sandbox.invalid/{}/{size}/1.webp", card.nm_id);
    let photo =
        || json!({"big": url("big"), "c246x328": url("c246x328"), "square": url("square"), "tm": url("tm")});
    card.has_photo.then(photo).into_iter().collect()
}

fn stamp(moment: DateTime<Utc>) -> String {
    moment.to_rfc3339_opts(SecondsFormat::Micros, true)
}
