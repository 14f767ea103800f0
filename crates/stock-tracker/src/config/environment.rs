//! Where values come from: a command's flags, the process environment, a `.env` file, defaults; in that order.

use std::{collections::BTreeMap, path::Path};

use super::{Problem, variables};

/// The file that is read beside the environment.
const FILE: &str = ".env";

/// Where a value came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// A flag of the command line.
    Flag,
    /// The process environment.
    Environment,
    /// The `.env` file.
    DotEnv,
    /// Nobody has set it.
    Default,
}

impl Source {
    /// Its name in `stock-tracker config`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Flag => "flag",
            Self::Environment => "environment",
            Self::DotEnv => ".env",
            Self::Default => "default",
        }
    }
}

/// Values by name, with what was wrong already while they were collected.
#[derive(Default)]
pub(crate) struct Environment {
    flags: BTreeMap<String, String>,
    process: BTreeMap<String, String>,
    file: BTreeMap<String, String>,
    /// What the command itself puts in the place of a usual default.
    usual: BTreeMap<String, String>,
    problems: Vec<Problem>,
}

impl Environment {
    /// Reads the process environment and the `.env` file of the working directory. To be called once.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    pub(crate) fn of_process() -> Self {
        let mut environment = Self::default();
        for (name, value) in std::env::vars_os() {
            let Ok(name) = name.into_string() else { continue };
            if !variables::ALL.iter().any(|variable| variable.name == name) {
                continue;
            }
            match value.into_string() {
                Ok(value) => drop(environment.process.insert(name, value)),
                Err(_) => environment.problems.push(Problem::new(&name, "is not UTF-8 text")),
            }
        }
        environment.read_file(Path::new(FILE));
        environment
    }

    fn read_file(&mut self, path: &Path) {
        let lines = match dotenvy::from_path_iter(path) {
            Ok(lines) => lines,
            Err(error) if error.not_found() => return,
            Err(dotenvy::Error::Io(error)) => {
                return self.problems.push(Problem::new(FILE, error.to_string()));
            }
            Err(_) => return self.problems.push(Problem::new(FILE, "cannot be read")),
        };
        let mut last = String::from("the beginning");
        for line in lines {
            match line {
                Ok((name, value)) => {
                    last.clone_from(&name);
                    self.file.insert(name, value);
                }
                // The error of the parser repeats the line, which may hold a secret.
                Err(_) => {
                    self.problems.push(Problem::new(FILE, format!("the line after {last} cannot be read")));
                }
            }
        }
    }

    /// A flag of the command line that stands for a variable.
    #[cfg(any(test, feature = "demo"))]
    #[must_use]
    pub(crate) fn with_flag(mut self, name: &str, value: Option<impl ToString>) -> Self {
        if let Some(value) = value {
            self.flags.insert(name.to_owned(), value.to_string());
        }
        self
    }

    /// Another default for this command.
    #[cfg(any(test, feature = "demo"))]
    #[must_use]
    pub(crate) fn with_usual(mut self, name: &str, value: impl Into<String>) -> Self {
        self.usual.insert(name.to_owned(), value.into());
        self
    }

    /// A value and its source. An empty value is none: that is how compose files pass on what is not set.
    pub(super) fn get(&self, name: &str) -> Option<(&str, Source)> {
        let layers = [
            (&self.flags, Source::Flag),
            (&self.process, Source::Environment),
            (&self.file, Source::DotEnv),
            (&self.usual, Source::Default),
        ];
        layers.into_iter().find_map(|(layer, source)| {
            let value = layer.get(name)?.trim();
            (!value.is_empty()).then_some((value, source))
        })
    }

    pub(super) fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

#[cfg(test)]
impl Environment {
    /// An environment of these variables.
    pub(crate) fn of(variables: &[(&str, &str)]) -> Self {
        let process = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Self { process: process.collect(), ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearer_layer_wins_and_empty_is_unset() {
        let mut environment = Environment::of(&[("PORT", "1"), ("HOST", ""), ("LOG_LEVEL", "debug")]);
        environment.file = [("HOST", "::1"), ("PORT", "2"), ("DEBUG", "true")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
        let environment = environment
            .with_flag("PORT", Some(3))
            .with_flag("HOST", None::<&str>)
            .with_usual("LOG_LEVEL", "warn")
            .with_usual("DATA_DIR", "elsewhere");
        assert_eq!(environment.get("PORT"), Some(("3", Source::Flag)));
        assert_eq!(environment.get("HOST"), Some(("::1", Source::DotEnv)));
        assert_eq!(environment.get("LOG_LEVEL"), Some(("debug", Source::Environment)));
        assert_eq!(environment.get("DATA_DIR"), Some(("elsewhere", Source::Default)));
        assert_eq!(environment.get("DATABASE_URL"), None);
    }

    #[test]
    fn a_line_that_cannot_be_read_is_named_and_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".env");
        std::fs::write(&path, "PORT=9000\nJWT_SECRET_KEY='topsecret\nHOST=::1\n").unwrap();
        let mut environment = Environment::default();
        environment.read_file(&path);
        let [problem] = environment.problems() else { panic!("{:?}", environment.problems()) };
        assert!(problem.to_string().contains("after PORT"), "{problem}");
        assert!(!problem.to_string().contains("topsecret"), "{problem}");

        environment.read_file(&folder.path().join("absent"));
        assert_eq!(environment.problems().len(), 1, "no file is no problem");
    }
}
