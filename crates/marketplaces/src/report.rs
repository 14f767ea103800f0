//! Asynchronous reports: asked for, waited for, fetched.
//!
//! Every step is at most one call, and its outcome is a [`Place`] that is committed before the next step. A process
//! that is killed while the report is being made goes on waiting for it; only one that is killed between the answer that
//! promised a report and the commit asks for a second.

use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use domain::clock::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::Error;

/// How a kind of report is waited for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// From asking for it to the first look.
    pub first: Duration,
    /// Between two looks; the last one stands for all that follow.
    pub later: &'static [Duration],
    /// From asking for it to the look after which it is given up for now.
    pub patience: Duration,
    /// Reports that one reading asks for in all: one that ends unread is asked for again.
    pub reports: u32,
}

impl Pace {
    /// From a look at which it was not ready to the next, when it was not ready `looks` times before.
    fn gap(&self, looks: usize) -> Duration {
        self.later.get(looks).or(self.later.last()).copied().unwrap_or(self.first)
    }
}

/// Where a reading by report stands. `After` is how far the report itself has been read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Place<After> {
    /// A report is to be asked for.
    Ask {
        /// Reports that were asked for before.
        asked: u32,
    },
    /// A report is being made.
    Wait {
        /// The marketplace's id of it.
        task: String,
        /// Reports that were asked for, this one included.
        asked: u32,
        /// When it was asked for.
        since: Timestamp,
        /// Before which there is no use in looking.
        until: Timestamp,
        /// How often it was not ready.
        looks: usize,
    },
    /// A report is ready.
    Fetch {
        /// The marketplace's id of it.
        task: String,
        /// Reports that were asked for, this one included.
        asked: u32,
        /// Up to where it has been read.
        after: Option<After>,
    },
}

/// How far a report is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// It is being made.
    Working,
    /// It can be fetched.
    Ready,
    /// It will never be there, or is no more.
    Gone,
}

/// A report of some marketplace.
#[async_trait]
pub(crate) trait Report: Sync {
    /// What asking for it is called.
    fn operation(&self) -> &'static str;

    /// Asks for it; gives the marketplace's id of it.
    async fn ask(&self) -> Result<String, Error>;

    /// Looks how far it is.
    async fn look(&self, task: &str) -> Result<Progress, Error>;

    /// A period of the marketplace as it counts here.
    fn scaled(&self, period: Duration) -> Duration;
}

/// What to do after a step.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next<After> {
    /// Commit the place; nothing can be done before this has passed.
    Pause(Place<After>, Duration),
    /// Commit the place and go on.
    Commit(Place<After>),
    /// Fetch the report: nothing else is left to be done.
    Fetch {
        /// The marketplace's id of it.
        task: String,
        /// Reports that were asked for, this one included.
        asked: u32,
        /// Up to where it has been read.
        after: Option<After>,
    },
}

/// Makes the next step. A report that is not there is told by the marketplace's answer, or by [`Error::NotFound`].
pub(crate) async fn step<After>(
    report: &impl Report,
    pace: &Pace,
    now: Timestamp,
    place: Place<After>,
) -> Result<Next<After>, Error> {
    let unready = |what: String| Error::Transient { operation: report.operation(), what, retry_after: None };
    match place {
        Place::Ask { asked } if asked >= pace.reports => {
            Err(unready(format!("{asked} reports were asked for, and none could be read")))
        }
        Place::Ask { asked } => {
            let task = report.ask().await?;
            let first = report.scaled(pace.first);
            let place =
                Place::Wait { task, asked: asked + 1, since: now, until: later(now, first), looks: 0 };
            Ok(Next::Pause(place, first))
        }
        Place::Wait { until, .. } if now < until => {
            let left = (until - now).to_std().unwrap_or_default();
            Ok(Next::Pause(place, left))
        }
        Place::Wait { task, asked, since, looks, .. } => {
            let progress = match report.look(&task).await {
                Err(Error::NotFound { .. }) => Progress::Gone,
                progress => progress?,
            };
            match progress {
                Progress::Ready => Ok(Next::Commit(Place::Fetch { task, asked, after: None })),
                Progress::Gone => Ok(Next::Commit(Place::Ask { asked })),
                // The place stays: whoever tries again looks for the same report again.
                Progress::Working if now >= later(since, report.scaled(pace.patience)) => {
                    Err(unready(format!("the report is not ready after {looks} looks")))
                }
                Progress::Working => {
                    let gap = report.scaled(pace.gap(looks));
                    let until = later(now, gap);
                    Ok(Next::Pause(Place::Wait { task, asked, since, until, looks: looks + 1 }, gap))
                }
            }
        }
        Place::Fetch { task, asked, after } => Ok(Next::Fetch { task, asked, after }),
    }
}

fn later(at: Timestamp, by: Duration) -> Timestamp {
    TimeDelta::from_std(by).ok().and_then(|by| at.checked_add_signed(by)).unwrap_or(Timestamp::MAX_UTC)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    const PACE: Pace = Pace {
        first: Duration::from_mins(1),
        later: &[Duration::from_secs(30), Duration::from_secs(90)],
        patience: Duration::from_mins(5),
        reports: 2,
    };

    /// A report that has one answer for each look, and counts how often it was asked for.
    #[derive(Default)]
    struct Scripted {
        looks: Mutex<Vec<Result<Progress, Error>>>,
        asked: Mutex<u32>,
    }

    impl Scripted {
        fn new(looks: impl IntoIterator<Item = Result<Progress, Error>>) -> Self {
            let mut looks: Vec<_> = looks.into_iter().collect();
            looks.reverse();
            Self { looks: looks.into(), asked: Mutex::default() }
        }
    }

    #[async_trait]
    impl Report for Scripted {
        fn operation(&self) -> &'static str {
            "report"
        }

        async fn ask(&self) -> Result<String, Error> {
            let mut asked = self.asked.lock().unwrap();
            *asked += 1;
            Ok(format!("task-{asked}"))
        }

        async fn look(&self, _: &str) -> Result<Progress, Error> {
            self.looks.lock().unwrap().pop().expect("a look that was foreseen")
        }

        fn scaled(&self, period: Duration) -> Duration {
            period
        }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    /// What a step leads to, after its place was written down and read again.
    async fn next(report: &Scripted, seconds: i64, place: &Place<u8>) -> Result<Next<u8>, Error> {
        let kept = serde_json::from_str(&serde_json::to_string(place).unwrap()).unwrap();
        step(report, &PACE, at(seconds), kept).await
    }

    #[tokio::test]
    async fn a_report_is_looked_for_less_and_less_often_and_never_early() {
        let working = || Ok(Progress::Working);
        let report = Scripted::new([working(), working(), working(), Ok(Progress::Ready)]);
        let (mut place, mut seconds) = (Place::Ask { asked: 0 }, 0);
        let mut pauses = Vec::new();
        while let Next::Pause(waiting, pause) = next(&report, seconds, &place).await.unwrap() {
            let early = seconds + i64::try_from(pause.as_secs()).unwrap() - 1;
            let again = next(&report, early, &waiting).await.unwrap();
            assert_eq!(
                again,
                Next::Pause(waiting.clone(), Duration::from_secs(1)),
                "an early call makes no call"
            );
            pauses.push(pause.as_secs());
            (place, seconds) = (waiting, early + 1);
        }
        assert_eq!(pauses, [60, 30, 90, 90]);
        assert_eq!(*report.asked.lock().unwrap(), 1);
    }

    #[tokio::test]
    async fn a_report_that_is_gone_is_asked_for_again_but_not_for_ever() {
        for gone in [Ok(Progress::Gone), Err(Error::NotFound { endpoint: "report" })] {
            let report = Scripted::new([gone, Ok(Progress::Gone)]);
            let (mut place, mut seconds) = (Place::Ask { asked: 0 }, 0);
            let error = loop {
                match next(&report, seconds, &place).await {
                    Ok(Next::Pause(waiting, _)) => (place, seconds) = (waiting, seconds + 60),
                    Ok(Next::Commit(committed)) => place = committed,
                    Ok(Next::Fetch { .. }) => panic!("there is nothing to fetch"),
                    Err(error) => break error,
                }
            };
            assert!(matches!(error, Error::Transient { operation: "report", .. }), "{error}");
            assert_eq!(*report.asked.lock().unwrap(), PACE.reports);
        }
    }

    #[tokio::test]
    async fn a_report_that_takes_too_long_is_given_up_and_looked_for_again_by_the_next_try() {
        let report = Scripted::new([Ok(Progress::Working), Ok(Progress::Working), Ok(Progress::Ready)]);
        let waiting =
            |until| Place::Wait { task: "t".into(), asked: 1, since: at(0), until: at(until), looks: 3 };
        assert!(matches!(next(&report, 299, &waiting(299)).await, Ok(Next::Pause(..))));
        assert!(next(&report, 300, &waiting(300)).await.is_err());
        let found = next(&report, 330, &waiting(300)).await.unwrap();
        assert_eq!(found, Next::Commit(Place::Fetch { task: "t".into(), asked: 1, after: None }));
        assert_eq!(*report.asked.lock().unwrap(), 0, "no second report");
    }

    #[tokio::test]
    async fn what_is_ready_is_fetched_from_where_it_was_left() {
        let place = Place::Fetch { task: "t".into(), asked: 2, after: Some(7) };
        let fetch = next(&Scripted::default(), 0, &place).await.unwrap();
        assert_eq!(fetch, Next::Fetch { task: "t".into(), asked: 2, after: Some(7) });
    }
}
