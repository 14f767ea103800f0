//! What the scripts answer.

use crate::algorithm::{Reading, Wait};
use crate::report::Source;
use crate::{Algorithm, Plan, PolicyState, Report, StoreError, StoreErrorKind};

/// The version of the answer that this code reads.
const VERSION: i64 = 1;

/// Reads the answer of `admit`, which got a nonce, or of `peek`, which counts nothing.
pub(super) fn report(plan: &Plan, nonce: Option<u64>, answer: &[i64]) -> Result<Report, StoreError> {
    let unreadable = || {
        let detail = format!("{} policies were asked, the answer was {answer:?}", plan.asks().len());
        StoreError::new(StoreErrorKind::Unreadable, detail)
    };
    let [VERSION, verdict @ 0..=2, now, figures @ ..] = answer else {
        return Err(unreadable());
    };
    let (figures, rest) = figures.as_chunks::<4>();
    if figures.len() != plan.asks().len() || !rest.is_empty() {
        return Err(unreadable());
    }
    let mut states = smallvec::SmallVec::new();
    let now = u64::try_from(*now).map_err(|_| unreadable())?;
    for (ask, figures) in plan.asks().iter().zip(figures) {
        let state = PolicyState::new(ask, reading(*figures).ok_or_else(unreadable)?);
        // Of an earlier try only a log tells its own entries from others: by the nonce.
        let counted = match verdict {
            0 => false,
            1 => nonce.is_some() && !state.is_exceeded(),
            _ => ask.rule().algorithm() == Algorithm::SlidingLog,
        };
        let until = if counted && ask.cost() > 0 { now + state.reading().full } else { 0 };
        states.push(state.counted(until));
    }
    Ok(Report {
        admitted: *verdict > 0,
        now,
        states,
        nonce: nonce.unwrap_or_default(),
        source: Source::Store,
    })
}

fn reading([used, next_free, full, wait]: [i64; 4]) -> Option<Reading> {
    let wait = match wait {
        -1 => Wait::Never,
        0 => Wait::None,
        wait => Wait::Micros(u64::try_from(wait).ok()?),
    };
    Some(Reading {
        used: u32::try_from(used).ok()?,
        next_free: u64::try_from(next_free).ok()?,
        full: u64::try_from(full).ok()?,
        wait,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{Keys, Policy, Subject};

    fn plan() -> Plan {
        let policy = Policy::builder("api", 5, Duration::from_mins(1)).build().unwrap();
        let mut plan = Plan::new();
        plan.ask(&policy, Keys::new([1; 16]).key(&policy, &Subject::new()).unwrap(), 1).unwrap();
        plan
    }

    #[test]
    fn an_answer_becomes_a_report() {
        let report = report(&plan(), Some(9), &[1, 0, 1_000_000, 5, 20, 30, 20]).unwrap();
        assert!(!report.is_admitted());
        assert_eq!(report.now(), Duration::from_secs(1));
        assert_eq!(report.retry_after(), Some(Duration::from_micros(20)));
        let state = report.states()[0];
        assert_eq!((state.used(), state.remaining(), state.limit()), (5, 0, 5));
        assert_eq!(
            (state.next_free(), state.full_reset()),
            (Duration::from_micros(20), Duration::from_micros(30))
        );
    }

    #[test]
    fn anything_else_is_an_error_and_never_a_verdict() {
        let answers: [&[i64]; 6] = [
            &[],
            &[2, 1, 5, 1, 1, 1, 0],
            &[1, 3, 5, 1, 1, 1, 0],
            &[1, 1, 5, 1, 1, 1],
            &[1, 1, 5],
            &[1, 1, 5, -1, 1, 1, 0],
        ];
        for answer in answers {
            let error = report(&plan(), Some(0), answer).unwrap_err();
            assert_eq!(error.kind(), StoreErrorKind::Unreadable, "{answer:?}");
        }
    }
}
