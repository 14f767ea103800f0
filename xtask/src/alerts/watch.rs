//! Prometheus, Alertmanager and Telegram, and what they say in time.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tokio::time::Instant;

use super::expected;
use super::telegram::{Message, Telegram};
use crate::monitoring::alertmanager::Alertmanager;
use crate::monitoring::config::{self, Target};
use crate::monitoring::prometheus::{Prometheus, Rule};

/// How often is looked.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// What may go by, beside the time for which a rule wants trouble to last: two scrapes and evaluations, half a minute in
/// which Alertmanager gathers more of the same, and as much again.
const PATIENCE: Duration = Duration::from_secs(150);
/// Alertmanager tells news of a group every two minutes.
const PATIENCE_WITH_END: Duration = Duration::from_mins(4);

/// An alert, of which there may be one of each severity.
#[derive(Clone, Copy, Debug)]
pub(super) struct Alert {
    pub(super) name: &'static str,
    pub(super) severity: &'static str,
}

/// All of it, running, with what it has said and what it should have.
pub(super) struct Watch {
    prometheus: Prometheus,
    alertmanager: Alertmanager,
    telegram: Telegram,
    messages: Vec<(Instant, Message)>,
    faults: Vec<String>,
}

/// Says that something was seen, and how long after its cause.
pub(super) fn seen(what: &str, since: Instant) {
    eprintln!("alerts: {:>4} s: {what}", since.elapsed().as_secs());
}

impl Watch {
    /// Starts everything, and waits until each target is scraped.
    pub(super) async fn start(targets: &[Target]) -> Result<Self> {
        let telegram = Telegram::start().await?;
        let alertmanager = Alertmanager::start(&telegram.url())?;
        let prometheus = Prometheus::start(&config::write(targets, Some(&alertmanager.address))?)?;
        let until = Instant::now() + PATIENCE;
        loop {
            let up = prometheus.now("up == 1").await?;
            if up.series.len() == targets.len() {
                break;
            }
            ensure!(Instant::now() < until, "Prometheus does not reach {targets:?}: {up:?}");
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(Self { prometheus, alertmanager, telegram, messages: Vec::new(), faults: Vec::new() })
    }

    /// What did not come, and what came wrong.
    pub(super) fn faults(&self) -> &[String] {
        &self.faults
    }

    /// Waits until Prometheus finds an alert's rule to be true, and says whether it does.
    pub(super) async fn noticed(&mut self, alert: Alert, since: Instant) -> Result<bool> {
        let until = Instant::now() + PATIENCE;
        while self.rule(alert).await?.state == "inactive" {
            if Instant::now() > until {
                self.missed(alert, "is noticed", since).await?;
                return Ok(false);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        seen(&format!("{} is noticed by Prometheus", alert.name), since);
        Ok(true)
    }

    /// Waits for the message that an alert fires.
    pub(super) async fn told(&mut self, alert: Alert, since: Instant) -> Result<()> {
        let patience = self.rule(alert).await?.hold + PATIENCE;
        self.message(alert, false, since, patience).await
    }

    /// Waits for the message that an alert is over.
    pub(super) async fn over(&mut self, alert: Alert, since: Instant) -> Result<()> {
        self.message(alert, true, since, PATIENCE_WITH_END).await
    }

    async fn message(
        &mut self,
        alert: Alert,
        is_over: bool,
        since: Instant,
        patience: Duration,
    ) -> Result<()> {
        let until = Instant::now() + patience;
        let rule = self.rule(alert).await?;
        let what = if is_over { "is told to be over" } else { "is told" };
        loop {
            let new = self.telegram.take()?;
            self.messages.extend(new.into_iter().map(|message| (Instant::now(), message)));
            let found = self
                .messages
                .iter()
                .find(|(at, one)| *at >= since && expected::is_about(one, &rule, is_over));
            if let Some((at, message)) = found {
                let took = at.duration_since(since).as_secs();
                let text = message.text.replace('\n', " / ");
                eprintln!("alerts: {took:>4} s: {} {what}: {text}", alert.name);
                if let Err(error) = expected::check(message, &rule, is_over) {
                    self.faults.push(format!("{} {what}, but: {error:#}", alert.name));
                }
                return Ok(());
            }
            if Instant::now() > until {
                return self.missed(alert, what, since).await;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Keeps what did not come, with what Prometheus says of it.
    async fn missed(&mut self, alert: Alert, what: &str, since: Instant) -> Result<()> {
        let state = self.state(alert).await?;
        let waited = since.elapsed().as_secs();
        eprintln!("alerts: {waited:>4} s: MISSED: {} {what}", alert.name);
        self.faults.push(format!("it was not seen within {waited} s that {} {what}. {state}", alert.name));
        Ok(())
    }

    async fn rule(&self, Alert { name, severity }: Alert) -> Result<Rule> {
        let rules = self.prometheus.rules().await?;
        let found = rules.into_iter().find(|rule| rule.name == name && rule.severity == severity);
        found.with_context(|| format!("there is no rule {name} with the severity {severity}"))
    }

    /// What Prometheus and Alertmanager say of an alert.
    async fn state(&self, alert: Alert) -> Result<String> {
        let rule = self.rule(alert).await?;
        let query = rule.query.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut lines =
            vec![format!("To Prometheus it is {} ({}); it asks: {query}", rule.state, rule.health)];
        lines.extend(Some(rule.error).filter(|error| !error.is_empty()));
        lines.extend(rule.alerts.iter().map(|(state, value)| format!("{state} with the value {value}")));
        lines.extend(self.alertmanager.complaints().iter().map(|line| format!("Alertmanager: {line}")));
        Ok(lines.join("\n  "))
    }
}
