//! What was found, and what to do about it.

use std::fmt;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    /// As it should be.
    Well,
    /// It works, and will not always, or not for everybody.
    Warning,
    /// It does not work, or is not safe.
    Failure,
}

/// One thing that was looked at.
#[derive(Debug)]
pub(super) struct Finding {
    pub(super) level: Level,
    about: &'static str,
    text: String,
    /// What to do; nothing where all is well.
    fix: Option<String>,
}

impl Finding {
    pub(super) fn well(about: &'static str, text: impl Into<String>) -> Self {
        Self { level: Level::Well, about, text: text.into(), fix: None }
    }

    pub(super) fn warning(about: &'static str, text: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { level: Level::Warning, about, text: text.into(), fix: Some(fix.into()) }
    }

    pub(super) fn failure(about: &'static str, text: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { level: Level::Failure, about, text: text.into(), fix: Some(fix.into()) }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = match self.level {
            Level::Well => "ok",
            Level::Warning => "warning",
            Level::Failure => "FAILURE",
        };
        writeln!(f, "{level:7}  {:13}  {}", self.about, self.text)?;
        match &self.fix {
            Some(fix) => writeln!(f, "{:7}  {:13}  -> {fix}", "", ""),
            None => Ok(()),
        }
    }
}
