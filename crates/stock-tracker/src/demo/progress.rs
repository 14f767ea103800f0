//! Following a sync: a bar in a terminal, plain lines elsewhere.

use std::time::Duration;

use anyhow::bail;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{client::Client, say};

/// How often a sync is looked at, at first; then ever more seldom, since requests are limited.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How seldom at most.
const LOOK_AT_LEAST_EVERY: Duration = Duration::from_secs(2);

/// A sync as the API tells of it.
#[derive(Deserialize)]
pub(super) struct Sync {
    pub(super) state: String,
    phase: Option<String>,
    progress: Progress,
    pub(super) counts: Counts,
    duration_ms: Option<u64>,
    error: Option<SyncError>,
}

#[derive(Deserialize)]
struct Progress {
    done: u64,
    total: Option<u64>,
}

/// What a sync has read and changed.
#[derive(Deserialize)]
pub(super) struct Counts {
    pub(super) products: u64,
    pub(super) variants: u64,
    pub(super) stock_rows: u64,
    pub(super) movements: u64,
    pub(super) order_lines: u64,
}

#[derive(Deserialize)]
struct SyncError {
    code: String,
    message: String,
}

/// Asks for a sync of an account; one that is under way is that one.
pub(super) async fn request(client: &Client, account: Uuid) -> anyhow::Result<Uuid> {
    #[derive(Deserialize)]
    struct Requested {
        sync_id: Uuid,
    }
    let path = format!("/api/v1/marketplace-accounts/{account}/sync");
    let requested: Requested = client.post(&path, &json!({})).await?;
    Ok(requested.sync_id)
}

/// Waits for the end of a sync, telling `watch` of it again and again. Fails if it has failed.
pub(super) async fn wait(client: &Client, sync: Uuid, mut watch: impl FnMut(&Sync)) -> anyhow::Result<Sync> {
    let path = format!("/api/v1/syncs/{sync}");
    let mut pause = LOOK_EVERY;
    loop {
        let seen: Sync = client.get(&path).await?;
        watch(&seen);
        match seen.state.as_str() {
            "pending" | "running" => {
                tokio::time::sleep(pause).await;
                pause = (pause * 5 / 4).min(LOOK_AT_LEAST_EVERY);
            }
            "completed" | "partial" => return Ok(seen),
            state => {
                let error = seen.error.map(|error| format!(": {} ({})", error.message, error.code));
                bail!("the sync has ended as {state}{}", error.unwrap_or_default())
            }
        }
    }
}

/// Shows a sync from its request to its end.
pub(super) async fn show(client: &Client, sync: Uuid) -> anyhow::Result<()> {
    let share = ProgressStyle::with_template("  {msg:18} {wide_bar} {pos}/{len} rows")?;
    // The last page of a report is known when it has come, and not before: a full bar would promise too much.
    let count = ProgressStyle::with_template("  {msg:18} {pos} rows")?;
    let bar = ProgressBar::new(0).with_style(count.clone());
    let mut phase = None;
    let ended = wait(client, sync, |seen| {
        let Some(now) = seen.phase.as_deref().map(|phase| phase.replace('_', " ")) else { return };
        match seen.progress.total.filter(|total| *total > seen.progress.done) {
            Some(total) => {
                bar.set_length(total);
                bar.set_style(share.clone());
            }
            None => bar.set_style(count.clone()),
        }
        bar.set_position(seen.progress.done);
        bar.set_message(now.clone());
        if phase.as_ref() != Some(&now) {
            if bar.is_hidden() {
                say(&format!("  {now}"));
            }
            phase = Some(now);
        }
    })
    .await?;
    bar.finish_and_clear();
    let counts = &ended.counts;
    say(&format!(
        "Sync {} in {:.1} s: {} products, {} variants, {} stock rows, {} order lines; {} changes of stock recorded.",
        ended.state,
        Duration::from_millis(ended.duration_ms.unwrap_or_default()).as_secs_f32(),
        counts.products,
        counts.variants,
        counts.stock_rows,
        counts.order_lines,
        counts.movements,
    ));
    if let Some(error) = ended.error {
        say(&format!("Not everything could be read: {} ({})", error.message, error.code));
    }
    Ok(())
}
