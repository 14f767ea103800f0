//! `stock-tracker openapi`: the description of the API, without anything started.

use std::io::{Write as _, stdout};

use anyhow::Context as _;

/// Prints the document.
pub(crate) fn run() -> anyhow::Result<()> {
    let document = serde_json::to_string_pretty(&api::openapi()).context("the document as JSON")?;
    writeln!(stdout(), "{document}").context("printing")
}
