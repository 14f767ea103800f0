//! Several policies at once: all or none.

use std::time::Duration;

use ratelimit::{Algorithm, Plan, Policy, PolicyState};

use crate::fixture::{ALL, Fixture, MINUTE, key, on_each_store, plan, policy, shadow};

async fn used(fixture: &Fixture, policy: &Policy) -> u32 {
    fixture.store.peek(&plan(&[(policy, 0)])).await.unwrap().states()[0].used()
}

on_each_store! {
    async fn one_refusal_leaves_all_as_they_were(fixture) {
        for algorithm in ALL {
            let wide = policy("wide", algorithm, 5, MINUTE);
            let narrow = policy("narrow", Algorithm::SlidingLog, 2, MINUTE);
            let last = policy("last", Algorithm::Gcra { burst: 4 }, 5, MINUTE);
            let all = plan(&[(&wide, 1), (&narrow, 1), (&last, 1)]);
            for _ in 0..2 {
                assert!(fixture.store.admit(&all).await.unwrap().is_admitted());
            }
            for _ in 0..5 {
                let refused = fixture.store.admit(&all).await.unwrap();
                assert!(!refused.is_admitted());
                assert_eq!(refused.refusing().map(|state| state.policy().to_string()).collect::<Vec<_>>(), ["narrow"]);
                let look = fixture.store.peek(&all).await.unwrap();
                let figures: Vec<_> = look.states().iter().map(PolicyState::used).collect();
                assert_eq!(figures, [2, 2, 2], "{algorithm:?}");
            }
            assert_eq!(used(fixture, &wide).await, 2);
            for policy in [&wide, &narrow, &last] {
                fixture.store.reset(&[key(policy, "somebody")]).await.unwrap();
            }
        }
    }

    async fn the_order_of_policies_changes_nothing(fixture) {
        let one = policy("one", Algorithm::SlidingLog, 3, MINUTE);
        let two = policy("two", Algorithm::CompactLog, 4, MINUTE);
        let three = policy("three", Algorithm::FixedWindow, 6, MINUTE);
        let orders = [
            [(&one, 1), (&two, 2), (&three, 1)],
            [(&three, 1), (&one, 1), (&two, 2)],
            [(&two, 2), (&three, 1), (&one, 1)],
        ];
        for (index, order) in orders.iter().cycle().take(6).enumerate() {
            let report = fixture.store.admit(&plan(order)).await.unwrap();
            // The second is full after two of them.
            assert_eq!(report.is_admitted(), index < 2);
            let exceeded = report.states().iter().filter(|state| state.is_exceeded());
            let names: Vec<_> = exceeded.map(|state| state.policy().to_string()).collect();
            assert_eq!(names, if index < 2 { vec![] } else { vec!["two"] });
        }
    }

    async fn the_longest_wait_of_those_that_refuse_is_told(fixture) {
        let short = policy("short", Algorithm::SlidingLog, 1, Duration::from_secs(5));
        let long = policy("long", Algorithm::SlidingLog, 1, Duration::from_secs(50));
        let free = policy("free", Algorithm::SlidingLog, 9, Duration::from_secs(500));
        let all = plan(&[(&short, 1), (&long, 1), (&free, 1)]);
        fixture.store.admit(&all).await.unwrap();
        let refused = fixture.store.admit(&all).await.unwrap();
        let waits: Vec<_> = refused.states().iter().map(PolicyState::retry_after).collect();
        assert!(waits[0] < waits[1] && waits[2].is_none());
        assert_eq!(refused.retry_after(), waits[1]);
        // One that can never fit is not worth waiting for.
        let never = fixture.store.admit(&plan(&[(&short, 1), (&long, 2)])).await.unwrap();
        assert_eq!(never.retry_after(), None);
    }

    async fn a_shadow_counts_what_it_has_room_for_and_refuses_nothing(fixture) {
        let watching = shadow("watching", 2, MINUTE);
        let enforced = policy("enforced", Algorithm::SlidingLog, 4, MINUTE);
        let both = plan(&[(&watching, 1), (&enforced, 1)]);
        for turn in 0..4 {
            let report = fixture.store.admit(&both).await.unwrap();
            assert!(report.is_admitted());
            assert_eq!(report.shadow_refusing().count(), usize::from(turn >= 2));
            assert_eq!(report.refusing().count(), 0);
            assert!(!report.states()[0].is_advertised());
        }
        assert_eq!(used(fixture, &watching).await, 2);
        // What is refused by others is not counted by it either.
        fixture.store.reset(&[key(&watching, "somebody")]).await.unwrap();
        assert!(!fixture.store.admit(&both).await.unwrap().is_admitted());
        assert_eq!(used(fixture, &watching).await, 0);
    }

    async fn the_same_key_twice_counts_both_costs_once(fixture) {
        let asked = policy("p", Algorithm::SlidingLog, 5, MINUTE);
        let twice = plan(&[(&asked, 1), (&asked, 2)]);
        let report = fixture.store.admit(&twice).await.unwrap();
        assert_eq!(report.states().len(), 1);
        assert_eq!(report.states()[0].used(), 3);
        assert!(!fixture.store.admit(&twice).await.unwrap().is_admitted());
    }

    async fn twenty_policies_are_decided_at_once(fixture) {
        let policies: Vec<_> =
            (0..20).map(|number| policy(&format!("p{number}"), ALL[number % 4], 5, MINUTE)).collect();
        let mut all = Plan::new();
        for policy in &policies {
            all.ask(policy, key(policy, "somebody"), 1).unwrap();
        }
        for turn in 0..6 {
            let report = fixture.store.admit(&all).await.unwrap();
            assert_eq!(report.is_admitted(), turn < 5);
            assert!(report.states().iter().all(|state| state.used() == (turn + 1).min(5)));
        }
    }
}
