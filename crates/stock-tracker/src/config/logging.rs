//! What is logged and how.

use monitoring::logs::{LogFormat, LogSettings};

use super::{
    reader::Reader,
    variables::{LOG_FORMAT, LOG_LEVEL},
};

/// What is logged and how.
#[derive(Debug, Clone)]
pub(crate) struct Logging {
    pub(crate) level: String,
    /// `None`: as it suits the stream.
    pub(crate) format: Option<LogFormat>,
}

impl Logging {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let level = reader.value(&LOG_LEVEL, "a log level or a list of `target=level`", |text| {
            let settings = LogSettings { format: LogFormat::Json, level: text.to_owned(), to_stderr: false };
            settings.check().ok().map(|()| settings.level)
        });
        Self { level, format: reader.optional(&LOG_FORMAT, "`pretty` or `json`", |text| text.parse().ok()) }
    }

    /// The settings for a stream.
    pub(crate) fn settings(&self, to_stderr: bool, is_terminal: bool) -> LogSettings {
        LogSettings {
            format: self.format.unwrap_or_else(|| LogFormat::for_terminal(is_terminal)),
            level: self.level.clone(),
            to_stderr,
        }
    }
}
