//! Stock rows as NDJSON: the JSON of a row on each line.

use domain::picture::Stock;

use super::stream::{Encode, EncodeError};
use crate::resources::stocks::StockView;

/// Writes stock rows as NDJSON.
pub(super) struct Ndjson;

impl Encode for Ndjson {
    fn begin(&mut self) -> Result<Vec<u8>, EncodeError> {
        Ok(Vec::new())
    }

    fn rows(&mut self, rows: Vec<Stock>) -> Result<Vec<u8>, EncodeError> {
        let mut bytes = Vec::new();
        for row in rows {
            serde_json::to_writer(&mut bytes, &StockView::from(row))?;
            bytes.push(b'\n');
        }
        Ok(bytes)
    }
}
