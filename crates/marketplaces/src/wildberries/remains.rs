//! Stock in the marketplace's warehouses by the report that is made on request: the way of tokens that may not ask for
//! it at once.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use domain::{
    reading::{Position, ReadPage, StockRow},
    sync::is_contract_drift,
};
use serde::Deserialize;

use super::{
    api::{Api, parse_position, position},
    endpoints::{REMAINS, REMAINS_CREATED, REMAINS_STATE},
    shelves::{Shelves, Size},
};
use crate::{
    decode::{self, Id, List, Listed},
    error::Error,
    report::{self, Next, Pace, Place, Progress, Report},
};

const PATH: &str = "/api/v1/warehouse_remains";

/// As the marketplace recommends: it takes a minute, and can take ten.
const PACE: Pace = Pace {
    first: Duration::from_mins(1),
    later: &[Duration::from_secs(30), Duration::from_mins(1), Duration::from_secs(90)],
    patience: Duration::from_mins(15),
    reports: 3,
};

/// Rows of one page.
const PAGE: usize = 20_000;

/// The report that was fetched last. It only spares a second fetch: whoever does not have it fetches it again.
#[derive(Default)]
pub(super) struct Fetched(Mutex<Option<(String, Arc<Shelves>)>>);

impl Fetched {
    fn of(&self, task: &str) -> Option<Arc<Shelves>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.as_ref().filter(|(of, _)| of == task).map(|(_, shelves)| Arc::clone(shelves))
    }

    fn keep(&self, fetched: Option<(String, Arc<Shelves>)>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = fetched;
    }
}

/// Reads the next part: asks for the report, looks for it, or gives a page of it.
pub(super) async fn read(
    api: &Api,
    fetched: &Fetched,
    at: Option<&Position>,
) -> Result<ReadPage<StockRow>, Error> {
    let place = match at {
        Some(at) => parse_position(&REMAINS, at)?,
        None => Place::Ask { asked: 0 },
    };
    let (task, asked, after) = match report::step(&Remains(api), &PACE, api.now(), place).await? {
        Next::Pause(place, pause) => return Ok(ReadPage::pause(position(&place), pause)),
        Next::Commit(place) => return Ok(nothing_before(&place)),
        Next::Fetch { task, asked, after } => (task, asked, after),
    };
    let (shelves, failed) = match fetched.of(&task) {
        Some(shelves) => (shelves, 0),
        None => match fetch(api, &task).await {
            Ok((shelves, failed)) => (Arc::new(shelves), failed),
            Err(Error::NotFound { .. }) => return Ok(nothing_before(&Place::Ask { asked })),
            Err(error) => return Err(error),
        },
    };
    let (rows, last) = shelves.page(after.as_ref(), PAGE);
    // What could not be read has been told with the first page.
    let failed = if after.is_none() { failed } else { 0 };
    fetched.keep(last.is_some().then(|| (task.clone(), shelves)));
    let next = last.map(|size| position(&Place::Fetch { task, asked, after: Some(size) }));
    Ok(ReadPage { failed, next, ..ReadPage::last(rows) })
}

/// A page that only says where to go on.
fn nothing_before(place: &Place<Size>) -> ReadPage<StockRow> {
    ReadPage { next: Some(position(place)), ..ReadPage::last(Vec::new()) }
}

/// Fetches a report and tells how many of its rows could not be read. A seller of whom the marketplace has nothing gets
/// an answer without content.
async fn fetch(api: &Api, task: &str) -> Result<(Shelves, u64), Error> {
    let path = format!("{PATH}/tasks/{task}/download");
    let begin = || List::new(REMAINS.operation, Shelves::default());
    let Some(report) = api.get_arriving(&REMAINS, &path, &[], begin).await? else {
        return Ok((Shelves::default(), 0));
    };
    let Listed { kept: mut shelves, rows, failed } = report;
    // Counted here, by the rows of the report: there are more of those that are made of them.
    if is_contract_drift(rows - failed, failed) {
        let what = format!("{failed} of {rows} rows cannot be read");
        return Err(Error::ContractChanged { endpoint: REMAINS.operation, what });
    }
    shelves.forget_lost();
    Ok((shelves, failed))
}

#[derive(Deserialize)]
struct Answer<T> {
    data: T,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Created {
    task_id: Id,
}

#[derive(Deserialize)]
struct State {
    status: String,
}

struct Remains<'a>(&'a Api);

#[async_trait]
impl Report for Remains<'_> {
    fn operation(&self) -> &'static str {
        REMAINS_CREATED.operation
    }

    async fn ask(&self) -> Result<String, Error> {
        let query = ["groupByNm", "groupBySa", "groupByBarcode", "groupBySize"].map(|name| (name, "true"));
        let query: Vec<_> = query.into_iter().chain([("locale", "ru")]).collect();
        let read = |body: &[u8]| decode::page(REMAINS_CREATED.operation, body);
        let answer: Answer<Created> = self.0.get(&REMAINS_CREATED, PATH, &query, read).await?;
        let Id(task) = answer.data.task_id;
        // It becomes a part of a path.
        if !task.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            let what = "data.taskId: not an id".to_owned();
            return Err(Error::ContractChanged { endpoint: REMAINS_CREATED.operation, what });
        }
        Ok(task)
    }

    async fn look(&self, task: &str) -> Result<Progress, Error> {
        let path = format!("{PATH}/tasks/{task}/status");
        let read = |body: &[u8]| decode::page(REMAINS_STATE.operation, body);
        let answer: Answer<State> = self.0.get(&REMAINS_STATE, &path, &[], read).await?;
        Ok(match answer.data.status.as_str() {
            "done" => Progress::Ready,
            "purged" | "canceled" => Progress::Gone,
            // New, in work, or in a state that has no name yet.
            _ => Progress::Working,
        })
    }

    fn scaled(&self, period: Duration) -> Duration {
        self.0.scaled(period)
    }
}
