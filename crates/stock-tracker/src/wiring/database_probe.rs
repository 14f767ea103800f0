//! Whether the database answers, and with the schema the program was built for.

use async_trait::async_trait;
use monitoring::health::{Probe, ProbeError};
use storage::{
    Db,
    schema::{self, Unfit},
};

/// Asks the database.
pub(super) struct DatabaseProbe(pub(super) Db);

#[async_trait]
impl Probe for DatabaseProbe {
    fn name(&self) -> &'static str {
        "database"
    }

    async fn check(&self) -> Result<(), ProbeError> {
        schema::check_current(&self.0).await.map_err(|unfit| match unfit {
            Unfit::Old { .. } => ProbeError::caused_by("schema_old", unfit),
            Unfit::Unreachable(error) => ProbeError::unreachable(error),
        })
    }
}
