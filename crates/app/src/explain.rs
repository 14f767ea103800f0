//! Explaining the figures of a product.

use domain::{explain::Explanation, ids::ProductId, role::Permission};
use storage::{explain, tenants};

use crate::{caller::Caller, catalogue::Catalogue, error::Error};

impl Catalogue<'_> {
    /// Every figure of a product: counted anew from its rows, with what counts and what does not, and held against
    /// what is stored.
    pub async fn explain(self, caller: &Caller, id: ProductId) -> Result<Explanation, Error> {
        let now = self.0.clock.now();
        let tx = self.0.db.read(caller.require(Permission::Read)?).await?;
        let rule = tenants::get(&tx).await?.ok_or(Error::NotFound)?.low_stock;
        let evidence = explain::evidence(&tx, id, now).await?;
        tx.commit().await?;
        Ok(Explanation::of(&evidence.ok_or(Error::NotFound)?, rule, now))
    }
}
