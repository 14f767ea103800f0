//! The page `docs/imports.md`, made from the code.

use std::fmt::Write as _;

use domain::import::{Column, Line, MOST_LINES, MOST_UNITS, ProductLine, StockLine};

/// The page about files that can be imported.
pub fn imports_page() -> String {
    let mut page = format!(
        "# Imports\n\n\
         Accounts of `manual` have no marketplace behind them. Their catalogue and the stock of their warehouses come in\n\
         files:\n\n\
         - `POST /api/v1/marketplace-accounts/{{id}}/imports/products`\n\
         - `POST /api/v1/marketplace-accounts/{{id}}/imports/stock`\n\n\
         The body is the file itself, at most 16 MiB and {MOST_LINES} lines: `text/csv`, or a workbook (XLSX), of which the\n\
         first visible sheet is read. CSV may have commas, semicolons or tabs between cells, and be in UTF-8, UTF-16 with its\n\
         mark, or windows-1251, which is assumed of what is neither; the answer tells what was found. A workbook may unpack to\n\
         100 MiB.\n\n\
         The first line has titles. Their order does not matter, nor does case, nor whether words are joined by blanks, hyphens\n\
         or underscores. Columns that are not understood are left alone and named in the answer. Blank lines are skipped. Units\n\
         are whole numbers from 0 to {MOST_UNITS}, without decimal and thousands signs. An apostrophe in front of a text, and\n\
         `=\"…\"` around it, are taken off: spreadsheets write ids so.\n\n\
         A file is taken whole or not at all. `?dry_run=true` changes nothing and tells what would happen. What is wrong is told\n\
         as `/lines/7/available`; lines are counted as editors and spreadsheets count them, the titles among them.\n\n\
         This page is written from the code (`crates/api/src/resources/imports/page.rs`); a test holds the two together.\n"
    );
    section::<ProductLine>(
        &mut page,
        "A catalogue",
        "A line is a variant. It is known by the first of `external_variant_id`, `sku` and `seller_article` that the line gives,\n\
         its product by the first of `external_product_id` and `seller_article`, or else by the same as the variant. An empty\n\
         cell clears what it tells of; what a column that is not there would tell stays as it is. With `mode=replace`\n\
         products that the file does not name become inactive, and variants that it does not name of those that it does; with\n\
         `mode=merge`, the default, they stay.",
    );
    section::<StockLine>(
        &mut page,
        "Stock",
        "A line is the stock of a variant in a warehouse. The variant is the one of the first of `external_variant_id`, `sku`,\n\
         `barcode` and `seller_article` that the line gives, and must be in the catalogue. A warehouse that is not known is\n\
         made; lines without one are of the warehouse that the parameter `warehouse` names. With `mode=replace` what the file\n\
         does not name becomes zero in the warehouses that it names; with `mode=merge`, the default, it stays. A file of\n\
         `/api/v1/stocks.csv` can be imported as it is.",
    );
    page
}

fn section<L: Line>(page: &mut String, title: &str, text: &str) {
    let needed: Vec<String> = L::NEEDED
        .iter()
        .map(|group| {
            group.iter().map(|column| format!("`{}`", column.name())).collect::<Vec<_>>().join(" or ")
        })
        .collect();
    let written = write!(
        page,
        "\n## {title}\n\n{text}\n\nThere must be {}.\n\n| Column | Other titles | Meaning |\n|---|---|---|\n{}",
        needed.join(", and "),
        L::COLUMNS.iter().map(|column| row(*column)).collect::<String>()
    );
    written.expect("a text grows without fail");
}

fn row(column: Column) -> String {
    format!("| `{}` | {} |{} |\n", column.name(), column.titles().join(", "), column.meaning())
}

#[cfg(test)]
mod tests {
    use super::imports_page;

    #[test]
    fn the_page_in_docs_is_what_the_code_does() {
        let page = include_str!("../../../../../docs/imports.md");
        assert_eq!(page, imports_page(), "docs/imports.md is not what the code says");
    }
}
