//! One key, one limit, one window.

use std::sync::Arc;
use std::time::SystemTime;

use ratelimit::{Keys, Limiter, SimpleError};

use crate::fixture::{MINUTE, on_each_store};

on_each_store! {
    async fn a_key_is_checked_looked_at_and_forgotten(fixture) {
        let limiter = Limiter::new(Arc::clone(&fixture.store), Keys::new([3; 16]));
        for left in [1, 0] {
            let standing = limiter.check_rate_limit("k", 2, MINUTE).await.unwrap();
            assert!(standing.allowed);
            assert_eq!(standing.remaining, left);
            let away = standing.reset.duration_since(SystemTime::now()).unwrap();
            assert!(away <= MINUTE + std::time::Duration::from_secs(1), "{away:?}");
        }
        let refused = limiter.check_rate_limit("k", 2, MINUTE).await.unwrap();
        assert!(!refused.allowed && refused.retry_after.is_some());
        let look = limiter.get_rate_limit_info("k", 2, MINUTE).await.unwrap();
        assert_eq!((look.allowed, look.remaining, look.reset), (false, 0, refused.reset));
        assert!(limiter.check_rate_limit("another", 2, MINUTE).await.unwrap().allowed);

        assert!(limiter.reset_rate_limit("k", MINUTE).await.unwrap());
        assert!(!limiter.reset_rate_limit("k", MINUTE).await.unwrap());
        assert_eq!(limiter.get_rate_limit_info("k", 2, MINUTE).await.unwrap().remaining, 2);
        let nonsense = limiter.check_rate_limit("k", 0, MINUTE).await;
        assert!(matches!(nonsense, Err(SimpleError::Policy(_))));
    }
}
