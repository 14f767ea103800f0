//! Marketplace accounts.

use domain::{
    clock::Timestamp,
    ids::AccountId,
    marketplace::{Account, AccountInfo, AccountState, Capabilities, CredentialFacts, LastSync, Seller},
    page::{Page, PageRequest},
    sync::SyncState,
    tenant::Tenant,
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, sea_query::Expr,
};
use uuid::Uuid;

use crate::{
    codec,
    db::{TenantTx, WriteTx},
    entity::{account_schedule, marketplace_account, stock_reading},
    error::Error,
    keyset, tenants,
};

const LIST: &str = "marketplace_accounts";

/// An account with its credential, still sealed.
#[derive(Debug, Clone)]
pub struct SealedAccount {
    /// The account.
    pub account: Account,
    /// The credential; opens with the vault.
    pub credential: String,
}

/// The tenant's accounts, oldest first.
pub async fn list<M>(tx: &TenantTx<M>, page: &PageRequest) -> Result<Page<Account>, Error> {
    let mut query = marketplace_account::Entity::find()
        .filter(marketplace_account::Column::TenantId.eq(tx.tenant()))
        .order_by_asc(marketplace_account::Column::Id)
        .limit(page.limit + 1);
    if let Some(after) = keyset::after::<Uuid>(LIST, page)? {
        query = query.filter(marketplace_account::Column::Id.gt(after));
    }
    let rows = with_schedule(tx, query).await?;
    let tenant = defaults(tx).await?;
    keyset::page(LIST, page, rows, |(row, _)| row.id, |(row, due)| account(row, due, &tenant))
}

/// Every account, oldest first.
pub async fn all<M>(tx: &TenantTx<M>) -> Result<Vec<Account>, Error> {
    let query = marketplace_account::Entity::find()
        .filter(marketplace_account::Column::TenantId.eq(tx.tenant()))
        .order_by_asc(marketplace_account::Column::Id);
    let rows = with_schedule(tx, query).await?;
    let tenant = defaults(tx).await?;
    rows.into_iter().map(|(row, due)| account(row, due, &tenant)).collect()
}

/// One account.
pub async fn get<M>(tx: &TenantTx<M>, id: AccountId) -> Result<Option<SealedAccount>, Error> {
    let rows =
        with_schedule(tx, marketplace_account::Entity::find_by_id((tx.tenant(), id.as_uuid()))).await?;
    let Some((row, due)) = rows.into_iter().next() else {
        return Ok(None);
    };
    let credential = row.credential_sealed.clone();
    let account = account(row, due, &defaults(tx).await?)?;
    Ok(Some(SealedAccount { account, credential }))
}

type Row = (marketplace_account::Model, Option<account_schedule::Model>);

/// Runs a query of accounts and joins when each is due.
async fn with_schedule<M>(
    tx: &TenantTx<M>,
    query: sea_orm::Select<marketplace_account::Entity>,
) -> Result<Vec<Row>, Error> {
    let accounts = query.all(tx.inner()).await?;
    let due = account_schedule::Entity::find()
        .filter(account_schedule::Column::TenantId.eq(tx.tenant()))
        .filter(account_schedule::Column::AccountId.is_in(accounts.iter().map(|a| a.id)))
        .all(tx.inner())
        .await?;
    let due_of = |id| due.iter().find(|d| d.account_id == id).cloned();
    Ok(accounts
        .into_iter()
        .map(|account| {
            let due = due_of(account.id);
            (account, due)
        })
        .collect())
}

/// The tenant, for what an account takes from it: its interval and its zone, unless it has its own.
async fn defaults<M>(tx: &TenantTx<M>) -> Result<Tenant, Error> {
    tenants::get(tx).await?.ok_or(Error::MissingReference)
}

fn account(
    row: marketplace_account::Model,
    due: Option<account_schedule::Model>,
    tenant: &Tenant,
) -> Result<Account, Error> {
    let last_sync = match (row.last_sync_state, row.last_sync_at) {
        (Some(state), Some(finished_at)) => {
            Some(LastSync { state: codec::word("sync state", &state)?, finished_at })
        }
        _ => None,
    };
    let marketplace = codec::marketplace(&row.marketplace)?;
    Ok(Account {
        id: row.id.into(),
        marketplace,
        name: row.name,
        state: codec::word("account state", &row.state)?,
        seller: Seller { external_id: row.seller_external_id, name: row.seller_name },
        capabilities: codec::from_json("capabilities", &row.capabilities)?,
        credential: CredentialFacts {
            masked: row.credential_masked,
            expires_at: row.credential_expires_at,
            scopes: codec::from_json("credential scopes", &row.credential_scopes)?,
            kind: row.credential_kind,
            notes: codec::from_json("credential notes", &row.credential_notes)?,
        },
        zone: marketplace.own_zone().unwrap_or(tenant.zone),
        sync_interval_minutes: row.sync_interval_minutes.unwrap_or(tenant.sync_interval_minutes),
        last_sync,
        next_sync_at: due.and_then(|d| d.next_sync_at),
        created_at: row.created_at,
    })
}

/// Adds an account, with an interval of its own where it is not to follow the tenant's. [`Error::Duplicate`] if the
/// tenant has connected the seller already.
pub async fn insert(
    tx: &WriteTx,
    account: &Account,
    own_interval_minutes: Option<i32>,
    sealed: String,
) -> Result<(), Error> {
    let row = marketplace_account::ActiveModel {
        tenant_id: Set(tx.tenant()),
        id: Set(account.id.into()),
        marketplace: Set(account.marketplace.name().to_owned()),
        name: Set(account.name.clone()),
        state: Set(account.state.name().to_owned()),
        seller_external_id: Set(account.seller.external_id.clone()),
        seller_name: Set(account.seller.name.clone()),
        capabilities: Set(codec::to_json(&account.capabilities)),
        credential_sealed: Set(sealed),
        credential_masked: Set(account.credential.masked.clone()),
        credential_expires_at: Set(account.credential.expires_at),
        credential_scopes: Set(codec::to_json(&account.credential.scopes)),
        credential_kind: Set(account.credential.kind.clone()),
        credential_notes: Set(codec::to_json(&account.credential.notes)),
        sync_interval_minutes: Set(own_interval_minutes),
        last_sync_state: Set(None),
        last_sync_at: Set(None),
        created_at: Set(account.created_at),
        updated_at: Set(account.created_at),
    };
    marketplace_account::Entity::insert(row).exec_without_returning(tx.inner()).await?;
    let due = account_schedule::ActiveModel {
        tenant_id: Set(tx.tenant()),
        account_id: Set(account.id.into()),
        next_sync_at: Set(account.next_sync_at),
        next_turn_at: Set(None),
    };
    account_schedule::Entity::insert(due).exec_without_returning(tx.inner()).await?;
    Ok(())
}

/// Writes what the tenant may set of an account: its name and its own sync interval.
pub async fn update_settings(
    tx: &WriteTx,
    id: AccountId,
    name: &str,
    sync_interval_minutes: Option<i32>,
    at: Timestamp,
) -> Result<(), Error> {
    let mut query = change(tx, id)
        .col_expr(marketplace_account::Column::Name, Expr::value(name))
        .col_expr(marketplace_account::Column::UpdatedAt, Expr::value(at));
    if let Some(minutes) = sync_interval_minutes {
        query = query.col_expr(marketplace_account::Column::SyncIntervalMinutes, Expr::value(minutes));
    }
    query.exec(tx.inner()).await?;
    Ok(())
}

/// Writes a credential that has just proven itself, with what the marketplace said of it.
pub async fn update_credential(
    tx: &WriteTx,
    id: AccountId,
    info: &AccountInfo,
    sealed: &str,
    at: Timestamp,
) -> Result<(), Error> {
    use marketplace_account::Column;
    change(tx, id)
        .col_expr(Column::SellerName, Expr::value(info.seller.name.as_str()))
        .col_expr(Column::Capabilities, Expr::value(codec::to_json(&info.capabilities)))
        .col_expr(Column::CredentialSealed, Expr::value(sealed))
        .col_expr(Column::CredentialMasked, Expr::value(info.facts.masked.as_str()))
        .col_expr(Column::CredentialExpiresAt, Expr::value(info.facts.expires_at))
        .col_expr(Column::CredentialScopes, Expr::value(codec::to_json(&info.facts.scopes)))
        .col_expr(Column::CredentialKind, Expr::value(info.facts.kind.clone()))
        .col_expr(Column::CredentialNotes, Expr::value(codec::to_json(&info.facts.notes)))
        .col_expr(Column::UpdatedAt, Expr::value(at))
        .exec(tx.inner())
        .await?;
    Ok(())
}

/// Writes how an account stands.
pub async fn set_state(tx: &WriteTx, id: AccountId, state: AccountState, at: Timestamp) -> Result<(), Error> {
    change(tx, id)
        .col_expr(marketplace_account::Column::State, Expr::value(state.name()))
        .col_expr(marketplace_account::Column::UpdatedAt, Expr::value(at))
        .exec(tx.inner())
        .await?;
    Ok(())
}

/// Writes what an account's credential turned out to grant.
pub async fn set_capabilities(tx: &WriteTx, id: AccountId, granted: &Capabilities) -> Result<(), Error> {
    change(tx, id)
        .col_expr(marketplace_account::Column::Capabilities, Expr::value(codec::to_json(granted)))
        .exec(tx.inner())
        .await?;
    Ok(())
}

/// Notes how the latest sync ended.
pub async fn note_sync(tx: &WriteTx, id: AccountId, state: SyncState, at: Timestamp) -> Result<(), Error> {
    change(tx, id)
        .col_expr(marketplace_account::Column::LastSyncState, Expr::value(state.name()))
        .col_expr(marketplace_account::Column::LastSyncAt, Expr::value(at))
        .exec(tx.inner())
        .await?;
    Ok(())
}

/// Removes an account with everything read from it. Says whether there was one.
pub async fn remove(tx: &WriteTx, id: AccountId) -> Result<bool, Error> {
    stock_reading::Entity::delete_many()
        .filter(stock_reading::Column::TenantId.eq(tx.tenant()))
        .filter(stock_reading::Column::AccountId.eq(id.as_uuid()))
        .exec(tx.inner())
        .await?;
    let gone =
        marketplace_account::Entity::delete_by_id((tx.tenant(), id.as_uuid())).exec(tx.inner()).await?;
    Ok(gone.rows_affected > 0)
}

fn change(tx: &WriteTx, id: AccountId) -> sea_orm::UpdateMany<marketplace_account::Entity> {
    marketplace_account::Entity::update_many()
        .filter(marketplace_account::Column::TenantId.eq(tx.tenant()))
        .filter(marketplace_account::Column::Id.eq(id.as_uuid()))
}
