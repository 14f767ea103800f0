//! Syncs: asked for, carried through, ended. One is alive per account at a time; the database sees to that.

mod carry;
mod steps;

use domain::{
    clock::Timestamp,
    ids::{AccountId, JobId, SyncId},
    marketplace::MarketplaceCode,
    page::{Page, PageRequest},
    sync::{Progress, SyncCounts, SyncError, SyncRun, SyncState, SyncTrigger},
};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, EntityTrait as _, FromQueryResult, IntoActiveModel as _,
    QueryFilter as _, QueryOrder as _, QuerySelect as _,
    sea_query::{Expr, OnConflict},
};
use uuid::Uuid;

pub use self::{
    carry::{Advance, Fence, advance, begin, cancel_idle, finish, give_up, wait},
    steps::{Step, StepState, save_step, steps},
};
use crate::{
    codec,
    db::{TenantTx, WriteTx},
    entity::sync_run,
    error::Error,
    keyset,
};

/// A sync with the job that carries it.
#[derive(Debug, Clone, PartialEq)]
pub struct Carried {
    /// The sync.
    pub run: SyncRun,
    /// Its job.
    pub job_id: Option<JobId>,
    /// Whether the tenant wants it to stop.
    pub cancel_requested: bool,
}

const LIST: &str = "syncs";

/// Syncs, newest first.
pub async fn list<M>(
    tx: &TenantTx<M>,
    account: Option<AccountId>,
    state: Option<SyncState>,
    page: &PageRequest,
) -> Result<Page<SyncRun>, Error> {
    let mut query = of_tenant(tx).order_by_desc(sync_run::Column::Id).limit(page.limit + 1);
    if let Some(id) = account {
        query = query.filter(sync_run::Column::AccountId.eq(id.as_uuid()));
    }
    if let Some(state) = state {
        query = query.filter(sync_run::Column::State.eq(state.name()));
    }
    if let Some(before) = keyset::after::<Uuid>(LIST, page)? {
        query = query.filter(sync_run::Column::Id.lt(before));
    }
    let rows = query.all(tx.inner()).await?;
    keyset::page(LIST, page, rows, |row| row.id, |row| Ok(carried(row)?.run))
}

/// One sync.
pub async fn get<M>(tx: &TenantTx<M>, id: SyncId) -> Result<Option<Carried>, Error> {
    let row = sync_run::Entity::find_by_id((tx.tenant(), id.as_uuid())).one(tx.inner()).await?;
    row.map(carried).transpose()
}

/// The sync of an account that is pending or running.
pub async fn live<M>(tx: &TenantTx<M>, account: AccountId) -> Result<Option<Carried>, Error> {
    let row = of_tenant(tx)
        .filter(sync_run::Column::AccountId.eq(account.as_uuid()))
        .filter(sync_run::Column::State.is_in([SyncState::Pending.name(), SyncState::Running.name()]))
        .one(tx.inner())
        .await?;
    row.map(carried).transpose()
}

fn of_tenant<M>(tx: &TenantTx<M>) -> sea_orm::Select<sync_run::Entity> {
    sync_run::Entity::find().filter(sync_run::Column::TenantId.eq(tx.tenant()))
}

fn carried(row: sync_run::Model) -> Result<Carried, Error> {
    let error = row.error_code.map(|code| SyncError { code, message: row.error_message.unwrap_or_default() });
    Ok(Carried {
        job_id: row.job_id.map(JobId::from),
        cancel_requested: row.cancel_requested,
        run: SyncRun {
            id: row.id.into(),
            account_id: row.account_id.into(),
            marketplace: codec::marketplace(&row.marketplace)?,
            state: codec::word("sync state", &row.state)?,
            trigger: codec::word("sync trigger", &row.cause)?,
            phase: row.phase.as_deref().map(|phase| codec::word("phase", phase)).transpose()?,
            waiting_until: row.waiting_until,
            progress: Progress { done: row.rows_done, total: row.rows_total },
            counts: SyncCounts {
                products: row.products,
                variants: row.variants,
                stock_rows: row.stock_rows,
                movements: row.movements,
                order_lines: row.order_lines,
                failed: row.failed,
                unmatched_units: row.unmatched_units,
            },
            requested_at: row.requested_at,
            started_at: row.started_at,
            finished_at: row.finished_at,
            error,
        },
    })
}

/// A sync to be asked for.
#[derive(Debug, Clone, Copy)]
pub struct NewSync {
    /// Identity.
    pub id: SyncId,
    /// Of which account.
    pub account: AccountId,
    /// Of which marketplace.
    pub marketplace: MarketplaceCode,
    /// Why.
    pub trigger: SyncTrigger,
    /// Now.
    pub at: Timestamp,
}

/// Asks for a sync. [`Error::Duplicate`] if one is alive; the transaction can go on.
pub async fn insert(tx: &WriteTx, new: NewSync) -> Result<(), Error> {
    let row = sync_run::Model {
        tenant_id: tx.tenant(),
        id: new.id.into(),
        account_id: new.account.into(),
        marketplace: new.marketplace.name().to_owned(),
        state: SyncState::Pending.name().to_owned(),
        cause: new.trigger.name().to_owned(),
        phase: None,
        waiting_until: None,
        rows_done: 0,
        rows_total: None,
        products: 0,
        variants: 0,
        stock_rows: 0,
        movements: 0,
        order_lines: 0,
        failed: 0,
        unmatched_units: 0,
        job_id: None,
        fence: 0,
        cancel_requested: false,
        requested_at: new.at,
        started_at: None,
        finished_at: None,
        error_code: None,
        error_message: None,
    };
    // Not left to the index to refuse: on PostgreSQL that would end the caller's transaction.
    let inserted = sync_run::Entity::insert(row.into_active_model().reset_all())
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(tx.inner())
        .await?;
    if inserted == 0 { Err(Error::Duplicate) } else { Ok(()) }
}

/// Notes which job carries a sync.
pub async fn set_job(tx: &WriteTx, id: SyncId, job: JobId) -> Result<(), Error> {
    change(tx, id).col_expr(sync_run::Column::JobId, Expr::value(job.as_uuid())).exec(tx.inner()).await?;
    Ok(())
}

/// Asks a live sync to stop. Says whether there was one.
pub async fn request_cancel(tx: &WriteTx, id: SyncId) -> Result<bool, Error> {
    let asked = change(tx, id)
        .col_expr(sync_run::Column::CancelRequested, Expr::value(true))
        .filter(sync_run::Column::State.is_in([SyncState::Pending.name(), SyncState::Running.name()]))
        .exec(tx.inner())
        .await?;
    Ok(asked.rows_affected > 0)
}

fn change(tx: &WriteTx, id: SyncId) -> sea_orm::UpdateMany<sync_run::Entity> {
    sync_run::Entity::update_many()
        .filter(sync_run::Column::TenantId.eq(tx.tenant()))
        .filter(sync_run::Column::Id.eq(id.as_uuid()))
}

/// Whether the job that carries a sync is still going to run.
pub async fn job_is_live<M>(tx: &TenantTx<M>, job: JobId) -> Result<bool, Error> {
    #[derive(FromQueryResult)]
    struct Row {
        state: String,
    }
    let row = tx
        .row::<Row>(
            "SELECT state FROM job WHERE tenant_id = $1 AND id = $2",
            [tx.tenant().into(), job.as_uuid().into()],
        )
        .await?;
    Ok(row.is_some_and(|row| row.state == "queued" || row.state == "running"))
}
