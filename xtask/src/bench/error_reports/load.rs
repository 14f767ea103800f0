//! Requests of one kind, several at a time, and how long they took.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use tokio::task::JoinSet;

use crate::product::client::Client;

/// What is asked.
pub(super) struct Load {
    pub(super) path: &'static str,
    /// What must be answered.
    pub(super) status: u16,
    pub(super) connections: usize,
}

/// One turn.
pub(super) struct Ran {
    times: Vec<Duration>,
    took: Duration,
}

impl Load {
    /// Asks so many times. Each connection asks again as soon as it is answered.
    pub(super) async fn run(&self, client: &Client, requests: usize) -> Result<Ran> {
        let each = requests.div_ceil(self.connections.max(1));
        let started = Instant::now();
        let mut asking = JoinSet::new();
        for _ in 0..self.connections.max(1) {
            let (client, path, wanted) = (client.clone(), self.path, self.status);
            asking.spawn(async move {
                let mut times = Vec::with_capacity(each);
                for _ in 0..each {
                    let (status, took) = client.time_any(path).await?;
                    ensure!(status == wanted, "{path}: {status} instead of {wanted}");
                    times.push(took);
                }
                anyhow::Ok(times)
            });
        }
        let mut times = Vec::with_capacity(requests);
        while let Some(asked) = asking.join_next().await {
            times.extend(asked.context("asking panicked")??);
        }
        Ok(Ran { times, took: started.elapsed() })
    }
}

/// All turns of one way together.
#[derive(Default)]
pub(super) struct Measured {
    times: Vec<Duration>,
    /// Requests a second of each turn.
    rates: Vec<f64>,
    cpu: Duration,
}

impl Measured {
    pub(super) fn add(&mut self, ran: Ran, cpu: Duration) {
        let count = u32::try_from(ran.times.len()).unwrap_or(u32::MAX);
        self.rates.push(f64::from(count) / ran.took.as_secs_f64());
        self.times.extend(ran.times);
        self.cpu += cpu;
    }

    /// In order, as the others need it.
    pub(super) fn sorted(mut self) -> Self {
        self.times.sort_unstable();
        self.rates.sort_unstable_by(f64::total_cmp);
        self
    }

    /// The time within which this share of the answers came.
    pub(super) fn quantile(&self, per_mille: usize) -> Duration {
        let rank = (self.times.len() * per_mille).div_ceil(1000);
        self.times.get(rank.saturating_sub(1)).copied().unwrap_or_default()
    }

    /// Of the turns the slowest, the median and the fastest.
    pub(super) fn rates(&self) -> (f64, f64, f64) {
        let at = |place: usize| self.rates.get(place).copied().unwrap_or_default();
        (at(0), at(self.rates.len() / 2), at(self.rates.len().saturating_sub(1)))
    }

    /// Processor time of one request.
    pub(super) fn cpu_each(&self) -> Duration {
        self.cpu / u32::try_from(self.times.len()).unwrap_or(u32::MAX).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_are_taken_together() {
        let ran = |milliseconds: &[u64], seconds| Ran {
            times: milliseconds.iter().copied().map(Duration::from_millis).collect(),
            took: Duration::from_secs(seconds),
        };
        let mut measured = Measured::default();
        measured.add(ran(&[9, 1], 1), Duration::from_millis(6));
        measured.add(ran(&[2, 3], 2), Duration::from_millis(2));
        let measured = measured.sorted();
        assert_eq!(measured.quantile(500), Duration::from_millis(2));
        assert_eq!(measured.quantile(990), Duration::from_millis(9));
        assert_eq!(measured.rates(), (1.0, 2.0, 2.0));
        assert_eq!(measured.cpu_each(), Duration::from_millis(2));
    }
}
