//! Lists on the wire.

use domain::page::{NumberedPage, Page};
use serde::Serialize;
use utoipa::ToSchema;

/// A part of a list, to be read on from a cursor.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Listed<T> {
    /// The rows, in the list's order.
    items: Vec<T>,
    /// Where the list goes on.
    page: PageView,
}

/// Where a list goes on.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Page)]
pub(crate) struct PageView {
    /// Send it as `cursor` for the next part; null at the end.
    #[schema(example = "eyJrIjoiMSJ9")]
    next_cursor: Option<String>,
}

impl<T> Listed<T> {
    pub(crate) fn of<D>(page: Page<D>) -> Self
    where
        T: From<D>,
    {
        let items = page.items.into_iter().map(T::from).collect();
        Self { items, page: PageView { next_cursor: page.next.map(|cursor| cursor.0) } }
    }
}

/// A page of a list, by its number.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Numbered<T> {
    /// The rows, in the list's order.
    items: Vec<T>,
    /// Rows of the whole list.
    #[schema(example = 130)]
    total: u64,
    /// The number of this page, from 1.
    #[schema(example = 1)]
    page: u64,
    /// Rows of a page.
    #[schema(example = 50)]
    page_size: u64,
    /// Pages of the whole list.
    #[schema(example = 3)]
    total_pages: u64,
}

impl<T> Numbered<T> {
    pub(crate) fn of<D>(numbered: NumberedPage<D>, page: u64, page_size: u64) -> Self
    where
        T: From<D>,
    {
        Self {
            items: numbered.items.into_iter().map(T::from).collect(),
            total: numbered.total,
            page,
            page_size,
            total_pages: numbered.total.div_ceil(page_size.max(1)),
        }
    }
}
