//! Refunds.

use ratelimit::{Algorithm, Plan};

use crate::fixture::{ALL, Fixture, MINUTE, on_each_store, plan, policy};

async fn used(fixture: &Fixture, plan: &Plan) -> u32 {
    fixture.store.peek(plan).await.unwrap().states()[0].used()
}

on_each_store! {
    async fn what_is_given_back_can_be_used_again(fixture) {
        for algorithm in ALL {
            let plan = plan(&[(&policy("p", algorithm, 5, MINUTE), 2)]);
            fixture.store.admit(&plan).await.unwrap();
            let receipt = fixture.store.admit(&plan).await.unwrap().receipt(&plan).unwrap();
            assert!(!fixture.store.peek(&plan).await.unwrap().is_admitted());
            assert_eq!(fixture.store.refund(receipt).await.unwrap(), 1, "{algorithm:?}");
            assert_eq!(used(fixture, &plan).await, 2);
            assert!(fixture.store.admit(&plan).await.unwrap().is_admitted(), "{algorithm:?}");
            assert!(!fixture.store.admit(&plan).await.unwrap().is_admitted(), "{algorithm:?}");
        }
    }

    async fn an_older_admission_is_given_back_where_it_can_be_told_from_others(fixture) {
        let tells = [(ALL[0], true), (ALL[1], false), (ALL[2], false), (ALL[3], true)];
        for (algorithm, told) in tells {
            let plan = plan(&[(&policy("p", algorithm, 5, MINUTE), 1)]);
            let receipt = fixture.store.admit(&plan).await.unwrap().receipt(&plan).unwrap();
            // Times of the compact log are whole milliseconds: two admissions of one of them are alike.
            tokio::time::sleep(std::time::Duration::from_millis(3)).await;
            fixture.store.admit(&plan).await.unwrap();
            assert_eq!(fixture.store.refund(receipt).await.unwrap(), u32::from(told), "{algorithm:?}");
            assert_eq!(used(fixture, &plan).await, if told { 1 } else { 2 }, "{algorithm:?}");
        }
    }

    async fn every_policy_gets_its_own_back_and_a_refusal_has_nothing_to_give(fixture) {
        let one = policy("one", Algorithm::SlidingLog, 5, MINUTE);
        let other = policy("other", Algorithm::Gcra { burst: 5 }, 5, MINUTE);
        let looked = policy("looked", Algorithm::SlidingLog, 5, MINUTE);
        let all = plan(&[(&one, 5), (&other, 5), (&looked, 0)]);
        let receipt = fixture.store.admit(&all).await.unwrap().receipt(&all).unwrap();
        let refused = fixture.store.admit(&all).await.unwrap();
        assert!(refused.receipt(&all).is_none());
        assert_eq!(fixture.store.refund(receipt).await.unwrap(), 2);
        assert!(fixture.store.admit(&all).await.unwrap().is_admitted());
    }
}
