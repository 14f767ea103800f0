//! Lines of CSV: with commas, semicolons or tabs between cells, whichever the header has.

use std::{borrow::Cow, io::Read};

use csv::{Reader, ReaderBuilder, StringRecord};
use domain::import::{Cell, Line, Place, Sheet};

use super::{Contents, MOST_COLUMNS, encoding::decode};

/// What may stand between cells; of those that fit equally, the first.
const SEPARATORS: [u8; 3] = [b',', b';', b'\t'];

/// A line of ours behind the last: where it is not read as a line, a quote before it was never closed.
const LAST: &str = "\u{1}end of file";

/// Reads a text.
pub(super) fn read<L: Line>(bytes: &[u8], charset: Option<&str>) -> Contents<L> {
    let (text, encoding) = match decode(bytes, charset) {
        Ok(decoded) => decoded,
        Err(detail) => return Contents::unreadable(detail),
    };
    let text = one_kind_of_line_end(&text);
    let (told, text, skipped) = told_separator(&text);
    let separator = told.unwrap_or_else(|| separator::<L>(text));
    let last = format!("\n{LAST}\n");
    let mut sheet: Option<Sheet<L>> = None;
    let mut record = StringRecord::new();
    let mut reader = reader(text.as_bytes().chain(last.as_bytes()), separator);
    let mut lines = Lines { text, at: 0, line: skipped + 1 };
    let mut is_whole = false;
    // The text is UTF-8 and lines may be of any length, so nothing is left that could fail.
    while reader.read_record(&mut record).is_ok_and(|more| more) {
        if record.len() == 1 && &record[0] == LAST {
            is_whole = true;
            break;
        }
        let number = lines.of(&record);
        let cells = cells(&record);
        match &mut sheet {
            None => sheet = Some(Sheet::new(&cells)),
            // The line in which the quote begins, with everything after it in one cell.
            Some(_) if record.iter().next_back().is_some_and(|cell| cell.contains(LAST)) => break,
            Some(sheet) => {
                if !sheet.push(number, &cells) {
                    is_whole = true;
                    break;
                }
            }
        }
    }
    let Some(sheet) = sheet else { return Contents::unreadable("is empty") };
    let file = if is_whole {
        sheet.finish()
    } else {
        sheet.broken(Place::Line(lines.line), "has a quote that is never closed; what follows is not read")
    };
    Contents { file, encoding: Some(encoding), separator: Some(char::from(separator)) }
}

fn reader<R: Read>(text: R, separator: u8) -> Reader<R> {
    ReaderBuilder::new().has_headers(false).flexible(true).delimiter(separator).from_reader(text)
}

fn cells(record: &StringRecord) -> Vec<Cell<'_>> {
    let cells = record.iter().map(|text| if text.is_empty() { Cell::Empty } else { Cell::Text(text.into()) });
    cells.take(MOST_COLUMNS).collect()
}

/// Counts lines as editors do: the reader does so before it has skipped the rest of a line end, and blank lines.
struct Lines<'t> {
    text: &'t str,
    /// So far have lines been counted.
    at: usize,
    /// The line that this is in.
    line: u64,
}

impl Lines<'_> {
    /// The line in which a record begins. Records come in their order.
    fn of(&mut self, record: &StringRecord) -> u64 {
        let bytes = self.text.as_bytes();
        let begins = record.position().map_or(0, csv::Position::byte);
        let mut begins = usize::try_from(begins).unwrap_or(usize::MAX).min(bytes.len());
        while matches!(bytes.get(begins), Some(b'\r' | b'\n')) {
            begins += 1;
        }
        self.line += self.text[self.at..begins].matches('\n').count() as u64;
        self.at = begins;
        self.line
    }
}

/// The separator with which the header is understood best.
fn separator<L: Line>(text: &str) -> u8 {
    let fits = |separator: &u8| {
        let mut record = StringRecord::new();
        let is_there = reader(text.as_bytes(), *separator).read_record(&mut record).is_ok_and(|more| more);
        if is_there { (Sheet::<L>::understood(&cells(&record)), record.len()) } else { (0, 0) }
    };
    // Of equals, `max_by_key` takes the last.
    SEPARATORS.into_iter().rev().max_by_key(fits).unwrap_or(b',')
}

/// Old Macs end lines with a carriage return alone; then lines could not be counted.
fn one_kind_of_line_end(text: &str) -> Cow<'_, str> {
    if text.contains('\r') && !text.contains('\n') { text.replace('\r', "\n").into() } else { text.into() }
}

/// The separator that some spreadsheets announce in a line `sep=;` of its own, the text behind it, and how many lines
/// were left out.
fn told_separator(text: &str) -> (Option<u8>, &str, u64) {
    let told = text.strip_prefix("sep=").and_then(|rest| {
        let separator = *rest.as_bytes().first().filter(|byte| SEPARATORS.contains(byte))?;
        let rest = &rest[1..];
        let behind = rest.strip_prefix("\r\n").or_else(|| rest.strip_prefix('\n'))?;
        Some((Some(separator), behind, 1))
    });
    told.unwrap_or((None, text, 0))
}

#[cfg(test)]
mod tests {
    use csv::{Terminator, WriterBuilder};
    use domain::import::{Catalogue, ProductLine, StockLine, Unit};
    use proptest::prelude::*;

    use super::*;

    fn stock(text: &str) -> Contents<StockLine> {
        read(text.as_bytes(), None)
    }

    fn told<L>(contents: &Contents<L>) -> Vec<String> {
        let problems = contents.file.problems.listed().iter();
        problems.map(|problem| format!("{} {}", problem.place, problem.detail)).collect()
    }

    fn units(contents: &Contents<StockLine>) -> Vec<(u64, String, i64)> {
        let lines = contents.file.lines.iter();
        lines
            .map(|(number, line)| match &line.unit {
                Unit::Sku(sku) => (*number, sku.clone(), line.available),
                other => panic!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn the_separator_is_found() {
        for (text, separator) in [
            ("sku,available\na,1\n", ','),
            ("sku;available\na;1\n", ';'),
            ("sku\tavailable\na\t1\n", '\t'),
            ("sku;available;note, comma\na;1;x,y\n", ';'),
            ("\"sku\";\"available\"\r\n\"a\";\"1\"\r\n", ';'),
            ("sep=;\r\nsku;available\r\na;1\r\n", ';'),
            ("\u{feff}sku,available\ra,1\r", ','),
        ] {
            let contents = stock(text);
            assert_eq!((contents.separator, told(&contents)), (Some(separator), vec![]), "{text:?}");
            let number = if text.starts_with("sep=") { 3 } else { 2 };
            assert_eq!(units(&contents), [(number, "a".to_owned(), 1)], "{text:?}");
        }
    }

    #[test]
    fn lines_are_counted_as_editors_count_them() {
        let contents = stock("sku,note,available\na,\"two\nlines\",1\n\nb,,2\nc,,x\n");
        assert_eq!(units(&contents), [(2, "a".into(), 1), (5, "b".into(), 2)]);
        assert_eq!(told(&contents), ["/lines/6/available must be a whole number"]);
    }

    #[test]
    fn a_quote_that_is_never_closed_is_seen() {
        let contents = stock("sku,available,note\na,1,fine\nb,2,\"open\nc,3,lost\n");
        assert_eq!(told(&contents), ["/lines/3 has a quote that is never closed; what follows is not read"]);
        let header = told(&stock("sku,\"available\na,1\n"));
        assert_eq!(
            header.last().unwrap(),
            "/lines/1 has a quote that is never closed; what follows is not read"
        );
    }

    #[test]
    fn what_is_no_table_is_told() {
        assert_eq!(told(&stock("")), ["/file is empty"]);
        assert_eq!(told(&stock("\n\n")), ["/file is empty"]);
        assert_eq!(told(&stock("sku,available\n")), ["/file has no lines"]);
        assert_eq!(
            told(&stock("{\"json\": true}"))[0].split(' ').next(),
            Some("/columns/external_variant_id")
        );
        assert_eq!(told(&read::<StockLine>(b"sku,available\na\0,1", None)).len(), 1);
    }

    #[test]
    fn titles_keep_their_line_breaks() {
        let contents = read::<ProductLine>("sku;name\na;\"one\ntwo \"\"three\"\"\"\n".as_bytes(), None);
        let (catalogue, problems) = Catalogue::of(&contents.file);
        assert!(problems.is_empty(), "{problems:?}");
        assert_eq!(catalogue.rows[0].name.as_deref(), Some("one\ntwo \"three\""));
    }

    proptest! {
        /// Whatever is written as CSV, with any separator and line end, is read as it was.
        #[test]
        fn what_is_written_is_read(
            lines in prop::collection::vec(("[A-Za-zА-я0-9 ,;\t\"'=._-]{1,12}", 0_i64..100_000, "(?s).{0,12}"), 1..20),
            separator in prop::sample::select(&SEPARATORS[..]),
            crlf: bool,
        ) {
            let terminator = if crlf { Terminator::CRLF } else { Terminator::Any(b'\n') };
            let mut writer = WriterBuilder::new().delimiter(separator).terminator(terminator).from_writer(Vec::new());
            writer.write_record(["sku", "available", "note"]).unwrap();
            for (sku, available, note) in &lines {
                writer.write_record([sku, &available.to_string(), note]).unwrap();
            }
            let bytes = writer.into_inner().unwrap();
            prop_assume!(!bytes.contains(&0));
            let contents = read::<StockLine>(&bytes, None);
            let expected: Vec<(String, i64)> = lines
                .iter()
                .map(|(sku, available, _)| (domain::spreadsheet::unmark(sku.trim()).trim().to_owned(), *available))
                .filter(|(sku, _)| !sku.is_empty() && !sku.chars().any(char::is_control))
                .collect();
            let read: Vec<(String, i64)> = units(&contents).into_iter().map(|(_, sku, units)| (sku, units)).collect();
            prop_assert_eq!(read, expected);
        }

        /// No bytes at all make the reader fail.
        #[test]
        fn nonsense_is_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let contents = read::<StockLine>(&bytes, None);
            prop_assert!(contents.file.lines.is_empty() || contents.file.columns.len() >= 2);
        }
    }
}
