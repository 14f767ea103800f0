//! A plan cut by slots, for a cluster: one script sees the keys of one slot only.

use smallvec::SmallVec;

use crate::report::Source;
use crate::{Plan, Report};

/// The asks of a plan that live in one slot, with their places in the whole plan.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) plan: Plan,
    places: SmallVec<[usize; 6]>,
}

/// Cuts a plan, the parts that are most likely to refuse first: those of one tenant or client before those that all
/// requests share. One part takes no copy: `None`.
pub(super) fn cut(plan: &Plan) -> Option<Vec<Part>> {
    let mut tags: SmallVec<[_; 6]> = plan.asks().iter().map(|ask| ask.key.tag()).collect();
    tags.sort_unstable();
    tags.dedup();
    if tags.len() < 2 {
        return None;
    }
    // `g`, that of all requests together, has to be last.
    tags.sort_unstable_by_key(|tag| (tag.is_global(), *tag));
    let part = |tag| {
        let belongs = plan.asks().iter().enumerate().filter(|(_, ask)| ask.key.tag() == tag);
        let (places, asks): (_, Vec<_>) = belongs.map(|(place, ask)| (place, *ask)).unzip();
        Part { plan: Plan::of(asks), places }
    };
    Some(tags.into_iter().map(part).collect())
}

/// Puts the reports of all parts together, in the order of the whole plan.
pub(super) fn join(parts: &[Part], reports: Vec<Report>) -> Report {
    let mut states = Vec::new();
    let mut joined =
        Report { admitted: true, now: 0, states: SmallVec::new(), nonce: 0, source: Source::Store };
    for (part, report) in parts.iter().zip(reports) {
        joined.admitted &= report.admitted;
        joined.nonce = report.nonce;
        // Clocks of nodes differ a little. The durations are each node's own; the moment is the latest.
        joined.now = joined.now.max(report.now);
        states.extend(part.places.iter().copied().zip(report.states));
    }
    states.sort_unstable_by_key(|(place, _)| *place);
    joined.states = states.into_iter().map(|(_, state)| state).collect();
    joined
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{Dim, Keys, Policy, Subject};

    #[test]
    fn a_plan_is_cut_by_slot_and_what_all_share_comes_last() {
        let subject = Subject::new().with(Dim::Tenant, "acme").with(Dim::Ip, "::1").with(Dim::User, "7");
        let mut plan = Plan::new();
        let scopes: [(&str, &[Dim]); 4] = [
            ("all", &[]),
            ("tenant", &[Dim::Tenant]),
            ("address", &[Dim::Ip]),
            ("user", &[Dim::Tenant, Dim::User]),
        ];
        for (name, dims) in scopes {
            let policy =
                Policy::builder(name, 5, Duration::from_mins(1)).scope(dims.iter().copied()).build().unwrap();
            plan.ask(&policy, Keys::new([1; 16]).key(&policy, &subject).unwrap(), 1).unwrap();
        }
        let mut places: Vec<_> = cut(&plan).unwrap().into_iter().map(|part| part.places.to_vec()).collect();
        assert_eq!(places.pop(), Some(vec![0]));
        places.sort();
        assert_eq!(places, [vec![1, 3], vec![2]]);
    }
}
