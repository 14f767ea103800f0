//! Marketplaces on the wire.

use std::collections::BTreeMap;

use domain::marketplace::Descriptor;
use serde::Serialize;
use utoipa::ToSchema;

use crate::view::{Capability, Marketplace};

/// Every marketplace.
#[derive(Serialize, ToSchema)]
#[schema(as = Marketplaces)]
pub(super) struct MarketplacesView {
    items: Vec<MarketplaceView>,
}

impl MarketplacesView {
    pub(super) fn of(descriptors: &[&Descriptor]) -> Self {
        Self { items: descriptors.iter().map(|descriptor| MarketplaceView::from(*descriptor)).collect() }
    }
}

/// A marketplace that can be connected.
#[derive(Serialize, ToSchema)]
#[schema(as = MarketplaceInfo)]
struct MarketplaceView {
    /// What to send as `marketplace`.
    code: Marketplace,
    /// Its name.
    #[schema(example = "Wildberries")]
    title: &'static str,
    /// Where its API is documented.
    #[schema(example = "https://dev.wildberries.ru/openapi/api-information")]
    docs_url: &'static str,
    /// Everything that can be read with the best credential.
    capabilities: Vec<Capability>,
    /// JSON Schema of what to send as `credentials`.
    credential_schema: CredentialSchema,
    /// What to know before making a credential.
    notes: &'static str,
}

/// JSON Schema of a credential.
#[derive(Serialize, ToSchema)]
struct CredentialSchema {
    /// `object`.
    #[serde(rename = "type")]
    #[schema(example = "object")]
    kind: &'static str,
    /// The fields.
    properties: BTreeMap<&'static str, CredentialFieldSchema>,
    /// The fields that must be there.
    #[schema(example = json!(["token"]))]
    required: Vec<&'static str>,
    /// No others.
    #[serde(rename = "additionalProperties")]
    additional_properties: bool,
}

/// JSON Schema of a field of a credential.
#[derive(Serialize, ToSchema)]
struct CredentialFieldSchema {
    /// `string`.
    #[serde(rename = "type")]
    #[schema(example = "string")]
    kind: &'static str,
    /// What it is called in the marketplace's cabinet.
    #[schema(example = "API token")]
    title: &'static str,
    /// Most characters.
    #[serde(rename = "maxLength")]
    #[schema(example = 4096)]
    max_length: usize,
    /// Whether it is secret and never shown again.
    #[serde(rename = "writeOnly")]
    write_only: bool,
}

impl From<&Descriptor> for MarketplaceView {
    fn from(descriptor: &Descriptor) -> Self {
        let fields = descriptor.credential_fields;
        Self {
            code: descriptor.code.into(),
            title: descriptor.title,
            docs_url: descriptor.docs_url,
            capabilities: descriptor.capabilities.iter().copied().map(Capability::from).collect(),
            credential_schema: CredentialSchema {
                kind: "object",
                properties: fields
                    .iter()
                    .map(|field| {
                        let schema = CredentialFieldSchema {
                            kind: "string",
                            title: field.title,
                            max_length: field.max_length,
                            write_only: field.secret,
                        };
                        (field.name, schema)
                    })
                    .collect(),
                required: fields.iter().filter(|field| !field.optional).map(|field| field.name).collect(),
                additional_properties: false,
            },
            notes: descriptor.notes,
        }
    }
}
