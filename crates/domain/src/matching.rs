//! Which variant an order line or a stock row is of.

use crate::reading::{OrderRow, StockRow};

/// A variant that a row may be of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate<Id> {
    /// The variant.
    pub id: Id,
    /// The marketplace's id of the variant.
    pub external_id: String,
    /// The marketplace's id of its product.
    pub product_external_id: String,
    /// Its size, as the catalogue names it.
    pub name: Option<String>,
    /// Its barcodes.
    pub barcodes: Vec<String>,
    /// Whether it is in the catalogue.
    pub is_active: bool,
}

/// What a row says of its variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clue<'a> {
    /// The marketplace's id of the variant, if the line gives it.
    pub variant_external_id: Option<&'a str>,
    /// The marketplace's id of the product.
    pub product_external_id: Option<&'a str>,
    /// The barcode.
    pub barcode: Option<&'a str>,
    /// The size.
    pub size: Option<&'a str>,
}

impl<'a> From<&'a OrderRow> for Clue<'a> {
    fn from(row: &'a OrderRow) -> Self {
        Self {
            variant_external_id: row.variant_external_id.as_deref(),
            product_external_id: row.product_external_id.as_deref(),
            barcode: row.barcode.as_deref(),
            size: row.size.as_deref(),
        }
    }
}

impl<'a> From<&'a StockRow> for Clue<'a> {
    fn from(row: &'a StockRow) -> Self {
        Self {
            variant_external_id: row.variant_external_id.as_deref(),
            product_external_id: row.product_external_id.as_deref(),
            barcode: row.barcode.as_deref(),
            size: row.size.as_deref(),
        }
    }
}

/// Finds the variant: by the marketplace's own id, else by barcode (where several share it, the one of the same
/// product), else by product and size. Of several variants of a product that fit, the one in the catalogue is meant: the
/// others have left it. Never a guess: two that fit equally are no match.
pub fn find_variant<'c, Id>(
    clue: Clue<'_>,
    candidates: impl Iterator<Item = &'c Candidate<Id>> + Clone,
) -> Option<&'c Candidate<Id>> {
    if let Some(id) = clue.variant_external_id
        && let Some(found) = only(candidates.clone().filter(|c| c.external_id == id))
    {
        return Some(found);
    }
    let same_product = |c: &&Candidate<Id>| Some(c.product_external_id.as_str()) == clue.product_external_id;
    if let Some(barcode) = clue.barcode {
        let by_barcode = candidates.clone().filter(|c| c.barcodes.iter().any(|b| b == barcode));
        if let Some(found) = only(by_barcode.clone()).or_else(|| meant(by_barcode.filter(same_product))) {
            return Some(found);
        }
    }
    let size = clue.size.unwrap_or_default();
    meant(candidates.filter(same_product).filter(|c| c.name.as_deref().unwrap_or_default() == size))
}

/// The only one, or the only one of them that is in the catalogue.
fn meant<'c, Id: 'c>(
    candidates: impl Iterator<Item = &'c Candidate<Id>> + Clone,
) -> Option<&'c Candidate<Id>> {
    only(candidates.clone()).or_else(|| only(candidates.filter(|c| c.is_active)))
}

fn only<T>(mut items: impl Iterator<Item = T>) -> Option<T> {
    let first = items.next()?;
    items.next().is_none().then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variant(id: u8, product: &str, size: &str, barcodes: &[&str]) -> Candidate<u8> {
        Candidate {
            id,
            external_id: format!("c{id}"),
            product_external_id: product.into(),
            name: Some(size.into()),
            barcodes: barcodes.iter().map(ToString::to_string).collect(),
            is_active: true,
        }
    }

    fn clue<'a>(product: &'a str, barcode: &'a str, size: &'a str) -> Clue<'a> {
        Clue {
            variant_external_id: None,
            product_external_id: Some(product),
            barcode: Some(barcode),
            size: Some(size),
        }
    }

    #[test]
    fn barcode_first_then_product_and_size() {
        let all = [
            variant(1, "p", "42", &["a"]),
            variant(2, "p", "43", &["b", "shared"]),
            variant(3, "q", "42", &["shared"]),
        ];
        let find = |c| find_variant(c, all.iter()).map(|v| v.id);
        assert_eq!(find(clue("p", "a", "43")), Some(1), "the barcode outweighs the size");
        assert_eq!(find(clue("q", "shared", "")), Some(3), "a shared barcode is settled by the product");
        assert_eq!(find(clue("x", "shared", "")), None, "a shared barcode of an unknown product is nobody's");
        assert_eq!(find(clue("p", "gone", "43")), Some(2));
        assert_eq!(find(clue("p", "gone", "44")), None);
        assert_eq!(find(Clue { variant_external_id: Some("c3"), ..clue("p", "a", "42") }), Some(3));
    }

    #[test]
    fn a_product_without_sizes_matches_an_empty_size() {
        let all = [Candidate { name: None, ..variant(1, "p", "", &[]) }];
        assert!(find_variant(clue("p", "x", ""), all.iter()).is_some());
        assert!(find_variant(Clue { size: None, ..clue("p", "x", "") }, all.iter()).is_some());
    }

    #[test]
    fn of_a_variant_and_the_one_that_took_its_place_the_later_is_meant() {
        let gone = |variant| Candidate { is_active: false, ..variant };
        let all = [gone(variant(1, "p", "42", &["a"])), variant(2, "p", "42", &["a"])];
        let find = |c| find_variant(c, all.iter()).map(|v| v.id);
        assert_eq!(find(clue("p", "a", "42")), Some(2));
        assert_eq!(find(clue("p", "b", "42")), Some(2), "by its size");
        assert_eq!(find(clue("q", "a", "42")), None, "of another product it would be a guess");
        assert_eq!(find(Clue { variant_external_id: Some("c1"), ..clue("p", "a", "42") }), Some(1));
        let all = [gone(variant(1, "p", "42", &["a"]))];
        assert_eq!(find_variant(clue("p", "a", ""), all.iter()).map(|v| v.id), Some(1), "it alone");
        let all = all.map(|one| [one.clone(), Candidate { id: 2, external_id: "c2".into(), ..one }]).concat();
        assert_eq!(find_variant(clue("p", "a", ""), all.iter()), None, "neither is in the catalogue");
    }

    #[test]
    fn two_that_fit_are_no_match() {
        let all = [variant(1, "p", "42", &[]), variant(2, "p", "42", &[])];
        assert!(find_variant(clue("p", "x", "42"), all.iter()).is_none());
    }
}
