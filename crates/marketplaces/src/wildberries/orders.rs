//! Order lines, in the order in which they changed.
//!
//! The report is filtered by the time of change, not of ordering, and pages by it: several lines share one such time
//! and straddle pages. It is not documented whether the lines of the very moment asked from come again, so each page
//! is asked from a little before the end of the one before, and a reading ends when nothing comes, or nothing new, or
//! what has changed since the reading began: all that changed before has been read then.
//!
//! A token that may ask only once in hours is content with less: the figures count whole days, and so end before the day
//! on which the reading began. An answer that goes on into that day has all they need. Should there be more of the day
//! than it has, the next reading goes on from there, no later than this one could have asked again.
//!
//! One answer may be more than is good to be kept at once. It is cut into pages as if the marketplace had cut it there.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, PoisonError},
};

use chrono::{NaiveDateTime, NaiveTime, TimeDelta};
use domain::{
    calendar::Zone,
    reading::{OrderRow, Position, ReadPage},
    sync::is_contract_drift,
};
use serde::{Deserialize, Serialize};

use super::{
    api::{Api, parse_position, position},
    endpoints::ORDER_LINES,
    order_line::{Line, Waiting},
    token::Kind,
    wall_clock,
};
use crate::{
    decode::{Keep, List, Listed},
    error::Error,
};

/// How far back the marketplace keeps orders, and the first reading goes.
const KEPT: TimeDelta = TimeDelta::days(90);

/// How far before a watermark a reading starts again: twice the time in which the report is renewed, so that a line
/// that came late is not missed.
const OVERLAP: TimeDelta = TimeDelta::hours(1);

/// How far before the end of a page the next one is asked from. Lines of the last moment may have been cut off, and
/// may not come again when asked for from that very moment.
const STEP_BACK: TimeDelta = TimeDelta::seconds(1);

/// Lines of one page; a few more where they share a moment.
const PAGE: usize = 10_000;

/// How often a token may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pace {
    Usual,
    /// Once in hours.
    Slow,
}

impl Pace {
    const fn of(kind: Kind) -> Self {
        match kind {
            Kind::Basic | Kind::Unknown => Self::Slow,
            _ => Self::Usual,
        }
    }
}

/// How far the lines have been read.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Reached {
    /// Latest change that has been read, Moscow time.
    #[serde(rename = "changed")]
    latest: NaiveDateTime,
    /// The lines of that very moment that have been read.
    #[serde(default)]
    edge: Edge,
    /// Lines of the longest answer so far: the marketplace cuts none that is much shorter.
    #[serde(default)]
    longest: u64,
}

/// Where this reading goes on.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Place {
    /// Change from which to ask, Moscow time.
    from: NaiveDateTime,
    /// When the reading began, Moscow time.
    began: NaiveDateTime,
    #[serde(flatten)]
    reached: Reached,
}

impl Place {
    /// The beginning of a reading of all lines, or of those that changed after another one.
    fn beginning(since: Option<Reached>, now: NaiveDateTime) -> Self {
        if let Some(reached) = since {
            return Self { from: reached.latest - OVERLAP, began: now, reached };
        }
        let from = now - KEPT;
        Self { from, began: now, reached: Reached { latest: from, edge: Edge::default(), longest: 0 } }
    }

    /// Where to go on after a whole answer; nowhere if it brought nothing new, or all that the reading is for.
    fn after(&self, answer: &Answer, pace: Pace) -> Option<Self> {
        let latest = answer.latest()?;
        let reached = self.reached.with(answer);
        if latest >= self.began {
            return None;
        }
        if reached.is_further_than(&self.reached) {
            if pace == Pace::Slow && latest >= self.began.date().and_time(NaiveTime::MIN) {
                return None;
            }
            return Some(Self { from: latest - STEP_BACK, reached, ..*self });
        }
        // More lines may share the moment than fit in an answer: going back would bring the same ones for ever. How many
        // fit is not the same each time.
        let is_stuck = self.from < self.reached.latest && answer.length >= self.reached.longest / 2;
        is_stuck.then_some(Self { from: self.reached.latest, reached, ..*self })
    }
}

impl Reached {
    /// How far the lines have been read with these.
    fn with(&self, answer: &Answer) -> Self {
        let longest = self.longest.max(answer.length);
        match answer.latest() {
            Some(latest) if latest >= self.latest => Self { latest, edge: answer.edge(latest), longest },
            _ => Self { longest, ..*self },
        }
    }

    fn is_further_than(&self, other: &Self) -> bool {
        self.latest > other.latest || self.edge != other.edge
    }
}

/// A set of lines in a few bytes: the same set has the same edge, in any order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Edge {
    count: u64,
    sum: u64,
}

/// Lines of an answer, in the order of change.
struct Answer {
    lines: Vec<Waiting>,
    /// Rows of the whole answer, read or not.
    length: u64,
    /// When it came, Moscow time. No change is later than that: a line that says so must not take the reading, and all
    /// after it, past what comes.
    now: NaiveDateTime,
}

impl Answer {
    fn latest(&self) -> Option<NaiveDateTime> {
        self.lines.iter().rev().map(|line| line.at).find(|at| *at <= self.now)
    }

    fn edge(&self, at: NaiveDateTime) -> Edge {
        let lines = self.lines.iter().filter(|line| line.at == at);
        lines.fold(Edge::default(), |edge, line| Edge {
            count: edge.count + 1,
            sum: edge.sum.wrapping_add(line.id),
        })
    }

    /// Takes a page off the beginning. Lines of one moment stay together, and a page goes further than the reading had
    /// got.
    fn page(&mut self, reached: &Reached) -> Self {
        let known = self.lines.partition_point(|line| line.at <= reached.latest);
        let end = match self.lines.get(PAGE.max(known + 1) - 1) {
            Some(last) => self.lines.partition_point(|line| line.at <= last.at),
            None => self.lines.len(),
        };
        Self { lines: self.lines.drain(..end).collect(), ..*self }
    }
}

/// What is left of the answer that was read last, and where the reading goes on from its end. It only spares a call:
/// whoever does not have it asks again from the place.
#[derive(Default)]
pub(super) struct Remainder(Mutex<Option<(Position, Answer, Option<Place>)>>);

impl Remainder {
    fn take(&self, at: Option<&Position>) -> Option<(Answer, Option<Place>)> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        kept.filter(|(of, ..)| Some(of) == at).map(|(_, answer, end)| (answer, end))
    }

    fn keep(&self, at: Position, answer: Answer, end: Option<Place>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((at, answer, end));
    }
}

/// Reads the next page.
pub(super) async fn read(
    api: &Api,
    remainder: &Remainder,
    since: Option<&Position>,
    at: Option<&Position>,
) -> Result<ReadPage<OrderRow>, Error> {
    let place = match (at, since) {
        (Some(at), _) => parse_position(&ORDER_LINES, at)?,
        (None, Some(since)) => Place::beginning(Some(parse_position(&ORDER_LINES, since)?), now(api)),
        (None, None) => Place::beginning(None, now(api)),
    };
    let (mut answer, end, failed) = if let Some((answer, end)) = remainder.take(at) {
        (answer, end, 0)
    } else {
        let (answer, failed) = ask(api, place.from).await?;
        let end = place.after(&answer, Pace::of(api.token.kind()));
        (answer, end, failed)
    };
    let page = answer.page(&place.reached);
    let reached = place.reached.with(&page);
    let watermark = (!page.lines.is_empty()).then(|| position(&reached));
    let next = if answer.lines.is_empty() {
        end.as_ref().map(position)
    } else {
        let next = position(&Place { from: reached.latest - STEP_BACK, reached, ..place });
        remainder.keep(next.clone(), answer, end);
        Some(next)
    };
    Ok(ReadPage {
        rows: page.lines.into_iter().map(|line| line.row()).collect(),
        failed,
        next,
        watermark,
        expected_total: None,
        pause: None,
    })
}

fn now(api: &Api) -> NaiveDateTime {
    Zone::MOSCOW.wall_clock(api.now())
}

/// Asks for all lines that changed from a moment on, and tells how many rows could not be read.
async fn ask(api: &Api, from: NaiveDateTime) -> Result<(Answer, u64), Error> {
    let query = [("dateFrom", &*wall_clock::format(from)), ("flag", "0")];
    let begin = || List::new(ORDER_LINES.operation, Lines::default());
    let answer = api.get_arriving(&ORDER_LINES, "/api/v1/supplier/orders", &query, begin).await?;
    let changed = |what: String| Error::ContractChanged { endpoint: ORDER_LINES.operation, what };
    let Listed { kept: Lines(mut lines), rows: length, failed } =
        answer.ok_or_else(|| changed("status 204".to_owned()))?;
    let failed = failed + take_contradictions(&mut lines);
    // Before anything of it is kept: lines that are written are counted.
    if is_contract_drift(lines.len() as u64, failed) {
        return Err(changed(format!("{failed} of {length} rows cannot be read")));
    }
    lines.sort_unstable_by_key(|line| line.at);
    lines.shrink_to_fit();
    Ok((Answer { lines, length, now: now(api) }, failed))
}

/// Takes out the lines that have one id and are units of different products, or of different moments: which of them is
/// right cannot be told. Gives their number.
fn take_contradictions(lines: &mut Vec<Waiting>) -> u64 {
    let mut units: HashMap<u64, u64> = HashMap::with_capacity(lines.len());
    let contradicted: HashSet<u64> = lines
        .iter()
        .filter(|line| *units.entry(line.id).or_insert(line.unit) != line.unit)
        .map(|line| line.id)
        .collect();
    let before = lines.len();
    lines.retain(|line| !contradicted.contains(&line.id));
    (before - lines.len()) as u64
}

/// The lines of an answer as they come.
#[derive(Default)]
struct Lines(Vec<Waiting>);

impl Keep for Lines {
    type Row = Line;

    fn keep(&mut self, line: Line) -> Option<()> {
        self.0.push(Waiting::new(line)?);
        Some(())
    }
}
