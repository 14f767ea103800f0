//! What is wrong with a file, and where.

use std::fmt;

use super::Column;

/// Most problems of a file that are told one by one; all of them are counted.
pub const MOST_LISTED: usize = 1000;

/// Where something is wrong. Written as a JSON pointer, such as `/lines/7/available`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The file as a whole.
    File,
    /// A column.
    Column(Column),
    /// A line, by its number in the file, from 1; the header has one too.
    Line(u64),
    /// A cell of a line.
    Cell(u64, Column),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File => f.write_str("/file"),
            Self::Column(column) => write!(f, "/columns/{}", column.name()),
            Self::Line(line) => write!(f, "/lines/{line}"),
            Self::Cell(line, column) => write!(f, "/lines/{line}/{}", column.name()),
        }
    }
}

impl Place {
    /// The line, if it is in one.
    const fn line(self) -> Option<u64> {
        match self {
            Self::File | Self::Column(_) => None,
            Self::Line(line) | Self::Cell(line, _) => Some(line),
        }
    }
}

/// Something wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub place: Place,
    /// What, to follow the name of the place.
    pub detail: String,
}

/// Everything wrong with a file: the first of it in words, all of it in number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problems {
    listed: Vec<Problem>,
    total: u64,
}

impl Problems {
    /// One problem.
    pub fn one(place: Place, detail: impl Into<String>) -> Self {
        let mut problems = Self::default();
        problems.push(place, detail);
        problems
    }

    /// Adds a problem.
    pub fn push(&mut self, place: Place, detail: impl Into<String>) {
        self.total += 1;
        if self.listed.len() < MOST_LISTED {
            self.listed.push(Problem { place, detail: detail.into() });
        }
    }

    /// The same, line by line.
    #[must_use]
    pub fn in_order(mut self) -> Self {
        self.listed.sort_by_key(|problem| problem.place.line());
        self
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// How many there are.
    pub const fn total(&self) -> u64 {
        self.total
    }

    /// The first of them, at most [`MOST_LISTED`].
    pub fn listed(&self) -> &[Problem] {
        &self.listed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_pointers() {
        assert_eq!(Place::File.to_string(), "/file");
        assert_eq!(Place::Column(Column::Sku).to_string(), "/columns/sku");
        assert_eq!(Place::Line(2).to_string(), "/lines/2");
        assert_eq!(Place::Cell(7, Column::Available).to_string(), "/lines/7/available");
    }

    #[test]
    fn all_are_counted_and_the_first_are_told() {
        let mut problems = Problems::default();
        for line in 0..MOST_LISTED as u64 + 5 {
            problems.push(Place::Line(line), "is wrong");
        }
        assert_eq!((problems.listed().len(), problems.total()), (MOST_LISTED, MOST_LISTED as u64 + 5));
    }
}
