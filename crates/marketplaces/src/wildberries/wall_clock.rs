//! Times as Wildberries' statistics write them: what a clock in Moscow shows, without a zone.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, SubsecRound as _};
use domain::{calendar::Zone, clock::Timestamp};

/// Reads a time. One that names its zone against custom is taken at its word; a bare date is its midnight.
pub(super) fn parse(text: &str) -> Option<NaiveDateTime> {
    if let Ok(wall) = text.parse() {
        return Some(wall);
    }
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Some(Zone::MOSCOW.wall_clock(at.to_utc()));
    }
    text.parse().ok().map(|day: NaiveDate| day.and_time(NaiveTime::MIN))
}

/// Writes a time as precisely as it is known.
pub(super) fn format(wall: NaiveDateTime) -> String {
    wall.format("%Y-%m-%dT%H:%M:%S%.f").to_string()
}

/// The moment, cut to microseconds.
pub(super) fn to_utc(wall: NaiveDateTime) -> Timestamp {
    Zone::MOSCOW.to_utc(wall).trunc_subsecs(6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_without_a_zone_is_moscow_time() {
        for (text, utc) in [
            ("2026-11-20T00:30:00", "2026-11-19T21:30:00Z"),
            ("2026-11-20T00:30:00.123456789", "2026-11-19T21:30:00.123456Z"),
            ("2026-11-20T00:30:00Z", "2026-11-20T00:30:00Z"),
            ("2026-11-20T00:30:00+05:00", "2026-11-19T19:30:00Z"),
            ("2026-11-20", "2026-11-19T21:00:00Z"),
        ] {
            assert_eq!(to_utc(parse(text).unwrap()), utc.parse::<Timestamp>().unwrap(), "{text}");
        }
        for wrong in ["", "yesterday", "2026-13-01T00:00:00", "1700000000"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_time_is_written_as_precisely_as_it_was_read() {
        for text in ["2026-11-20T00:30:00", "2026-11-20T00:30:00.120", "2026-11-20T00:30:00.123456"] {
            assert_eq!(format(parse(text).unwrap()), text);
        }
    }
}
