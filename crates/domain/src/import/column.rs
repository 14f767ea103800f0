//! The columns of files, and the titles that people give them.

use crate::search;

/// Declares the columns; each row is a column, its name and the other titles it is known by.
macro_rules! columns {
    ($($(#[doc = $doc:literal])+ $column:ident = $name:literal $(, $title:literal)*;)*) => {
        /// Something that a column of a file tells.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Column {
            $($(#[doc = $doc])+ $column,)*
        }

        impl Column {
            /// Every column.
            pub const ALL: &[Self] = &[$(Self::$column),*];

            /// The published name, which is also the one in exported files.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$column => $name,)* }
            }

            /// Other titles. Case does not matter, nor do blanks, hyphens and underscores, nor whether it is `е` or `ё`.
            pub const fn titles(self) -> &'static [&'static str] {
                match self { $(Self::$column => &[$($title),*],)* }
            }

            /// What it tells.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$column => concat!($($doc),+),)* }
            }
        }
    };
}

columns! {
    /// Your id of the product; lines with the same one are variants of one product.
    ExternalProductId = "external_product_id", "ID товара", "Код карточки";
    /// Your id of the variant.
    ExternalVariantId = "external_variant_id", "ID варианта", "Код варианта";
    /// Your article.
    SellerArticle = "seller_article", "article", "vendor code", "Артикул", "Артикул продавца", "Артикул поставщика";
    /// What a warehouse calls the variant.
    Sku = "sku", "СКУ", "Код", "Код товара";
    /// The barcode; several have blanks, commas or semicolons between them.
    Barcode = "barcode", "barcodes", "EAN", "EAN13", "GTIN", "Штрихкод", "Штрих-код", "Штрихкоды", "Баркод", "ШК";
    /// The title of the product.
    Name = "name", "title", "product name", "Название", "Наименование", "Товар";
    /// The brand of the product.
    Brand = "brand", "Бренд", "Торговая марка";
    /// The category of the product.
    Category = "category", "subject", "Категория", "Предмет";
    /// What tells the variant from its siblings: a size, a colour.
    VariantName = "variant_name", "variant", "size", "Вариант", "Размер";
    /// The name of the warehouse, exactly as you call it.
    WarehouseName = "warehouse_name", "warehouse", "Склад", "Название склада";
    /// Your id of the warehouse, where several share a name.
    WarehouseExternalId = "warehouse_external_id", "ID склада", "Код склада";
    /// Units that can be sold.
    Available = "available", "stock", "quantity", "qty", "in stock", "Остаток", "Остатки", "Количество", "Кол-во", "Доступно", "В наличии";
    /// Units sold and not yet gone.
    Reserved = "reserved", "Резерв", "Зарезервировано";
    /// Units on the shelf.
    OnHand = "on_hand", "Фактический остаток", "Всего на складе";
}

impl Column {
    /// Whether a title of a file stands for this column.
    pub(super) fn is_titled(self, folded: &str) -> bool {
        fold(self.name()) == folded || self.titles().iter().any(|title| fold(title) == folded)
    }
}

/// A title as titles are compared.
pub(super) fn fold(title: &str) -> String {
    let folded = search::fold(title).replace('ё', "е");
    let is_between = |c: char| c.is_whitespace() || matches!(c, '_' | '-' | '.' | '*' | ':' | '\u{feff}');
    folded.split(is_between).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_are_compared_as_people_mean_them() {
        for title in ["SKU", " sku *", "\u{feff}Sku", "СКУ"] {
            assert!(Column::Sku.is_titled(&fold(title)), "{title}");
        }
        assert!(Column::SellerArticle.is_titled(&fold("АРТИКУЛ  продавца:")));
        assert!(Column::Available.is_titled(&fold("Кол во")));
        assert!(Column::WarehouseExternalId.is_titled(&fold("warehouse external id")));
        assert!(!Column::Sku.is_titled(&fold("sku name")));
    }

    #[test]
    fn no_title_stands_for_two_columns() {
        let titles = Column::ALL.iter().flat_map(|column| {
            std::iter::once(column.name())
                .chain(column.titles().iter().copied())
                .map(|title| (fold(title), *column))
        });
        let all: Vec<_> = titles.collect();
        for (i, (title, column)) in all.iter().enumerate() {
            assert!(all[..i].iter().all(|(other, of)| other != title || of == column), "{title}");
        }
    }

    #[test]
    fn ids_of_ours_in_an_export_are_not_taken_for_the_sellers() {
        for title in ["account_id", "product_id", "variant_id", "warehouse_id"] {
            assert!(!Column::ALL.iter().any(|column| column.is_titled(&fold(title))), "{title}");
        }
    }
}
