//! What the benches measured.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::number;

/// Lines that the bench on Redis printed, and what criterion wrote of the one in process.
pub(super) struct Figures {
    lines: Vec<Value>,
    criterion: PathBuf,
}

impl Figures {
    pub(super) fn read(redis: &Path, criterion: &Path) -> Result<Self> {
        let text = fs::read_to_string(redis).with_context(|| format!("reading {}", redis.display()))?;
        let lines = text.lines().map(|line| serde_json::from_str(line).with_context(|| line.to_owned()));
        Ok(Self { lines: lines.collect::<Result<_>>()?, criterion: criterion.to_owned() })
    }

    /// The line of this kind in which these fields say so.
    pub(super) fn of(&self, what: &str, fields: &[(&str, Value)]) -> Result<&Value> {
        let wanted =
            |line: &&Value| line["what"] == what && fields.iter().all(|(name, value)| &line[*name] == value);
        self.lines.iter().find(wanted).with_context(|| format!("nothing was measured of {what} {fields:?}"))
    }

    /// Something that was done under load, each task with a connection of its own or all with few that they share.
    pub(super) fn load(&self, work: &str, way: &str, depth: u32) -> Result<&Value> {
        self.of("load", &[("work", work.into()), ("way", way.into()), ("depth", depth.into())])
    }

    /// The largest figure of all lines of this kind in which these fields say so.
    pub(super) fn most(&self, what: &str, fields: &[(&str, Value)], figure: &str) -> Result<f64> {
        self.of(what, fields)?;
        let wanted =
            |line: &&Value| line["what"] == what && fields.iter().all(|(name, value)| &line[*name] == value);
        self.lines.iter().filter(wanted).try_fold(f64::MIN, |most, line| Ok(most.max(number(line, figure)?)))
    }

    /// Nanoseconds that something took in process, the median.
    pub(super) fn nanoseconds(&self, id: &str) -> Result<f64> {
        let file = self.criterion.join(id).join("new/estimates.json");
        let text = fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
        let estimates: Value = serde_json::from_str(&text).with_context(|| file.display().to_string())?;
        number(&estimates["median"], "point_estimate")
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use serde_json::json;

    use super::Figures;

    #[test]
    fn lines_are_found_by_what_they_say() {
        let lines = vec![
            json!({ "what": "trim", "entries": 10, "median_us": 5.0 }),
            json!({ "what": "trim", "entries": 10, "median_us": 7.0 }),
            json!({ "what": "trim", "entries": 20, "median_us": 9.0 }),
        ];
        let figures = Figures { lines, criterion: PathBuf::new() };
        let of_ten = [("entries", json!(10))];
        assert!((figures.most("trim", &of_ten, "median_us").unwrap() - 7.0).abs() < f64::EPSILON);
        assert!(figures.most("trim", &[("entries", json!(30))], "median_us").is_err());
        assert!(figures.of("memory", &[]).is_err());
    }
}
