//! Whether a workbook can be unpacked without harm.
//!
//! A few kilobytes of an archive can unpack to gigabytes, and its own word for its size may be a lie. So everything in it
//! is unpacked once and counted before anybody reads it.

use std::io::{self, Read, Seek};

use zip::ZipArchive;

/// What a workbook may unpack to.
struct Limits {
    /// Files in it.
    files: usize,
    /// Bytes of all of them.
    bytes: u64,
    /// Bytes of the formats of cells: each becomes a hundred times its size when it is read.
    styles: u64,
}

const LIMITS: Limits = Limits { files: 1000, bytes: 100 * 1024 * 1024, styles: 4 * 1024 * 1024 };

/// The number of texts that a workbook promises, for which its reader makes room at once.
const PROMISE: &[u8] = b"uniqueCount";
/// Most digits of that number.
const MOST_DIGITS: usize = 7;
/// Bytes behind the word in which the whole number must stand.
const WINDOW: usize = 64;

/// Says in words why a workbook is not read; nothing if it can be.
pub(super) fn refusal(file: impl Read + Seek) -> io::Result<Option<&'static str>> {
    within(&LIMITS, file)
}

fn within(limits: &Limits, file: impl Read + Seek) -> io::Result<Option<&'static str>> {
    let Ok(mut archive) = ZipArchive::new(file) else {
        return Ok(Some("is not a workbook (XLSX)"));
    };
    if archive.len() > limits.files {
        return Ok(Some("is a workbook of too many parts"));
    }
    let mut left = limits.bytes;
    for index in 0..archive.len() {
        let Ok(mut part) = archive.by_index(index) else {
            return Ok(Some("is a workbook that is locked, or packed in a way that is not read here"));
        };
        let Ok(name) = part.name().map(|name| name.to_ascii_lowercase()) else {
            return Ok(Some("is a damaged workbook"));
        };
        let most = if name.ends_with("styles.xml") { limits.styles.min(left) } else { left };
        match inspect(&mut part, most, name.ends_with("sharedstrings.xml")) {
            Ok(Inspected::Fine(bytes)) => left -= bytes,
            Ok(Inspected::TooLarge) => return Ok(Some("is too large when it is unpacked: split it")),
            Ok(Inspected::Suspicious) => return Ok(Some("is a damaged workbook")),
            Err(error) if error.kind() == io::ErrorKind::InvalidData || is_damage(&error) => {
                return Ok(Some("is a damaged workbook"));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// Errors of unpacking; others are of reading our own file.
fn is_damage(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::UnexpectedEof | io::ErrorKind::Other)
}

enum Inspected {
    /// So many bytes.
    Fine(u64),
    TooLarge,
    Suspicious,
}

/// Unpacks a part, piece by piece, and looks at what passes.
fn inspect(part: &mut impl Read, most: u64, has_texts: bool) -> io::Result<Inspected> {
    let mut piece = vec![0; 64 * 1024];
    // The end of the piece before, where a promise may have begun.
    let mut kept = 0;
    let mut bytes = 0;
    loop {
        let read = part.read(&mut piece[kept..])?;
        if read == 0 {
            let is_fine = !has_texts || !breaks_promise(&piece[..kept], true);
            return Ok(if is_fine { Inspected::Fine(bytes) } else { Inspected::Suspicious });
        }
        bytes += read as u64;
        if bytes > most {
            return Ok(Inspected::TooLarge);
        }
        if !has_texts {
            continue;
        }
        let seen = &piece[..kept + read];
        // A text in two-byte characters would hide its promise from us.
        if seen.contains(&0) || breaks_promise(seen, false) {
            return Ok(Inspected::Suspicious);
        }
        let keep = (PROMISE.len() + WINDOW).min(seen.len());
        let from = seen.len() - keep;
        piece.copy_within(from..from + keep, 0);
        kept = keep;
    }
}

/// Whether some bytes promise more texts than a workbook has. Near the end of the bytes a promise is left for the next
/// piece, unless there is none.
fn breaks_promise(bytes: &[u8], is_end: bool) -> bool {
    let found = bytes.windows(PROMISE.len()).enumerate().filter(|(_, window)| *window == PROMISE);
    found.into_iter().any(|(at, _)| {
        let rest = &bytes[at + PROMISE.len()..];
        if rest.len() < WINDOW && !is_end {
            return false;
        }
        !is_modest(&rest[..rest.len().min(WINDOW)])
    })
}

/// Whether some bytes begin with `="` and a number of few digits.
fn is_modest(bytes: &[u8]) -> bool {
    let bytes = bytes.trim_ascii_start();
    let Some(value) = bytes.strip_prefix(b"=") else { return false };
    let Some(value) =
        value.trim_ascii_start().strip_prefix(b"\"").or_else(|| value.trim_ascii_start().strip_prefix(b"'"))
    else {
        return false;
    };
    let digits = value.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (1..=MOST_DIGITS).contains(&digits) && matches!(value.get(digits), Some(b'"' | b'\''))
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write as _};

    use zip::{ZipWriter, write::SimpleFileOptions};

    use super::*;

    fn archive(parts: &[(&str, &[u8])]) -> Cursor<Vec<u8>> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in parts {
            writer.start_file(*name, SimpleFileOptions::default()).unwrap();
            writer.write_all(bytes).unwrap();
        }
        writer.finish().unwrap()
    }

    fn said(parts: &[(&str, &[u8])]) -> Option<&'static str> {
        within(&Limits { files: 3, bytes: 100_000, styles: 1000 }, archive(parts)).unwrap()
    }

    #[test]
    fn what_unpacks_to_too_much_is_refused() {
        let blanks = vec![b' '; 100_001];
        assert!(archive(&[("a.xml", &blanks)]).get_ref().len() < 1000, "it is packed small");
        assert_eq!(said(&[("a.xml", &blanks)]), Some("is too large when it is unpacked: split it"));
        assert_eq!(said(&[("a.xml", &blanks[1..])]), None);
        assert!(
            said(&[("a.xml", &blanks[50_000..]), ("b.xml", &blanks[50_000..])]).is_some(),
            "parts are added up"
        );
        assert!(said(&[("xl/Styles.xml", &blanks[..1001])]).is_some());
        assert_eq!(said(&[("xl/styles.xml", &blanks[..1000])]), None);
        assert!(said(&[("a", b""), ("b", b""), ("c", b""), ("d", b"")]).is_some());
    }

    #[test]
    fn an_archive_that_lies_about_its_size_is_refused() {
        let blanks = vec![b' '; 100_001];
        let mut bytes = archive(&[("a.xml", &blanks)]).into_inner();
        let length = u32::try_from(blanks.len()).unwrap().to_le_bytes();
        let places: Vec<usize> =
            bytes.windows(4).enumerate().filter(|(_, window)| *window == length).map(|(at, _)| at).collect();
        assert!(!places.is_empty());
        for at in places {
            bytes[at..at + 4].copy_from_slice(&100_u32.to_le_bytes());
        }
        let limits = Limits { files: 3, bytes: 100_000, styles: 1000 };
        assert!(within(&limits, Cursor::new(bytes)).unwrap().is_some());
    }

    #[test]
    fn a_promise_of_too_many_texts_is_refused_wherever_it_stands() {
        let promise = |count: &str| format!("<sst xmlns=\"x\" count=\"1\" uniqueCount={count}></sst>");
        for modest in ["\"0\"", "\"1234567\"", "'12'", " \"7\""] {
            assert_eq!(said(&[("xl/sharedStrings.xml", promise(modest).as_bytes())]), None, "{modest}");
        }
        for bold in ["\"99999999\"", "\"+1\"", "\"\"", "1", "\"1"] {
            assert!(said(&[("xl/sharedStrings.xml", promise(bold).as_bytes())]).is_some(), "{bold}");
        }
        // Across the border of two pieces, and behind a long comment.
        for padding in 65_400..65_600 {
            let text = format!("{}{}", " ".repeat(padding), promise("\"999999999999\""));
            assert!(said(&[("XL/SharedStrings.xml", text.as_bytes())]).is_some(), "{padding}");
        }
        let wide: Vec<u8> = promise("\"1\"").encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert!(said(&[("xl/sharedStrings.xml", &wide)]).is_some());
    }

    #[test]
    fn what_is_no_archive_is_told() {
        assert_eq!(
            refusal(Cursor::new(b"sku;available".to_vec())).unwrap(),
            Some("is not a workbook (XLSX)")
        );
        let mut cut = archive(&[("a.xml", b"<a/>")]).into_inner();
        cut.truncate(cut.len() / 2);
        assert!(refusal(Cursor::new(cut)).unwrap().is_some());
    }
}
