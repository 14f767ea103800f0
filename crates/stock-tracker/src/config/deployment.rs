//! Where the program runs, and how long it may take to stop.

use std::{path::PathBuf, time::Duration};

use api::Environment;

use super::{
    reader::Reader,
    variables::{DATA_DIR, DEBUG, ENVIRONMENT, SHUTDOWN_TIMEOUT},
};

/// Where the program runs.
#[derive(Debug, Clone)]
pub(crate) struct Deployment {
    pub(crate) environment: Environment,
    pub(crate) debug: bool,
    pub(crate) data_dir: PathBuf,
    /// From the signal to the end of the process.
    pub(crate) shutdown_timeout: Duration,
}

impl Deployment {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let environment =
            reader.value(&ENVIRONMENT, "`development`, `staging` or `production`", |name| name.parse().ok());
        let debug = reader.switch(&DEBUG);
        if debug && environment == Environment::Production {
            reader.refuse(&DEBUG, "must not be true in production: answers would show causes of errors");
        }
        Self {
            environment,
            debug,
            data_dir: reader.value(&DATA_DIR, "a path", |path| Some(PathBuf::from(path))),
            shutdown_timeout: Duration::from_secs(reader.number(&SHUTDOWN_TIMEOUT, 1, 3600).into()),
        }
    }
}
