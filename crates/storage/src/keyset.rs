//! Cursors: the key of the last row of a page, in a form that clients pass back unread.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::page::{Cursor, Page, PageRequest};
use serde::{Serialize, de::DeserializeOwned};

use crate::error::Error;

/// Writes a cursor of a list. `list` names the list and its order, so that a cursor of another one is refused.
pub(crate) fn encode(list: &str, key: &impl Serialize) -> Cursor {
    let json = serde_json::to_vec(&(list, key)).expect("keys have JSON forms");
    Cursor(URL_SAFE_NO_PAD.encode(json))
}

/// How JSON spells a character that PostgreSQL does not take.
const NUL: &[u8] = br"\u0000";

/// Reads a cursor of a list.
pub(crate) fn decode<K: DeserializeOwned>(list: &str, cursor: &Cursor) -> Result<K, Error> {
    let json = URL_SAFE_NO_PAD.decode(&cursor.0).map_err(|_| Error::InvalidCursor)?;
    // A key was a stored value, and no database keeps this in a text.
    if json.windows(NUL.len()).any(|part| part == NUL) {
        return Err(Error::InvalidCursor);
    }
    let (found, key): (String, K) = serde_json::from_slice(&json).map_err(|_| Error::InvalidCursor)?;
    if found == list { Ok(key) } else { Err(Error::InvalidCursor) }
}

/// The key to go on after, if the request has one.
pub(crate) fn after<K: DeserializeOwned>(list: &str, page: &PageRequest) -> Result<Option<K>, Error> {
    page.cursor.as_ref().map(|cursor| decode(list, cursor)).transpose()
}

/// Makes a page of one row more than was asked for: the extra row only tells that there is more.
pub(crate) fn page<R, T, K: Serialize>(
    list: &str,
    request: &PageRequest,
    mut rows: Vec<R>,
    key: impl Fn(&R) -> K,
    item: impl FnMut(R) -> Result<T, Error>,
) -> Result<Page<T>, Error> {
    let limit = usize::try_from(request.limit).unwrap_or(usize::MAX);
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = if more { rows.last().map(|row| encode(list, &key(row))) } else { None };
    let items = rows.into_iter().map(item).collect::<Result<_, _>>()?;
    Ok(Page { items, next })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_its_own_list_reads_a_cursor() {
        let cursor = encode("orders", &(7, "x".to_owned()));
        assert_eq!(decode::<(i32, String)>("orders", &cursor).unwrap(), (7, "x".to_owned()));
        assert!(matches!(decode::<(i32, String)>("stocks", &cursor), Err(Error::InvalidCursor)));
        assert!(matches!(decode::<i32>("orders", &cursor), Err(Error::InvalidCursor)));
        for wrong in ["", "x", "????", "bnVsbA"] {
            assert!(matches!(decode::<i32>("orders", &Cursor(wrong.into())), Err(Error::InvalidCursor)));
        }
    }
}
