//! Stock rows as CSV that opens right in spreadsheets: RFC 4180 with a byte order mark, without which they would take
//! Cyrillic for something else.

use std::borrow::Cow;

use chrono::SecondsFormat;
use csv::{Terminator, WriterBuilder};
use domain::{picture::Stock, spreadsheet};

use super::{
    inputs::{Separator, TextStyle},
    stream::{Encode, EncodeError},
};

/// The byte order mark of UTF-8.
const MARK: &str = "\u{feff}";

/// A cell.
enum Cell<'a> {
    /// Somebody's text, which a spreadsheet may take for something else.
    Text(&'a str),
    /// Something of our own, which it can take for what it likes.
    Plain(Cow<'a, str>),
    /// Unknown.
    Empty,
}

impl<'a> Cell<'a> {
    fn text(text: Option<&'a String>) -> Self {
        text.map_or(Self::Empty, |text| Self::Text(text))
    }

    fn number(number: Option<i64>) -> Self {
        number.map_or(Self::Empty, |number| Self::plain(&number))
    }

    fn plain(value: &impl ToString) -> Self {
        Self::Plain(value.to_string().into())
    }
}

/// The name of a column, and what it holds.
type Column = (&'static str, for<'a> fn(&'a Stock) -> Cell<'a>);

/// The fields of a stock row.
const COLUMNS: [Column; 18] = [
    ("account_id", |row| Cell::plain(&row.account_id)),
    ("marketplace", |row| Cell::Plain(row.marketplace.name().into())),
    ("product_id", |row| Cell::plain(&row.product_id)),
    ("variant_id", |row| Cell::plain(&row.variant_id)),
    ("external_product_id", |row| Cell::Text(&row.external_product_id)),
    ("external_variant_id", |row| Cell::Text(&row.external_variant_id)),
    ("seller_article", |row| Cell::text(row.seller_article.as_ref())),
    ("sku", |row| Cell::text(row.sku.as_ref())),
    ("name", |row| Cell::text(row.name.as_ref())),
    ("warehouse_id", |row| Cell::plain(&row.warehouse_id)),
    ("warehouse_external_id", |row| Cell::text(row.warehouse_external_id.as_ref())),
    ("warehouse_name", |row| Cell::Text(&row.warehouse_name)),
    ("warehouse_kind", |row| Cell::Plain(row.warehouse_kind.name().into())),
    ("available", |row| Cell::number(row.available)),
    ("reserved", |row| Cell::number(row.reserved)),
    ("on_hand", |row| Cell::number(row.on_hand)),
    ("ordered_units", |row| Cell::number(row.ordered_units)),
    ("as_of", |row| {
        row.as_of
            .map_or(Cell::Empty, |at| Cell::Plain(at.to_rfc3339_opts(SecondsFormat::AutoSi, true).into()))
    }),
];

/// Writes stock rows as CSV.
pub(super) struct Csv {
    pub(super) separator: Separator,
    pub(super) text: TextStyle,
}

impl Csv {
    fn lines<'r>(
        &self,
        start: Vec<u8>,
        lines: impl Iterator<Item = [Cow<'r, str>; COLUMNS.len()]>,
    ) -> Result<Vec<u8>, EncodeError> {
        let mut writer = WriterBuilder::new()
            .delimiter(self.separator.byte())
            .terminator(Terminator::CRLF)
            .from_writer(start);
        for line in lines {
            writer.write_record(line.iter().map(|cell| cell.as_bytes()))?;
        }
        writer.into_inner().map_err(|error| EncodeError::Csv(error.into_error().into()))
    }

    fn cell<'r>(&self, cell: Cell<'r>) -> Cow<'r, str> {
        match cell {
            Cell::Text(text) if self.text == TextStyle::Guarded => spreadsheet::mark(text),
            Cell::Text(text) => text.into(),
            Cell::Plain(text) => text,
            Cell::Empty => "".into(),
        }
    }
}

impl Encode for Csv {
    fn begin(&mut self) -> Result<Vec<u8>, EncodeError> {
        self.lines(MARK.into(), std::iter::once(COLUMNS.map(|(name, _)| name.into())))
    }

    fn rows(&mut self, rows: Vec<Stock>) -> Result<Vec<u8>, EncodeError> {
        self.lines(Vec::new(), rows.iter().map(|row| COLUMNS.map(|(_, cell)| self.cell(cell(row)))))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use domain::{
        ids::{AccountId, ProductId, VariantId, WarehouseId},
        marketplace::{MarketplaceCode, WarehouseKind},
    };

    use super::*;
    use crate::resources::stocks::StockView;

    fn stock() -> Stock {
        Stock {
            account_id: AccountId::generate(),
            marketplace: MarketplaceCode::Manual,
            product_id: ProductId::generate(),
            variant_id: VariantId::generate(),
            external_product_id: "=HYPERLINK(\"http://evil\",\"x\")".into(),
            external_variant_id: "2038461935712".into(),
            seller_article: Some("TS-001".into()),
            sku: Some("007".into()),
            name: Some("Футболка; \"белая\",\nхлопок".into()),
            warehouse_id: WarehouseId::generate(),
            warehouse_external_id: None,
            warehouse_name: "-1".into(),
            warehouse_kind: WarehouseKind::Seller,
            available: Some(5),
            reserved: None,
            on_hand: Some(0),
            ordered_units: None,
            as_of: Some("2026-11-20T09:00:00.5Z".parse().unwrap()),
        }
    }

    fn written(separator: Separator, text: TextStyle) -> (Vec<u8>, Vec<Vec<String>>) {
        let mut csv = Csv { separator, text };
        let bytes = [csv.begin().unwrap(), csv.rows(vec![stock()]).unwrap()].concat();
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .delimiter(separator.byte())
            .from_reader(bytes.strip_prefix(MARK.as_bytes()).expect("a byte order mark"));
        let lines = reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect());
        let lines = lines.collect();
        (bytes, lines)
    }

    #[test]
    fn a_file_has_the_fields_of_a_stock_row() {
        let members = serde_json::to_value(StockView::from(stock())).unwrap();
        let members: BTreeSet<&str> = members.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(COLUMNS.iter().map(|(name, _)| *name).collect::<BTreeSet<_>>(), members);
        let view = serde_json::to_value(StockView::from(Stock { name: None, ..stock() })).unwrap();
        let (_, lines) = written(Separator::Comma, TextStyle::Exact);
        for (name, cell) in lines[0].iter().zip(&lines[1]) {
            // Ids differ from one row to the next.
            if name != "name"
                && !["account_id", "product_id", "variant_id", "warehouse_id"].contains(&name.as_str())
            {
                let told = view[name].as_str().map_or_else(|| view[name].to_string(), str::to_owned);
                assert_eq!(*cell, told.replace("null", ""), "{name}");
            }
        }
    }

    #[test]
    fn text_is_guarded_unless_it_shall_be_exact() {
        for separator in [Separator::Comma, Separator::Semicolon, Separator::Tab] {
            let (bytes, lines) = written(separator, TextStyle::Guarded);
            assert!(bytes.ends_with(b"\r\n"));
            assert_eq!(lines[1][4], "'=HYPERLINK(\"http://evil\",\"x\")");
            assert_eq!(lines[1][5..8], ["'2038461935712", "TS-001", "'007"]);
            assert_eq!(lines[1][8], "Футболка; \"белая\",\nхлопок");
            assert_eq!(lines[1][11], "'-1");
            assert_eq!(lines[1][13..17], ["5", "", "0", ""]);
            let (_, exact) = written(separator, TextStyle::Exact);
            assert_eq!(exact[1][4], "=HYPERLINK(\"http://evil\",\"x\")");
        }
    }
}
