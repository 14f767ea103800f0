//! What is asked of somebody who connects or changes an account.

use std::collections::BTreeMap;

use app::{AccountChange, NewAccount};
use secrecy::SecretString;
use serde::{Deserialize, Deserializer, de};
use utoipa::{IntoParams, ToSchema};

use crate::extract::{Number, QueryNumber, SecretText, Text, given};

/// Most fields of a credential.
const MOST_FIELDS: usize = 16;

/// A credential, by field.
struct Credentials(BTreeMap<String, SecretString>);

impl<'de> Deserialize<'de> for Credentials {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = BTreeMap::<Text<1, 64>, SecretText<8192>>::deserialize(deserializer)?;
        if fields.len() > MOST_FIELDS {
            return Err(de::Error::custom(format_args!("must have at most {MOST_FIELDS} fields")));
        }
        Ok(Self(fields.into_iter().map(|(name, secret)| (name.0, secret.0)).collect()))
    }
}

/// An account to connect.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewMarketplaceAccount)]
pub(super) struct NewAccountInput {
    /// Code of the marketplace.
    #[schema(value_type = String, min_length = 1, max_length = 64, example = "wildberries")]
    marketplace: Text<1, 64>,
    /// Your own name for the account.
    #[schema(value_type = String, min_length = 1, max_length = 100, example = "Main shop")]
    name: Text<1, 100>,
    /// The fields that the marketplace's `credential_schema` names. They never come back.
    #[schema(value_type = BTreeMap<String, String>, example = json!({"token": "the token from the seller's cabinet"}))]
    credentials: Credentials,
}

impl From<NewAccountInput> for NewAccount {
    fn from(input: NewAccountInput) -> Self {
        Self { marketplace: input.marketplace.0, name: input.name.0, credentials: input.credentials.0 }
    }
}

/// What to change of an account; what is left out stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MarketplaceAccountChange)]
pub(super) struct AccountInput {
    /// Your own name for the account.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, nullable = false, min_length = 1, max_length = 100, example = "Main shop")]
    name: Option<Text<1, 100>>,
    /// Whether it is switched off.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    paused: Option<bool>,
    /// Minutes between two syncs.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<i32>, nullable = false, minimum = 15, maximum = 1440, example = 30)]
    sync_interval_minutes: Option<Number<15, 1440>>,
    /// A new credential of the same seller.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<BTreeMap<String, String>>, nullable = false)]
    credentials: Option<Credentials>,
}

impl From<AccountInput> for AccountChange {
    fn from(input: AccountInput) -> Self {
        Self {
            name: input.name.map(|name| name.0),
            paused: input.paused,
            sync_interval_minutes: input
                .sync_interval_minutes
                .and_then(|minutes| i32::try_from(minutes.0).ok()),
            credentials: input.credentials.map(|credentials| credentials.0),
        }
    }
}

/// Which part of the list.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct AccountsQuery {
    /// Most rows to give.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 200, default = 50)]
    pub(super) limit: Option<QueryNumber<1, 200>>,
    /// `page.next_cursor` of the part before.
    #[param(value_type = Option<String>, max_length = 512)]
    pub(super) cursor: Option<Text<1, 512>>,
}
