//! Marketplace accounts: connected with a credential that has proven itself.

use std::{collections::BTreeMap, time::Duration};

use domain::{
    calendar::Zone,
    ids::AccountId,
    marketplace::{
        Account, AccountInfo, AccountState, Capabilities, Credential, CredentialFacts, Descriptor,
        MarketplaceCode, Seller,
    },
    page::{Page, PageRequest},
    role::Permission,
    sync::SyncTrigger,
};
use marketplaces::{ConnectError, CredentialProblem, Marketplace};
use secrecy::{ExposeSecret as _, SecretString};
use storage::{WriteTx, accounts, accounts::SealedAccount, schedule, syncs};

use crate::{
    Parts,
    caller::Caller,
    error::{Conflict, CredentialRefusal, Error, FieldProblem, RefusalKind},
    figures::forget_lost,
    sync::request,
    tenants::interval_problem,
};

/// An account to connect.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// Code of the marketplace.
    pub marketplace: String,
    /// The tenant's own name for it.
    pub name: String,
    /// The credential, by field.
    pub credentials: BTreeMap<String, SecretString>,
}

/// What to change of an account; `None` leaves it as it is.
#[derive(Debug, Clone, Default)]
pub struct AccountChange {
    /// The tenant's own name for it.
    pub name: Option<String>,
    /// Whether it is switched off.
    pub paused: Option<bool>,
    /// Minutes between two syncs.
    pub sync_interval_minutes: Option<i32>,
    /// A new credential, of the same seller.
    pub credentials: Option<BTreeMap<String, SecretString>>,
}

/// Longest name of an account, in characters.
const NAME_LENGTH: usize = 100;

/// How long a client is let wait for a limit of the marketplace before it is told to come again.
const VERIFY_PATIENCE: Duration = Duration::from_secs(10);

/// Marketplace accounts.
#[derive(Clone, Copy)]
pub struct Accounts<'a>(pub(crate) &'a Parts);

impl<'a> Accounts<'a> {
    /// The marketplaces that can be connected.
    pub fn marketplaces(self) -> &'a [&'static Descriptor] {
        self.0.marketplaces.descriptors()
    }

    /// The tenant's accounts, oldest first.
    pub async fn list(self, caller: &Caller, page: &PageRequest) -> Result<Page<Account>, Error> {
        let tx = self.0.db.read(caller.require(Permission::Read)?).await?;
        let found = accounts::list(&tx, page).await?;
        tx.commit().await?;
        Ok(found)
    }

    /// One account.
    pub async fn get(self, caller: &Caller, id: AccountId) -> Result<Account, Error> {
        caller.require(Permission::Read)?;
        Ok(self.find(caller, id).await?.account)
    }

    /// Connects an account: asks the marketplace, seals the credential, and asks for the first sync.
    pub async fn connect(self, caller: &Caller, new: NewAccount) -> Result<Account, Error> {
        let scope = caller.require(Permission::ManageAccounts)?;
        let (code, name, credential) = self.checked(new)?;
        let id = AccountId::generate();
        let info = if code.is_synced() {
            let connector = self.open(code, &credential)?;
            ask(connector.as_ref(), self.descriptor(code)).await?
        } else {
            self.own_account(code, id, &name)
        };
        let now = self.0.clock.now();
        let account = Account {
            id,
            marketplace: code,
            name,
            state: self.state_by(code, &info.capabilities),
            seller: info.seller,
            capabilities: info.capabilities,
            credential: info.facts,
            // What the account takes from its tenant is filled in when it is read again.
            zone: Zone::MOSCOW,
            sync_interval_minutes: 0,
            last_sync: None,
            next_sync_at: None,
            created_at: now,
        };
        let sealed = self.0.vault.seal_credential(caller.tenant_id(), id, &credential);
        let tx = self.0.db.write(scope).await?;
        let usual = storage::tenants::get(&tx).await?.ok_or(Error::NotFound)?.sync_interval_minutes;
        let slower = info.slowest_interval_minutes.filter(|slowest| *slowest > usual);
        match accounts::insert(&tx, &account, slower, sealed).await {
            Err(storage::Error::Duplicate) => return Err(Error::Conflict(Conflict::AccountExists)),
            inserted => inserted?,
        }
        if code.is_synced() {
            request::sync(&tx, id, code, SyncTrigger::Manual, now).await?;
        }
        let stored = self.reschedule(&tx, id).await?;
        tx.commit().await?;
        Ok(stored)
    }

    /// Changes an account. A new credential is asked about at the marketplace first.
    pub async fn change(
        self,
        caller: &Caller,
        id: AccountId,
        change: AccountChange,
    ) -> Result<Account, Error> {
        let scope = caller.require(Permission::ManageAccounts)?;
        let before = self.find(caller, id).await?.account;
        let mut problems = Vec::new();
        let name = change.name.unwrap_or_else(|| before.name.clone());
        problems.extend(name_problem(&name));
        problems.extend(change.sync_interval_minutes.and_then(interval_problem));
        let credential = match change.credentials {
            Some(fields) => {
                Some(checked_credential(self.descriptor(before.marketplace), fields, &mut problems))
            }
            None => None,
        };
        if !problems.is_empty() {
            return Err(Error::Invalid(problems));
        }
        let renewed = match credential {
            Some(credential) => {
                let info = self.ask_same_seller(&before, &credential).await?;
                Some((credential, info))
            }
            None => None,
        };
        let now = self.0.clock.now();
        let tx = self.0.db.write(scope).await?;
        accounts::update_settings(&tx, id, name.trim(), change.sync_interval_minutes, now).await?;
        let mut state = before.state;
        if let Some((credential, info)) = &renewed {
            let sealed = self.0.vault.seal_credential(caller.tenant_id(), id, credential);
            accounts::update_credential(&tx, id, info, &sealed, now).await?;
            let lost = before.capabilities.difference(&info.capabilities);
            forget_lost(&tx, id, lost, now).await?;
            if state != AccountState::Paused {
                state = self.state_by(before.marketplace, &info.capabilities);
            }
        }
        let granted = renewed.as_ref().map_or(&before.capabilities, |(_, info)| &info.capabilities);
        match change.paused {
            Some(true) => state = AccountState::Paused,
            Some(false) if state == AccountState::Paused => {
                state = self.state_by(before.marketplace, granted);
            }
            _ => {}
        }
        if state != before.state {
            accounts::set_state(&tx, id, state, now).await?;
        }
        if renewed.is_some() && state.is_scheduled() && before.marketplace.is_synced() {
            // One that waits for the limits of the old credential would keep the new one waiting.
            if let Some(live) = syncs::live(&tx, id).await? {
                syncs::cancel_idle(&tx, live.run.id, now).await?;
            }
            request::sync(&tx, id, before.marketplace, SyncTrigger::Manual, now).await?;
        }
        let changed = self.reschedule(&tx, id).await?;
        tx.commit().await?;
        Ok(changed)
    }

    /// Forgets an account with everything read from it.
    pub async fn remove(self, caller: &Caller, id: AccountId) -> Result<(), Error> {
        let tx = self.0.db.write(caller.require(Permission::ManageAccounts)?).await?;
        if !accounts::remove(&tx, id).await? {
            return Err(Error::NotFound);
        }
        storage::tenants::bump_catalogue_version(&tx).await?;
        Ok(tx.commit().await?)
    }

    /// Asks the marketplace about the credential again.
    pub async fn verify(self, caller: &Caller, id: AccountId) -> Result<Account, Error> {
        let scope = caller.require(Permission::ManageAccounts)?;
        let sealed = self.find(caller, id).await?;
        let credential = self.0.open_credential(caller.tenant_id(), &sealed)?;
        let info = self.ask_same_seller(&sealed.account, &credential).await?;
        let now = self.0.clock.now();
        let tx = self.0.db.write(scope).await?;
        accounts::update_credential(&tx, id, &info, &sealed.credential, now).await?;
        forget_lost(&tx, id, sealed.account.capabilities.difference(&info.capabilities), now).await?;
        if sealed.account.state != AccountState::Paused {
            let state = self.state_by(sealed.account.marketplace, &info.capabilities);
            accounts::set_state(&tx, id, state, now).await?;
        }
        let verified = self.reschedule(&tx, id).await?;
        tx.commit().await?;
        Ok(verified)
    }

    async fn find(self, caller: &Caller, id: AccountId) -> Result<SealedAccount, Error> {
        let tx = self.0.db.read(&caller.scope).await?;
        let found = accounts::get(&tx, id).await?;
        tx.commit().await?;
        found.ok_or(Error::NotFound)
    }

    /// Puts an account on the schedule, or takes it off, as its state and interval say; gives it as it now is.
    async fn reschedule(self, tx: &WriteTx, id: AccountId) -> Result<Account, Error> {
        let mut account = accounts::get(tx, id).await?.ok_or(Error::NotFound)?.account;
        let interval = chrono::TimeDelta::minutes(account.sync_interval_minutes.into());
        let is_scheduled = account.marketplace.is_synced() && account.state.is_scheduled();
        account.next_sync_at = is_scheduled.then(|| {
            let latest = self.0.clock.now() + interval;
            account.next_sync_at.map_or(latest, |at| at.min(latest))
        });
        schedule::set_next_sync(tx, id, account.next_sync_at).await?;
        Ok(account)
    }

    fn descriptor(self, code: MarketplaceCode) -> &'static Descriptor {
        let mut all = self.0.marketplaces.descriptors().iter();
        all.find(|d| d.code == code).expect("every marketplace code has a connector")
    }

    fn state_by(self, code: MarketplaceCode, granted: &Capabilities) -> AccountState {
        let all = self.descriptor(code).capabilities.iter().all(|c| granted.contains(c));
        if all { AccountState::Active } else { AccountState::Limited }
    }

    fn checked(self, new: NewAccount) -> Result<(MarketplaceCode, String, Credential), Error> {
        let Ok(code) = new.marketplace.parse::<MarketplaceCode>() else {
            let known: Vec<_> = MarketplaceCode::ALL.iter().map(|code| code.name()).collect();
            let problem = FieldProblem::new("/marketplace", format!("must be one of {}", known.join(", ")));
            return Err(Error::Invalid(vec![problem]));
        };
        let mut problems: Vec<_> = name_problem(&new.name).into_iter().collect();
        let credential = checked_credential(self.descriptor(code), new.credentials, &mut problems);
        if problems.is_empty() {
            Ok((code, new.name.trim().to_owned(), credential))
        } else {
            Err(Error::Invalid(problems))
        }
    }

    /// What is true of an account that nobody needs to be asked about.
    fn own_account(self, code: MarketplaceCode, id: AccountId, name: &str) -> AccountInfo {
        let facts = CredentialFacts {
            masked: String::new(),
            expires_at: None,
            scopes: vec![],
            kind: None,
            notes: vec![],
        };
        AccountInfo {
            seller: Seller { external_id: id.to_string(), name: name.to_owned() },
            facts,
            capabilities: self.descriptor(code).capabilities.iter().copied().collect(),
            slowest_interval_minutes: None,
        }
    }

    fn open(self, code: MarketplaceCode, credential: &Credential) -> Result<Box<dyn Marketplace>, Error> {
        self.0.marketplaces.connect(code, credential, None).map_err(|error| match error {
            ConnectError::Credential(problem) => problem_refused(&problem),
            ConnectError::NothingToConnect => Error::Conflict(Conflict::NotSynced),
        })
    }

    async fn ask_same_seller(self, account: &Account, credential: &Credential) -> Result<AccountInfo, Error> {
        let connector = self.open(account.marketplace, credential)?;
        let info = ask(connector.as_ref(), self.descriptor(account.marketplace)).await?;
        if info.seller.external_id == account.seller.external_id {
            Ok(info)
        } else {
            Err(Error::Conflict(Conflict::SellerChanged))
        }
    }
}

impl Parts {
    /// Opens the credential of a stored account.
    pub(crate) fn open_credential(
        &self,
        tenant: domain::ids::TenantId,
        sealed: &SealedAccount,
    ) -> Result<Credential, Error> {
        self.vault.open_credential(tenant, sealed.account.id, &sealed.credential).map_err(Error::internal)
    }
}

fn name_problem(name: &str) -> Option<FieldProblem> {
    let length = name.trim().chars().count();
    (length == 0 || length > NAME_LENGTH)
        .then(|| FieldProblem::new("/name", format!("must have 1 to {NAME_LENGTH} characters")))
}

/// Checks the fields of a credential against what its marketplace asks for.
fn checked_credential(
    descriptor: &Descriptor,
    mut fields: BTreeMap<String, SecretString>,
    problems: &mut Vec<FieldProblem>,
) -> Credential {
    let mut known = BTreeMap::new();
    for field in descriptor.credential_fields {
        let pointer = format!("/credentials/{}", field.name);
        match fields.remove(field.name) {
            None if field.optional => {}
            None => problems.push(FieldProblem::new(pointer, "is required")),
            Some(value) if value.expose_secret().trim().is_empty() => {
                problems.push(FieldProblem::new(pointer, "must not be empty"));
            }
            Some(value) if value.expose_secret().chars().count() > field.max_length => {
                let detail = format!("must have at most {} characters", field.max_length);
                problems.push(FieldProblem::new(pointer, detail));
            }
            Some(value) => {
                known.insert(field.name.to_owned(), value);
            }
        }
    }
    problems.extend(
        fields.keys().map(|name| FieldProblem::new(format!("/credentials/{name}"), "is not a known field")),
    );
    Credential::new(known)
}

/// Asks a marketplace whose a credential is, waiting a little where a limit wants it.
async fn ask(connector: &dyn Marketplace, descriptor: &Descriptor) -> Result<AccountInfo, Error> {
    let mut patience = VERIFY_PATIENCE;
    loop {
        match connector.verify().await {
            Ok(info) => return Ok(info),
            Err(marketplaces::Error::RateLimited { retry_after, .. }) if retry_after <= patience => {
                patience -= retry_after;
                tokio::time::sleep(retry_after).await;
            }
            Err(error) => return Err(refused(&error, descriptor)),
        }
    }
}

fn problem_refused(problem: &CredentialProblem) -> Error {
    let CredentialProblem { field, what } = *problem;
    Error::CredentialRefused(CredentialRefusal {
        kind: RefusalKind::Invalid,
        field,
        message: what.to_owned(),
    })
}

fn refused(error: &marketplaces::Error, descriptor: &Descriptor) -> Error {
    use marketplaces::{AuthProblem, Error as Cause};
    let unavailable = |retry_after| Error::MarketplaceUnavailable { retry_after };
    let kind = match error {
        Cause::Auth { kind, .. } => match kind {
            AuthProblem::Invalid | AuthProblem::Revoked => RefusalKind::Invalid,
            AuthProblem::Expired => RefusalKind::Expired,
            AuthProblem::Scope(_) | AuthProblem::Plan | AuthProblem::Unsupported => RefusalKind::Scope,
        },
        Cause::Credential(problem) => return problem_refused(problem),
        Cause::RateLimited { retry_after, .. } => return unavailable(*retry_after),
        Cause::Transient { retry_after, .. } => {
            return unavailable(retry_after.unwrap_or(Duration::from_secs(30)));
        }
        Cause::ContractChanged { .. }
        | Cause::NotFound { .. }
        | Cause::InvalidRequest { .. }
        | Cause::LimiterUnavailable(_)
        | Cause::KnownCatalogue(_) => {
            tracing::warn!(code = error.code(), %error, "a credential could not be verified");
            return unavailable(Duration::from_mins(1));
        }
    };
    // What proves who somebody is is what a marketplace refuses.
    let secret = descriptor.credential_fields.iter().find(|field| field.secret);
    let field = secret.map_or("", |field| field.name);
    Error::CredentialRefused(CredentialRefusal { kind, field, message: error.seller_message().to_owned() })
}
