//! What is allowed: an algorithm, a limit and a window, checked once.

use std::time::Duration;

use crate::algorithm::Terms;

/// How admissions are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Algorithm {
    /// The time of every admission of the last window. Never above the limit in any window whatever; refunds are
    /// exact. About 105 bytes per admission on Redis above 128 of them.
    #[default]
    SlidingLog,
    /// The same in 4 bytes per admission, for large limits. Times are rounded up to whole milliseconds, so that it
    /// frees up to 1 ms late, never early. Windows up to 7 days. A refund works only while nothing was admitted since.
    CompactLog,
    /// Generic cell rate algorithm, the same as a token bucket: `limit` per window on average, `burst` at once. The
    /// spacing is rounded up to whole microseconds. In any span `x` it admits at most `burst + x / spacing`. A refund
    /// works only while nothing was admitted since.
    Gcra {
        /// How many requests may come at once.
        burst: u32,
    },
    /// A counter that begins with the first request and is thrown away a window later (`INCR` with `EXPIRE`). Up to
    /// twice the limit may pass around the edge of two windows.
    FixedWindow,
}

impl Algorithm {
    /// What keys and scripts call it.
    pub(crate) fn letter(self) -> u8 {
        match self {
            Self::SlidingLog => b'l',
            Self::CompactLog => b'c',
            Self::Gcra { .. } => b'g',
            Self::FixedWindow => b'f',
        }
    }
}

/// Why a rule makes no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RuleError {
    /// A limit of zero.
    #[error("the limit must be at least 1")]
    ZeroLimit,
    /// A burst of zero.
    #[error("the burst must be at least 1")]
    ZeroBurst,
    /// A window below a millisecond.
    #[error("the window must be at least 1 ms, not {0:?}")]
    WindowTooShort(Duration),
    /// A window that the algorithm cannot keep.
    #[error("the window must be at most {longest:?} with this algorithm, not {given:?}")]
    WindowTooLong {
        /// What was given.
        given: Duration,
        /// The longest that is possible.
        longest: Duration,
    },
    /// A log that would hold too many entries.
    #[error("the limit must be at most {largest} with this algorithm, not {given}: take a more compact one")]
    LimitTooLarge {
        /// What was given.
        given: u32,
        /// The largest that is possible.
        largest: u32,
    },
    /// More than one request per microsecond.
    #[error("{limit} requests in {window:?} are less than a microsecond apart")]
    RateTooHigh {
        /// The limit given.
        limit: u32,
        /// The window given.
        window: Duration,
    },
    /// A burst whose tokens take too long to come back.
    #[error("a burst of {burst} would take more than {longest:?} to fill again")]
    BurstTooLarge {
        /// The burst given.
        burst: u32,
        /// The longest time to fill.
        longest: Duration,
    },
}

/// An algorithm with its limit and window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rule {
    algorithm: Algorithm,
    limit: u32,
    /// Microseconds.
    window: u64,
    terms: Terms,
}

impl Rule {
    /// The shortest window.
    pub const SHORTEST_WINDOW: Duration = Duration::from_millis(1);
    /// The longest window, and the longest time in which a burst fills again.
    pub const LONGEST_WINDOW: Duration = Duration::from_hours(400 * 24);
    /// The longest window of [`Algorithm::CompactLog`], whose times are milliseconds modulo 2^32.
    pub const LONGEST_COMPACT_WINDOW: Duration = Duration::from_hours(7 * 24);
    /// The largest limit of [`Algorithm::SlidingLog`].
    pub const LARGEST_LOG: u32 = 100_000;
    /// The largest limit of [`Algorithm::CompactLog`].
    pub const LARGEST_COMPACT_LOG: u32 = 1_000_000;

    /// `limit` per `window`, counted by `algorithm`. Parts of a microsecond are dropped.
    pub fn new(algorithm: Algorithm, limit: u32, window: Duration) -> Result<Self, RuleError> {
        if limit == 0 {
            return Err(RuleError::ZeroLimit);
        }
        if window < Self::SHORTEST_WINDOW {
            return Err(RuleError::WindowTooShort(window));
        }
        let (largest, longest) = match algorithm {
            Algorithm::SlidingLog => (Self::LARGEST_LOG, Self::LONGEST_WINDOW),
            Algorithm::CompactLog => (Self::LARGEST_COMPACT_LOG, Self::LONGEST_COMPACT_WINDOW),
            Algorithm::Gcra { .. } | Algorithm::FixedWindow => (u32::MAX, Self::LONGEST_WINDOW),
        };
        if window > longest {
            return Err(RuleError::WindowTooLong { given: window, longest });
        }
        if limit > largest {
            return Err(RuleError::LimitTooLarge { given: limit, largest });
        }
        let micros = micros(window);
        let terms = match algorithm {
            Algorithm::Gcra { burst } => {
                Terms { capacity: burst, span: Self::spacing(limit, window, micros, burst)? }
            }
            _ => Terms { capacity: limit, span: micros },
        };
        Ok(Self { algorithm, limit, window: micros, terms })
    }

    fn spacing(limit: u32, window: Duration, micros: u64, burst: u32) -> Result<u64, RuleError> {
        if burst == 0 {
            return Err(RuleError::ZeroBurst);
        }
        if u64::from(limit) > micros {
            return Err(RuleError::RateTooHigh { limit, window });
        }
        let spacing = micros.div_ceil(u64::from(limit));
        let longest = Self::LONGEST_WINDOW;
        if u128::from(spacing) * u128::from(burst) > longest.as_micros() {
            return Err(RuleError::BurstTooLarge { burst, longest });
        }
        Ok(spacing)
    }

    /// How admissions are counted.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// How many are allowed per window.
    pub fn limit(&self) -> u32 {
        self.limit
    }

    /// The window.
    pub fn window(&self) -> Duration {
        Duration::from_micros(self.window)
    }

    /// The most that can be used at one moment: the burst of [`Algorithm::Gcra`], else the limit.
    pub fn capacity(&self) -> u32 {
        self.terms.capacity
    }

    /// The rule as the algorithms read it.
    pub fn terms(&self) -> Terms {
        self.terms
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    #[test]
    fn nonsense_is_refused_with_its_reason() {
        let log = Algorithm::SlidingLog;
        assert_eq!(Rule::new(log, 0, MINUTE), Err(RuleError::ZeroLimit));
        assert_eq!(Rule::new(log, 1, Duration::ZERO), Err(RuleError::WindowTooShort(Duration::ZERO)));
        assert!(matches!(Rule::new(log, 1, Duration::MAX), Err(RuleError::WindowTooLong { .. })));
        let ten_days = Duration::from_hours(240);
        assert!(matches!(
            Rule::new(Algorithm::CompactLog, 1, ten_days),
            Err(RuleError::WindowTooLong { .. })
        ));
        assert!(Rule::new(log, 1, ten_days).is_ok());
        assert!(matches!(Rule::new(log, 100_001, MINUTE), Err(RuleError::LimitTooLarge { .. })));
        assert!(Rule::new(Algorithm::FixedWindow, u32::MAX, MINUTE).is_ok());
        let gcra = |burst| Algorithm::Gcra { burst };
        assert_eq!(Rule::new(gcra(0), 1, MINUTE), Err(RuleError::ZeroBurst));
        assert!(matches!(
            Rule::new(gcra(1), 1_001, Duration::from_millis(1)),
            Err(RuleError::RateTooHigh { .. })
        ));
        assert!(matches!(Rule::new(gcra(u32::MAX), 1, MINUTE), Err(RuleError::BurstTooLarge { .. })));
    }

    #[test]
    fn spacing_is_rounded_up_so_that_the_rate_is_never_above() {
        let rule = Rule::new(Algorithm::Gcra { burst: 5 }, 3, Duration::from_secs(1)).unwrap();
        assert_eq!(rule.terms(), Terms { capacity: 5, span: 333_334 });
        let rule = Rule::new(Algorithm::FixedWindow, 3, Duration::from_secs(1)).unwrap();
        assert_eq!(rule.terms(), Terms { capacity: 3, span: 1_000_000 });
    }
}
