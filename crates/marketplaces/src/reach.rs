//! Whether the hosts of marketplaces can be reached from here, whatever they then say. No credential is sent, and no
//! limit of a seller is touched.

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use domain::{clock::Clock, marketplace::MarketplaceCode};
use futures::future::join_all;
use reqwest::header::DATE;

use crate::{
    factory::Settings,
    http::{ClientBuildError, plain_client},
    wildberries,
};

/// A host, and how it answered.
#[derive(Debug)]
pub struct Reached {
    /// Whose host it is.
    pub marketplace: MarketplaceCode,
    /// Where it is.
    pub origin: String,
    /// Its answer, or why there is none.
    pub answer: Result<Answered, String>,
}

/// An answer of whatever status.
#[derive(Debug, Clone, Copy)]
pub struct Answered {
    /// How long it took.
    pub took: Duration,
    /// How far the host's clock is ahead of ours, to the second and to half of the time that the answer took; none where
    /// it does not say.
    pub ahead: Option<TimeDelta>,
}

/// Asks every host of the marketplaces that have hosts of their own, all at once. Hosts that users enter are not among
/// them.
pub async fn all(settings: &Settings, clock: &dyn Clock) -> Result<Vec<Reached>, ClientBuildError> {
    let client = plain_client(settings).build()?;
    let asked =
        wildberries::origins(settings.wildberries_base_url.as_ref()).into_iter().map(|origin| async {
            let answer = ask(&client, &origin, clock).await;
            Reached { marketplace: MarketplaceCode::Wildberries, origin, answer }
        });
    Ok(join_all(asked).await)
}

async fn ask(client: &reqwest::Client, origin: &str, clock: &dyn Clock) -> Result<Answered, String> {
    let (sent, began) = (clock.now(), Instant::now());
    let asked = client.get(format!("{origin}/ping")).send().await;
    let answer = asked.map_err(|error| told(&error.without_url()))?;
    let took = began.elapsed();
    let date =
        answer.headers().get(DATE).and_then(|date| DateTime::parse_from_rfc2822(date.to_str().ok()?).ok());
    Ok(Answered { took, ahead: date.map(|date| date.with_timezone(&Utc) - (sent + took / 2)) })
}

/// An error with all that is behind it: by itself it only says that sending failed.
fn told(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |error| error.source())
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}
