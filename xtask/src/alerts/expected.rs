//! What a message must say of an alert.

use anyhow::{Context as _, Result, ensure};

use super::telegram::Message;
use crate::command::root;
use crate::monitoring::prometheus::Rule;

/// Whether a message tells that this alert fires, or with `is_over` that it does not any more.
pub(super) fn is_about(message: &Message, rule: &Rule, is_over: bool) -> bool {
    let first = message.text.lines().next().unwrap_or_default();
    first.contains(&title(rule, is_over))
}

fn title(rule: &Rule, is_over: bool) -> String {
    let Rule { name, service, severity, .. } = rule;
    if is_over {
        format!("<b>{name}</b> ({service}) is over")
    } else {
        format!("<b>{} {name}</b> ({service})", severity.to_uppercase())
    }
}

/// Checks all of a message about an alert: its text, and whether its chat rings as is right for the severity.
pub(super) fn check(message: &Message, rule: &Rule, is_over: bool) -> Result<()> {
    let Message { text, rings } = message;
    ensure!(*rings == (rule.severity == "critical"), "a {} message, ringing: {rings}: {text}", rule.severity);
    ensure!(!text.contains("{{") && !text.contains("<no value>"), "the template is not rendered: {text}");
    if is_over {
        return Ok(());
    }
    ensure!(!rule.summary.is_empty() && text.contains(&rule.summary), "the summary is not in: {text}");
    let told = text.lines().find_map(|line| line.strip_prefix("• "));
    ensure!(told.is_some_and(|told| !told.is_empty()), "nothing is described in: {text}");
    ensure!(text.lines().any(|line| line == rule.runbook), "the runbook is not in: {text}");
    let runbook = root().join(&rule.runbook);
    std::fs::metadata(&runbook).with_context(|| format!("no runbook {}", runbook.display()))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn rule() -> Rule {
        Rule {
            name: "APIDown".to_owned(),
            health: "ok".to_owned(),
            error: String::new(),
            query: String::new(),
            hold: Duration::from_mins(1),
            state: "firing".to_owned(),
            severity: "critical".to_owned(),
            service: "api".to_owned(),
            summary: "No API process answers".to_owned(),
            runbook: "docs/runbooks/APIDown.md".to_owned(),
            alerts: Vec::new(),
        }
    }

    const TEXT: &str = "🔥 <b>CRITICAL APIDown</b> (api)\nNo API process answers\n• 127.0.0.1:9 cannot be scraped.\n\
                        docs/runbooks/APIDown.md";

    #[test]
    fn a_message_tells_all_of_its_alert() {
        let message = |text: &str, rings| Message { text: text.to_owned(), rings };
        assert!(is_about(&message(TEXT, true), &rule(), false));
        assert!(!is_about(&message(TEXT, true), &rule(), true));
        assert!(!is_about(&message(TEXT, true), &Rule { severity: "warning".to_owned(), ..rule() }, false));
        check(&message(TEXT, true), &rule(), false).unwrap();
        check(&message(TEXT, false), &rule(), false).unwrap_err();
        for part in ["No API process answers", "127.0.0.1:9 cannot be scraped.", "docs/runbooks/APIDown.md"] {
            check(&message(&TEXT.replace(part, ""), true), &rule(), false).unwrap_err();
        }
        let over = message("✅ <b>APIDown</b> (api) is over", true);
        assert!(is_about(&over, &rule(), true) && check(&over, &rule(), true).is_ok());
    }
}
