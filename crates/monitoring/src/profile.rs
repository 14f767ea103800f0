//! What the process spends its time on, asked for when somebody wants to know.
//!
//! Sentry takes no profiles of programs in Rust, so these are read by whoever asked. A profile names functions of the
//! program and nothing it works on.

use std::{collections::HashMap, fmt::Write as _, ops::RangeInclusive, time::Duration};

use pprof::{Frames, ProfilerGuardBuilder};
use tokio::sync::Mutex;

/// There is one timer for the whole process.
static TURN: Mutex<()> = Mutex::const_new(());

/// Code that must not be interrupted: unwinding out of it could wait for a lock that it holds.
const LEFT_ALONE: [&str; 4] = ["libc", "libgcc", "pthread", "vdso"];

/// For how long to look, and how often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// For how long.
    pub duration: Duration,
    /// How many times in each second of CPU time.
    pub hertz: i32,
}

impl Settings {
    /// Seconds that a profile may take.
    pub const SECONDS: RangeInclusive<u64> = 1..=60;
    /// How often it may look in a second of CPU time: more would be felt by those who are served meanwhile.
    pub const HERTZ: RangeInclusive<i32> = 1..=999;
}

impl Default for Settings {
    /// Ten seconds, and not in step with whatever happens a hundred times a second.
    fn default() -> Self {
        Self { duration: Duration::from_secs(10), hertz: 99 }
    }
}

/// Why there is no profile.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// Somebody else is having one made.
    #[error("a profile is being made already")]
    Busy,
    /// It cannot be made here.
    #[error("no profile can be made: {0}")]
    Failed(#[from] pprof::Error),
    /// Putting it together went wrong.
    #[error("the profile was not put together: {0}")]
    Lost(#[from] tokio::task::JoinError),
}

/// Looks at the process for a while. Gives a line for each stack that was seen, its functions from the outermost to the
/// innermost between `;`, and how often: what `inferno-flamegraph` and speedscope read. It ends at once when dropped.
pub async fn record(settings: Settings) -> Result<String, ProfileError> {
    let turn = TURN.try_lock().map_err(|_| ProfileError::Busy)?;
    tracing::info!(?settings, "a profile is made");
    let running = ProfilerGuardBuilder::default().frequency(settings.hertz).blocklist(&LEFT_ALONE).build()?;
    tokio::time::sleep(settings.duration).await;
    // Names of functions are looked up in the program's file.
    let report = tokio::task::spawn_blocking(move || {
        let report = running.report().build();
        // In this order, whether or not anybody still waits for it.
        drop(running);
        drop(turn);
        report
    });
    let report = report.await??;
    Ok(folded(&report.data))
}

fn folded(stacks: &HashMap<Frames, isize>) -> String {
    let lines = stacks.iter().map(|(stack, count)| {
        let functions = stack.frames.iter().rev().flat_map(|inlined| inlined.iter().rev());
        let mut line = stack.thread_name.clone();
        for function in functions {
            write!(line, ";{}", function.name().replace(';', ",")).expect("writing to a string cannot fail");
        }
        (line, *count)
    });
    let mut lines: Vec<_> = lines.collect();
    lines.sort_unstable_by(|(one, often), (other, more)| more.cmp(often).then_with(|| one.cmp(other)));
    lines.into_iter().fold(String::new(), |mut text, (line, count)| {
        writeln!(text, "{line} {count}").expect("writing to a string cannot fail");
        text
    })
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[inline(never)]
    fn burn(until: Instant) -> u64 {
        let mut sum = 0_u64;
        while Instant::now() < until {
            sum = (0..10_000).fold(sum, |sum, n| std::hint::black_box(sum.wrapping_mul(31).wrapping_add(n)));
        }
        sum
    }

    #[tokio::test]
    async fn a_profile_names_who_takes_the_time_and_there_is_one_at_a_time() {
        let settings = Settings { duration: Duration::from_secs(1), hertz: 500 };
        let burning = std::thread::spawn(|| burn(Instant::now() + Duration::from_secs(2)));
        let (profile, other) = tokio::join!(record(settings), record(settings));
        assert!(matches!(other, Err(ProfileError::Busy)), "{other:?}");
        let profile = profile.unwrap();
        let line = profile.lines().find(|line| line.contains("burn"));
        let line = line.unwrap_or_else(|| panic!("nobody burns:\n{profile}"));
        assert!(line.rsplit_once(' ').unwrap().1.parse::<u64>().unwrap() > 0, "{line}");
        burning.join().unwrap();
        assert!(
            record(Settings { duration: Duration::from_millis(1), hertz: 1 }).await.is_ok(),
            "the turn is over"
        );
    }
}
