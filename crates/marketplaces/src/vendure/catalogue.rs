//! Products, put together from the list of their variants.
//!
//! Vendure gives a product's own list of variants only up to its limit, and silently. The list of all variants has a
//! total to go by, and is asked for product by product, so that only the last product of a page may go on on the next.

use domain::{
    marketplace::Capability,
    reading::{Position, ProductRow, ReadPage, VariantRow},
};
use serde::{Deserialize, Serialize, de::IgnoredAny};

use super::{
    api::{Api, Query},
    list::{self, Place, Standing, parse_position, position},
};
use crate::{
    decode::{Id, Text},
    error::Error,
};

pub(super) const PRODUCTS: Query = Query {
    operation: "products",
    capability: Some(Capability::Products),
    text: "query($take: Int!, $skip: Int!) {
        list: productVariants(options: { take: $take, skip: $skip, sort: { productId: ASC, id: ASC } }) {
            totalItems
            items { id sku name enabled options { name } product { id name enabled } }
        }
    }",
};

#[derive(Deserialize)]
struct Variant {
    id: Id,
    sku: Option<Text>,
    name: Option<Text>,
    enabled: bool,
    options: Option<Vec<Named>>,
    product: Product,
}

#[derive(Deserialize)]
struct Named {
    name: Option<Text>,
}

#[derive(Deserialize)]
struct Product {
    id: Id,
    name: Option<Text>,
    enabled: bool,
}

/// Where this reading goes on.
#[derive(Serialize, Deserialize)]
struct Here {
    list: Place,
    /// The product that the page before ended in.
    begun: Option<Begun>,
}

/// A product of which more variants may come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Begun {
    id: String,
    name: Option<String>,
    enabled: bool,
    variants: Vec<BegunVariant>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct BegunVariant {
    id: String,
    sku: Option<String>,
    /// What the shop calls it, product and all.
    title: Option<String>,
    /// The options that it is told apart by.
    options: Option<String>,
    enabled: bool,
}

/// Reads the next page. What is deleted is not in it any more.
pub(super) async fn read(api: &Api, at: Option<&Position>) -> Result<ReadPage<ProductRow>, Error> {
    let Here { list, begun } = match at {
        Some(at) => parse_position(&PRODUCTS, at)?,
        None => Here { list: Place::beginning(), begun: None },
    };
    let part = list::next(api, &PRODUCTS, list.clone(), |_: &Option<IgnoredAny>, variant| Some(one(variant)))
        .await?;
    let mut products = begun.into_iter().collect();
    for product in part.rows {
        add(&mut products, product);
    }
    let next = match part.standing {
        Standing::More(list) => Some(Here { list, begun: products.pop() }),
        Standing::Whole => None,
        // What has been read stays; what it lacks comes with the second time.
        Standing::Shifted(_) => Some(Here { list: list.again(&PRODUCTS)?, begun: None }),
    };
    let rows = products.into_iter().map(row).collect();
    Ok(ReadPage { failed: part.failed, next: next.as_ref().map(position), ..ReadPage::last(rows) })
}

/// A product of one variant.
fn one(variant: Variant) -> Begun {
    let options: Vec<_> =
        variant.options.into_iter().flatten().filter_map(|option| Text::filled(option.name)).collect();
    Begun {
        id: variant.product.id.0,
        name: Text::filled(variant.product.name),
        enabled: variant.product.enabled,
        variants: vec![BegunVariant {
            id: variant.id.0,
            sku: Text::filled(variant.sku),
            title: Text::filled(variant.name),
            options: (!options.is_empty()).then(|| options.join(" / ")),
            enabled: variant.enabled,
        }],
    }
}

/// Adds a product's variants to it, if it is the one that came before.
fn add(products: &mut Vec<Begun>, more: Begun) {
    match products.last_mut() {
        Some(last) if last.id == more.id => last.variants.extend(more.variants),
        _ => products.push(more),
    }
}

/// A product that customers cannot see is kept, with its stock, but is not among the active ones.
fn row(product: Begun) -> ProductRow {
    let is_single = product.variants.len() == 1;
    let hidden = !product.enabled || product.variants.iter().all(|variant| !variant.enabled);
    let article = product.variants.first().filter(|_| is_single).and_then(|variant| variant.sku.clone());
    let variants = product.variants.into_iter().map(|variant| VariantRow {
        external_id: variant.id,
        sku: variant.sku,
        name: variant.options.or(variant.title).filter(|_| !is_single),
        barcodes: Vec::new(),
    });
    ProductRow {
        external_id: product.id,
        seller_article: article,
        name: product.name,
        brand: None,
        category: None,
        removed: false,
        hidden,
        variants: variants.collect(),
    }
}
