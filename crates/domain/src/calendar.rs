//! Days and windows in the zone of a marketplace.
//!
//! "The last seven days" means seven complete calendar days of the marketplace's own zone, today excluded.

use chrono::{Days, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeZone as _, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;

/// Days counted by the demand window.
pub const WINDOW_DAYS: u32 = 7;

/// An IANA time zone, such as `Europe/Moscow`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone(Tz);

/// The text names no IANA time zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown time zone")]
pub struct UnknownZone;

impl Zone {
    /// The zone of Wildberries, and the default of a tenant.
    pub const MOSCOW: Self = Self(Tz::Europe__Moscow);

    /// Finds a zone by its IANA name.
    pub fn parse(name: &str) -> Result<Self, UnknownZone> {
        name.parse().map(Self).map_err(|_| UnknownZone)
    }

    /// The IANA name.
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// The calendar day of a moment.
    pub fn day_of(self, at: Timestamp) -> NaiveDate {
        at.with_timezone(&self.0).date_naive()
    }

    /// The first moment of a day.
    pub fn start_of(self, day: NaiveDate) -> Timestamp {
        self.to_utc(day.and_time(NaiveTime::MIN))
    }

    /// The moment that a wall clock of this zone showed. Where a clock change makes it show a time twice, the earlier
    /// moment; where it skips a time, the moment of the change.
    pub fn to_utc(self, wall: NaiveDateTime) -> Timestamp {
        let mut probe = wall;
        loop {
            match self.0.from_local_datetime(&probe) {
                LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => return at.with_timezone(&Utc),
                LocalResult::None => probe += chrono::TimeDelta::minutes(15),
            }
        }
    }

    /// What a wall clock of this zone shows at a moment.
    pub fn wall_clock(self, at: Timestamp) -> NaiveDateTime {
        at.with_timezone(&self.0).naive_local()
    }
}

impl TryFrom<String> for Zone {
    type Error = UnknownZone;

    fn try_from(name: String) -> Result<Self, UnknownZone> {
        Self::parse(&name)
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.name().to_owned()
    }
}

/// The seven complete days before today, and today itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// First day that counts.
    pub first: NaiveDate,
    /// Last day that counts: yesterday.
    pub last: NaiveDate,
    /// The day that is still running and does not count.
    pub today: NaiveDate,
}

impl Window {
    /// The window that ends before the day of `now`.
    pub fn ending_before(now: Timestamp, zone: Zone) -> Self {
        Self::of_day(zone.day_of(now))
    }

    /// The window of a given running day.
    pub fn of_day(today: NaiveDate) -> Self {
        let back = |days: u32| today.checked_sub_days(Days::new(days.into())).unwrap_or(today);
        Self { first: back(WINDOW_DAYS), last: back(1), today }
    }

    /// Whether an order of this day counts.
    pub fn counts(&self, day: NaiveDate) -> bool {
        self.first <= day && day <= self.last
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_day_turns_at_midnight_in_moscow() {
        assert_eq!(Zone::MOSCOW.day_of(at("2026-11-19T20:59:59Z")).to_string(), "2026-11-19");
        assert_eq!(Zone::MOSCOW.day_of(at("2026-11-19T21:00:00Z")).to_string(), "2026-11-20");
    }

    #[test]
    fn the_window_is_seven_days_without_today() {
        let window = Window::ending_before(at("2026-11-19T21:30:00Z"), Zone::MOSCOW);
        assert_eq!(window.today.to_string(), "2026-11-20");
        assert_eq!(window.first.to_string(), "2026-11-13");
        assert_eq!(window.last.to_string(), "2026-11-19");
        assert!(!window.counts(window.today));
    }

    #[test]
    fn a_skipped_hour_is_the_moment_of_the_change() {
        let berlin = Zone::parse("Europe/Berlin").unwrap();
        assert_eq!(berlin.to_utc("2026-03-29T02:30:00".parse().unwrap()), at("2026-03-29T01:00:00Z"));
        assert_eq!(berlin.to_utc("2026-10-25T02:30:00".parse().unwrap()), at("2026-10-25T00:30:00Z"));
    }

    proptest! {
        #[test]
        fn exactly_seven_days_count(seconds in 0_i64..4_000_000_000) {
            let now = Timestamp::from_timestamp(seconds, 0).unwrap();
            let window = Window::ending_before(now, Zone::MOSCOW);
            let counted = (-20..=20).filter(|d| window.counts(Zone::MOSCOW.day_of(now + TimeDelta::days(*d)))).count();
            prop_assert_eq!(counted, 7);
        }

        #[test]
        fn wall_clock_and_back(seconds in 1_500_000_000_i64..4_000_000_000) {
            let now = Timestamp::from_timestamp(seconds, 0).unwrap();
            prop_assert_eq!(Zone::MOSCOW.to_utc(Zone::MOSCOW.wall_clock(now)), now);
        }
    }
}
