//! Text as search compares it.

use unicode_normalization::UnicodeNormalization as _;

/// Folds text so that case, width and composition do not matter. Done here and not in the database, because SQLite
/// does not fold Cyrillic and PostgreSQL folds by its collation.
pub fn fold(text: &str) -> String {
    text.nfkc().flat_map(char::to_lowercase).nfkc().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_width_and_composition_do_not_matter() {
        assert_eq!(fold("КРОССОВКИ Ёлка"), fold("кроссовки ёлка"));
        assert_eq!(fold("ＡＢＣ"), "abc");
        assert_eq!(fold("и\u{306}"), "й");
    }
}
