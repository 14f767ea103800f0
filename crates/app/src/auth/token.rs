//! Tokens: access tokens that state who calls, refresh tokens that get the next pair.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{
    clock::Timestamp,
    ids::{SessionId, TenantId, UserId},
    role::Role,
};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, errors::ErrorKind};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::hs256;
use crate::error::{Error, Unauthenticated};

/// How tokens are made.
#[derive(Debug, Clone)]
pub struct TokenSettings {
    /// Signs access tokens; at least 32 characters.
    pub secret: SecretString,
    /// How long an access token is good for.
    pub access_ttl: Duration,
    /// How long a refresh token is good for.
    pub refresh_ttl: Duration,
}

/// An access token whose signature, kind and time are right. Whether its session lives is another question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VerifiedToken {
    pub(super) session: SessionId,
    pub(super) user: UserId,
    pub(super) tenant: TenantId,
}

impl VerifiedToken {
    /// The tenant it was made for.
    pub const fn tenant_id(&self) -> TenantId {
        self.tenant
    }

    /// The person it was made for.
    pub const fn user_id(&self) -> UserId {
        self.user
    }
}

/// What an access token states. `sid` is ours: the session by which a sign-out ends the token at once.
#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    sub: UserId,
    tenant_id: TenantId,
    role: Role,
    #[serde(rename = "type")]
    kind: String,
    sid: SessionId,
    jti: Uuid,
    iat: i64,
    exp: i64,
}

const ACCESS: &str = "access";

/// The keys that sign and check.
pub(crate) struct TokenKeys {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
    access_ttl: Duration,
    refresh_ttl: Duration,
}

impl TokenKeys {
    pub(crate) fn new(settings: &TokenSettings) -> Self {
        hs256::install();
        let secret = settings.secret.expose_secret().as_bytes();
        let mut validation = Validation::new(Algorithm::HS256);
        // Checked against our own clock.
        validation.validate_exp = false;
        validation.required_spec_claims.clear();
        Self {
            encoding: EncodingKey::from_secret(secret),
            decoding: DecodingKey::from_secret(secret),
            validation,
            access_ttl: settings.access_ttl,
            refresh_ttl: settings.refresh_ttl,
        }
    }

    pub(super) const fn access_ttl(&self) -> Duration {
        self.access_ttl
    }

    pub(super) const fn refresh_ttl(&self) -> Duration {
        self.refresh_ttl
    }

    /// Signs an access token.
    pub(super) fn issue(
        &self,
        user: UserId,
        tenant: TenantId,
        role: Role,
        session: SessionId,
        now: Timestamp,
    ) -> Result<SecretString, Error> {
        let iat = now.timestamp();
        let claims = Claims {
            sub: user,
            tenant_id: tenant,
            role,
            kind: ACCESS.to_owned(),
            sid: session,
            jti: Uuid::now_v7(),
            iat,
            exp: iat.saturating_add_unsigned(self.access_ttl.as_secs()),
        };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.encoding)
            .map(Into::into)
            .map_err(Error::internal)
    }

    /// Checks an access token's signature, kind and time.
    pub(super) fn verify(&self, token: &str, now: Timestamp) -> Result<VerifiedToken, Unauthenticated> {
        let claims = jsonwebtoken::decode::<Claims>(token, &self.decoding, &self.validation)
            .map_err(|error| match error.kind() {
                ErrorKind::ExpiredSignature => Unauthenticated::ExpiredToken,
                _ => Unauthenticated::InvalidToken,
            })?
            .claims;
        if claims.kind != ACCESS {
            return Err(Unauthenticated::InvalidToken);
        }
        if claims.exp <= now.timestamp() {
            return Err(Unauthenticated::ExpiredToken);
        }
        Ok(VerifiedToken { session: claims.sid, user: claims.sub, tenant: claims.tenant_id })
    }
}

/// A fresh refresh token: 256 random bits, which only the client keeps.
pub(super) fn new_refresh_token() -> SecretString {
    let bits: [u8; 32] = rand::random();
    format!("rt_{}", URL_SAFE_NO_PAD.encode(bits)).into()
}

/// What the database keeps of a refresh token. It has too many bits to be guessed, so a plain hash is enough.
pub(super) fn hash_refresh_token(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(token.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(secret: &str) -> TokenKeys {
        TokenKeys::new(&TokenSettings {
            secret: secret.to_owned().into(),
            access_ttl: Duration::from_mins(15),
            refresh_ttl: Duration::from_secs(1000),
        })
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_token_is_good_for_its_time_and_not_a_second_longer() {
        let keys = keys("a secret of more than thirty-two characters");
        let (user, tenant, session) = (UserId::generate(), TenantId::generate(), SessionId::generate());
        let token = keys.issue(user, tenant, Role::Owner, session, at("2026-11-20T10:00:00Z")).unwrap();
        let verify = |moment| keys.verify(token.expose_secret(), at(moment));
        assert_eq!(verify("2026-11-20T10:14:59Z").unwrap(), VerifiedToken { session, user, tenant });
        assert_eq!(verify("2026-11-20T10:15:00Z"), Err(Unauthenticated::ExpiredToken));
    }

    #[test]
    fn a_token_of_another_key_or_algorithm_is_none() {
        let now = at("2026-11-20T10:00:00Z");
        let ours = keys("a secret of more than thirty-two characters");
        let other = keys("another secret of more than thirty-two ch");
        let ids = (UserId::generate(), TenantId::generate(), SessionId::generate());
        let token = other.issue(ids.0, ids.1, Role::Owner, ids.2, now).unwrap();
        assert_eq!(ours.verify(token.expose_secret(), now), Err(Unauthenticated::InvalidToken));
        let unsigned = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.e30.";
        assert_eq!(ours.verify(unsigned, now), Err(Unauthenticated::InvalidToken));
        assert_eq!(ours.verify("", now), Err(Unauthenticated::InvalidToken));
    }

    #[test]
    fn refresh_tokens_differ_and_are_kept_as_hashes() {
        let (a, b) = (new_refresh_token(), new_refresh_token());
        assert_ne!(a.expose_secret(), b.expose_secret());
        assert!(!hash_refresh_token(a.expose_secret()).contains(&a.expose_secret()[3..]));
    }
}
