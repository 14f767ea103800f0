//! What is asked of somebody who signs in.

use serde::Deserialize;
use utoipa::ToSchema;

use crate::extract::{SecretText, Text};

/// A company and its first user.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Registration)]
pub(super) struct RegistrationInput {
    /// The address to sign in with.
    #[schema(value_type = String, format = "email", max_length = 254, example = "anna@example.com")]
    pub(super) email: Text<1, 254>,
    /// 12 to 128 characters, and not a common password.
    #[schema(value_type = String, format = "password", min_length = 12, max_length = 128, example = "correct horse battery")]
    pub(super) password: SecretText<1024>,
    /// The company's name.
    #[schema(value_type = String, min_length = 1, max_length = 200, example = "Anna's Shop")]
    pub(super) company_name: Text<1, 200>,
}

/// E-mail address and password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Login)]
pub(super) struct LoginInput {
    /// The address.
    #[schema(value_type = String, format = "email", max_length = 254, example = "anna@example.com")]
    pub(super) email: Text<1, 254>,
    /// The password.
    #[schema(value_type = String, format = "password", max_length = 1024, example = "correct horse battery")]
    pub(super) password: SecretText<1024>,
}

/// A refresh token.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Refresh)]
pub(super) struct RefreshInput {
    /// The refresh token of the latest answer; it works once.
    #[schema(value_type = String, max_length = 1024, example = "3q2-7wAAAAAAAAAAAAAAAA")]
    pub(super) refresh_token: SecretText<1024>,
}
