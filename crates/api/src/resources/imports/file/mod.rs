//! From the bytes of a file to its lines.

mod archive;
mod csv;
mod encoding;
mod xlsx;

use std::{fs::File, io::Read as _};

use domain::import::{self, Line};

use crate::problem::Problem;

/// Cells of a line that are looked at; a header of as many is refused.
const MOST_COLUMNS: usize = 250;

/// What kind of file it is, as its client says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Format {
    /// Text, in an encoding that its client may name.
    Csv {
        /// `charset` of the media type.
        charset: Option<String>,
    },
    /// A workbook.
    Xlsx,
}

impl Format {
    /// The media type of workbooks.
    pub(super) const XLSX_MEDIA_TYPE: &str =
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

    /// The format of a media type, if it is read here.
    pub(super) fn of(media_type: &str) -> Option<Self> {
        let mut parts = media_type.split(';');
        let kind = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
        match kind.as_str() {
            "text/csv" => {
                let charset = parts.find_map(|part| {
                    let (name, value) = part.split_once('=')?;
                    name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"'))
                });
                Some(Self::Csv { charset: charset.map(str::to_owned) })
            }
            Self::XLSX_MEDIA_TYPE => Some(Self::Xlsx),
            _ => None,
        }
    }

    /// Its name in reports.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Csv { .. } => "csv",
            Self::Xlsx => "xlsx",
        }
    }
}

/// A file that has been read.
#[derive(Debug)]
pub(super) struct Contents<L> {
    /// Its lines, and what is wrong with them.
    pub(super) file: import::File<L>,
    /// The encoding of a text.
    pub(super) encoding: Option<&'static str>,
    /// What stands between the cells of a text.
    pub(super) separator: Option<char>,
}

impl<L> Contents<L> {
    fn unreadable(detail: impl Into<String>) -> Self {
        Self { file: import::File::unreadable(detail), encoding: None, separator: None }
    }
}

/// Reads a file, off the async threads. What is wrong with it is in what it gives; only a defect is a problem.
pub(super) async fn read<L: Line + Send + 'static>(
    file: File,
    format: Format,
) -> Result<Contents<L>, Problem> {
    let reading = tokio::task::spawn_blocking(move || match format {
        Format::Csv { charset } => {
            let (mut file, mut bytes) = (file, Vec::new());
            file.read_to_end(&mut bytes)?;
            Ok(csv::read(&bytes, charset.as_deref()))
        }
        Format::Xlsx => xlsx::read(file),
    });
    match reading.await {
        Ok(read) => read.map_err(|error: std::io::Error| Problem::internal(error)),
        // A reader of foreign formats may give up on nonsense without a word. That is the file's fault, and is said so.
        Err(failed) if failed.is_panic() => {
            tracing::error!("a file could not be read: its reader panicked");
            Ok(Contents::unreadable("cannot be read: it is damaged"))
        }
        Err(cancelled) => Err(Problem::internal(cancelled)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_types_are_known_whatever_their_case_and_parameters() {
        assert_eq!(Format::of("text/csv"), Some(Format::Csv { charset: None }));
        assert_eq!(
            Format::of("Text/CSV; header=present; Charset=\"windows-1251\""),
            Some(Format::Csv { charset: Some("windows-1251".into()) })
        );
        assert_eq!(Format::of(Format::XLSX_MEDIA_TYPE), Some(Format::Xlsx));
        for other in ["", "text/plain", "application/json", "text/csvx", "application/vnd.ms-excel"] {
            assert_eq!(Format::of(other), None, "{other}");
        }
    }
}
