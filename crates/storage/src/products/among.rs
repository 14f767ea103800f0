//! Products among some that an index has found.

use sea_orm::{
    ColumnTrait as _, DbBackend,
    sea_query::{Expr, ExprTrait as _, Query, SelectStatement},
};
use uuid::Uuid;

use crate::{db::TenantTx, entity::product};

/// Products with these ids; what is wanted of them is still to be said. SQLite has no figures about its tables, and a
/// cross join is how it is told to begin with the ids. PostgreSQL has none about a tenant that is new, and would compare
/// each of its products with each id of a join.
pub(super) fn these<M>(tx: &TenantTx<M>, ids: &[Uuid]) -> SelectStatement {
    if tx.backend() == DbBackend::Postgres {
        let mut statement = Query::select();
        statement
            .from(product::Entity)
            .and_where(product::Column::TenantId.eq(tx.tenant()))
            .and_where(product::Column::Id.is_in(ids.iter().copied()));
        return statement;
    }
    let mut listed = Query::select();
    listed.expr_as(Expr::col("column1"), "found").from_values(ids.iter().copied(), "listed");
    found(tx, listed)
}

/// Products whose ids a statement finds; what is wanted of them is still to be said.
pub(super) fn found<M>(tx: &TenantTx<M>, ids: SelectStatement) -> SelectStatement {
    let mut statement = Query::select();
    statement
        .from_subquery(ids, "among")
        .cross_join(product::Entity)
        .and_where(product::Column::TenantId.eq(tx.tenant()))
        .and_where(Expr::col((product::Entity, product::Column::Id)).equals(("among", "found")));
    statement
}
