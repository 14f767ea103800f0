//! Reading a list from its beginning to its end, though it can only be asked for by offset.
//!
//! Lists are in the order of ids that never change. Each page begins with the last row of the page before: where it is
//! not found there, rows before it have come or gone, and it is looked for. What follows it has not been read, so
//! every row that is there from the beginning of the reading to its end is read once.

use domain::reading::Position;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::api::{Api, Query};
use crate::{
    decode::{self, Id, RawRows, Whole},
    error::Error,
};

/// Rows that are asked for at once; fewer where a shop allows fewer.
const TAKE: u64 = 100;

/// Fewest rows that are asked for at once: one is known already.
const LEAST: u64 = 2;

/// Rows that are remembered, in case that the last one is deleted before the next page is read.
const REMEMBERED: usize = 10;

/// How often a reading starts over because the list did not stand still.
const RESTARTS: u8 = 3;

/// Where a reading goes on.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Place {
    /// Rows of the list before the last one that was read.
    skip: u64,
    /// Rows at once.
    take: u64,
    /// Ids of the last rows that were read, the latest last.
    tail: Vec<String>,
    /// Rows that were read.
    read: u64,
    restarts: u8,
}

impl Place {
    /// The beginning of a list.
    pub(super) const fn beginning() -> Self {
        Self { skip: 0, take: TAKE, tail: Vec::new(), read: 0, restarts: 0 }
    }

    /// The beginning, once more; not for ever.
    pub(super) fn again(&self, query: &Query) -> Result<Self, Error> {
        if self.restarts >= RESTARTS {
            let what = "the list does not stand still".to_owned();
            return Err(Error::Transient { operation: query.operation, what, retry_after: None });
        }
        Ok(Self { restarts: self.restarts + 1, take: self.take, ..Self::beginning() })
    }
}

/// How a reading stands after a part.
#[derive(Debug)]
pub(super) enum Standing {
    /// There is more.
    More(Place),
    /// Every row has been read.
    Whole,
    /// It is over, but this many rows, at least, have come or gone while it was read.
    Shifted(u64),
}

/// A part of a list.
#[derive(Debug)]
pub(super) struct Part<R> {
    pub rows: Vec<R>,
    pub failed: u64,
    pub standing: Standing,
}

/// The `data` of every answer that holds a list: the field that is asked for goes by the name of `list`, and settings
/// of the shop beside it by `settings`.
#[derive(Deserialize)]
struct Data<'a, S> {
    #[serde(borrow)]
    list: List<'a>,
    settings: S,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct List<'a> {
    total_items: Whole,
    #[serde(borrow)]
    items: RawRows<'a>,
}

#[derive(Deserialize)]
struct Identified {
    id: Id,
}

/// One answer.
pub(super) struct Page<R> {
    pub total: u64,
    /// Rows from which on they are new; none where that cannot be told.
    pub from: Option<usize>,
    /// Of every row.
    pub ids: Vec<String>,
    /// New rows that could be read.
    pub rows: Vec<R>,
    pub failed: u64,
}

/// Asks for one page, for fewer rows where the shop does not allow so many. `from` finds the first new row by the ids.
pub(super) async fn page<S, T, R>(
    api: &Api,
    query: &Query,
    take: &mut u64,
    variables: impl Fn(u64) -> Value + Sync,
    from: impl Fn(&[String]) -> Option<usize> + Sync,
    row: impl Fn(&S, T) -> Option<R> + Sync,
) -> Result<Page<R>, Error>
where
    S: DeserializeOwned,
    T: DeserializeOwned,
    R: Send,
{
    let operation = query.operation;
    let read = |data: &str| {
        let data: Data<'_, S> = decode::page(operation, data.as_bytes())?;
        let changed = |what| Error::ContractChanged { endpoint: operation, what };
        let total = u64::try_from(data.list.total_items.0)
            .map_err(|_| changed("list.totalItems: less than nothing".to_owned()))?;
        // Without its id a row has no place in the list.
        let ids = data.list.items.iter().map(|raw| serde_json::from_str::<Identified>(raw.get()));
        let ids: Vec<String> = ids
            .map(|row| row.map(|row| row.id.0))
            .collect::<Result<_, _>>()
            .map_err(|error| changed(format!("list.items: {error}")))?;
        let from = from(&ids);
        let mut raw = data.list.items;
        let raw = raw.split_off(from.unwrap_or(raw.len()));
        let (rows, failed) = decode::rows(operation, raw, |wire| row(&data.settings, wire));
        Ok(Page { total, from, ids, rows, failed })
    };
    loop {
        match api.ask(query, &variables(*take), read).await? {
            Ok(page) => return Ok(page),
            // An operator may allow fewer rows than Vendure does by itself.
            Err(refusal) if *take > LEAST => {
                let fewer = refusal.allowed.filter(|allowed| allowed < take).unwrap_or(*take / 2);
                *take = fewer.max(LEAST);
            }
            Err(refusal) => return Err(Error::InvalidRequest { endpoint: operation, what: refusal.what }),
        }
    }
}

/// Reads the next part of a list.
pub(super) async fn next<S, T, R>(
    api: &Api,
    query: &Query,
    mut place: Place,
    row: impl Fn(&S, T) -> Option<R> + Sync,
) -> Result<Part<R>, Error>
where
    S: DeserializeOwned,
    T: DeserializeOwned,
    R: Send,
{
    let mut skip = place.skip;
    loop {
        let tail = place.tail.clone();
        let from = |ids: &[String]| match ids.iter().rposition(|id| tail.contains(id)) {
            Some(last) => Some(last + 1),
            None if tail.is_empty() => Some(0),
            None => None,
        };
        let mut take = place.take;
        let page =
            page(api, query, &mut take, |take| json!({ "take": take, "skip": skip }), from, &row).await?;
        place.take = take;
        match page.from {
            Some(from) => return part(query, place, skip, from, page),
            // Nothing that was read is there any more.
            None if skip == 0 => {
                let standing = Standing::Shifted(page.total.abs_diff(place.read).max(1));
                return Ok(Part { rows: Vec::new(), failed: 0, standing });
            }
            None => skip = skip.saturating_sub(take - 1),
        }
    }
}

/// What a page has brought.
fn part<R>(query: &Query, place: Place, skip: u64, from: usize, page: Page<R>) -> Result<Part<R>, Error> {
    let Page { total, ids, rows, failed, .. } = page;
    let end = skip + ids.len() as u64;
    let new = &ids[from..];
    let read = place.read + new.len() as u64;
    if end >= total {
        let standing = if read == total { Standing::Whole } else { Standing::Shifted(read.abs_diff(total)) };
        return Ok(Part { rows, failed, standing });
    }
    if new.is_empty() && ids.len() < usize::try_from(LEAST).unwrap_or(usize::MAX) {
        let what = format!("list.items: nothing after {end} of {total} rows");
        return Err(Error::ContractChanged { endpoint: query.operation, what });
    }
    let mut tail: Vec<String> = place.tail.into_iter().chain(new.iter().cloned()).collect();
    tail.drain(..tail.len().saturating_sub(REMEMBERED));
    let next = Place { skip: end - 1, tail, read, ..place };
    Ok(Part { rows, failed, standing: Standing::More(next) })
}

/// A position as its reading keeps it.
pub(super) fn parse_position<T: DeserializeOwned>(query: &Query, position: &Position) -> Result<T, Error> {
    serde_json::from_str(&position.0).map_err(|error| Error::InvalidRequest {
        endpoint: query.operation,
        what: format!("not a position of this reading: {error}"),
    })
}

/// A position as others keep it.
pub(super) fn position(place: &impl Serialize) -> Position {
    Position(serde_json::to_string(place).expect("a position is made of texts and numbers"))
}
