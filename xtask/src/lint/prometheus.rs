//! What Prometheus and Alertmanager read, by their own tools: syntax, rules, the rules' unit tests, and where alerts go.

use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::command::{command, root, run};
use crate::packages;

const RULES: &str = "deploy/prometheus/rules";
const TESTS: &str = "deploy/prometheus/tests";
const ALERTMANAGER: &str = "deploy/alertmanager/alertmanager.yml";

/// Which receiver an alert goes to.
const ROUTES: [(&str, &str); 2] = [("critical", "telegram-critical"), ("warning", "telegram-warning")];

/// Everything about alerts.
pub(super) fn check() -> Result<()> {
    packages::ensure_promtool()?;
    packages::ensure_amtool()?;
    run(&mut command("promtool", &["check", "config", "prometheus.yml"]))?;
    let rules = files(RULES)?;
    run(command("promtool", &["check", "rules", "--lint=all", "--lint-fatal"]).args(&rules))?;
    run(command("promtool", &["test", "rules"]).args(files(TESTS)?))?;
    routes()
}

/// Files of a folder, in order.
fn files(folder: &str) -> Result<Vec<String>> {
    let entries = std::fs::read_dir(root().join(folder)).with_context(|| format!("reading {folder}"))?;
    let mut files = Vec::new();
    for entry in entries {
        let name = entry.with_context(|| format!("reading {folder}"))?.file_name();
        files.push(format!("{folder}/{}", name.to_string_lossy()));
    }
    files.sort();
    ensure!(!files.is_empty(), "{folder} has no files");
    Ok(files)
}

/// Debian's amtool is older than `bot_token_file` and `chat_id_file`: it reads a copy without them.
fn routes() -> Result<()> {
    let text =
        std::fs::read_to_string(root().join(ALERTMANAGER)).context("reading what Alertmanager reads")?;
    let templates = root().join(Path::new(ALERTMANAGER).with_file_name("*.tmpl"));
    let plain = text
        .replace("bot_token_file: /run/secrets/telegram_bot_token", "bot_token: 1:a")
        .replace("chat_id_file: /run/secrets/telegram_chat_id", "chat_id: 1")
        .replace("/etc/alertmanager/*.tmpl", &templates.to_string_lossy());
    ensure!(!plain.contains("_file:"), "{ALERTMANAGER} names a file that amtool does not know");
    let copy = std::env::temp_dir().join(format!("alertmanager-{}.yml", std::process::id()));
    std::fs::write(&copy, plain).with_context(|| format!("writing {}", copy.display()))?;
    let name = copy.to_string_lossy().into_owned();
    let checked = run(&mut command("amtool", &["check-config", &name])).and_then(|()| {
        ROUTES.iter().try_for_each(|(severity, receiver)| {
            let file = format!("--config.file={name}");
            let wanted = format!("--verify.receivers={receiver}");
            let severity = format!("severity={severity}");
            run(&mut command(
                "amtool",
                &["config", "routes", "test", &file, &wanted, &severity, "service=api"],
            ))
        })
    });
    std::fs::remove_file(&copy).with_context(|| format!("removing {}", copy.display()))?;
    checked
}
