//! What a problem looks like on the wire.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

/// A problem, RFC 9457.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// Identifies the kind of problem.
    #[serde(rename = "type")]
    #[schema(example = "urn:stock-tracker:problem:not_found")]
    pub kind: String,
    /// The kind of problem in words; the same for every occurrence.
    #[schema(example = "Not found")]
    pub title: &'static str,
    /// The HTTP status.
    #[schema(example = 404)]
    pub status: u16,
    /// What happened this time, in words for people.
    #[schema(example = "There is no such resource.")]
    pub detail: String,
    /// The path of the request.
    #[schema(example = "/api/v1/products/0199c0de-0000-7000-8000-000000000000")]
    pub instance: String,
    /// Stable name of the kind of problem, for programs.
    #[schema(example = "not_found")]
    pub code: &'static str,
    /// The id of the request, to quote when reporting the problem.
    #[schema(example = "0199c0de-0000-7000-8000-000000000001")]
    pub request_id: String,
    /// With 5xx only, and where the operator collects error reports: the id of the report.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "0199c0de000070008000000000000002")]
    pub event_id: Option<String>,
    /// With 422 only: every wrong field that was found.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldProblem>,
    /// With `import_invalid` only: how many things are wrong with the file, which may be more than `errors` lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errors_total: Option<u64>,
    /// With 429 only: what was exceeded, and when to come again.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<ExceededLimit>,
    /// The cause; only where the operator has switched debugging on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub debug: Option<String>,
}

/// One wrong field of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldProblem {
    /// Where: a JSON pointer into the body (`/credentials/token`), `/query/…` or `/header/…` and the name, or a place in
    /// an imported file (`/lines/7/available`, `/columns/sku`, `/file`).
    #[schema(example = "/query/limit")]
    pub pointer: String,
    /// What is wrong, to follow the field's name.
    #[schema(example = "must be a whole number from 1 to 200")]
    pub detail: String,
}

/// A limit that a request did not fit into.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ExceededLimit {
    /// `rate_limit_exceeded`, the same as `code`.
    #[schema(example = "rate_limit_exceeded")]
    pub error: &'static str,
    /// The same as `detail`.
    #[schema(example = "Too many requests. Try again in 42 seconds.")]
    pub message: String,
    /// Whole seconds after which the request fits, if no other is let through before; null when it never does.
    #[schema(example = 42)]
    pub retry_after: Option<u64>,
    /// The moment at which it fits.
    #[schema(example = "2026-11-20T09:00:42Z")]
    pub reset_at: Option<DateTime<Utc>>,
    /// The names of the limits that were exceeded.
    #[schema(example = json!(["tenant"]))]
    pub violated_policies: Vec<String>,
}
