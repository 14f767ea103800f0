//! A Prometheus of its own, and what it answers.

use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use test_support::process::{Process, free_port};

use crate::packages;

/// How far back a graph is asked for, and how close its points are, in seconds.
const STRETCH: u64 = 120;
const STEP: u64 = 15;

/// A Prometheus that scrapes. Ends when dropped.
pub(crate) struct Prometheus {
    http: reqwest::Client,
    url: String,
    _process: Process,
}

/// Series of an answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    pub(crate) series: Vec<Series>,
}

/// One series: its labels, and its values at moments in seconds.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    pub(crate) labels: Vec<(String, String)>,
    pub(crate) points: Vec<(f64, f64)>,
}

/// A rule as it was last evaluated.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) name: String,
    pub(crate) health: String,
    pub(crate) error: String,
    pub(crate) query: String,
    /// Of an alert, how long it must hold before it fires.
    pub(crate) hold: Duration,
    /// Of an alert: `inactive`, `pending` or `firing`.
    pub(crate) state: String,
    pub(crate) severity: String,
    pub(crate) service: String,
    pub(crate) summary: String,
    pub(crate) runbook: String,
    /// What it is true of, as a state and a value each.
    pub(crate) alerts: Vec<(String, String)>,
}

impl Answer {
    /// Whether nothing came that could be shown.
    pub(crate) fn is_empty(&self) -> bool {
        !self.series.iter().flat_map(|series| &series.points).any(|(_, value)| value.is_finite())
    }
}

impl Prometheus {
    /// Starts one with a configuration.
    pub(crate) fn start(config: &str) -> Result<Self> {
        packages::ensure_prometheus()?;
        let mut process = Process::new(None)?;
        let folder = process.folder().to_owned();
        let file = folder.join("prometheus.yml");
        std::fs::write(&file, config).with_context(|| format!("writing {}", file.display()))?;
        let port = free_port()?;
        let log = folder.join("log");
        process.start(&mut program(&folder, &file, port), &log)?;
        let url = format!("http://127.0.0.1:{port}");
        process.wait_until("prometheus", &log, || TcpStream::connect(("127.0.0.1", port)).is_ok())?;
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build()?;
        Ok(Self { http, url, _process: process })
    }

    /// Asks for the values of this moment.
    pub(crate) async fn now(&self, query: &str) -> Result<Answer> {
        self.ask("query", query, vec![("time", seconds()?.to_string())]).await
    }

    /// Asks for the values of the last minutes, as a graph does.
    pub(crate) async fn lately(&self, query: &str) -> Result<Answer> {
        let now = seconds()?;
        let from = (now - STRETCH).to_string();
        let times = vec![("start", from), ("end", now.to_string()), ("step", STEP.to_string())];
        self.ask("query_range", query, times).await
    }

    async fn ask(&self, path: &str, query: &str, times: Vec<(&str, String)>) -> Result<Answer> {
        let mut parameters = vec![("query", query.to_owned())];
        parameters.extend(times);
        let data = self.get(path, &parameters).await?;
        let result = data["result"].as_array().context("no result")?;
        Ok(Answer { series: result.iter().map(series).collect::<Result<_>>()? })
    }

    /// Every rule, evaluated at least once.
    pub(crate) async fn rules(&self) -> Result<Vec<Rule>> {
        let data = self.get("rules", &[]).await?;
        let groups = data["groups"].as_array().context("no groups of rules")?;
        let rules: Vec<Rule> = groups
            .iter()
            .flat_map(|group| group["rules"].as_array().into_iter().flatten())
            .map(rule)
            .collect();
        ensure!(!rules.is_empty(), "Prometheus has no rules");
        Ok(rules)
    }

    async fn get(&self, path: &str, parameters: &[(&str, String)]) -> Result<Value> {
        let url = reqwest::Url::parse_with_params(&format!("{}/api/v1/{path}", self.url), parameters)?;
        let answer: Value = self.http.get(url).send().await?.json().await.context("no JSON")?;
        ensure!(answer["status"] == "success", "{}", answer["error"].as_str().unwrap_or("no error text"));
        Ok(answer["data"].clone())
    }
}

/// Seconds since 1970.
fn seconds() -> Result<u64> {
    Ok(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs())
}

fn program(folder: &Path, config: &Path, port: u16) -> Command {
    let mut command = Command::new("prometheus");
    command
        .arg(format!("--config.file={}", config.display()))
        .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"));
    command
}

fn rule(value: &Value) -> Rule {
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let alerts = value["alerts"].as_array().into_iter().flatten();
    Rule {
        name: word(&value["name"]),
        health: word(&value["health"]),
        error: word(&value["lastError"]),
        query: word(&value["query"]),
        hold: Duration::from_secs_f64(value["duration"].as_f64().unwrap_or_default()),
        state: word(&value["state"]),
        severity: word(&value["labels"]["severity"]),
        service: word(&value["labels"]["service"]),
        summary: word(&value["annotations"]["summary"]),
        runbook: word(&value["annotations"]["runbook_url"]),
        alerts: alerts.map(|alert| (word(&alert["state"]), word(&alert["value"]))).collect(),
    }
}

fn series(value: &Value) -> Result<Series> {
    let labels = value["metric"].as_object().context("no labels")?;
    let labels =
        labels.iter().map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()));
    let points = match (value["value"].as_array(), value["values"].as_array()) {
        (Some(_), _) => vec![point(&value["value"])?],
        (None, Some(points)) => points.iter().map(point).collect::<Result<_>>()?,
        (None, None) => Vec::new(),
    };
    Ok(Series { labels: labels.collect(), points })
}

fn point(value: &Value) -> Result<(f64, f64)> {
    let at = value[0].as_f64().context("no time")?;
    Ok((at, value[1].as_str().context("no value")?.parse().context("no number")?))
}
