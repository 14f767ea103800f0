//! A list read row by row while its answer arrives, so that neither the answer nor its rows need to be held.

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::{SENSELESS, note_failed, row};
use crate::{error::Error, http::Arrival};

/// Most bytes of one row: it has to be held until it is whole.
const LONGEST_ROW: usize = 256 * 1024;

/// What becomes of the rows of a list.
pub(crate) trait Keep: Send {
    /// A row as the marketplace writes it.
    type Row: DeserializeOwned;

    /// Keeps a row, or says that it cannot be one.
    fn keep(&mut self, row: Self::Row) -> Option<()>;

    /// Learns of a row that cannot be read, by its text.
    fn lose(&mut self, _row: &str) {}
}

/// Reads an answer that is a list. One that breaks off is a transient failure, one that is no list a changed contract.
pub(crate) struct List<K> {
    endpoint: &'static str,
    kept: K,
    /// What has come and has not been read.
    window: Vec<u8>,
    expected: Expected,
    rows: u64,
    failed: u64,
}

/// A list that has been read to its end.
#[derive(Debug)]
pub(crate) struct Listed<K> {
    pub kept: K,
    /// All of its rows.
    pub rows: u64,
    /// Those of them that could not be read.
    pub failed: u64,
}

/// What must come next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    List,
    RowOrEnd,
    Row,
    CommaOrEnd,
    Nothing,
}

impl<K: Keep> List<K> {
    pub(crate) fn new(endpoint: &'static str, kept: K) -> Self {
        Self { endpoint, kept, window: Vec::new(), expected: Expected::List, rows: 0, failed: 0 }
    }

    fn misfit(&self, what: &str) -> Error {
        Error::ContractChanged { endpoint: self.endpoint, what: format!("{}: {what}", self.rows) }
    }

    /// Reads as many rows as are whole; gives the number of bytes they took.
    fn read(&mut self, window: &[u8]) -> Result<usize, Error> {
        let mut at = 0;
        loop {
            at += window[at..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            let Some(byte) = window.get(at) else { return Ok(at) };
            let (length, next) = match (self.expected, byte) {
                (Expected::List, b'[') => (1, Expected::RowOrEnd),
                (Expected::List, _) => return Err(self.misfit("expected a list")),
                (Expected::RowOrEnd | Expected::CommaOrEnd, b']') => (1, Expected::Nothing),
                (Expected::CommaOrEnd, b',') => (1, Expected::Row),
                (Expected::CommaOrEnd, _) => return Err(self.misfit("expected `,` or `]`")),
                (Expected::Nothing, _) => return Err(self.misfit("trailing characters")),
                (Expected::Row | Expected::RowOrEnd, _) => {
                    let Some(text) = self.whole(&window[at..])? else { return Ok(at) };
                    self.add(text);
                    (text.len(), Expected::CommaOrEnd)
                }
            };
            at += length;
            self.expected = next;
        }
    }

    /// The value at the beginning of a text, if all of it is there.
    fn whole<'a>(&self, text: &'a [u8]) -> Result<Option<&'a str>, Error> {
        match length_of_value(text) {
            Some(length) => match serde_json::from_slice::<&RawValue>(&text[..length]) {
                Ok(value) => Ok(Some(value.get())),
                Err(error) => Err(self.misfit(&error.to_string())),
            },
            None if text.len() > LONGEST_ROW => Err(self.misfit("a row without end")),
            None => Ok(None),
        }
    }

    fn add(&mut self, text: &str) {
        self.rows += 1;
        let outcome = match row(text) {
            Ok(row) => self.kept.keep(row).ok_or_else(|| SENSELESS.to_owned()),
            Err(why) => {
                self.kept.lose(text);
                Err(why)
            }
        };
        if let Err(why) = outcome {
            note_failed(self.endpoint, &mut self.failed, &why);
        }
    }
}

/// How long the value at the beginning of a text is; none if it goes on after the text. Only brackets and quotes are
/// looked at: whether it is a value at all shows when it is parsed.
fn length_of_value(text: &[u8]) -> Option<usize> {
    let (mut depth, mut in_string, mut is_escaped) = (0_usize, false, false);
    for (at, byte) in text.iter().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if in_string => is_escaped = true,
            b'"' if in_string && depth == 0 => return Some(at + 1),
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth == 1 => return Some(at + 1),
            b'}' | b']' if depth > 1 => depth -= 1,
            b'}' | b']' | b',' | b' ' | b'\t' | b'\r' | b'\n' if depth == 0 => return Some(at),
            _ => {}
        }
    }
    None
}

impl<K: Keep> Arrival for List<K> {
    type Output = Listed<K>;

    fn take(&mut self, piece: &[u8]) -> Result<(), Error> {
        let mut window = std::mem::take(&mut self.window);
        window.extend_from_slice(piece);
        let read = self.read(&window)?;
        window.drain(..read);
        self.window = window;
        Ok(())
    }

    fn end(self) -> Result<Listed<K>, Error> {
        if self.expected == Expected::Nothing {
            let Self { kept, rows, failed, .. } = self;
            return Ok(Listed { kept, rows, failed });
        }
        let what = "the answer breaks off".to_owned();
        Err(Error::Transient { operation: self.endpoint, what, retry_after: None })
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Row {
        id: u32,
    }

    #[derive(Debug, Default)]
    struct Ids {
        kept: Vec<u32>,
        lost: Vec<String>,
    }

    impl Keep for Ids {
        type Row = Row;

        fn keep(&mut self, row: Row) -> Option<()> {
            self.kept.push((row.id > 0).then_some(row.id)?);
            Some(())
        }

        fn lose(&mut self, row: &str) {
            self.lost.push(row.to_owned());
        }
    }

    /// Reads a text that comes in pieces of a length.
    fn read(text: &str, piece: usize) -> Result<Listed<Ids>, Error> {
        let mut list = List::new("test", Ids::default());
        for piece in text.as_bytes().chunks(piece) {
            list.take(piece)?;
        }
        list.end()
    }

    #[test]
    fn rows_come_one_by_one_and_a_bad_one_is_counted() {
        let text = " [ {\"id\":1,\"more\":[{\"я\":\"]}\\\"\"},-1.5e3,true]} ,{\"id\":\"x\"},{\"id\":0},null,123,{\"id\":2,\
                    \"name\":\"\\u0000\"},{\"id\":3}\n] ";
        for piece in 1..text.len() {
            let list = read(text, piece).unwrap();
            assert_eq!((list.kept.kept, list.rows, list.failed), (vec![1, 3], 7, 5), "{piece}");
            assert_eq!(list.kept.lost.len(), 4, "one could be read and made no sense");
            assert!(list.kept.lost.contains(&"123".to_owned()));
        }
        assert_eq!(read("[]", 1).unwrap().rows, 0);
    }

    #[test]
    fn what_is_no_list_says_where() {
        for (text, place) in [
            (r#"{"id":1}"#, "0: expected a list"),
            ("null", "0: expected a list"),
            (r#"[{"id":1}]]"#, "1: trailing"),
            (r#"[{"id":1} {"id":2}]"#, "1: expected `,`"),
            ("[{]", "0: "),
            ("[,]", "0: "),
            (r#"[{"id":1},]"#, "1: "),
        ] {
            for piece in [1, 3, 100] {
                let error = read(text, piece).unwrap_err();
                let Error::ContractChanged { endpoint: "test", what } = error else {
                    panic!("{text}: {error}")
                };
                assert!(what.starts_with(place), "{text}: {what}");
            }
        }
    }

    #[test]
    fn a_list_that_breaks_off_may_be_asked_for_again() {
        for text in ["", " ", "[", r#"[{"id":1}"#, r#"[{"id":1},"#, r#"[{"id":"a"#, "[12"] {
            let error = read(text, 2).unwrap_err();
            assert!(matches!(error, Error::Transient { .. }), "{text}: {error}");
        }
    }

    #[test]
    fn a_row_without_end_is_not_waited_for() {
        let text = format!("[{{\"id\":\"{}", "x".repeat(LONGEST_ROW + 1));
        assert!(matches!(read(&text, 16 * 1024), Err(Error::ContractChanged { .. })));
    }
}
