//! How a file is to be imported.

use app::ImportOptions;
use domain::import;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::extract::{QueryFlag, Text};

/// What becomes of what the file does not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ImportMode)]
pub(super) enum Mode {
    /// It stays as it is.
    Merge,
    /// It is over: the file is all there is.
    Replace,
}

impl From<Mode> for import::Mode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Merge => Self::Merge,
            Mode::Replace => Self::Replace,
        }
    }
}

impl From<import::Mode> for Mode {
    fn from(mode: import::Mode) -> Self {
        match mode {
            import::Mode::Merge => Self::Merge,
            import::Mode::Replace => Self::Replace,
        }
    }
}

/// How to take a catalogue.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ProductsImportQuery {
    /// With `merge`, which is what is done unless said, products and variants that the file does not name stay as they
    /// are; with `replace` they become inactive.
    #[param(inline)]
    mode: Option<Mode>,
    /// Only tell what would happen, and everything that is wrong with the file.
    #[param(value_type = Option<bool>, default = false)]
    dry_run: Option<QueryFlag>,
}

impl ProductsImportQuery {
    pub(super) fn options(&self) -> ImportOptions {
        options(self.mode, self.dry_run)
    }
}

/// How to take stock.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct StockImportQuery {
    /// With `merge`, which is what is done unless said, stock that the file does not name stays as it is; with `replace`
    /// it becomes zero in the warehouses that the file names.
    #[param(inline)]
    mode: Option<Mode>,
    /// Only tell what would happen, and everything that is wrong with the file.
    #[param(value_type = Option<bool>, default = false)]
    dry_run: Option<QueryFlag>,
    /// The name of the warehouse of lines that name none.
    #[param(value_type = Option<String>, min_length = 1, max_length = 200, example = "Main warehouse")]
    warehouse: Option<Text<1, 200>>,
}

impl StockImportQuery {
    pub(super) fn options(&self) -> ImportOptions {
        options(self.mode, self.dry_run)
    }

    pub(super) fn warehouse(&self) -> Option<&str> {
        self.warehouse.as_ref().map(|name| name.0.trim()).filter(|name| !name.is_empty())
    }
}

fn options(mode: Option<Mode>, dry_run: Option<QueryFlag>) -> ImportOptions {
    ImportOptions {
        mode: mode.map(Into::into).unwrap_or_default(),
        dry_run: dry_run.is_some_and(|flag| flag.0),
    }
}
