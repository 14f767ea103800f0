//! Shapes on the wire that several resources share. Each is made `From` a type of [`domain`].

mod figures;
mod list;
mod money;
mod number;
mod words;

pub(crate) use figures::FiguresView;
pub(crate) use list::{Listed, Numbered};
pub(crate) use money::MoneyView;
pub(crate) use number::{ratio_tenths, tenths, thousandths};
pub(crate) use words::{
    AccountState, Capability, Cause, CoverState, Marketplace, Phase, ProductStatus, Role, StockState,
    SyncState, SyncTrigger, WarehouseKind,
};
