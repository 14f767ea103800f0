//! What an import did, on the wire.

use app::{ImportOptions, ProductsImported, StockImported};
use domain::import::Problems;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    file::{Contents, Format},
    inputs::Mode,
};
use crate::problem::FieldProblem;

/// How a file was read.
#[derive(Serialize, ToSchema)]
#[schema(as = ImportedFile)]
pub(super) struct FileView {
    /// `csv` or `xlsx`.
    #[schema(example = "csv")]
    format: &'static str,
    /// The encoding of a CSV file, as it was found.
    #[schema(example = "UTF-8")]
    encoding: Option<&'static str>,
    /// What stands between the cells of a CSV file, as it was found.
    #[schema(example = ";")]
    separator: Option<String>,
    /// Lines that were read, without the titles and without blank ones.
    #[schema(example = 120)]
    lines: u64,
    /// The columns that were understood.
    #[schema(example = json!(["sku", "available"]))]
    columns: Vec<&'static str>,
    /// Titles of columns that were not, and were left alone.
    #[schema(example = json!(["Комментарий"]))]
    ignored_columns: Vec<String>,
}

impl FileView {
    pub(super) fn of<L>(contents: &Contents<L>, format: &Format) -> Self {
        Self {
            format: format.name(),
            encoding: contents.encoding,
            separator: contents.separator.map(String::from),
            lines: contents.file.lines.len() as u64,
            columns: contents.file.columns.iter().map(|column| column.name()).collect(),
            ignored_columns: contents.file.ignored.clone(),
        }
    }
}

/// What the import of a catalogue did; with `dry_run`, what it would do.
#[derive(Serialize, ToSchema)]
#[schema(as = ProductsImport)]
pub(super) struct ProductsImportView {
    /// Whether nothing was changed, because nothing should be.
    dry_run: bool,
    mode: Mode,
    file: FileView,
    /// Products of the file.
    #[schema(example = 80)]
    products: u64,
    /// Those of them that were not known.
    #[schema(example = 3)]
    new_products: u64,
    /// Variants of the file.
    #[schema(example = 120)]
    variants: u64,
    /// Those of them that were not known.
    #[schema(example = 5)]
    new_variants: u64,
    /// Products that became inactive, because the file replaces the catalogue and does not name them.
    #[schema(example = 0)]
    removed_products: u64,
    /// With `dry_run`: what is wrong with the file, at most 1000 things. Without it such a file is a 422.
    errors: Vec<FieldProblem>,
    /// How many things are wrong.
    #[schema(example = 0)]
    errors_total: u64,
}

impl ProductsImportView {
    pub(super) fn of(report: &ProductsImported, file: FileView, options: ImportOptions) -> Self {
        Self {
            dry_run: options.dry_run,
            mode: options.mode.into(),
            file,
            products: report.products,
            new_products: report.new_products,
            variants: report.variants,
            new_variants: report.new_variants,
            removed_products: report.removed_products,
            errors: errors(&report.problems),
            errors_total: report.problems.total(),
        }
    }
}

/// What the import of stock did; with `dry_run`, what it would do.
#[derive(Serialize, ToSchema)]
#[schema(as = StockImport)]
pub(super) struct StockImportView {
    /// Whether nothing was changed, because nothing should be.
    dry_run: bool,
    mode: Mode,
    file: FileView,
    /// Levels that the file tells: one for each variant and warehouse.
    #[schema(example = 120)]
    levels: u64,
    /// Levels that became another number, those that became zero among them.
    #[schema(example = 17)]
    movements: u64,
    /// Levels that became zero, because the file replaces the stock of their warehouse and does not name them.
    #[schema(example = 2)]
    zeroed: u64,
    /// Warehouses that were not known and are now.
    #[schema(example = json!(["Main warehouse"]))]
    new_warehouses: Vec<String>,
    /// With `dry_run`: what is wrong with the file, at most 1000 things. Without it such a file is a 422.
    errors: Vec<FieldProblem>,
    /// How many things are wrong.
    #[schema(example = 0)]
    errors_total: u64,
}

impl StockImportView {
    pub(super) fn of(report: StockImported, file: FileView, options: ImportOptions) -> Self {
        Self {
            dry_run: options.dry_run,
            mode: options.mode.into(),
            file,
            levels: report.levels,
            movements: report.movements,
            zeroed: report.zeroed,
            new_warehouses: report.new_warehouses,
            errors: errors(&report.problems),
            errors_total: report.problems.total(),
        }
    }
}

fn errors(problems: &Problems) -> Vec<FieldProblem> {
    problems.listed().iter().map(FieldProblem::from).collect()
}
