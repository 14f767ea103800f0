//! Lines of a catalogue, and the products they make.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::{Column, File, Line, Mode, Place, Problems, Row, stock::MOST_CHARACTERS};
use crate::reading::{ProductRow, VariantRow};

/// Most characters of a title.
const MOST_OF_NAME: usize = 500;

/// Most barcodes of a variant.
const MOST_BARCODES: usize = 100;

/// One variant of one product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductLine {
    product_id: Option<String>,
    variant_id: Option<String>,
    article: Option<String>,
    sku: Option<String>,
    barcodes: Vec<String>,
    name: Option<String>,
    brand: Option<String>,
    category: Option<String>,
    variant_name: Option<String>,
}

/// The columns that tell which variant, best first.
const UNIT: &[Column] = &[Column::ExternalVariantId, Column::Sku, Column::SellerArticle];

impl Line for ProductLine {
    const COLUMNS: &'static [Column] = &[
        Column::ExternalProductId,
        Column::ExternalVariantId,
        Column::SellerArticle,
        Column::Sku,
        Column::Barcode,
        Column::Name,
        Column::Brand,
        Column::Category,
        Column::VariantName,
    ];
    const NEEDED: &'static [&'static [Column]] = &[UNIT];

    fn read(row: &mut Row<'_>) -> Option<Self> {
        let line = Self {
            product_id: row.text(Column::ExternalProductId, MOST_CHARACTERS),
            variant_id: row.text(Column::ExternalVariantId, MOST_CHARACTERS),
            article: row.text(Column::SellerArticle, MOST_CHARACTERS),
            sku: row.text(Column::Sku, MOST_CHARACTERS),
            barcodes: barcodes(row),
            name: row.long_text(Column::Name, MOST_OF_NAME),
            brand: row.text(Column::Brand, MOST_CHARACTERS),
            category: row.text(Column::Category, MOST_CHARACTERS),
            variant_name: row.text(Column::VariantName, MOST_CHARACTERS),
        };
        if line.variant_id().is_none() && !row.is_wrong() {
            row.wrong(row.first_of(UNIT), "is empty");
        }
        Some(line)
    }
}

impl ProductLine {
    /// What the variant is known by.
    fn variant_id(&self) -> Option<&str> {
        self.variant_id.as_deref().or(self.sku.as_deref()).or(self.article.as_deref())
    }

    /// What the product is known by.
    fn product_id(&self) -> Option<&str> {
        self.product_id.as_deref().or(self.article.as_deref()).or(self.variant_id())
    }

    fn variant(&self, id: &str) -> VariantRow {
        VariantRow {
            external_id: id.to_owned(),
            sku: self.sku.clone().or_else(|| self.barcodes.first().cloned()),
            name: self.variant_name.clone(),
            barcodes: self.barcodes.clone(),
        }
    }
}

fn barcodes(row: &mut Row<'_>) -> Vec<String> {
    let Some(text) = row.long_text(Column::Barcode, MOST_CHARACTERS * MOST_BARCODES) else {
        return Vec::new();
    };
    let is_between = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '|');
    let mut found: Vec<String> = Vec::new();
    for barcode in text.split(is_between).filter(|barcode| !barcode.is_empty()) {
        if barcode.chars().count() > MOST_CHARACTERS {
            row.wrong(Column::Barcode, format!("must have at most {MOST_CHARACTERS} characters"));
        } else if found.len() == MOST_BARCODES {
            row.wrong(Column::Barcode, format!("must be at most {MOST_BARCODES} barcodes"));
            break;
        } else if !found.iter().any(|known| known == barcode) {
            found.push(barcode.to_owned());
        }
    }
    found
}

/// The products of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Catalogue {
    /// Products with their variants, in the order of the file.
    pub rows: Vec<ProductRow>,
    /// The columns that the file has.
    pub columns: BTreeSet<Column>,
}

/// What is stored of the products and variants that a file names.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Known {
    /// Products by id, with those of their variants that are in the catalogue.
    pub products: HashMap<String, ProductRow>,
    /// The variants that the file names, by id, whichever product they are of.
    pub variants: HashMap<String, VariantRow>,
}

impl Catalogue {
    /// Puts the lines of a file together: those of one product are its variants. What lines say of one product or one
    /// variant must not differ; a cell that is empty says nothing.
    pub fn of(file: &File<ProductLine>) -> (Self, Problems) {
        let mut problems = file.problems.clone();
        let mut rows: Vec<ProductRow> = Vec::new();
        // By product, where it is in `rows`, and the line that named it first.
        let mut products: HashMap<&str, (usize, u64)> = HashMap::new();
        // By variant, its product, the line that named it first, and where it is among its siblings.
        let mut variants: HashMap<&str, (&str, u64, usize)> = HashMap::new();
        for (number, line) in &file.lines {
            let (Some(variant_id), Some(product_id)) = (line.variant_id(), line.product_id()) else {
                continue;
            };
            let (at, first) = *products.entry(product_id).or_insert_with(|| {
                rows.push(new_product(product_id));
                (rows.len() - 1, *number)
            });
            let row = &mut rows[at];
            let variant = line.variant(variant_id);
            match variants.get(variant_id) {
                None => {
                    variants.insert(variant_id, (product_id, *number, row.variants.len()));
                    row.variants.push(variant);
                }
                Some((owner, first, _)) if *owner != product_id => {
                    let detail = format!("is the variant of another product in line {first}");
                    problems.push(Place::Cell(*number, line.column_of(variant_id)), detail);
                    continue;
                }
                Some((_, first, sibling)) if row.variants[*sibling] != variant => {
                    let detail = format!("is not what line {first} says of the same variant");
                    problems.push(Place::Line(*number), detail);
                }
                Some(_) => {}
            }
            for (column, told, kept) in [
                (Column::SellerArticle, &line.article, &mut row.seller_article),
                (Column::Name, &line.name, &mut row.name),
                (Column::Brand, &line.brand, &mut row.brand),
                (Column::Category, &line.category, &mut row.category),
            ] {
                match (told, &kept) {
                    (Some(told), Some(known)) if told != known => {
                        let detail = format!("is not what line {first} says of the same product");
                        problems.push(Place::Cell(*number, column), detail);
                    }
                    (Some(told), None) => *kept = Some(told.clone()),
                    _ => {}
                }
            }
        }
        (Self { rows, columns: file.columns.clone() }, problems)
    }

    /// What it takes to add to the products what the file leaves open.
    pub fn completion(&self, mode: Mode) -> Completion {
        let variants = self.rows.iter().flat_map(|row| &row.variants);
        let named = variants.map(|variant| variant.external_id.clone()).collect();
        Completion { columns: self.columns.clone(), named, mode }
    }
}

/// Adds to the products of a file what it leaves open.
#[derive(Debug, Clone)]
pub struct Completion {
    columns: BTreeSet<Column>,
    /// Every variant of the file.
    named: HashSet<String>,
    mode: Mode,
}

impl Completion {
    /// What a column that the file has not would say stays as it is stored, and in a merge so do the variants that the
    /// file does not name.
    pub fn apply(&self, rows: &mut [ProductRow], known: &Known) {
        let has = |column| self.columns.contains(&column);
        for row in rows {
            for variant in &mut row.variants {
                let Some(stored) = known.variants.get(&variant.external_id) else { continue };
                if !has(Column::Sku) && stored.sku.is_some() {
                    variant.sku.clone_from(&stored.sku);
                }
                if !has(Column::VariantName) {
                    variant.name.clone_from(&stored.name);
                }
                if !has(Column::Barcode) {
                    variant.barcodes.clone_from(&stored.barcodes);
                }
            }
            let Some(stored) = known.products.get(&row.external_id) else { continue };
            for (column, kept, stored) in [
                (Column::SellerArticle, &mut row.seller_article, &stored.seller_article),
                (Column::Name, &mut row.name, &stored.name),
                (Column::Brand, &mut row.brand, &stored.brand),
                (Column::Category, &mut row.category, &stored.category),
            ] {
                if !has(column) {
                    kept.clone_from(stored);
                }
            }
            if self.mode == Mode::Merge {
                let others =
                    stored.variants.iter().filter(|variant| !self.named.contains(&variant.external_id));
                row.variants.extend(others.cloned());
            }
        }
    }
}

impl ProductLine {
    /// The column that a variant's id was taken from.
    fn column_of(&self, variant_id: &str) -> Column {
        let given = [
            (Column::ExternalVariantId, &self.variant_id),
            (Column::Sku, &self.sku),
            (Column::SellerArticle, &self.article),
        ];
        let found = given.into_iter().find(|(_, id)| id.as_deref() == Some(variant_id));
        found.map_or(Column::ExternalVariantId, |(column, _)| column)
    }
}

fn new_product(id: &str) -> ProductRow {
    ProductRow {
        external_id: id.to_owned(),
        seller_article: None,
        name: None,
        brand: None,
        category: None,
        removed: false,
        hidden: false,
        variants: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::{Cell, Sheet};

    fn file(header: &str, lines: &[&str]) -> File<ProductLine> {
        let cells = |line: &str| -> Vec<Cell<'static>> {
            line.split('|').map(|text| Cell::Text(text.to_owned().into())).collect()
        };
        let mut sheet = Sheet::new(&cells(header));
        for (number, line) in (2..).zip(lines) {
            sheet.push(number, &cells(line));
        }
        sheet.finish()
    }

    fn catalogue(header: &str, lines: &[&str]) -> (Catalogue, Vec<String>) {
        let (catalogue, problems) = Catalogue::of(&file(header, lines));
        let told = problems.listed().iter().map(|problem| format!("{} {}", problem.place, problem.detail));
        (catalogue, told.collect())
    }

    #[test]
    fn lines_of_one_article_are_variants_of_one_product() {
        let (catalogue, problems) = catalogue(
            "article|sku|size|name|barcode",
            &["T-1|T-1-S|S|Shirt|100 101", "T-1|T-1-M|M||102,102", "C-1|C-1||Cap|"],
        );
        assert_eq!(problems, Vec::<String>::new());
        let [shirt, cap] = catalogue.rows.as_slice() else { panic!("{catalogue:?}") };
        assert_eq!((shirt.external_id.as_str(), shirt.name.as_deref()), ("T-1", Some("Shirt")));
        let sizes: Vec<_> =
            shirt.variants.iter().map(|v| (v.external_id.as_str(), v.name.as_deref())).collect();
        assert_eq!(sizes, [("T-1-S", Some("S")), ("T-1-M", Some("M"))]);
        assert_eq!(shirt.variants[0].barcodes, ["100", "101"]);
        assert_eq!(shirt.variants[1].barcodes, ["102"]);
        assert_eq!((cap.variants.len(), cap.variants[0].sku.as_deref()), (1, Some("C-1")));
    }

    #[test]
    fn an_article_alone_is_a_product_of_one_variant() {
        let (catalogue, problems) = catalogue("Артикул|Наименование", &["A|Чай", "B|Кофе"]);
        assert_eq!(problems, Vec::<String>::new());
        assert_eq!(catalogue.rows.len(), 2);
        assert_eq!(catalogue.rows[0].variants[0].external_id, "A");
    }

    #[test]
    fn what_lines_say_of_one_thing_must_agree() {
        let (_, problems) = catalogue(
            "external_product_id|sku|name|size",
            &["1|a|Shirt|S", "1|b|Skirt|M", "2|a|Cap|S", "1|a|Shirt|S", "1|a|Shirt|L", "1||Shirt|"],
        );
        assert_eq!(
            problems,
            [
                "/lines/7/sku is empty",
                "/lines/3/name is not what line 2 says of the same product",
                "/lines/4/sku is the variant of another product in line 2",
                "/lines/6 is not what line 2 says of the same variant",
            ]
        );
    }

    fn known(rows: &[ProductRow]) -> Known {
        let products = rows.iter().map(|row| (row.external_id.clone(), row.clone())).collect();
        let variants = rows.iter().flat_map(|row| &row.variants);
        Known { products, variants: variants.map(|v| (v.external_id.clone(), v.clone())).collect() }
    }

    #[test]
    fn what_a_file_does_not_speak_of_stays() {
        let (before, _) = catalogue("article|sku|size|brand|barcode", &["T|T-S|S|Anna|1", "T|T-M|M|Anna|2"]);
        let known = known(&before.rows);
        let (mut merged, _) = catalogue("article|sku|name", &["T|T-S|Shirt"]);
        let mut replaced = merged.clone();
        merged.completion(Mode::Merge).apply(&mut merged.rows, &known);
        let row = &merged.rows[0];
        assert_eq!((row.name.as_deref(), row.brand.as_deref()), (Some("Shirt"), Some("Anna")));
        assert_eq!(row.variants, before.rows[0].variants, "the other size stays, and this one is as it was");
        replaced.completion(Mode::Replace).apply(&mut replaced.rows, &known);
        assert_eq!(replaced.rows[0].variants, before.rows[0].variants[..1]);
    }

    #[test]
    fn an_empty_cell_of_a_column_that_is_there_empties() {
        let (before, _) = catalogue("sku|brand|barcode", &["a|Anna|1"]);
        let (mut after, _) = catalogue("sku|brand|barcode", &["a||"]);
        after.completion(Mode::Merge).apply(&mut after.rows, &known(&before.rows));
        assert_eq!(after.rows[0].brand, None);
        assert!(after.rows[0].variants[0].barcodes.is_empty());
    }

    #[test]
    fn a_variant_that_moves_is_not_kept_where_it_was() {
        let (before, _) = catalogue("article|sku", &["A|x", "A|y", "B|z"]);
        let (mut after, _) = catalogue("article|sku", &["B|x", "A|y"]);
        after.completion(Mode::Merge).apply(&mut after.rows, &known(&before.rows));
        let ids = |row: &ProductRow| row.variants.iter().map(|v| v.external_id.clone()).collect::<Vec<_>>();
        assert_eq!(after.rows.iter().map(ids).collect::<Vec<_>>(), [vec!["x", "z"], vec!["y"]]);
    }
}
