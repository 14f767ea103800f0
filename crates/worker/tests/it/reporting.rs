//! What a panic of a job tells a server of error reports.

use std::time::Duration;

use domain::job::Outcome;
use monitoring::{
    error_reports,
    logs::{LogFormat, LogSettings},
    metrics::labels::Role,
};
use test_support::{
    database::TestDatabase,
    error_reports::{ENVIRONMENT, RELEASE, REQUEST_OF_PANICKING_JOB, dsn},
};

use crate::{Store, Working, scripted, settings, until_state};

/// What has arrived is for whoever runs this to see.
#[test]
#[ignore = "needs a server of error reports: `cargo xtask error-reports` starts one and looks at what it gets"]
fn a_panic_is_sent_to_the_server() {
    // Set up as the binary sets itself up, in its order.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    let reports = error_reports::init(&error_reports::Settings {
        dsn: error_reports::Settings::dsn(&dsn()).unwrap(),
        environment: ENVIRONMENT.to_owned(),
        release: RELEASE.to_owned(),
        role: Role::Worker,
        traces_sample_rate: 1.0,
    });
    monitoring::logs::init(&LogSettings { format: LogFormat::Json, level: "error".into(), to_stderr: true })
        .unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = Store::open(TestDatabase::sqlite().await).await;
        let id = store.sync(store.tenant().await).await;
        store.run("UPDATE job SET request_id = $1", [REQUEST_OF_PANICKING_JOB.into()]).await;
        let handler = scripted(|run, _| async move {
            assert!(run.attempt > 4, "this job is broken");
            Outcome::Done
        });
        let working = Working::start(&store, settings(), handler);
        until_state(&store, id, "dead").await;
        working.stop().await;
    });
    drop(runtime);
    assert!(reports.flush(Duration::from_secs(30)), "the server takes reports");
}
