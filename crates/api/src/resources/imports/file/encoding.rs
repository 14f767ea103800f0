//! Which characters the bytes of a text are.
//!
//! Most files are UTF-8, but spreadsheets in Russian still save windows-1251, and "Unicode text" is UTF-16. A file that
//! says nothing and is no UTF-8 is read as windows-1251; the report names the encoding, so that a wrong guess is seen.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1251};

/// The encodings that are read.
const KNOWN: [&Encoding; 4] = [UTF_8, UTF_16LE, UTF_16BE, WINDOWS_1251];

/// The text and the name of its encoding; in words, why it is none.
pub(super) fn decode<'b>(
    bytes: &'b [u8],
    charset: Option<&str>,
) -> Result<(Cow<'b, str>, &'static str), &'static str> {
    let declared = match charset {
        None => None,
        Some(label) => {
            let found = Encoding::for_label(label.as_bytes()).filter(|found| KNOWN.contains(found));
            Some(found.ok_or("is in an encoding that is not read here: send UTF-8 or windows-1251")?)
        }
    };
    let (encoding, bytes) = match (Encoding::for_bom(bytes), declared) {
        (Some((marked, length)), _) => (marked, &bytes[length..]),
        (None, Some(declared)) => (declared, bytes),
        (None, None) if std::str::from_utf8(bytes).is_ok() => (UTF_8, bytes),
        (None, None) => (WINDOWS_1251, bytes),
    };
    let (text, is_broken) = encoding.decode_without_bom_handling(bytes);
    // PostgreSQL keeps no NUL, and no text has one: such a file is something else.
    if is_broken || text.contains('\0') {
        return Err("is not a text in the encoding it should have");
    }
    Ok((text, encoding.name()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Артикул;Остаток\r\nЁлка №1;5\r\n";

    fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn encodings_are_told_by_their_mark_or_their_bytes() {
        let marked = format!("\u{feff}{TEXT}");
        let (cp1251, _, _) = WINDOWS_1251.encode(TEXT);
        for (bytes, name) in [
            (TEXT.as_bytes().to_vec(), "UTF-8"),
            (marked.as_bytes().to_vec(), "UTF-8"),
            (cp1251.to_vec(), "windows-1251"),
            (utf16(&marked, u16::to_le_bytes), "UTF-16LE"),
            (utf16(&marked, u16::to_be_bytes), "UTF-16BE"),
        ] {
            assert_eq!(decode(&bytes, None), Ok((TEXT.into(), name)));
        }
    }

    #[test]
    fn what_a_client_says_is_believed_and_checked() {
        let (cp1251, _, _) = WINDOWS_1251.encode(TEXT);
        assert_eq!(decode(&cp1251, Some("Windows-1251")), Ok((TEXT.into(), "windows-1251")));
        assert_eq!(decode(&cp1251, Some("cp1251")), Ok((TEXT.into(), "windows-1251")));
        assert!(decode(&cp1251, Some("utf-8")).is_err());
        assert!(decode(TEXT.as_bytes(), Some("koi8-r")).is_err());
        assert!(decode(TEXT.as_bytes(), Some("nonsense")).is_err());
        assert!(decode(b"a\0b", None).is_err());
        assert!(decode(&[0xff, 0xfe, 0x00, 0xd8], None).is_err(), "half a pair of UTF-16");
    }
}
