//! The dashboards as they are provisioned, read for what they ask.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;
use serde_json::Value;

use crate::command::root;

/// A dashboard.
pub(crate) struct Dashboard {
    pub(crate) uid: String,
    pub(crate) title: String,
    pub(crate) panels: Vec<Panel>,
}

/// A panel that shows something.
#[derive(Clone)]
pub(crate) struct Panel {
    pub(crate) title: String,
    pub(crate) unit: Option<String>,
    pub(crate) queries: Vec<Query>,
}

/// A query with nothing left for Grafana to fill in.
#[derive(Clone)]
pub(crate) struct Query {
    pub(crate) text: String,
    pub(crate) legend: String,
    /// Of one moment, not of a stretch of time.
    pub(crate) instant: bool,
}

/// Reads every dashboard, in the order of their names.
pub(crate) fn read() -> Result<Vec<Dashboard>> {
    let folder = root().join("grafana/dashboards");
    let mut files = Vec::new();
    for entry in std::fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))? {
        files.push(entry.context("reading the folder of dashboards")?.path());
    }
    files.sort();
    ensure!(!files.is_empty(), "there are no dashboards");
    let read = |file: &std::path::PathBuf| -> Result<Dashboard> {
        let text = std::fs::read_to_string(file)?;
        let dashboard: Value = serde_json::from_str(&text)?;
        let word = |name: &str| dashboard[name].as_str().map(str::to_owned).context("no uid or title");
        let mut panels = Vec::new();
        collect(&dashboard["panels"], &variables(&dashboard), &mut panels);
        Ok(Dashboard { uid: word("uid")?, title: word("title")?, panels })
    };
    files.iter().map(|file| read(file).with_context(|| format!("reading {}", file.display()))).collect()
}

/// The variables of a dashboard: each stands for everything.
fn variables(dashboard: &Value) -> Vec<String> {
    let listed = dashboard["templating"]["list"].as_array().into_iter().flatten();
    listed.filter_map(|variable| variable["name"].as_str().map(str::to_owned)).collect()
}

/// Panels, and those within rows.
fn collect(panels: &Value, variables: &[String], found: &mut Vec<Panel>) {
    for panel in panels.as_array().into_iter().flatten() {
        collect(&panel["panels"], variables, found);
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let queries: Vec<Query> = panel["targets"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|target| Query {
                text: filled_in(&word(&target["expr"]), variables),
                legend: word(&target["legendFormat"]),
                instant: target["instant"] == true,
            })
            .collect();
        if !queries.is_empty() {
            let unit = panel["fieldConfig"]["defaults"]["unit"].as_str().map(str::to_owned);
            found.push(Panel { title: word(&panel["title"]), unit, queries });
        }
    }
}

/// As Grafana would ask with everything chosen, at one point for each scrape.
fn filled_in(query: &str, variables: &[String]) -> String {
    let mut text =
        query.replace("$__rate_interval", "1m").replace("$__interval", "15s").replace("$__range", "6h");
    for variable in variables {
        text = text.replace(&format!("${{{variable}}}"), ".*").replace(&format!("${variable}"), ".*");
    }
    text
}

/// What panels need that not every set-up has.
#[derive(Deserialize)]
pub(crate) struct Needs {
    words: BTreeMap<String, String>,
    panels: BTreeMap<String, BTreeMap<String, Vec<String>>>,
}

impl Needs {
    /// Reads the list that lies beside the dashboards.
    pub(crate) fn read() -> Result<Self> {
        let file = root().join("grafana/panels-needing.json");
        let text = std::fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
        let needs: Self =
            serde_json::from_str(&text).with_context(|| format!("reading {}", file.display()))?;
        for word in needs.panels.values().flat_map(BTreeMap::values).flatten() {
            ensure!(needs.words.contains_key(word), "`{word}` is explained nowhere in {}", file.display());
        }
        Ok(needs)
    }

    /// What a panel needs.
    pub(crate) fn of(&self, dashboard: &str, panel: &str) -> Vec<String> {
        self.panels.get(dashboard).and_then(|panels| panels.get(panel)).cloned().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::filled_in;

    #[test]
    fn nothing_is_left_for_grafana_to_fill_in() {
        let variables = ["instance".to_owned()];
        assert_eq!(
            filled_in("rate(a{b=~\"$instance\", c=~\"${instance}\"}[$__rate_interval])", &variables),
            "rate(a{b=~\".*\", c=~\".*\"}[1m])"
        );
    }
}
