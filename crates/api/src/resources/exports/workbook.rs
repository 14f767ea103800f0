//! Products as a workbook in the layout that sellers know: a line for each product, its totals, and three columns for
//! each warehouse, under two lines of titles.
//!
//! It is written row by row into a temporary file, so its size costs disk and no memory.

use std::{
    collections::{BTreeMap, HashMap},
    fs::File,
    io::{Seek as _, SeekFrom},
};

use app::{ProductExport, ProductSummary};
use chrono::SecondsFormat;
use domain::{
    clock::Timestamp,
    ids::{AccountId, WarehouseId},
    picture::{Product, ProductWarehouse, Warehouse},
};
use rust_xlsxwriter::{Format, FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError};
use tokio::sync::mpsc::{self, Receiver, Sender};

use super::titles::Titles;
use crate::{
    problem::{Problem, ProblemCode},
    view::tenths,
};

/// Rows and columns of a sheet, by its format.
const MOST_ROWS: u64 = 1_048_576;
const MOST_COLUMNS: usize = 16_384;
/// Characters of a cell, by its format.
const MOST_CHARACTERS: usize = 32_767;

/// Lines of titles.
const HEAD: u32 = 2;
const BASE: u16 = 4;
const TOTALS: u16 = 5;
/// Columns of a warehouse.
const GROUP: u16 = 3;

/// The media type of workbooks.
pub(super) const MEDIA_TYPE: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// Products with what they have in each warehouse.
type Rows = Vec<(Product, Vec<ProductWarehouse>)>;

/// What the writer gets next.
enum Part {
    Rows(Rows),
    End,
}

/// A workbook that is not written.
#[derive(Debug, thiserror::Error)]
enum Unwritten {
    #[error("workbook: {0}")]
    Workbook(#[from] XlsxError),
    #[error("temporary file: {0}")]
    File(#[from] std::io::Error),
    /// Whoever reads the rows has stopped before their end.
    #[error("the rows ended too early")]
    Abandoned,
}

/// Writes an export into a temporary file, which is gone when it is closed. Refuses what one sheet does not hold.
pub(super) async fn make(export: ProductExport) -> Result<File, Problem> {
    let summary = export.summary().clone();
    let columns = usize::from(BASE + TOTALS) + summary.warehouses.len() * usize::from(GROUP);
    if columns > MOST_COLUMNS || summary.rows + u64::from(HEAD) > MOST_ROWS {
        return Err(Problem::new(
            ProblemCode::ExportTooLarge,
            format!(
                "A sheet has at most {MOST_ROWS} rows and {MOST_COLUMNS} columns; this one would have {} and {columns}. \
                 Ask for one `account_id` or one `warehouse_id`.",
                summary.rows + u64::from(HEAD)
            ),
        ));
    }
    let (sender, receiver) = mpsc::channel(1);
    let writing = tokio::task::spawn_blocking(move || write(&summary, receiver));
    // A writer that stops takes no more rows, and says why below.
    pump(export, sender).await?;
    writing.await.map_err(Problem::internal)?.map_err(Problem::internal)
}

async fn pump(mut export: ProductExport, sender: Sender<Part>) -> Result<(), app::Error> {
    while let Some(rows) = export.next().await? {
        if sender.send(Part::Rows(rows)).await.is_err() {
            return Ok(());
        }
    }
    drop(export);
    // The writer may have stopped; then there is nobody to tell.
    let _ended = sender.send(Part::End).await;
    Ok(())
}

fn write(summary: &ProductSummary, mut rows: Receiver<Part>) -> Result<File, Unwritten> {
    let titles = Titles::of(&summary.locale);
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet_with_constant_memory()?;
    let mut table = Table::begin(sheet, titles, summary)?;
    loop {
        match rows.blocking_recv() {
            Some(Part::Rows(rows)) => {
                for (product, warehouses) in rows {
                    table.row(&product, &warehouses)?;
                }
            }
            Some(Part::End) => break,
            None => return Err(Unwritten::Abandoned),
        }
    }
    let ages = table.end()?;
    about(workbook.add_worksheet(), titles, summary, &ages)?;
    let mut file = tempfile::tempfile()?;
    workbook.save_to_writer(&file)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(file)
}

/// The sheet with the products.
struct Table<'s> {
    sheet: &'s mut Worksheet,
    next: u32,
    /// The first column of each warehouse.
    columns: HashMap<WarehouseId, u16>,
    width: u16,
    units: Format,
    days: Format,
    /// The oldest stock of each account.
    ages: BTreeMap<AccountId, Timestamp>,
}

impl<'s> Table<'s> {
    /// Writes the titles.
    fn begin(sheet: &'s mut Worksheet, titles: &Titles, summary: &ProductSummary) -> Result<Self, XlsxError> {
        let title = Format::new()
            .set_bold()
            .set_align(FormatAlign::Center)
            .set_align(FormatAlign::VerticalCenter)
            .set_text_wrap()
            .set_background_color(0x00E7_EDF5)
            .set_border(FormatBorder::Thin);
        sheet.set_name(titles.products)?;
        sheet.merge_range(0, 0, 0, BASE - 1, titles.product, &title)?;
        sheet.merge_range(0, BASE, 0, BASE + TOTALS - 1, titles.total, &title)?;
        let mut columns = HashMap::new();
        let mut width = BASE + TOTALS;
        for (warehouse, name) in summary.warehouses.iter().zip(names(summary)) {
            sheet.merge_range(0, width, 0, width + GROUP - 1, cut(&name), &title)?;
            columns.insert(warehouse.id, width);
            width += GROUP;
        }
        let groups = summary.warehouses.iter().flat_map(|_| titles.warehouse);
        let second = titles.base.into_iter().chain(titles.totals).chain(groups);
        for (column, text) in (0..width).zip(second) {
            sheet.write_string_with_format(1, column, text, &title)?;
        }
        sheet.set_freeze_panes(HEAD, BASE)?;
        for (columns, characters) in
            [(0..BASE, 20.0), (BASE..BASE + TOTALS, 13.0), (BASE + TOTALS..width, 9.0)]
        {
            for column in columns {
                sheet.set_column_width(column, characters)?;
            }
        }
        Ok(Self {
            sheet,
            next: HEAD,
            columns,
            width,
            units: Format::new().set_num_format("#,##0"),
            days: Format::new().set_num_format("#,##0.0"),
            ages: BTreeMap::new(),
        })
    }

    fn row(&mut self, product: &Product, warehouses: &[ProductWarehouse]) -> Result<(), XlsxError> {
        let figures = &product.figures;
        let base = [
            product.brand.as_ref(),
            product.category.as_ref(),
            product.seller_article.as_ref(),
            Some(&product.external_id),
        ];
        for (column, text) in (0..).zip(base) {
            if let Some(text) = text {
                self.sheet.write_string(self.next, column, cut(text))?;
            }
        }
        let totals = [
            figures.in_transit_to_customer,
            figures.in_transit_returns,
            figures.ordered_units,
            figures.total_stock(),
        ];
        for (column, units) in (BASE..).zip(totals) {
            self.units(column, units)?;
        }
        self.days(BASE + TOTALS - 1, figures.cover().tenths)?;
        for warehouse in warehouses {
            // A table of one warehouse leaves the others out.
            let Some(column) = self.columns.get(&warehouse.warehouse_id).copied() else { continue };
            self.units(column, warehouse.available)?;
            self.units(column + 1, warehouse.ordered_units)?;
            self.days(column + 2, warehouse.cover().tenths)?;
        }
        if let Some(at) = figures.as_of {
            let oldest = self.ages.entry(product.account_id).or_insert(at);
            *oldest = at.min(*oldest);
        }
        self.next += 1;
        Ok(())
    }

    /// A number, or nothing where it is not known.
    fn units(&mut self, column: u16, units: Option<i64>) -> Result<(), XlsxError> {
        if let Some(units) = units {
            #[expect(clippy::cast_precision_loss, reason = "figures stay far below 2^53")]
            self.sheet.write_number_with_format(self.next, column, units as f64, &self.units)?;
        }
        Ok(())
    }

    fn days(&mut self, column: u16, days: Option<i64>) -> Result<(), XlsxError> {
        if let Some(days) = days {
            self.sheet.write_number_with_format(self.next, column, tenths(days), &self.days)?;
        }
        Ok(())
    }

    /// Ends the table. Gives the oldest stock of each account.
    fn end(self) -> Result<BTreeMap<AccountId, Timestamp>, XlsxError> {
        if self.next > HEAD {
            self.sheet.autofilter(HEAD - 1, 0, self.next - 1, self.width - 1)?;
        }
        Ok(self.ages)
    }
}

/// The sheet that says what the other one means, and how old it is.
fn about(
    sheet: &mut Worksheet,
    titles: &Titles,
    summary: &ProductSummary,
    ages: &BTreeMap<AccountId, Timestamp>,
) -> Result<(), XlsxError> {
    let bold = Format::new().set_bold();
    let time = |at: &Timestamp| at.to_rfc3339_opts(SecondsFormat::Secs, true);
    sheet.set_name(titles.about)?;
    for column in 0..3 {
        sheet.set_column_width(column, 28)?;
    }
    sheet.write_string_with_format(0, 0, titles.taken_at, &bold)?;
    sheet.write_string(0, 1, time(&summary.taken_at))?;
    let mut row = 1;
    for note in titles.notes {
        sheet.write_string(row, 0, note)?;
        row += 1;
    }
    for (column, title) in (0..).zip([titles.account, titles.marketplace, titles.as_of]) {
        sheet.write_string_with_format(row, column, title, &bold)?;
    }
    for account in summary.accounts.iter().filter(|account| ages.contains_key(&account.id)) {
        row += 1;
        sheet.write_string(row, 0, cut(&account.name))?;
        sheet.write_string(row, 1, account.marketplace.name())?;
        sheet.write_string(row, 2, ages.get(&account.id).map(time).unwrap_or_default())?;
    }
    Ok(())
}

/// What each warehouse is called; those that share a name are told apart by their account, or else by their id there.
fn names(summary: &ProductSummary) -> Vec<String> {
    let mut named: HashMap<&str, Vec<&Warehouse>> = HashMap::new();
    for warehouse in &summary.warehouses {
        named.entry(&warehouse.name).or_default().push(warehouse);
    }
    let account =
        |id| summary.accounts.iter().find(|account| account.id == id).map(|account| account.name.as_str());
    summary
        .warehouses
        .iter()
        .map(|warehouse| {
            let others = || named[warehouse.name.as_str()].iter().filter(|other| other.id != warehouse.id);
            let mut name = warehouse.name.clone();
            if others().any(|other| other.account_id != warehouse.account_id) {
                name.extend([" · ", account(warehouse.account_id).unwrap_or_default()]);
            }
            if others().any(|other| other.account_id == warehouse.account_id) {
                let told_apart = warehouse.external_id.as_deref().unwrap_or(warehouse.kind.name());
                name.extend([" · ", told_apart]);
            }
            name
        })
        .collect()
}

/// As much of a text as a cell holds.
fn cut(text: &str) -> &str {
    text.char_indices().nth(MOST_CHARACTERS).map_or(text, |(end, _)| &text[..end])
}
