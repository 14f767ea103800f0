//! One policy: what is admitted, and what is told of it.

use std::time::Duration;

use ratelimit::{Algorithm, PolicyState, Rule};

use crate::fixture::{ALL, MINUTE, key, on_each_store, plan, policy};

/// Long enough to be full when the last request comes, short enough to wait for.
const SHORT: Duration = Duration::from_millis(400);

on_each_store! {
    async fn exactly_the_limit_is_admitted(fixture) {
        for algorithm in ALL {
            let plan = plan(&[(&policy("p", algorithm, 5, MINUTE), 1)]);
            for left in (0..5).rev() {
                let report = fixture.store.admit(&plan).await.unwrap();
                assert!(report.is_admitted(), "{algorithm:?}");
                assert_eq!((report.states()[0].remaining(), report.states()[0].used()), (left, 5 - left));
                assert_eq!(report.retry_after(), None);
            }
            let refused = fixture.store.admit(&plan).await.unwrap();
            assert!(!refused.is_admitted(), "{algorithm:?}");
            assert_eq!(refused.states()[0].remaining(), 0);
            let retry_after = refused.retry_after().unwrap();
            assert!(retry_after > Duration::ZERO && retry_after <= MINUTE + Duration::from_millis(1), "{retry_after:?}");
            assert_eq!(refused.refusing().map(|state| state.policy().to_string()).collect::<Vec<_>>(), ["p"]);
        }
    }

    async fn waiting_as_long_as_told_is_enough(fixture) {
        for algorithm in ALL {
            let plan = plan(&[(&policy("p", algorithm, 5, SHORT), 2)]);
            let mut waited = 0;
            for _ in 0..6 {
                let mut report = fixture.store.admit(&plan).await.unwrap();
                if let Some(retry_after) = report.retry_after() {
                    tokio::time::sleep(retry_after).await;
                    report = fixture.store.admit(&plan).await.unwrap();
                    waited += 1;
                }
                assert!(report.is_admitted(), "{algorithm:?}: {report:?}");
            }
            assert!(waited > 0, "{algorithm:?}");
        }
    }

    async fn nothing_is_admitted_above_the_limit_in_any_window(fixture) {
        // By the store's own times: whatever is admitted more is so far from what was before.
        for algorithm in [Algorithm::SlidingLog, Algorithm::CompactLog] {
            let window = Duration::from_millis(20);
            let plan = plan(&[(&policy("p", algorithm, 7, window), 1)]);
            let mut admitted = Vec::new();
            for _ in 0..2_000 {
                let report = fixture.store.admit(&plan).await.unwrap();
                if report.is_admitted() {
                    admitted.push(report.now());
                }
            }
            for times in admitted.windows(8) {
                assert!(times[0] + window <= times[7], "{algorithm:?}: {times:?}");
            }
            assert!(admitted.len() >= 7);
        }
    }

    async fn a_look_changes_nothing_and_agrees(fixture) {
        for algorithm in ALL {
            let asked = policy("p", algorithm, 5, MINUTE);
            let one = plan(&[(&asked, 2)]);
            for _ in 0..3 {
                assert!(fixture.store.peek(&one).await.unwrap().is_admitted());
                assert_eq!(fixture.store.peek(&one).await.unwrap().states()[0].used(), 0, "{algorithm:?}");
            }
            fixture.store.admit(&one).await.unwrap();
            fixture.store.admit(&one).await.unwrap();
            let look = fixture.store.peek(&one).await.unwrap();
            assert!(!look.is_admitted());
            assert!(look.retry_after().is_some());
            assert_eq!(look.states()[0].used(), 4, "{algorithm:?}");
            // A cost of nothing is a look too.
            let nothing = fixture.store.admit(&plan(&[(&asked, 0)])).await.unwrap();
            assert!(nothing.is_admitted());
            assert_eq!(nothing.states()[0].used(), 4);
        }
    }

    async fn a_cost_counts_whole_or_not_at_all(fixture) {
        for algorithm in ALL {
            let asked = policy("p", algorithm, 5, MINUTE);
            let admit = async |cost| fixture.store.admit(&plan(&[(&asked, cost)])).await.unwrap();
            assert!(admit(3).await.is_admitted());
            assert!(!admit(3).await.is_admitted());
            let last = admit(2).await;
            assert!(last.is_admitted(), "{algorithm:?}: the refused one cost nothing");
            assert_eq!(last.states()[0].used(), 5);
        }
    }

    async fn what_can_never_fit_is_told_so_and_costs_nothing(fixture) {
        for algorithm in ALL {
            let asked = policy("p", algorithm, 5, MINUTE);
            let refused = fixture.store.admit(&plan(&[(&asked, 6)])).await.unwrap();
            assert!(!refused.is_admitted());
            assert!(refused.states()[0].is_unsatisfiable());
            assert_eq!(refused.retry_after(), None);
            assert_eq!(fixture.store.peek(&plan(&[(&asked, 1)])).await.unwrap().states()[0].used(), 0);
        }
    }

    async fn a_changed_limit_holds_from_the_next_request(fixture) {
        for algorithm in [Algorithm::SlidingLog, Algorithm::CompactLog, Algorithm::FixedWindow] {
            let asked = policy("p", algorithm, 5, MINUTE);
            let admit = async |limit| {
                let mut plan = ratelimit::Plan::new();
                let rule = Rule::new(algorithm, limit, MINUTE).unwrap();
                plan.ask_by(&asked, rule, key(&asked, "somebody"), 1).unwrap();
                fixture.store.admit(&plan).await.unwrap()
            };
            for _ in 0..4 {
                assert!(admit(5).await.is_admitted());
            }
            let lowered = admit(2).await;
            let state = lowered.states()[0];
            assert!(!lowered.is_admitted(), "{algorithm:?}");
            assert_eq!((state.limit(), state.used(), state.remaining()), (2, 4, 0));
            assert!(lowered.retry_after().unwrap() > Duration::ZERO);
            assert!(admit(5).await.is_admitted());
            assert!(!admit(5).await.is_admitted());
            // Raised far enough that a ring has to grow.
            for used in 6..=300 {
                let raised = admit(300).await;
                assert!(raised.is_admitted(), "{algorithm:?}");
                assert_eq!(raised.states()[0].used(), used);
            }
            assert!(!admit(300).await.is_admitted());
        }
    }

    async fn the_moment_of_the_next_free_one_stands_still(fixture) {
        for algorithm in ALL {
            let plan = plan(&[(&policy("p", algorithm, 5, MINUTE), 1)]);
            fixture.store.admit(&plan).await.unwrap();
            let moment = async || {
                let report = fixture.store.peek(&plan).await.unwrap();
                report.now() + report.states()[0].next_free()
            };
            let first = moment().await;
            for _ in 0..20 {
                assert_eq!(moment().await, first, "{algorithm:?}");
            }
        }
    }

    async fn keys_do_not_share_a_count(fixture) {
        for algorithm in ALL {
            let asked = policy("p", algorithm, 5, MINUTE);
            for user in ["a", "b", "", "{a}", "a:b"] {
                let mut plan = ratelimit::Plan::new();
                plan.ask(&asked, key(&asked, user), 5).unwrap();
                assert!(fixture.store.admit(&plan).await.unwrap().is_admitted(), "{algorithm:?} {user}");
            }
        }
    }

    async fn a_forgotten_key_begins_anew(fixture) {
        for algorithm in ALL {
            let asked = policy("p", algorithm, 5, MINUTE);
            let full = plan(&[(&asked, 5)]);
            assert!(fixture.store.admit(&full).await.unwrap().is_admitted());
            let keys = [key(&asked, "somebody"), key(&asked, "nobody")];
            assert_eq!(fixture.store.reset(&keys).await.unwrap(), 1);
            assert_eq!(fixture.store.reset(&keys).await.unwrap(), 0);
            assert!(fixture.store.admit(&full).await.unwrap().is_admitted(), "{algorithm:?}");
        }
    }

    async fn an_empty_plan_is_admitted(fixture) {
        let report = fixture.store.admit(&ratelimit::Plan::new()).await.unwrap();
        assert!(report.is_admitted());
        assert_eq!(report.states(), [] as [PolicyState; 0]);
    }
}
