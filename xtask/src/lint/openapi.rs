//! The committed OpenAPI document against the one the binary prints.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::command::{output, root};
use crate::product;

const DOCUMENT: &str = "docs/openapi.json";

/// Compares the two, or with `fix` writes the binary's.
pub(super) fn check(fix: bool) -> Result<()> {
    let printed = output(Command::new(product::build()?).arg("openapi"))?;
    let printed = String::from_utf8(printed).context("the document is UTF-8")?;
    ensure!(!printed.trim().is_empty(), "`stock-tracker openapi` printed nothing");
    let path = root().join(DOCUMENT);
    if fix {
        return fs::write(&path, printed).with_context(|| format!("writing {DOCUMENT}"));
    }
    let committed = fs::read_to_string(&path)
        .with_context(|| format!("reading {DOCUMENT}; write it with `cargo xtask lint openapi --fix`"))?;
    if let Some(line) = first_difference(&committed, &printed) {
        bail!("{DOCUMENT} is old from line {line} on; write it anew with `cargo xtask lint openapi --fix`");
    }
    Ok(())
}

/// The number of the first line in which two texts differ, counted from 1.
fn first_difference(one: &str, other: &str) -> Option<usize> {
    if one == other {
        return None;
    }
    let same = one.split('\n').zip(other.split('\n')).take_while(|(a, b)| a == b).count();
    Some(same + 1)
}

#[cfg(test)]
mod tests {
    use super::first_difference;

    #[test]
    fn a_difference_is_found_where_it_begins() {
        assert_eq!(first_difference("a\nb\n", "a\nb\n"), None);
        assert_eq!(first_difference("a\nb\n", "a\nc\n"), Some(2));
        assert_eq!(first_difference("a\n", "a"), Some(2), "a missing last newline is a difference");
        assert_eq!(first_difference("", "a"), Some(1));
    }
}
