//! Registering, signing in, staying signed in, signing out.

mod hs256;
mod password;
mod token;

use std::time::Duration;

use domain::{
    actor::{Actor, ActorKind},
    calendar::Zone,
    clock::Timestamp,
    email::Email,
    ids::{SessionId, TenantId, UserId},
    role::Role,
    tenant::{DEFAULT_SYNC_INTERVAL_MINUTES, LowStockRule, Tenant, User},
};
use secrecy::{ExposeSecret as _, SecretString};
use storage::{
    TenantTx, WriteTx,
    identities::{self, NewIdentity},
    sessions::{self, NewSession, Rotation},
    tenants,
};

use crate::{
    Parts,
    caller::{Caller, Client},
    error::{Conflict, Error, FieldProblem, Unauthenticated},
};

pub(crate) use password::Passwords;
pub(crate) use token::TokenKeys;
pub use token::{TokenSettings, VerifiedToken};

/// A company and its first user.
#[derive(Debug, Clone)]
pub struct Registration {
    /// The address to sign in with.
    pub email: String,
    /// The password to sign in with.
    pub password: SecretString,
    /// The company's name.
    pub company_name: String,
}

/// Tokens for somebody who has just proven who they are.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// Goes with every request.
    pub access_token: SecretString,
    /// Gets the next pair; works once.
    pub refresh_token: SecretString,
    /// How long the access token is good for.
    pub expires_in: Duration,
    /// Who signed in.
    pub user: User,
    /// Into which tenant.
    pub tenant: Tenant,
}

/// Registering, signing in and out.
#[derive(Clone, Copy)]
pub struct Auth<'a>(pub(crate) &'a Parts);

impl Auth<'_> {
    /// Makes a company and its owner in one transaction, and signs the owner in.
    pub async fn register(self, registration: Registration, client: &Client) -> Result<SignedIn, Error> {
        let (email, company_name) = checked(&registration)?;
        let password_hash = self.0.passwords.hash(registration.password.clone()).await?;
        let now = self.0.clock.now();
        let (user_id, session_id) = (UserId::generate(), SessionId::generate());
        let company = new_company(company_name, now);
        let person = NewIdentity { id: user_id, email, password_hash };
        let actor = client.actor(ActorKind::User { user_id, role: Role::Owner, session_id });
        let tx = match identities::register(&self.0.db, &person, &company, actor, now).await {
            Err(storage::Error::Duplicate) => return Err(Error::Conflict(Conflict::EmailTaken)),
            registered => registered?,
        };
        let signed_in = self.begin_session(&tx, user_id, session_id, client, now).await?;
        tx.commit().await?;
        Ok(signed_in)
    }

    /// Signs in. An unknown address and a wrong password are answered alike, after the same time.
    pub async fn login(
        self,
        email: &str,
        password: SecretString,
        client: &Client,
    ) -> Result<SignedIn, Error> {
        let wrong = || Error::Unauthenticated(Unauthenticated::WrongCredentials);
        let candidate = match Email::parse(email) {
            Ok(email) => identities::find(&self.0.db, &email).await?,
            Err(_) => None,
        };
        let hash = candidate.as_ref().map(|c| c.password_hash.clone());
        let check = self.0.passwords.check(password.clone(), hash).await?;
        let Some(candidate) = candidate.filter(|c| check != password::Check::Wrong && !c.disabled) else {
            return Err(wrong());
        };
        if check == password::Check::RightButWeaklyHashed {
            let stronger = self.0.passwords.hash(password).await?;
            identities::upgrade_hash(&self.0.db, candidate.user_id, &candidate.password_hash, &stronger)
                .await?;
        }
        let tenant_id = candidate.tenant_id.ok_or_else(wrong)?;
        let session_id = SessionId::generate();
        let now = self.0.clock.now();
        let entered =
            sessions::enter(&self.0.db, candidate.user_id, tenant_id, session_id, |kind| client.actor(kind))
                .await?;
        let tx = entered.ok_or_else(wrong)?;
        let signed_in = self.begin_session(&tx, candidate.user_id, session_id, client, now).await?;
        tx.commit().await?;
        // The session of a suspended tenant is not live; its owner is told no more than that.
        self.live(session_id, client, now).await?;
        Ok(signed_in)
    }

    /// Trades a refresh token for a new pair. A token that comes again ends its whole session, unless it is a race.
    pub async fn refresh(self, token: &str, client: &Client) -> Result<SignedIn, Error> {
        let now = self.0.clock.now();
        let next = token::new_refresh_token();
        let expires_at = now + self.0.tokens.refresh_ttl();
        let (old_hash, new_hash) =
            (token::hash_refresh_token(token), token::hash_refresh_token(next.expose_secret()));
        let rotation = sessions::rotate(&self.0.db, &old_hash, &new_hash, now, expires_at).await?;
        let session_id = match rotation {
            Rotation::Rotated(session_id) => session_id,
            Rotation::Unknown | Rotation::Lost => {
                return Err(Error::Unauthenticated(Unauthenticated::InvalidToken));
            }
            Rotation::Reused => return Err(Error::Unauthenticated(Unauthenticated::RefreshTokenReused)),
        };
        let caller = self.live(session_id, client, now).await?;
        let tx = self.0.db.read(&caller.scope).await?;
        let signed_in = self.signed_in(&tx, caller.user_id, session_id, next, now).await?;
        tx.commit().await?;
        Ok(signed_in)
    }

    /// Checks an access token's signature, kind and time. No I/O.
    pub fn verify(self, access_token: &str) -> Result<VerifiedToken, Error> {
        self.0.tokens.verify(access_token, self.0.clock.now()).map_err(Error::Unauthenticated)
    }

    /// Finds the live session of a verified token: the one indexed read of every request.
    pub async fn authenticate(self, token: VerifiedToken, client: &Client) -> Result<Caller, Error> {
        let caller = self.live(token.session, client, self.0.clock.now()).await?;
        if caller.tenant_id() == token.tenant && caller.user_id == token.user {
            Ok(caller)
        } else {
            Err(Error::Unauthenticated(Unauthenticated::InvalidToken))
        }
    }

    /// Ends the caller's session with every token of it, at once.
    pub async fn logout(self, caller: &Caller) -> Result<(), Error> {
        let tx = self.0.db.write(&caller.scope).await?;
        sessions::revoke(&tx, caller.session_id, self.0.clock.now()).await?;
        Ok(tx.commit().await?)
    }

    /// The caller and the caller's company.
    pub async fn me(self, caller: &Caller) -> Result<(User, Tenant), Error> {
        let tx = self.0.db.read(&caller.scope).await?;
        let found = user_and_tenant(&tx, caller.user_id).await?;
        tx.commit().await?;
        Ok(found)
    }

    async fn live(self, session: SessionId, client: &Client, now: Timestamp) -> Result<Caller, Error> {
        let live = sessions::authenticate(&self.0.db, session, now, |kind| client.actor(kind)).await?;
        let live = live.ok_or(Error::Unauthenticated(Unauthenticated::SessionEnded))?;
        Ok(Caller {
            scope: live.scope,
            user_id: live.user_id,
            session_id: session,
            role: live.role,
            catalogue_version: live.catalogue_version,
        })
    }

    async fn begin_session(
        self,
        tx: &WriteTx,
        user_id: UserId,
        session_id: SessionId,
        client: &Client,
        now: Timestamp,
    ) -> Result<SignedIn, Error> {
        let refresh_token = token::new_refresh_token();
        // Before the session is noted as the last sign-in, so that the answer shows the one before.
        let signed_in = self.signed_in(tx, user_id, session_id, refresh_token, now).await?;
        let new = NewSession {
            id: session_id,
            user_id,
            user_agent: client.user_agent.clone(),
            address: client.address.map(|address| address.to_string()),
            token_hash: token::hash_refresh_token(signed_in.refresh_token.expose_secret()),
            at: now,
            expires_at: now + self.0.tokens.refresh_ttl(),
        };
        sessions::open(tx, &new).await?;
        Ok(signed_in)
    }

    async fn signed_in<M: Sync>(
        self,
        tx: &TenantTx<M>,
        user_id: UserId,
        session_id: SessionId,
        refresh_token: SecretString,
        now: Timestamp,
    ) -> Result<SignedIn, Error> {
        let (user, tenant) = user_and_tenant(tx, user_id).await?;
        let access_token = self.0.tokens.issue(user_id, tenant.id, user.role, session_id, now)?;
        Ok(SignedIn { access_token, refresh_token, expires_in: self.0.tokens.access_ttl(), user, tenant })
    }
}

impl Client {
    fn actor(&self, kind: ActorKind) -> Actor {
        Actor { kind, request_id: self.request_id.clone(), address: self.address }
    }
}

async fn user_and_tenant<M: Sync>(tx: &TenantTx<M>, user_id: UserId) -> Result<(User, Tenant), Error> {
    let user = tenants::member(tx, user_id).await?.ok_or(Error::NotFound)?;
    let tenant = tenants::get(tx).await?.ok_or(Error::NotFound)?;
    Ok((user, tenant))
}

/// Longest name of a company, in characters.
pub(crate) const NAME_LENGTH: usize = 200;

fn checked(registration: &Registration) -> Result<(Email, &str), Error> {
    let mut problems = Vec::new();
    let email = Email::parse(&registration.email);
    if let Err(problem) = &email {
        problems.push(FieldProblem::new("/email", problem));
    }
    let company = registration.company_name.trim();
    if company.is_empty() || company.chars().count() > NAME_LENGTH {
        problems.push(FieldProblem::new("/company_name", format!("must have 1 to {NAME_LENGTH} characters")));
    }
    let personal = [registration.email.as_str(), company];
    if let Err(refusal) = domain::password::check(registration.password.expose_secret(), &personal) {
        problems.push(FieldProblem::new("/password", refusal));
    }
    match email {
        Ok(email) if problems.is_empty() => Ok((email, company)),
        _ => Err(Error::Invalid(problems)),
    }
}

fn new_company(name: &str, now: Timestamp) -> Tenant {
    let id = TenantId::generate();
    Tenant {
        id,
        name: name.to_owned(),
        slug: slug(name, id),
        zone: Zone::MOSCOW,
        locale: "en".to_owned(),
        low_stock: LowStockRule::default(),
        sync_interval_minutes: DEFAULT_SYNC_INTERVAL_MINUTES,
        created_at: now,
    }
}

/// A name for addresses: the ASCII of the company's name, made unique by the random end of its id.
fn slug(name: &str, id: TenantId) -> String {
    let words: Vec<String> = name
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    let stem: String = words.join("-").chars().take(40).collect();
    let id = id.as_uuid().simple().to_string();
    let stem = if stem.is_empty() { "company" } else { stem.trim_end_matches('-') };
    format!("{stem}-{}", &id[20..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_is_ascii_and_unique() {
        let id = TenantId::generate();
        let tail = &id.as_uuid().simple().to_string()[20..];
        assert_eq!(slug("Acme & Sons, Ltd.", id), format!("acme-sons-ltd-{tail}"));
        assert_eq!(slug("Ромашка", id), format!("company-{tail}"));
        assert_ne!(slug("x", TenantId::generate()), slug("x", TenantId::generate()));
    }

    #[test]
    fn every_problem_of_a_registration_is_told_at_once() {
        let wrong =
            Registration { email: "nobody".into(), password: "short".into(), company_name: "  ".into() };
        let Err(Error::Invalid(problems)) = checked(&wrong) else { panic!("must be refused") };
        let pointers: Vec<_> = problems.iter().map(|p| p.pointer.as_str()).collect();
        assert_eq!(pointers, ["/email", "/company_name", "/password"]);
    }
}
