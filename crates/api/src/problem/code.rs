//! Every way in which a request can be refused or fail: one table.

use actix_web::http::StatusCode;

/// Declares the table; each row is a code, its status and its title.
macro_rules! problem_codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $code:literal $status:ident $title:literal;)*) => {
        /// What a problem is, by a name that never changes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ProblemCode {
            $($(#[doc = $doc])+ $name,)*
        }

        impl ProblemCode {
            /// Every code, in the order of the documentation.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The stable name, `code` of a problem.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// The HTTP status.
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)* }
            }

            /// The same words for every occurrence.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }

            /// When it is answered and what to do about it.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc),+),)* }
            }
        }
    };
}

problem_codes! {
    /// The request is not well-formed HTTP, or its preflight is not allowed.
    InvalidRequest = "invalid_request" BAD_REQUEST "Invalid request";
    /// The body is not JSON, or there is none.
    InvalidJson = "invalid_json" BAD_REQUEST "Invalid JSON";
    /// The `Host` header names a host that this service does not answer for.
    InvalidHost = "invalid_host" BAD_REQUEST "Invalid host";
    /// The request carries no access token.
    Unauthenticated = "unauthenticated" UNAUTHORIZED "Authentication required";
    /// The token is not one of this service, or not of this kind.
    InvalidToken = "invalid_token" UNAUTHORIZED "Invalid token";
    /// The token's time is over. Refresh it, or sign in again.
    ExpiredToken = "token_expired" UNAUTHORIZED "Expired token";
    /// The session was ended, or its user or company may not sign in any more. Sign in again.
    SessionEnded = "session_ended" UNAUTHORIZED "Session ended";
    /// Unknown e-mail address or wrong password; the two are never told apart.
    InvalidCredentials = "invalid_credentials" UNAUTHORIZED "Wrong e-mail or password";
    /// A refresh token came again, more than ten seconds after its first use. Its whole session has been ended, since one of the two may be a thief.
    RefreshTokenReused = "refresh_token_reused" UNAUTHORIZED "Refresh token used twice";
    /// The caller's role does not allow this in the caller's own company.
    Forbidden = "forbidden" FORBIDDEN "Not allowed";
    /// There is no such thing here. The same answer for what is missing, malformed or another company's.
    NotFound = "not_found" NOT_FOUND "Not found";
    /// The path exists, the method does not. `Allow` names those that do.
    MethodNotAllowed = "method_not_allowed" METHOD_NOT_ALLOWED "Method not allowed";
    /// No encoding that the client accepts can be sent.
    NotAcceptable = "not_acceptable" NOT_ACCEPTABLE "Not acceptable";
    /// Somebody has registered with this e-mail address.
    EmailTaken = "email_taken" CONFLICT "E-mail address taken";
    /// The company has connected this seller already.
    AccountExists = "account_exists" CONFLICT "Account already connected";
    /// The new credential belongs to another seller. Connect that seller as an account of its own.
    SellerChanged = "seller_changed" CONFLICT "Credential of another seller";
    /// There is no marketplace account to sync.
    NoAccount = "no_account" CONFLICT "No marketplace account";
    /// There is no marketplace behind the account that could be asked: it changes by imports alone.
    NotSynced = "not_synced" CONFLICT "Account not synced";
    /// The catalogue and the stock of the account are what its marketplace says. Import into an account of `manual`.
    NotImportable = "not_importable" CONFLICT "Account takes no imports";
    /// The sync has ended and cannot be cancelled any more.
    SyncEnded = "sync_ended" CONFLICT "Sync already ended";
    /// A request with this `Idempotency-Key` is being answered right now. Try again shortly.
    IdempotencyInProgress = "idempotency_in_progress" CONFLICT "Request in progress";
    /// The body is larger than 256 KiB, or 16 MiB for a file that is imported.
    BodyTooLarge = "body_too_large" PAYLOAD_TOO_LARGE "Body too large";
    /// The body is not `application/json`, or no file that can be imported, or is compressed.
    UnsupportedMediaType = "unsupported_media_type" UNSUPPORTED_MEDIA_TYPE "Unsupported media type";
    /// A field of the body, a query parameter or a header is unknown, missing, of the wrong type or out of range.
    /// `errors` says which: `/name` in the body, `/query/name`, `/header/name`.
    ValidationFailed = "validation_failed" UNPROCESSABLE_ENTITY "Validation failed";
    /// The cursor was not made by this list with these parameters. Start from the first page.
    InvalidCursor = "invalid_cursor" UNPROCESSABLE_ENTITY "Invalid cursor";
    /// Something in an imported file is wrong, so nothing of it was taken. `errors` says what: `/lines/7/available`,
    /// `/columns/sku`, `/file`. `errors_total` says how much.
    ImportInvalid = "import_invalid" UNPROCESSABLE_ENTITY "Import refused";
    /// One sheet does not hold what was asked for. Ask for less, as for one account.
    ExportTooLarge = "export_too_large" UNPROCESSABLE_ENTITY "Export too large";
    /// The marketplace does not know the credential.
    CredentialsInvalid = "credentials_invalid" UNPROCESSABLE_ENTITY "Credential refused";
    /// The marketplace says that the credential has expired.
    CredentialsExpired = "credentials_expired" UNPROCESSABLE_ENTITY "Credential expired";
    /// The credential does not grant what is needed.
    CredentialsScope = "credentials_scope" UNPROCESSABLE_ENTITY "Credential lacks rights";
    /// The `Idempotency-Key` was used for a different request. Use a new one.
    IdempotencyKeyReused = "idempotency_key_reused" UNPROCESSABLE_ENTITY "Idempotency key reused";
    /// More requests than a limit allows. Try again after `Retry-After` seconds; `violated_policies` says which limits.
    RateLimitExceeded = "rate_limit_exceeded" TOO_MANY_REQUESTS "Too many requests";
    /// A defect of the service. Report it with the `request_id`.
    InternalError = "internal_error" INTERNAL_SERVER_ERROR "Internal error";
    /// The marketplace cannot be asked now. Try again after `Retry-After` seconds.
    MarketplaceUnavailable = "marketplace_unavailable" SERVICE_UNAVAILABLE "Marketplace unavailable";
    /// The service cannot answer now. Try again after `Retry-After` seconds.
    Unavailable = "unavailable" SERVICE_UNAVAILABLE "Temporarily unavailable";
}

impl ProblemCode {
    /// The identifier of the kind of problem, `type` of RFC 9457.
    pub fn type_uri(self) -> String {
        format!("urn:stock-tracker:problem:{}", self.code())
    }

    /// The code of a status that something else than this crate has answered with.
    pub(crate) fn of_status(status: StatusCode) -> Self {
        match status.as_u16() {
            401 => Self::Unauthenticated,
            403 => Self::Forbidden,
            404 => Self::NotFound,
            405 => Self::MethodNotAllowed,
            406 => Self::NotAcceptable,
            413 => Self::BodyTooLarge,
            415 => Self::UnsupportedMediaType,
            422 => Self::ValidationFailed,
            429 => Self::RateLimitExceeded,
            503 => Self::Unavailable,
            500.. => Self::InternalError,
            _ => Self::InvalidRequest,
        }
    }
}

/// The page `docs/errors.md`, made from the table.
pub fn errors_page() -> String {
    let mut page = String::from(
        "# Errors\n\n\
         Every error is an `application/problem+json` document (RFC 9457) with `type`, `title`, `status`, `detail`,\n\
         `instance`, a stable `code`, the `request_id`, and for 422 the list `errors` of `pointer` and `detail`.\n\
         Programs decide by `code`; `detail` is for people and may change.\n\n\
         This page is written from the code (`crates/api/src/problem/code.rs`); a test holds the two together.\n\n\
         | Code | Status | Title | Meaning |\n|---|---|---|---|\n",
    );
    for code in ProblemCode::ALL {
        let row = format!(
            "| `{}` | {} | {} |{} |\n",
            code.code(),
            code.status().as_u16(),
            code.title(),
            code.meaning()
        );
        page.push_str(&row);
    }
    page
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn codes_are_unique_snake_case_errors() {
        let mut seen = HashSet::new();
        for code in ProblemCode::ALL {
            assert!(seen.insert(code.code()), "{} is there twice", code.code());
            assert!(code.code().bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{}", code.code());
            assert!(code.status().is_client_error() || code.status().is_server_error());
            assert!(!code.title().is_empty() && !code.meaning().is_empty());
        }
    }

    #[test]
    fn the_table_is_the_published_one() {
        let row = |code: &ProblemCode| format!("{} {} {}", code.status().as_u16(), code.code(), code.title());
        let table: Vec<String> = ProblemCode::ALL.iter().map(row).collect();
        insta::assert_snapshot!(table.join("\n"));
    }

    #[test]
    fn the_page_in_docs_is_this_table() {
        let page = include_str!("../../../../docs/errors.md");
        assert_eq!(page, errors_page(), "docs/errors.md is not what the code says");
    }
}
