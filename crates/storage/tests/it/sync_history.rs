//! How syncs have ended, day by day.

use domain::{
    analytics::{Population, SyncHistory, SyncOutcomes},
    calendar::Zone,
    clock::Timestamp,
    ids::SyncId,
    sync::{SyncState, SyncTrigger},
};
use storage::{
    analytics,
    syncs::{self, Fence, NewSync},
};

use crate::fixture::{Shop, Store, WB, at, moment, on_both_databases};

on_both_databases!(
    a_sync_counts_where_it_ended,
    one_that_is_alive_is_on_no_day,
    a_long_history_is_counted_once,
    another_account_and_another_tenant,
);

const EVERYTHING: Population = Population { account_id: None, marketplace: None };

/// The history of as many days, seen at noon of 20 November in Moscow.
async fn history(shop: &Shop<'_>, of: Population, days: u32) -> SyncHistory {
    let tx = shop.store.read(&shop.owner.scope).await;
    let empty = SyncHistory::of_days(days, at(0), Zone::MOSCOW);
    analytics::sync_history(&tx, of, empty).await.unwrap()
}

/// A sync that was asked for, and began and ended at these moments.
async fn ended(shop: &Shop<'_>, state: SyncState, began: Option<Timestamp>, finished: Timestamp) {
    let id = SyncId::generate();
    let new =
        NewSync { id, account: shop.account, marketplace: WB, trigger: SyncTrigger::Schedule, at: finished };
    let fence = Fence { sync: id, run: 1 };
    let tx = shop.write().await;
    syncs::insert(&tx, new).await.unwrap();
    if let Some(began) = began {
        syncs::begin(&tx, fence, began).await.unwrap().unwrap();
        syncs::finish(&tx, fence, state, None, finished).await.unwrap();
    } else {
        assert!(syncs::cancel_idle(&tx, id, finished).await.unwrap());
    }
    tx.commit().await.unwrap();
}

async fn a_sync_counts_where_it_ended(store: &Store) {
    let shop = Shop::new(store).await;
    let midnight = moment("2026-11-19T21:00:00Z");
    let second = chrono::TimeDelta::seconds(1);
    ended(&shop, SyncState::Completed, Some(midnight - second * 60), midnight - second).await;
    ended(&shop, SyncState::Partial, Some(midnight - second * 60), midnight).await;
    ended(&shop, SyncState::Failed, Some(midnight), midnight + second * 2).await;
    ended(&shop, SyncState::Skipped, Some(midnight), midnight + second * 3).await;
    ended(&shop, SyncState::Cancelled, None, midnight + second * 4).await;
    // The first moment of the first day, and the last before it.
    let two_days = chrono::TimeDelta::days(2);
    ended(&shop, SyncState::Completed, Some(midnight - two_days), midnight - two_days).await;
    ended(&shop, SyncState::Failed, Some(midnight - two_days - second), midnight - two_days - second).await;

    let seen = history(&shop, EVERYTHING, 3).await;
    let days: Vec<_> = seen
        .days
        .iter()
        .map(|day| (day.day.to_string(), day.outcomes.syncs(), day.outcomes.average_ms()))
        .collect();
    assert_eq!(
        days,
        [
            ("2026-11-18".to_owned(), 1, Some(0)),
            ("2026-11-19".to_owned(), 1, Some(59_000)),
            ("2026-11-20".to_owned(), 4, Some(21_667)),
        ]
    );
    let SyncOutcomes { completed, partial, failed, skipped, cancelled, longest_ms, .. } =
        seen.days[2].outcomes;
    assert_eq!((completed, partial, failed, skipped, cancelled), (0, 1, 1, 1, 1));
    assert_eq!(longest_ms, Some(60_000));
    assert_eq!(seen.totals().syncs(), 6);
    assert_eq!(history(&shop, EVERYTHING, 4).await.totals().failed, 2);
    assert_eq!(history(&shop, EVERYTHING, 1).await.totals().syncs(), 4);
}

async fn one_that_is_alive_is_on_no_day(store: &Store) {
    let shop = Shop::new(store).await;
    let sync = shop.begin().await;
    let seen = history(&shop, EVERYTHING, 30).await;
    assert_eq!((seen.alive, seen.totals().syncs(), seen.days.len()), (1, 0, 30));
    shop.end(sync).await;
    let seen = history(&shop, EVERYTHING, 30).await;
    assert_eq!((seen.alive, seen.totals().completed), (0, 1));
}

/// Longer than what is read at once, and all of one moment.
async fn a_long_history_is_counted_once(store: &Store) {
    let shop = Shop::new(store).await;
    let id = if store.is_postgres() { "gen_random_uuid()" } else { "randomblob(16)" };
    let sql = format!(
        "INSERT INTO sync_run (tenant_id, id, account_id, marketplace, state, cause, requested_at, started_at, \
           finished_at) \
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10001) \
         SELECT $1, {id}, $2, 'wildberries', 'completed', 'schedule', $3, $3, $3 FROM n"
    );
    let values = [shop.owner.id.as_uuid().into(), shop.account.as_uuid().into(), at(-60).into()];
    assert_eq!(store.run(&sql, values).await, 10_001);
    assert_eq!(history(&shop, EVERYTHING, 1).await.totals().completed, 10_001);
}

async fn another_account_and_another_tenant(store: &Store) {
    let shop = Shop::new(store).await;
    let other = Shop::of(store, shop.owner.clone(), "another seller").await;
    let stranger = Shop::new(store).await;
    for (shop, times) in [(&shop, 1), (&other, 2), (&stranger, 4)] {
        for _ in 0..times {
            ended(shop, SyncState::Completed, Some(at(-5)), at(-4)).await;
        }
        shop.begin().await;
    }
    let of = |account_id| Population { account_id: Some(account_id), ..EVERYTHING };
    let counted = async |of| {
        let seen = history(&shop, of, 7).await;
        (seen.totals().completed, seen.alive)
    };
    assert_eq!(counted(EVERYTHING).await, (3, 2));
    assert_eq!(counted(Population { marketplace: Some(WB), ..EVERYTHING }).await, (3, 2));
    assert_eq!(counted(of(other.account)).await, (2, 1));
    assert_eq!(counted(of(stranger.account)).await, (0, 0));
}
