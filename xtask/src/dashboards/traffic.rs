//! Somebody who uses the product.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use tokio::time::Instant;

use super::setups::Setup;

/// Between two requests: more than half of what a tenant may ask in a minute, and not all of it.
const PAUSE: Duration = Duration::from_millis(750);

/// What is asked in turn; what a user gets wrong is among it.
const PATHS: [&str; 8] = [
    "/api/v1/products?limit=20",
    "/api/v1/analytics/dashboard",
    "/api/v1/stocks?limit=20",
    "/api/v1/products?limit=nonsense",
    "/api/v1/syncs",
    "/health",
    "/api/v1/nothing-here",
    "/api/v1/rate-limits",
];

/// Uses it for a while. Every request must be answered, and none by a 5xx.
pub(crate) async fn drive(setup: &Setup, time: Duration) -> Result<()> {
    let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build()?;
    let until = Instant::now() + time;
    for (number, path) in PATHS.iter().cycle().enumerate() {
        if Instant::now() >= until {
            break;
        }
        let request = if number % 40 == 7 {
            let wrong = json!({ "email": "nobody@example.com", "password": "not the right one" });
            http.post(format!("{}/api/v1/auth/login", setup.api)).json(&wrong)
        } else {
            http.get(format!("{}{path}", setup.api)).bearer_auth(&setup.token)
        };
        let answer = request.send().await.with_context(|| format!("asking {path}"))?;
        let status = answer.status();
        let text = answer.text().await.with_context(|| format!("reading {path}"))?;
        ensure!(!status.is_server_error(), "{path}: {status} {text}");
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}
