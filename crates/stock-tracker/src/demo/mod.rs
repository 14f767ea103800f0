//! `stock-tracker demo`: the main job from end to end, on this machine, with nothing installed.
//!
//! Every role runs in this process on the embedded database, beside a sandbox marketplace. The tour is then made from
//! outside, through the HTTP API, as a seller's own software would make it.

mod client;
mod handover;
mod progress;
mod table;
mod tenant;
mod watch;
mod world;

use std::{
    io::{IsTerminal as _, Write as _, stderr, stdout},
    path::Path,
    time::Duration,
};

use anyhow::{Context as _, bail, ensure};
use secrecy::ExposeSecret as _;
use tokio_util::sync::CancellationToken;

use self::{client::Client, handover::Handover, tenant::Known, watch::Session, world::World};
use crate::{
    cli::DemoArguments,
    config::{Config, Environment, Purpose, variables},
    roles::serve::{self, Doors},
    schema, shutdown,
};

/// How much shorter the marketplace's limits are than real ones, on both sides.
const LIMIT_SCALE: f64 = 0.02;
/// How long the service may take to come up.
const READY_WITHIN: Duration = Duration::from_mins(1);
/// Between two looks whether it has.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Runs the demo until Ctrl-C, or with `--once` until the picture has been shown.
pub(crate) async fn run(environment: Environment, arguments: &DemoArguments) -> anyhow::Result<()> {
    let environment = environment
        .with_flag(variables::PORT.name, arguments.port)
        .with_flag(variables::DATA_DIR.name, arguments.data_dir.as_ref().map(|path| path.display()))
        // What the demo shows is on standard output.
        .with_usual(variables::LOG_LEVEL.name, "warn")
        .with_usual(variables::MARKETPLACE_LIMIT_SCALE.name, LIMIT_SCALE.to_string());
    let config = Config::load(&environment, Purpose::All)?;
    ensure!(
        config.deployment.environment == api::Environment::Development,
        "the demo is for ENVIRONMENT=development"
    );
    monitoring::logs::init(&config.logging.settings(true, stderr().is_terminal()))?;
    let data_dir = config.deployment.data_dir;
    let environment = environment
        .with_usual(variables::DATABASE_URL.name, format!("sqlite://{}", data_dir.join("demo.db").display()));

    let shutdown = shutdown::on_signal().context("listening for signals")?;
    let earlier = handover::read(&data_dir)?;
    let world = if let Some(given) = &config.marketplaces.wildberries_base_url {
        World::visit(given.as_str()).await?
    } else {
        let opened_at = earlier.as_ref().and_then(|earlier| earlier.world_opened_at);
        World::open(opened_at, config.marketplaces.limit_scale).await?
    };
    let environment = environment.with_usual(variables::WILDBERRIES_BASE_URL.name, world.base_url.as_str());
    let config = Config::load(&environment, Purpose::All)?;
    let shown = show(&config, &world, earlier, arguments.once, shutdown).await;
    world.close().await?;
    shown
}

/// Serves, makes the tour, and with `once` stops after it.
async fn show(
    config: &Config,
    world: &World,
    earlier: Option<Handover>,
    once: bool,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let doors = Doors::open(config, Purpose::All)?;
    let client = Client::new(base_url(&config.http.host, doors.api_port()?))?;
    // On PostgreSQL too: nobody runs `migrate` before a demo.
    schema::up(&config.database).await?;

    let tour = async {
        let session = tour(config, world, earlier, client).await?;
        if !once {
            say("\nOrders go on arriving, and the demo asks for a sync now and then. Ctrl-C ends it.");
            session.watch().await;
        }
        Ok(())
    };
    // Whichever ends first takes the other with it.
    let tour = async {
        let toured = shutdown.run_until_cancelled(tour).await;
        shutdown.cancel();
        toured.unwrap_or(Ok(()))
    };
    let service = async {
        let served = serve::serve(config, Purpose::All, doors, shutdown.clone()).await;
        shutdown.cancel();
        served
    };
    let (served, toured) = tokio::join!(service, tour);
    served.and(toured)
}

/// From an empty service to the stock picture, as a client.
async fn tour<'a>(
    config: &'a Config,
    world: &World,
    earlier: Option<Handover>,
    mut client: Client,
) -> anyhow::Result<Session<'a>> {
    let data_dir = config.deployment.data_dir.as_path();
    until_ready(&client).await?;
    let (login, signed_in, known) = tenant::enter(&client, earlier.as_ref()).await?;
    client.sign_in(&signed_in.access_token);
    match known {
        Known::New => say(&format!("Registered {} and signed in.", login.email)),
        Known::Before => say(&format!("Signed in as {} again.", login.email)),
    }
    let account_id = tenant::connect(&client, world, earlier.as_ref()).await?;
    let verb = match known {
        Known::New => "Connected a",
        Known::Before => "Found the",
    };
    say(&format!("{verb} Wildberries account: {}, on {}.", world.seller, world.base_url));
    let sync = progress::request(&client, account_id).await?;
    progress::show(&client, sync).await?;
    let picture = table::draw(&client).await?;
    say(&picture.text);

    let handover = Handover {
        base_url: client.base_url().to_owned(),
        email: login.email.clone(),
        password: login.password.expose_secret().to_owned(),
        access_token: signed_in.access_token.expose_secret().to_owned(),
        tenant_id: signed_in.tenant.id,
        account_id,
        world_opened_at: world.opened_at(),
    };
    handover.write(data_dir)?;
    say(&directions(&handover, signed_in.expires_in, picture.first_product, data_dir));
    Ok(Session { client, login, signed_in, handover, data_dir })
}

/// What to try next.
fn directions(handover: &Handover, expires_in: u64, product: Option<uuid::Uuid>, data_dir: &Path) -> String {
    let Handover { base_url, email, password, access_token, account_id, .. } = handover;
    let product = product.map(|id| id.to_string()).unwrap_or_default();
    format!(
        "\n\
         API       {base_url}\n\
         Swagger   {base_url}/docs\n\
         Login     {email} / {password}\n\
         All this is in {}; its token is good for {} minutes and renewed there while the demo runs.\n\
         \n\
         Try:\n\
         TOKEN='{access_token}'\n\
         curl -s -H \"Authorization: Bearer $TOKEN\" '{base_url}/api/v1/products?low_stock_only=true&limit=5'\n\
         curl -s -H \"Authorization: Bearer $TOKEN\" '{base_url}/api/v1/products/{product}'\n\
         curl -s -X POST -H \"Authorization: Bearer $TOKEN\" '{base_url}/api/v1/marketplace-accounts/{account_id}/sync'",
        handover::path(data_dir).display(),
        expires_in / 60,
    )
}

async fn until_ready(client: &Client) -> anyhow::Result<()> {
    let ready = async {
        while !client.is_ready().await {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    if tokio::time::timeout(READY_WITHIN, ready).await.is_err() {
        bail!("the service is not ready after {} s", READY_WITHIN.as_secs());
    }
    Ok(())
}

/// Where a client on this machine reaches a server that listens on `host`.
fn base_url(host: &str, port: u16) -> String {
    match host {
        "0.0.0.0" => format!("http://127.0.0.1:{port}"),
        "::" => format!("http://[::1]:{port}"),
        host if host.contains(':') => format!("http://[{host}]:{port}"),
        host => format!("http://{host}:{port}"),
    }
}

/// Shows a line. Nobody may be reading any more, which is no reason to stop.
fn say(text: &str) {
    let mut out = stdout().lock();
    if let Err(error) = writeln!(out, "{text}").and_then(|()| out.flush()) {
        tracing::debug!(%error, "not shown");
    }
}

#[cfg(test)]
mod tests {
    use super::base_url;

    #[test]
    fn a_server_that_listens_everywhere_is_reached_on_this_machine() {
        assert_eq!(base_url("127.0.0.1", 8000), "http://127.0.0.1:8000");
        assert_eq!(base_url("0.0.0.0", 1), "http://127.0.0.1:1");
        assert_eq!(base_url("::", 1), "http://[::1]:1");
        assert_eq!(base_url("fe80::1", 1), "http://[fe80::1]:1");
    }
}
