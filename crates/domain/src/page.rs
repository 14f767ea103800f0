//! Lists, a page at a time.

/// Where a list goes on. Opaque to clients; made and read by the repository that keeps the list's order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(pub String);

/// What part of a list is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    /// Most rows to give.
    pub limit: u64,
    /// Where to go on; none for the beginning.
    pub cursor: Option<Cursor>,
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// The rows, in the list's order.
    pub items: Vec<T>,
    /// Where the list goes on; none at its end.
    pub next: Option<Cursor>,
}

impl<T> Page<T> {
    /// The same page of other items.
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(f).collect(), next: self.next }
    }
}

/// A page that people jump to by number.
#[derive(Debug, Clone, PartialEq)]
pub struct NumberedPage<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Rows of the whole list.
    pub total: u64,
}
