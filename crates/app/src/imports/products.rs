//! Importing a catalogue.

use domain::{
    ids::PassId,
    import::{Catalogue, File, Mode, Problems, ProductLine},
};
use storage::{
    catalogue::{self, Reader},
    figures, imports,
    readings::{self, Complete, Subject},
};

use super::{ImportOptions, Imports, OpenedImport, SOURCE, end, refuse};
use crate::error::Error;

/// Products that are written at a time.
const PART: usize = 1000;

/// What the import of a catalogue did, or would do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProductsImported {
    /// Products of the file.
    pub products: u64,
    /// Those of them that were not known.
    pub new_products: u64,
    /// Variants of the file.
    pub variants: u64,
    /// Those of them that were not known.
    pub new_variants: u64,
    /// Products that left the catalogue, because the file is all there is and does not name them.
    pub removed_products: u64,
    /// What is wrong with the file; then nothing of it was taken.
    pub problems: Problems,
}

impl Imports<'_> {
    /// Imports a catalogue. With something wrong in the file nothing is changed.
    pub async fn products(
        self,
        opened: OpenedImport,
        file: File<ProductLine>,
        options: ImportOptions,
    ) -> Result<ProductsImported, Error> {
        let (mut catalogue, problems) = Catalogue::of(&file);
        drop(file);
        if !problems.is_empty() {
            return refuse(options, problems, |problems| ProductsImported { problems, ..Default::default() });
        }
        let completion = catalogue.completion(options.mode);
        let mut report = ProductsImported { products: count(catalogue.rows.len()), ..Default::default() };
        let account = &opened.account;
        let tx = self.begin(&opened).await?;
        let now = self.0.clock.now();
        let reader = Reader {
            account: account.id,
            marketplace: account.marketplace,
            pass: PassId::generate(),
            at: now,
        };
        for part in catalogue.rows.chunks_mut(PART) {
            let products: Vec<&str> = part.iter().map(|row| row.external_id.as_str()).collect();
            let variants: Vec<&str> = part
                .iter()
                .flat_map(|row| &row.variants)
                .map(|variant| variant.external_id.as_str())
                .collect();
            let known = imports::known(&tx, account.id, &products, &variants).await?;
            report.variants += count(variants.len());
            report.new_products += count(products.len() - known.products.len());
            report.new_variants += count(variants.len() - known.variants.len());
            completion.apply(part, &known);
            catalogue::write(&tx, reader, part).await?;
        }
        if options.mode == Mode::Replace {
            let before = catalogue::count_active(&tx, account.id).await?;
            catalogue::close_unseen(&tx, account.id, reader.pass, now).await?;
            report.removed_products = before.saturating_sub(catalogue::count_active(&tx, account.id).await?);
        }
        let full = options.mode == Mode::Replace;
        let reading = Complete { began_at: now, full, watermark: None, source: SOURCE };
        readings::complete(&tx, account.id, Subject::Products, reading).await?;
        figures::write(&tx, account.id, now).await?;
        end(tx, options).await?;
        Ok(report)
    }
}

fn count(rows: usize) -> u64 {
    rows as u64
}
