//! Disk and memory of the machine. What a container may use of them is for the platform to watch.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use serde::Serialize;
use tokio::sync::Semaphore;

/// Below this share of what there is, it is running out.
const LOW_PERCENT: f64 = 5.0;
/// A dead network disk can hold `statvfs` for ever.
const LIMIT: Duration = Duration::from_secs(1);

/// How much is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Enough.
    Ok,
    /// Less than a twentieth.
    Low,
}

/// The disk that holds the data.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct DiskReport {
    /// Size in bytes.
    pub total_bytes: u64,
    /// Bytes that an unprivileged process may still write.
    pub available_bytes: u64,
    /// `available_bytes` in percent of `total_bytes`.
    pub available_percent: f64,
    /// Whether that is enough.
    pub level: Level,
}

/// The memory of the machine.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct MemoryReport {
    /// Size in bytes.
    pub total_bytes: u64,
    /// Bytes that could be used without swapping, by the kernel's estimate.
    pub available_bytes: u64,
    /// `available_bytes` in percent of `total_bytes`.
    pub available_percent: f64,
    /// Whether that is enough.
    pub level: Level,
}

/// Measures both, off the runtime's threads.
pub(super) struct Resources {
    disk_path: PathBuf,
    disk: Arc<Semaphore>,
    memory: Arc<Semaphore>,
}

impl Resources {
    pub(super) fn new(disk_path: PathBuf) -> Self {
        Self { disk_path, disk: Arc::new(Semaphore::new(1)), memory: Arc::new(Semaphore::new(1)) }
    }

    /// `None` for what cannot be told here, or not in time.
    pub(super) async fn measure(&self) -> (Option<DiskReport>, Option<MemoryReport>) {
        let path = self.disk_path.clone();
        tokio::join!(known("disk", &self.disk, move || disk(&path)), known("memory", &self.memory, memory))
    }
}

/// Runs a system call, unless the one before still hangs: each would hold a thread for as long.
async fn known<T: Send + 'static>(
    what: &'static str,
    free: &Arc<Semaphore>,
    measure: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Option<T> {
    let call = async {
        let turn = Arc::clone(free).try_acquire_owned().map_err(io::Error::other)?;
        let call = tokio::task::spawn_blocking(move || {
            let outcome = measure();
            drop(turn);
            outcome
        });
        tokio::time::timeout(LIMIT, call).await?.map_err(io::Error::other)?
    };
    call.await.inspect_err(|error| tracing::debug!(what, %error, "could not be measured")).ok()
}

fn disk(path: &Path) -> io::Result<DiskReport> {
    let stat = rustix::fs::statvfs(path)?;
    let total_bytes = stat.f_blocks.saturating_mul(stat.f_frsize);
    let available_bytes = stat.f_bavail.saturating_mul(stat.f_frsize);
    let (available_percent, level) = rate(available_bytes, total_bytes);
    Ok(DiskReport { total_bytes, available_bytes, available_percent, level })
}

fn memory() -> io::Result<MemoryReport> {
    memory_of(&std::fs::read_to_string("/proc/meminfo")?)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "MemTotal or MemAvailable is missing"))
}

/// Reads the format of `proc_meminfo(5)`: `MemTotal:  16316664 kB`.
fn memory_of(meminfo: &str) -> Option<MemoryReport> {
    let bytes = |key: &str| {
        let line = meminfo.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?;
        line.trim().strip_suffix(" kB")?.parse::<u64>().ok()?.checked_mul(1024)
    };
    let (total_bytes, available_bytes) = (bytes("MemTotal")?, bytes("MemAvailable")?);
    let (available_percent, level) = rate(available_bytes, total_bytes);
    Some(MemoryReport { total_bytes, available_bytes, available_percent, level })
}

#[expect(clippy::cast_precision_loss, reason = "a percentage of bytes needs no 53 bits")]
fn rate(available: u64, total: u64) -> (f64, Level) {
    // A file system without blocks (some virtual ones) is not running out of them.
    let percent = if total == 0 { 100.0 } else { available as f64 / total as f64 * 100.0 };
    (percent, if percent < LOW_PERCENT { Level::Low } else { Level::Ok })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEMINFO: &str =
        "MemTotal:       1000 kB\nMemFree:          10 kB\nMemAvailable:     40 kB\nHugePages_Total: 0\n";

    #[test]
    fn memory_is_low_below_a_twentieth() {
        let low = memory_of(MEMINFO).unwrap();
        assert_eq!((low.total_bytes, low.available_bytes, low.level), (1_024_000, 40_960, Level::Low));
        let enough = memory_of(&MEMINFO.replace("  40 kB", " 500 kB")).unwrap();
        assert_eq!(enough.level, Level::Ok);
    }

    #[test]
    fn an_unknown_format_is_unknown_and_not_zero() {
        assert!(memory_of("MemTotal: 1000 kB").is_none());
        assert!(memory_of("MemTotal: much kB\nMemAvailable: 1 kB").is_none());
        assert!(memory_of("").is_none());
    }

    #[test]
    fn the_disk_of_a_missing_path_is_an_error() {
        assert!(disk(Path::new("/nowhere/at/all")).is_err());
        let here = disk(Path::new("/")).unwrap();
        assert!(here.available_bytes <= here.total_bytes && here.total_bytes > 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_hanging_disk_holds_one_thread_only() {
        let free = Arc::new(Semaphore::new(1));
        let (release, hang) = std::sync::mpsc::channel::<()>();
        let hanging = Arc::clone(&free);
        let first = tokio::spawn(async move {
            known("disk", &hanging, move || hang.recv().map_err(io::Error::other)).await
        });
        while free.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        let second =
            known("disk", &free, || -> io::Result<()> { unreachable!("the first still hangs") }).await;
        assert!(second.is_none());
        release.send(()).unwrap();
        assert!(first.await.unwrap().is_some());
        assert!(known("disk", &free, || Ok(())).await.is_some());
    }
}
