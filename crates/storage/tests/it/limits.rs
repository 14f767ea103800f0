//! The buckets of sellers: never more calls than allowed, whoever makes them.

use std::time::Duration;

use domain::limit::{BucketKey, Claim, Grant, Rate, SellerLimiter as _};
use storage::limits::StoredLimits;

use crate::fixture::{Store, WB, on_both_databases};

on_both_databases!(
    never_more_than_the_burst,
    all_buckets_or_none,
    a_block_holds_for_everybody,
    a_charge_counts_like_calls,
    sellers_do_not_wait_for_each_other,
    claims_in_any_order_do_not_block_each_other,
);

const HOUR: Duration = Duration::from_hours(1);

fn bucket(seller: &str, group: &str, burst: u32) -> Claim {
    let key = BucketKey { marketplace: WB, seller: seller.to_owned(), group: group.to_owned() };
    Claim { key, rate: Rate { interval: HOUR, burst } }
}

async fn limits(store: &Store) -> StoredLimits {
    StoredLimits::new(store.another_process().await)
}

/// How many of so many calls are granted, asked for all at once.
async fn granted(limits: &StoredLimits, claims: &[Claim], calls: usize) -> usize {
    let asked = (0..calls).map(|_| limits.acquire(claims));
    let answers = futures::future::join_all(asked).await;
    answers.into_iter().filter(|answer| *answer.as_ref().unwrap() == Grant::Now).count()
}

async fn never_more_than_the_burst(store: &Store) {
    let claim = [bucket("seller", "content", 5)];
    let (one, other) = (limits(store).await, limits(store).await);
    let (a, b) = tokio::join!(granted(&one, &claim, 8), granted(&other, &claim, 8));
    assert_eq!(a + b, 5, "{a} and {b}");
    let Grant::After(wait) = one.acquire(&claim).await.unwrap() else { panic!("the bucket is empty") };
    assert!(wait <= HOUR && wait > HOUR / 2, "{wait:?}");
}

async fn all_buckets_or_none(store: &Store) {
    let limits = limits(store).await;
    let (wide, narrow) = (bucket("seller", "wide", 3), bucket("seller", "narrow", 1));
    let both = [wide.clone(), narrow.clone()];
    assert_eq!(limits.acquire(&both).await.unwrap(), Grant::Now);
    assert!(matches!(limits.acquire(&both).await.unwrap(), Grant::After(_)));
    assert!(matches!(limits.acquire(&both).await.unwrap(), Grant::After(_)));
    assert_eq!(granted(&limits, &[wide], 5).await, 2, "a refusal has charged nothing");
    assert_eq!(limits.acquire(&[]).await.unwrap(), Grant::Now);
    assert!(matches!(limits.acquire(&[narrow]).await.unwrap(), Grant::After(_)));
}

async fn a_block_holds_for_everybody(store: &Store) {
    let (one, other) = (limits(store).await, limits(store).await);
    let claim = bucket("seller", "content", 5);
    one.block(&claim, Duration::from_mins(2)).await.unwrap();
    let Grant::After(wait) = other.acquire(std::slice::from_ref(&claim)).await.unwrap() else {
        panic!("it is blocked")
    };
    assert!(wait > Duration::from_mins(1) && wait <= Duration::from_mins(2), "{wait:?}");
    // A shorter block does not end a longer one.
    other.block(&claim, Duration::from_secs(1)).await.unwrap();
    let Grant::After(still) = one.acquire(std::slice::from_ref(&claim)).await.unwrap() else {
        panic!("it is still blocked")
    };
    assert!(still > Duration::from_mins(1), "{still:?}");
}

async fn a_charge_counts_like_calls(store: &Store) {
    let limits = limits(store).await;
    let claim = [bucket("seller", "content", 10)];
    assert_eq!(limits.acquire(&claim).await.unwrap(), Grant::Now);
    limits.charge(&claim[0], 7).await.unwrap();
    assert_eq!(granted(&limits, &claim, 5).await, 2);
    limits.charge(&claim[0], 1).await.unwrap();
    let Grant::After(wait) = limits.acquire(&claim).await.unwrap() else { panic!("in debt") };
    assert!(wait > HOUR, "{wait:?}");
}

async fn sellers_do_not_wait_for_each_other(store: &Store) {
    let limits = limits(store).await;
    limits.block(&bucket("one", "content", 1), HOUR).await.unwrap();
    assert_eq!(limits.acquire(&[bucket("other", "content", 1)]).await.unwrap(), Grant::Now);
    assert_eq!(limits.acquire(&[bucket("one", "prices", 1)]).await.unwrap(), Grant::Now);
}

/// Two calls that claim the same buckets in opposite orders would lock each other out, if the order were theirs.
async fn claims_in_any_order_do_not_block_each_other(store: &Store) {
    let (one, other) = (limits(store).await, limits(store).await);
    let (a, b) = (bucket("seller", "a", 7), bucket("seller", "b", 7));
    let (there, back) = ([a.clone(), b.clone()], [b, a]);
    let (x, y) = tokio::join!(granted(&one, &there, 10), granted(&other, &back, 10));
    assert_eq!(x + y, 7);
}
