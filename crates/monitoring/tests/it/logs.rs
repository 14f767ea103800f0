//! The lines that a log collector reads.

use std::{
    io::{self, Write},
    process::Command,
    sync::{Arc, Mutex},
};

use monitoring::logs::{LogError, LogFormat, LogSettings, init, subscriber};
use serde_json::Value;
use tracing::{info, info_span, subscriber::with_default};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn settings(format: LogFormat, level: &str) -> LogSettings {
    LogSettings { format, level: level.to_owned(), to_stderr: false }
}

/// What is written while `work` runs.
fn written(settings: &LogSettings, work: impl FnOnce()) -> String {
    let lines = Lines::default();
    let writer = lines.clone();
    with_default(subscriber(settings, move || writer.clone(), false).unwrap(), work);
    let bytes = lines.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn a_json_line_carries_the_fields_of_the_event_and_of_every_span() {
    let text = written(&settings(LogFormat::Json, "info"), || {
        let _request = info_span!("request", request_id = "r-1").entered();
        let _sync = info_span!("sync", marketplace = "ozon").entered();
        info!(status = 200, route = "/health", "answered\nin two lines");
    });
    let line: Value = serde_json::from_str(text.trim_end()).unwrap();
    assert_eq!(text.lines().count(), 1);
    assert_eq!(line["level"], "INFO");
    assert_eq!(line["message"], "answered\nin two lines");
    assert_eq!((line["status"].as_i64(), line["route"].as_str()), (Some(200), Some("/health")));
    assert_eq!(line["span"]["marketplace"], "ozon");
    assert_eq!(line["spans"][0]["request_id"], "r-1");
    assert!(line["timestamp"].as_str().unwrap().ends_with('Z'), "UTC: {line}");
}

#[test]
fn the_level_decides_and_libraries_are_quieter() {
    let text = written(&settings(LogFormat::Pretty, "info"), || {
        info!("ours");
        tracing::debug!("too fine");
        info!(target: "sqlx::query", "a statement");
        tracing::warn!(target: "sqlx::query", "a slow statement");
    });
    assert!(text.contains("ours") && text.contains("a slow statement"), "{text}");
    assert!(!text.contains("too fine") && !text.contains("a statement"), "{text}");
}

#[test]
fn a_piped_pretty_line_has_no_colours() {
    let text = written(&settings(LogFormat::Pretty, "info"), || {
        info!(status = 200, "ours");
    });
    assert!(text.contains("status=200") && !text.contains('\u{1b}'), "{text}");
}

#[test]
fn wrong_settings_are_found_before_anything_is_installed() {
    assert!(
        matches!(settings(LogFormat::Json, "inof").check(), Err(LogError::Level(word)) if word == "inof")
    );
    assert!(settings(LogFormat::Json, "info,api=debug").check().is_ok());
}

/// Logs for the test below, in a process of its own.
fn speak(to_stderr: bool) {
    let settings = LogSettings { to_stderr, ..settings(LogFormat::Json, "info") };
    init(&settings).unwrap();
    info!("spoken");
    assert!(matches!(init(&settings), Err(LogError::AlreadySet(_))));
}

#[test]
#[ignore = "run by `lines_go_to_the_stream_that_was_asked_for` in a process of its own"]
fn speaks_to_stdout() {
    speak(false);
}

#[test]
#[ignore = "run by `lines_go_to_the_stream_that_was_asked_for` in a process of its own"]
fn speaks_to_stderr() {
    speak(true);
}

#[test]
fn lines_go_to_the_stream_that_was_asked_for() {
    let streams = |test: &str| {
        let mut child = Command::new(std::env::current_exe().unwrap());
        let output = child.args(["--exact", test, "--ignored", "--nocapture"]).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap().contains("\"spoken\""))
    };
    assert_eq!(streams("logs::speaks_to_stdout"), [true, false]);
    assert_eq!(streams("logs::speaks_to_stderr"), [false, true]);
}
