//! The demo's tenant: registered and connected as anybody would be, or found again.

use anyhow::Context as _;
use rand::{Rng as _, distr::Alphanumeric};
use reqwest::StatusCode;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{
    client::{Client, Items, Refused, SignedIn},
    handover::Handover,
    world::World,
};

const EMAIL: &str = "demo@stock-tracker.example";
const COMPANY: &str = "Demo";
/// Characters of the password made for the demo.
const PASSWORD_LENGTH: usize = 24;

/// Somebody to sign in as.
pub(super) struct Login {
    pub(super) email: String,
    pub(super) password: SecretString,
}

/// Whether the tenant is known from an earlier start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// It has just been registered.
    New,
    /// It was there.
    Before,
}

/// Signs in as the tenant of an earlier start; without one, registers.
pub(super) async fn enter(
    client: &Client,
    earlier: Option<&Handover>,
) -> anyhow::Result<(Login, SignedIn, Known)> {
    let mut login = Login { email: EMAIL.to_owned(), password: random(PASSWORD_LENGTH).into() };
    if let Some(earlier) = earlier {
        login = Login { email: earlier.email.clone(), password: earlier.password.clone().into() };
        match log_in(client, &login).await {
            Ok(signed_in) => return Ok((login, signed_in, Known::Before)),
            // Another database: the same person registers there.
            Err(error) if is_refusal(&error, StatusCode::UNAUTHORIZED, None) => {}
            Err(error) => return Err(error),
        }
    }
    match register(client, &login).await {
        Err(error) if is_refusal(&error, StatusCode::CONFLICT, Some("email_taken")) => {
            // Its password is lost with `demo.json`.
            login.email = format!("demo-{}@stock-tracker.example", random(6).to_lowercase());
            let signed_in = register(client, &login).await?;
            Ok((login, signed_in, Known::New))
        }
        registered => Ok((login, registered?, Known::New)),
    }
}

/// Signs in again.
pub(super) async fn log_in(client: &Client, login: &Login) -> anyhow::Result<SignedIn> {
    let body = json!({ "email": login.email, "password": login.password.expose_secret() });
    client.post("/api/v1/auth/login", &body).await
}

async fn register(client: &Client, login: &Login) -> anyhow::Result<SignedIn> {
    let body = json!({
        "email": login.email,
        "password": login.password.expose_secret(),
        "company_name": COMPANY,
    });
    client.post("/api/v1/auth/register", &body).await
}

/// The tenant's account at the world's marketplace, connected with a token that works there.
pub(super) async fn connect(
    client: &Client,
    world: &World,
    earlier: Option<&Handover>,
) -> anyhow::Result<Uuid> {
    #[derive(Deserialize)]
    struct Account {
        id: Uuid,
        marketplace: String,
    }
    let credentials = json!({ "token": world.token.expose_secret() });
    let accounts: Items<Account> = client.get("/api/v1/marketplace-accounts").await?;
    let known = accounts.items.into_iter().find(|account| account.marketplace == "wildberries");
    let Some(account) = known else {
        let body = json!({ "marketplace": "wildberries", "name": world.seller, "credentials": credentials });
        let account: Account =
            client.post("/api/v1/marketplace-accounts", &body).await.context("connecting")?;
        return Ok(account.id);
    };
    let same_world = earlier.is_some_and(|earlier| {
        earlier.world_opened_at.is_some() && earlier.world_opened_at == world.opened_at()
    });
    if !same_world {
        let path = format!("/api/v1/marketplace-accounts/{}", account.id);
        let body = json!({ "credentials": credentials });
        let _: Account = client.patch(&path, &body).await.context("giving the account its new token")?;
    }
    Ok(account.id)
}

/// Whether the API has refused with this status, and with this code if one is given.
fn is_refusal(error: &anyhow::Error, status: StatusCode, code: Option<&str>) -> bool {
    error
        .downcast_ref::<Refused>()
        .is_some_and(|refused| refused.status == status && code.is_none_or(|code| refused.code == code))
}

fn random(length: usize) -> String {
    rand::rng().sample_iter(Alphanumeric).take(length).map(char::from).collect()
}
