//! Days and time stamps as the marketplace counts them: Moscow time.

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, TimeZone, Utc};
use chrono_tz::Europe::Moscow;

/// The Moscow day that `moment` falls in.
pub(crate) fn day_of(moment: DateTime<Utc>) -> NaiveDate {
    moment.with_timezone(&Moscow).date_naive()
}

/// The moment at which a Moscow day begins.
pub(crate) fn start_of(day: NaiveDate) -> DateTime<Utc> {
    moment_of(day.and_time(chrono::NaiveTime::MIN))
}

/// The moment at which the day of `moment` ends.
pub(crate) fn end_of_day(moment: DateTime<Utc>) -> DateTime<Utc> {
    start_of(day_of(moment) + Days::new(1))
}

/// Reads a clock in Moscow. Where clocks were turned back, the earlier moment is meant.
pub(crate) fn moment_of(local: NaiveDateTime) -> DateTime<Utc> {
    Moscow.from_local_datetime(&local).earliest().map_or_else(|| local.and_utc(), |moment| moment.to_utc())
}

/// What a clock in Moscow shows.
pub(crate) fn local(moment: DateTime<Utc>) -> NaiveDateTime {
    moment.with_timezone(&Moscow).naive_local()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_three_hours_before_utc() {
        let day = NaiveDate::from_ymd_opt(2026, 3, 1).expect("a date");
        assert_eq!(start_of(day).to_rfc3339(), "2026-02-28T21:00:00+00:00");
        assert_eq!(day_of(start_of(day)), day);
        assert_eq!(end_of_day(start_of(day)), start_of(day + Days::new(1)));
    }
}
