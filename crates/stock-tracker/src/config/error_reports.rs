//! Where failures are reported.

use api::Environment;
use monitoring::{error_reports::Settings, metrics::labels::Role};

use super::{
    reader::Reader,
    variables::{
        SENTRY_DSN, SENTRY_ENVIRONMENT, SENTRY_PROFILES_SAMPLE_RATE, SENTRY_RELEASE,
        SENTRY_TRACES_SAMPLE_RATE,
    },
};
use crate::wiring::VERSION;

/// Longest name of an environment or a release that Sentry takes.
const LONGEST_NAME: usize = 64;

/// Where failures are reported, if anywhere.
pub(super) fn read(reader: &mut Reader<'_>, environment: Environment, role: Role) -> Option<Settings> {
    let dsn = reader
        .optional(&SENTRY_DSN, "a DSN such as `https://key@host/project`", |text| Settings::dsn(text).ok());
    let named = "a name of 1 to 64 characters without spaces and slashes";
    let usual = environment.name().to_owned();
    let environment = reader.optional(&SENTRY_ENVIRONMENT, named, name).unwrap_or(usual);
    reader.show(&SENTRY_ENVIRONMENT, &environment);
    let release = reader.optional(&SENTRY_RELEASE, named, name);
    let release = release.unwrap_or_else(|| format!("stock-tracker@{VERSION}"));
    reader.show(&SENTRY_RELEASE, &release);
    let traces_sample_rate = reader.value(&SENTRY_TRACES_SAMPLE_RATE, RATE, rate);
    reader.value(&SENTRY_PROFILES_SAMPLE_RATE, RATE, rate);
    Some(Settings { dsn: dsn?, environment, release, role, traces_sample_rate })
}

const RATE: &str = "a number from 0 to 1";

fn rate(text: &str) -> Option<f32> {
    text.parse().ok().filter(|rate| (0.0..=1.0).contains(rate))
}

fn name(text: &str) -> Option<String> {
    let fits = (1..=LONGEST_NAME).contains(&text.len());
    let plain = !text.contains(|c: char| c.is_whitespace() || c.is_control() || matches!(c, '/' | '\\'));
    (fits && plain).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{name, rate};

    #[test]
    fn a_rate_is_a_share() {
        assert_eq!((rate("0.25"), rate("1")), (Some(0.25), Some(1.0)));
        for bad in ["1.1", "-0.1", "NaN", "all", ""] {
            assert_eq!(rate(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_name_is_one_that_sentry_takes() {
        assert_eq!(name("stock-tracker@1.2.3+abc").as_deref(), Some("stock-tracker@1.2.3+abc"));
        for bad in ["", "a b", "a/b", "a\\b", &"x".repeat(65)] {
            assert_eq!(name(bad), None, "{bad}");
        }
    }
}
