//! Tracing set-up: what is logged, in which shape, and to which stream. Rotation and shipping are the platform's.

use std::{
    io::{self, IsTerminal as _},
    str::FromStr,
};

use tracing::Subscriber;
use tracing_subscriber::{
    EnvFilter, Layer as _,
    filter::LevelFilter,
    fmt::MakeWriter,
    layer::SubscriberExt as _,
    registry,
    util::{SubscriberInitExt as _, TryInitError},
};

use crate::error_reports;

/// Libraries that narrate every statement or connection below `warn`.
const NOISY: [&str; 6] = ["sqlx", "sea_orm", "sea_orm_migration", "hyper", "hyper_util", "h2"];

/// The shape of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// One readable line per event, coloured in a terminal.
    Pretty,
    /// One JSON object per line: the event's fields at the top, `span` the innermost span, `spans` all of them.
    Json,
}

impl LogFormat {
    /// What an unset `LOG_FORMAT` means: readable in a terminal, else JSON.
    pub fn for_terminal(is_terminal: bool) -> Self {
        if is_terminal { Self::Pretty } else { Self::Json }
    }
}

impl FromStr for LogFormat {
    type Err = LogError;

    fn from_str(text: &str) -> Result<Self, LogError> {
        match text {
            "pretty" => Ok(Self::Pretty),
            "json" => Ok(Self::Json),
            _ => Err(LogError::Format(text.to_owned())),
        }
    }
}

/// What is logged and where to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSettings {
    /// The shape of a line.
    pub format: LogFormat,
    /// `LOG_LEVEL`: a level, or directives such as `info,api=debug,sqlx=info`.
    pub level: String,
    /// Lines go to standard error instead of standard output, for commands whose output is their result.
    pub to_stderr: bool,
}

impl LogSettings {
    /// Tells whether the settings can be used, without installing anything.
    pub fn check(&self) -> Result<(), LogError> {
        filter(&self.level).map(drop)
    }
}

/// Why logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// A word that is neither a level nor a `target=level` directive.
    #[error("`{0}` is not a log level (off, error, warn, info, debug, trace) nor a `target=level` directive")]
    Level(String),
    /// A word that is not a format.
    #[error("`{0}` is not a log format (pretty, json)")]
    Format(String),
    /// Somebody installed another subscriber or logger before.
    #[error("logging was set up before")]
    AlreadySet(#[from] TryInitError),
}

/// Installs logging for the whole process, the `log` records of libraries included. To be called once, after
/// [`error_reports`] if there are any.
pub fn init(settings: &LogSettings) -> Result<(), LogError> {
    if settings.to_stderr {
        subscriber(settings, io::stderr, io::stderr().is_terminal())?.try_init()?;
    } else {
        subscriber(settings, io::stdout, io::stdout().is_terminal())?.try_init()?;
    }
    Ok(())
}

/// The subscriber that [`init`] installs, writing wherever the caller wants.
pub fn subscriber<W>(
    settings: &LogSettings,
    writer: W,
    colours: bool,
) -> Result<impl Subscriber + Send + Sync, LogError>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let filter = filter(&settings.level)?;
    let lines = tracing_subscriber::fmt::layer().with_writer(writer);
    let lines = match settings.format {
        // Left at its default, colouring respects NO_COLOR; it is only ever switched off here.
        LogFormat::Pretty if colours => lines.boxed(),
        LogFormat::Pretty => lines.with_ansi(false).boxed(),
        // The whole list of spans, since the request's or the job's ids may sit above the innermost one.
        LogFormat::Json => {
            lines.json().flatten_event(true).with_current_span(true).with_span_list(true).boxed()
        }
    };
    // Each decides by itself what it hears: what is not logged may still be part of a trace.
    Ok(registry().with(lines.with_filter(filter)).with(error_reports::is_on().then(error_reports::layer)))
}

fn filter(level: &str) -> Result<EnvFilter, LogError> {
    let mut general = LevelFilter::ERROR;
    let mut directives = Vec::new();
    for directive in level.split(',').map(str::trim).filter(|directive| !directive.is_empty()) {
        // EnvFilter takes any bare word for a target and opens it wide: a misspelt level would pass as one.
        match (level_of(directive), directive.rsplit_once('=')) {
            (Some(level), _) => general = level,
            (None, Some((target, level))) if !target.is_empty() && level_of(level).is_some() => {}
            (None, _) => return Err(LogError::Level(directive.to_owned())),
        }
        directives.push(directive.to_owned());
    }
    if general > LevelFilter::WARN {
        // In front: the operator's words come last and win for the same target.
        directives.splice(0..0, NOISY.map(|target| format!("{target}=warn")));
    }
    EnvFilter::try_new(directives.join(",")).map_err(|_| LogError::Level(level.to_owned()))
}

/// A level by its name; the parser of `tracing` also takes numbers and nothing at all.
fn level_of(word: &str) -> Option<LevelFilter> {
    word.parse().ok().filter(|_| word.starts_with(|first: char| first.is_ascii_alphabetic()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_level_is_refused() {
        for wrong in ["inof", "info,apidebug", "api=loud", "=info", "7", "api="] {
            assert!(matches!(filter(wrong), Err(LogError::Level(_))), "{wrong}");
        }
        for right in
            ["info", "INFO", "off", "warn, api=debug", "info,sqlx::query=debug", "api[request]=trace", ""]
        {
            assert!(filter(right).is_ok(), "{right}");
        }
    }

    #[test]
    fn libraries_are_quietened_unless_asked_for() {
        let quiet = filter("debug").unwrap().to_string();
        assert!(quiet.contains("sqlx=warn") && quiet.contains("hyper=warn"), "{quiet}");
        let asked = filter("debug,sqlx=info").unwrap().to_string();
        assert!(asked.contains("sqlx=info") && !asked.contains("sqlx=warn"), "{asked}");
        let strict = filter("error").unwrap().to_string();
        assert!(!strict.contains("sqlx"), "quietening must not add lines: {strict}");
    }

    #[test]
    fn the_format_has_two_words() {
        assert_eq!("pretty".parse::<LogFormat>().unwrap(), LogFormat::Pretty);
        assert_eq!("json".parse::<LogFormat>().unwrap(), LogFormat::Json);
        assert!(matches!("xml".parse::<LogFormat>(), Err(LogError::Format(_))));
        assert_eq!(LogFormat::for_terminal(false), LogFormat::Json);
        assert_eq!(LogFormat::for_terminal(true), LogFormat::Pretty);
    }
}
