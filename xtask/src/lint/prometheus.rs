//! What Prometheus and Alertmanager read, by their own tools: syntax, rules, the rules' unit tests, and where alerts go.

use anyhow::{Context, Result, ensure};

use crate::command::{command, root, run};
use crate::monitoring::alertmanager;
use crate::packages;

const RULES: &str = "deploy/prometheus/rules";
const TESTS: &str = "deploy/prometheus/tests";

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

/// Debian's amtool reads what its Alertmanager would.
fn routes() -> Result<()> {
    let copy = std::env::temp_dir().join(format!("alertmanager-{}.yml", std::process::id()));
    std::fs::write(&copy, alertmanager::plain()?).with_context(|| format!("writing {}", copy.display()))?;
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
