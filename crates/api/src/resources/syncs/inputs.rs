//! What a list of syncs can be asked for.

use app::SyncFilter;
use domain::ids::AccountId;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    extract::{QueryNumber, Text},
    view::SyncState,
};

/// Which syncs.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct SyncsQuery {
    /// Of one marketplace account.
    #[param(value_type = Option<uuid::Uuid>)]
    account_id: Option<AccountId>,
    /// In one state.
    #[param(inline)]
    state: Option<SyncState>,
    /// Most rows to give.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 200, default = 50)]
    pub(super) limit: Option<QueryNumber<1, 200>>,
    /// `page.next_cursor` of the part before.
    #[param(value_type = Option<String>, max_length = 512)]
    pub(super) cursor: Option<Text<1, 512>>,
}

impl SyncsQuery {
    pub(super) fn filter(&self) -> SyncFilter {
        SyncFilter { account_id: self.account_id, state: self.state.map(Into::into) }
    }
}
