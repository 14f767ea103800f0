//! Pauses between attempts.

use std::time::Duration;

use rand::Rng as _;

/// The pause after the first failure.
const BASE: Duration = Duration::from_secs(5);
/// No pause is longer, but for its jitter.
const LONGEST: Duration = Duration::from_mins(15);
/// Jobs that failed together shall not come back together.
const JITTER: f64 = 0.2;

/// The pause after a failure, when `earlier` attempts had failed before: doubled for each, within 20 % at random,
/// times `scale`.
pub(crate) fn pause(earlier: i32, scale: f64) -> Duration {
    spread(grown(earlier), scale, rand::rng().random_range(-1.0..=1.0))
}

/// An interval within 20 % at random, so that processes do not do the same thing at the same moment.
pub(crate) fn around(interval: Duration) -> Duration {
    spread(interval, 1.0, rand::rng().random_range(-1.0..=1.0))
}

fn grown(earlier: i32) -> Duration {
    let doublings = u32::try_from(earlier).unwrap_or(0).min(31);
    BASE.saturating_mul(1 << doublings).min(LONGEST)
}

fn spread(interval: Duration, scale: f64, chance: f64) -> Duration {
    interval.mul_f64((1.0 + JITTER * chance) * scale.max(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_quarter_of_an_hour() {
        let seconds: Vec<u64> = (0..10).map(|n| grown(n).as_secs()).collect();
        assert_eq!(seconds, [5, 10, 20, 40, 80, 160, 320, 640, 900, 900]);
        assert_eq!(grown(i32::MAX), LONGEST);
        assert_eq!(grown(-1), BASE);
    }

    #[test]
    fn chance_moves_a_pause_by_a_fifth_at_most() {
        let tenth = Duration::from_secs(10);
        assert_eq!(spread(tenth, 1.0, -1.0), Duration::from_secs(8));
        assert_eq!(spread(tenth, 1.0, 1.0), Duration::from_secs(12));
        assert_eq!(spread(tenth, 0.5, 0.0), Duration::from_secs(5));
        assert_eq!(spread(tenth, -3.0, 0.0), Duration::ZERO);
        for earlier in 0..20 {
            let pause = pause(earlier, 1.0);
            assert!(pause >= grown(earlier).mul_f64(0.79) && pause <= grown(earlier).mul_f64(1.21));
        }
    }
}
