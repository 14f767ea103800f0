//! A file as lines with columns.

use std::collections::{BTreeMap, BTreeSet};

use super::{Cell, Column, Place, Problems, column::fold};

/// Most lines of a file, without its header.
pub const MOST_LINES: usize = 200_000;

/// Most columns that are looked at; more is no table of stock.
const MOST_COLUMNS: usize = 200;

/// Most characters of an unknown column's title that are repeated.
const TITLE_SHOWN: usize = 60;

/// What a line of a kind of file tells.
pub trait Line: Sized {
    /// The columns that are understood.
    const COLUMNS: &'static [Column];
    /// Of each of these groups, one column must be there.
    const NEEDED: &'static [&'static [Column]];

    /// Reads a line; what is wrong with it is noted in the row.
    fn read(row: &mut Row<'_>) -> Option<Self>;
}

/// A file that is being read, line by line.
#[derive(Debug)]
pub struct Sheet<L> {
    columns: BTreeMap<Column, usize>,
    width: usize,
    /// Lines that are not blank, good or bad.
    seen: usize,
    file: File<L>,
}

/// A file that has been read.
#[derive(Debug, Clone, PartialEq)]
pub struct File<L> {
    /// Lines that could be read, with their numbers.
    pub lines: Vec<(u64, L)>,
    /// The columns that are there.
    pub columns: BTreeSet<Column>,
    /// Titles of columns that are not understood, and are left alone.
    pub ignored: Vec<String>,
    /// What is wrong with the file.
    pub problems: Problems,
}

impl<L> File<L> {
    /// A file that cannot be read at all.
    pub fn unreadable(detail: impl Into<String>) -> Self {
        Self::with(Problems::one(Place::File, detail))
    }

    const fn with(problems: Problems) -> Self {
        Self { lines: Vec::new(), columns: BTreeSet::new(), ignored: Vec::new(), problems }
    }
}

impl<L: Line> Sheet<L> {
    /// Begins with the header.
    pub fn new(header: &[Cell<'_>]) -> Self {
        let mut sheet = Self {
            columns: BTreeMap::new(),
            width: header.len(),
            seen: 0,
            file: File::with(Problems::default()),
        };
        if header.len() > MOST_COLUMNS {
            sheet.note(Place::File, format!("has more than {MOST_COLUMNS} columns"));
            return sheet;
        }
        for (at, cell) in header.iter().enumerate() {
            let Ok(Some(title)) = cell.text() else { continue };
            let folded = fold(&title);
            match L::COLUMNS.iter().find(|column| column.is_titled(&folded)) {
                None => sheet.file.ignored.push(title.chars().take(TITLE_SHOWN).collect()),
                Some(column) if sheet.columns.contains_key(column) => {
                    sheet.note(Place::Column(*column), "is there twice: two titles stand for it");
                }
                Some(column) => {
                    sheet.columns.insert(*column, at);
                }
            }
        }
        for group in L::NEEDED {
            if !group.iter().any(|column| sheet.columns.contains_key(column)) {
                let names: Vec<_> = group.iter().map(|column| format!("`{}`", column.name())).collect();
                sheet.note(
                    Place::Column(group[0]),
                    format!("is missing: the first line must name {}", names.join(" or ")),
                );
            }
        }
        sheet.file.columns = sheet.columns.keys().copied().collect();
        sheet
    }

    /// How many columns of a header are understood; tells a right separator from a wrong one.
    pub fn understood(header: &[Cell<'_>]) -> usize {
        Self::new(header).columns.len()
    }

    /// Reads a line. Says whether to go on: a file that cannot be read, or that is too long, needs no more.
    pub fn push(&mut self, number: u64, cells: &[Cell<'_>]) -> bool {
        if self.columns.is_empty()
            || !L::NEEDED.iter().all(|group| group.iter().any(|c| self.columns.contains_key(c)))
        {
            return false;
        }
        if cells.iter().all(Cell::is_blank) {
            return true;
        }
        self.seen += 1;
        if self.seen > MOST_LINES {
            self.note(Place::File, format!("has more than {MOST_LINES} lines: split it"));
            return false;
        }
        if cells.iter().skip(self.width).any(|cell| !cell.is_blank()) {
            self.note(
                Place::Line(number),
                format!("has more cells than the header, which has {}", self.width),
            );
            return true;
        }
        let mut row =
            Row { number, cells, columns: &self.columns, problems: &mut self.file.problems, is_wrong: false };
        let line = L::read(&mut row);
        if let (Some(line), false) = (line, row.is_wrong) {
            self.file.lines.push((number, line));
        }
        true
    }

    /// Ends the file.
    pub fn finish(mut self) -> File<L> {
        if self.file.lines.is_empty() && self.file.problems.is_empty() {
            self.note(Place::File, "has no lines");
        }
        self.file
    }

    /// Ends a file in which something is wrong that only its format knows.
    pub fn broken(mut self, place: Place, detail: impl Into<String>) -> File<L> {
        self.note(place, detail);
        self.file
    }

    fn note(&mut self, place: Place, detail: impl Into<String>) {
        self.file.problems.push(place, detail);
    }
}

/// A line that is being read.
#[derive(Debug)]
pub struct Row<'a> {
    number: u64,
    cells: &'a [Cell<'a>],
    columns: &'a BTreeMap<Column, usize>,
    problems: &'a mut Problems,
    is_wrong: bool,
}

impl Row<'_> {
    /// The text of a column, of at most so many characters, in one line.
    pub(super) fn text(&mut self, column: Column, most: usize) -> Option<String> {
        let text = self.long_text(column, most)?;
        if text.chars().any(char::is_control) {
            self.wrong(column, "must be in one line, without control characters");
            return None;
        }
        Some(text)
    }

    /// The text of a column, of at most so many characters, which may have line breaks.
    pub(super) fn long_text(&mut self, column: Column, most: usize) -> Option<String> {
        let text = match self.cell(column)?.text() {
            Ok(text) => text?,
            Err(detail) => {
                self.wrong(column, detail);
                return None;
            }
        };
        if text.chars().count() > most {
            self.wrong(column, format!("must have at most {most} characters"));
            return None;
        }
        if text.contains(|c: char| c.is_control() && !c.is_whitespace()) {
            self.wrong(column, "must not contain control characters");
            return None;
        }
        Some(text)
    }

    /// The whole number of a column.
    pub(super) fn units(&mut self, column: Column, most: i64) -> Option<i64> {
        match self.cell(column)?.units(most) {
            Ok(units) => units,
            Err(detail) => {
                self.wrong(column, detail);
                None
            }
        }
    }

    /// The whole number of a column that must have one; `empty` says what is wrong where it has none.
    pub(super) fn needed_units(&mut self, column: Column, most: i64, empty: &str) -> Option<i64> {
        let read = self.cell(column).map_or(Ok(None), |cell| cell.units(most));
        match read.and_then(|units| units.ok_or_else(|| empty.to_owned())) {
            Ok(units) => Some(units),
            Err(detail) => {
                self.wrong(column, detail);
                None
            }
        }
    }

    /// Notes something wrong with a cell.
    pub(super) fn wrong(&mut self, column: Column, detail: impl Into<String>) {
        self.is_wrong = true;
        self.problems.push(Place::Cell(self.number, column), detail);
    }

    /// Whether something is wrong with the line.
    pub(super) const fn is_wrong(&self) -> bool {
        self.is_wrong
    }

    /// The first column of some that is there.
    pub(super) fn first_of(&self, columns: &[Column]) -> Column {
        let there = columns.iter().find(|column| self.columns.contains_key(column));
        *there.unwrap_or(&columns[0])
    }

    fn cell(&self, column: Column) -> Option<&Cell<'_>> {
        self.cells.get(*self.columns.get(&column)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::{StockLine, Unit};

    fn cells<'a>(texts: &[&'a str]) -> Vec<Cell<'a>> {
        texts.iter().map(|text| Cell::Text((*text).into())).collect()
    }

    /// Problems as `pointer detail`.
    fn told<L>(file: &File<L>) -> Vec<String> {
        file.problems.listed().iter().map(|problem| format!("{} {}", problem.place, problem.detail)).collect()
    }

    fn read(header: &[&str], lines: &[&[&str]]) -> File<StockLine> {
        let mut sheet = Sheet::new(&cells(header));
        for (number, line) in (2..).zip(lines) {
            sheet.push(number, &cells(line));
        }
        sheet.finish()
    }

    #[test]
    fn columns_are_found_by_their_titles_in_any_order() {
        let file = read(
            &["Остаток", "Комментарий", "Артикул", "Склад"],
            &[&["5", "x", "A-1", "Main"], &["", "", "", ""], &["0", "y", "'-7", "Main"]],
        );
        assert_eq!(told(&file), Vec::<String>::new());
        assert_eq!(file.ignored, ["Комментарий"]);
        let lines: Vec<_> =
            file.lines.iter().map(|(number, line)| (*number, line.unit.clone(), line.available)).collect();
        assert_eq!(lines, [(2, Unit::Article("A-1".into()), 5), (4, Unit::Article("-7".into()), 0)]);
    }

    #[test]
    fn a_bad_header_is_told_once_and_no_line_is_read() {
        let file = read(&["name", "price"], &[&["a", "1"], &["b", "2"]]);
        assert_eq!(
            told(&file),
            [
                "/columns/external_variant_id is missing: the first line must name `external_variant_id` or `sku` or `barcode` or `seller_article`",
                "/columns/available is missing: the first line must name `available`",
            ]
        );
        assert!(file.lines.is_empty());
        let file = read(&["sku", "СКУ", "остаток"], &[&["a", "a", "1"]]);
        assert_eq!(told(&file), ["/columns/sku is there twice: two titles stand for it"]);
    }

    #[test]
    fn a_line_that_is_wrong_is_told_and_the_others_are_read() {
        let file = read(
            &["sku", "available", "reserved"],
            &[&["a", "x", "-1"], &["", "5"], &["b", ""], &["c", "1", "", "spare"], &["d", "7", "2", " "]],
        );
        assert_eq!(
            told(&file),
            [
                "/lines/2/available must be a whole number",
                "/lines/2/reserved must not be negative",
                "/lines/3/sku is empty",
                "/lines/4/available is empty: write 0 where there is none",
                "/lines/5 has more cells than the header, which has 3",
            ]
        );
        assert_eq!(file.lines.len(), 1);
        assert_eq!(file.lines[0].1.reserved, Some(2));
    }

    #[test]
    fn a_file_without_lines_is_no_file() {
        assert_eq!(told(&read(&["sku", "available"], &[])), ["/file has no lines"]);
        assert_eq!(told(&read(&["sku", "available"], &[&[" ", ""]])), ["/file has no lines"]);
    }

    #[test]
    fn texts_are_bounded_and_in_one_line() {
        let long = "x".repeat(201);
        let file = read(&["sku", "available"], &[&[&long, "1"], &["a\nb", "1"], &["a\u{0}b", "1"]]);
        assert_eq!(
            told(&file),
            [
                "/lines/2/sku must have at most 200 characters",
                "/lines/3/sku must be in one line, without control characters",
                "/lines/4/sku must not contain control characters",
            ]
        );
    }

    #[test]
    fn a_file_that_is_too_long_is_refused() {
        let mut sheet = Sheet::<StockLine>::new(&cells(&["sku", "available"]));
        let line = cells(&["a", "1"]);
        let read = (2..=MOST_LINES as u64 + 10).take_while(|number| sheet.push(*number, &line)).count();
        assert_eq!(read, MOST_LINES);
        assert_eq!(told(&sheet.finish()), ["/file has more than 200000 lines: split it"]);
    }
}
