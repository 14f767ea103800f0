//! Dashboards, alerts and documents speak only of metrics that exist: those of this crate, and those that exporters are
//! known to have.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use monitoring::metrics::{Metrics, names::FAMILIES};
use serde_json::Value;

/// Words of `PromQL` that name no metric.
const WORDS: [&str; 12] =
    ["and", "or", "unless", "bool", "offset", "start", "end", "inf", "nan", "atan2", "e", "x"];
/// What Prometheus makes itself.
const MADE: [&str; 3] = ["up", "scrape_duration_seconds", "scrape_samples_scraped"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Files of a folder and of those in it, by the end of their name.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
    found.sort();
    assert!(!found.is_empty() || !folder.ends_with("grafana"), "{} is empty", folder.display());
    found
}

/// Every name that a query may use, series of histograms included.
fn known() -> BTreeSet<String> {
    let mut known: BTreeSet<String> = Metrics::names().chain(MADE).map(str::to_owned).collect();
    for family in FAMILIES.iter().filter(|family| !family.buckets.is_empty()) {
        known.extend(["bucket", "sum", "count"].map(|part| format!("{}_{part}", family.name)));
    }
    let exporters = fs::read_to_string(root().join("grafana/exporter-metrics.txt")).unwrap();
    known.extend(exporters.lines().filter(|line| !line.starts_with('#')).map(|line| line.trim().to_owned()));
    known
}

/// Queries of a dashboard, wherever they are in it: of panels and of variables.
fn queries_of_dashboard(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text) if name == "expr" => found.push(text.clone()),
                    Value::String(text) if name == "query" && text.starts_with("label_values(") => {
                        let inner = text.trim_start_matches("label_values(").trim_end_matches(')');
                        if let Some((series, _label)) = inner.rsplit_once(',') {
                            found.push(series.to_owned());
                        }
                    }
                    _ => queries_of_dashboard(value, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| queries_of_dashboard(item, found)),
        _ => {}
    }
}

/// Queries of a file of rules, and the names of those that record.
fn queries_of_rules(text: &str) -> (Vec<String>, Vec<String>) {
    let (mut queries, mut recorded) = (Vec::new(), Vec::new());
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let bare = line.trim_start().trim_start_matches("- ");
        let depth = line.len() - line.trim_start().len();
        if let Some(name) = bare.strip_prefix("record: ") {
            recorded.push(name.trim().to_owned());
        }
        if let Some(first) = bare.strip_prefix("expr:") {
            let mut query = first.trim().trim_matches(['|', '>', '-']).to_owned();
            while let Some(next) = lines
                .next_if(|next| next.trim().is_empty() || next.len() - next.trim_start().len() > depth.max(8))
            {
                query.push('\n');
                query.push_str(next);
            }
            queries.push(query);
        }
    }
    (queries, recorded)
}

/// The metrics that a query reads.
fn metrics_of(query: &str) -> Vec<String> {
    let patterns = [
        // Texts, matchers, ranges with their resolution, and lists of labels.
        (r#""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'"#, ""),
        (r"\{[^}]*\}", " "),
        (r"\[[^\]]*\]", " "),
        (r"(?i)\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)", " "),
        (r"(?i)\b(?:group_left|group_right)\b", " "),
        (r"\$\w+|\b[0-9][0-9a-zA-Z_.]*", " "),
    ];
    let mut rest = query.to_owned();
    for (pattern, by) in patterns {
        rest = regex::Regex::new(pattern).unwrap().replace_all(&rest, by).into_owned();
    }
    let names = regex::Regex::new(r"[a-zA-Z_:][a-zA-Z0-9_:]*\s*\(?").unwrap();
    let found = names.find_iter(&rest).map(|found| found.as_str().trim());
    let metrics = found.filter(|name| !name.ends_with('(') && !WORDS.contains(&name.to_lowercase().as_str()));
    metrics.map(str::to_owned).collect()
}

#[test]
fn a_query_is_read_for_its_metrics() {
    for (query, metrics) in [
        (
            "sum by (le) (rate(a_bucket{b=\"c d\"}[5m])) / on (x) group_left (y) b > bool 1e3",
            &["a_bucket", "b"][..],
        ),
        ("histogram_quantile(0.95, sum by (le) (rate(a{b=~\"$c\"}[$__rate_interval])))", &["a"]),
        ("absent(up{job='x'}) or x:y:z offset 5m unless on () b", &["up", "x:y:z", "b"]),
        ("topk(10, a) @ end() and b{c=\"}\"}", &["a", "b"]),
    ] {
        assert_eq!(metrics_of(query), metrics, "{query}");
    }
}

#[test]
fn dashboards_and_rules_read_metrics_that_exist() {
    let mut known = known();
    let mut queries: Vec<(String, String)> = Vec::new();
    for path in files(&root().join("grafana/dashboards"), ".json") {
        let dashboard: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        let mut found = Vec::new();
        queries_of_dashboard(&dashboard, &mut found);
        assert!(found.len() > 5, "{} has {} queries", path.display(), found.len());
        queries.extend(found.into_iter().map(|query| (path.display().to_string(), query)));
    }
    for path in files(&root().join("deploy/prometheus/rules"), ".yml") {
        let (found, recorded) = queries_of_rules(&fs::read_to_string(&path).unwrap());
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(found.len(), text.matches("expr:").count(), "{}", path.display());
        known.extend(recorded);
        queries.extend(found.into_iter().map(|query| (path.display().to_string(), query)));
    }
    assert!(queries.len() > 100, "{} queries", queries.len());
    for (path, query) in queries {
        let metrics = metrics_of(&query);
        assert!(!metrics.is_empty() || !query.contains('_'), "{path}: nothing is read by {query}");
        for metric in metrics {
            assert!(known.contains(&metric), "{path}: nobody has `{metric}`, in {query}");
        }
    }
}

#[test]
fn documents_name_metrics_that_exist() {
    let known = known();
    let names = regex::Regex::new(r"\bstock_tracker_[a-z0-9_]+").unwrap();
    let mut documents = files(&root().join("docs"), ".md");
    documents.push(root().join("README.md"));
    let mut seen = 0;
    for path in documents {
        let text = fs::read_to_string(&path).unwrap();
        for name in names.find_iter(&text) {
            seen += 1;
            assert!(known.contains(name.as_str()), "{}: nobody has `{}`", path.display(), name.as_str());
        }
    }
    assert!(seen > 20, "{seen} names");
}

#[test]
fn every_family_is_shown_on_a_dashboard() {
    let texts: String = files(&root().join("grafana/dashboards"), ".json")
        .iter()
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    for family in FAMILIES {
        assert!(texts.contains(family.name), "no panel shows {}", family.name);
    }
}

#[test]
fn every_alert_has_its_page() {
    let runbooks = root().join("docs/runbooks");
    let index = fs::read_to_string(runbooks.join("README.md")).unwrap();
    let mut alerts = BTreeSet::new();
    for path in files(&root().join("deploy/prometheus/rules"), ".yml") {
        let text = fs::read_to_string(&path).unwrap();
        let names = text.lines().filter_map(|line| line.trim_start().strip_prefix("- alert: "));
        alerts.extend(names.map(|name| name.trim().to_owned()));
        for alert in &alerts {
            assert!(runbooks.join(format!("{alert}.md")).exists(), "{alert} has no runbook");
            assert!(index.contains(&format!("{alert}.md")), "{alert} is not in the index of runbooks");
        }
    }
    let pages = files(&runbooks, ".md").len() - 1;
    assert_eq!(pages, alerts.len(), "a runbook of no alert");
}
