//! Why a throw-away server or database could not be had.

use std::io;

/// Why a throw-away server or database could not be had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The program is not on this machine.
    #[error("{program} is not installed (looked in {looked_in})")]
    Missing {
        /// File name of the program.
        program: &'static str,
        /// Where it was looked for, in words.
        looked_in: &'static str,
    },
    /// PostgreSQL refuses to run as root.
    #[error("PostgreSQL does not run as root, and there is no account `postgres` to run it as")]
    NoAccount,
    /// The operating system refused a step.
    #[error("{doing}: {source}")]
    Io {
        /// The step, as in "making a temporary folder".
        doing: &'static str,
        /// What the operating system said.
        source: io::Error,
    },
    /// The program ended instead of serving.
    #[error("{program} ended before it was ready:\n{log}")]
    Ended {
        /// File name of the program.
        program: &'static str,
        /// Everything it wrote.
        log: String,
    },
    /// The program runs but did not become ready in time.
    #[error("{program} was not ready in time:\n{log}")]
    NotReady {
        /// File name of the program.
        program: &'static str,
        /// Everything it wrote.
        log: String,
    },
    /// A Redis refused a step of its set-up, or did not come to where it should be in time.
    #[error("setting Redis up: {command}: {answer}")]
    Redis {
        /// The command.
        command: String,
        /// What was answered last.
        answer: String,
    },
    /// The address of a server is not a URL.
    #[error("{variable} is not a URL: {source}")]
    Url {
        /// The environment variable it came from.
        variable: &'static str,
        /// What is wrong with it.
        source: url::ParseError,
    },
    /// PostgreSQL refused an administrative statement.
    #[error(transparent)]
    Sql(#[from] sqlx::Error),
    /// The caller's own preparation of a template database failed.
    #[error("preparing template database `{key}`: {source}")]
    Template {
        /// The key the caller gave.
        key: String,
        /// The caller's error.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl Error {
    /// Names the step that an I/O error interrupted; for `map_err`.
    pub(crate) fn io(doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { doing, source }
    }
}
