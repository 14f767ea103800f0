//! From what a use case says to what a client is told.

use std::time::Duration;

use app::{Conflict, CredentialRefusal, Error, RefusalKind, Unauthenticated};
use domain::import;

use super::{FieldProblem, Problem, ProblemCode};

/// When to come back after the database could not be reached.
const DATABASE_PAUSE: Duration = Duration::from_secs(5);

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Unauthenticated(why) => unauthenticated(why),
            Error::Forbidden(permission) => {
                Self::new(ProblemCode::Forbidden, "Your role does not allow this.")
                    .because(format!("{permission:?}"))
            }
            Error::NotFound => Self::not_found(),
            Error::Invalid(problems) => {
                let mut problem = Self::new(
                    ProblemCode::ValidationFailed,
                    "The request has fields that are not right; see `errors`.",
                );
                problem.errors = problems
                    .into_iter()
                    .map(|field| FieldProblem { pointer: field.pointer, detail: field.detail })
                    .collect();
                problem
            }
            Error::ImportRefused(problems) => import_refused(&problems),
            Error::InvalidCursor => Self::new(
                ProblemCode::InvalidCursor,
                "The cursor was not made by this list with these parameters; start from the first page.",
            )
            .with_error("/query/cursor", "is not a cursor of this list"),
            Error::Conflict(conflict) => self::conflict(conflict),
            Error::CredentialRefused(refusal) => refused(refusal),
            Error::MarketplaceUnavailable { retry_after } => Self::new(
                ProblemCode::MarketplaceUnavailable,
                "The marketplace cannot be asked now; nothing has been changed.",
            )
            .retry_after(retry_after),
            // Said to jobs only; a request that hears it is a defect.
            Error::Overtaken => Self::internal(Error::Overtaken),
            Error::Overloaded { retry_after } => {
                Self::new(ProblemCode::Unavailable, "The service cannot answer now; try again shortly.")
                    .retry_after(retry_after)
            }
            Error::Unavailable(cause) => {
                Self::new(ProblemCode::Unavailable, "The service cannot answer now; try again shortly.")
                    .retry_after(DATABASE_PAUSE)
                    .because(cause)
            }
            Error::Internal(cause) => {
                let mut chain = cause.to_string();
                let mut next = cause.source();
                while let Some(source) = next {
                    chain.push_str(": ");
                    chain.push_str(&source.to_string());
                    next = source.source();
                }
                Self::internal(chain)
            }
        }
    }
}

fn unauthenticated(why: Unauthenticated) -> Problem {
    let (code, detail) = match why {
        Unauthenticated::InvalidToken => (ProblemCode::InvalidToken, "The token is not valid."),
        Unauthenticated::ExpiredToken => (ProblemCode::ExpiredToken, "The token has expired."),
        Unauthenticated::SessionEnded => (ProblemCode::SessionEnded, "The session has ended; sign in again."),
        Unauthenticated::WrongCredentials => {
            (ProblemCode::InvalidCredentials, "The e-mail address or the password is wrong.")
        }
        Unauthenticated::RefreshTokenReused => (
            ProblemCode::RefreshTokenReused,
            "The refresh token was used before; its session has been ended. Sign in again.",
        ),
    };
    Problem::unauthenticated(code, detail)
}

fn conflict(conflict: Conflict) -> Problem {
    let (code, detail) = match conflict {
        Conflict::EmailTaken => {
            (ProblemCode::EmailTaken, "Somebody has registered with this e-mail address.")
        }
        Conflict::AccountExists => (ProblemCode::AccountExists, "This seller is connected already."),
        Conflict::SellerChanged => (ProblemCode::SellerChanged, "The credential belongs to another seller."),
        Conflict::NoAccount => {
            (ProblemCode::NoAccount, "No marketplace account is connected that could be synced.")
        }
        Conflict::NotSynced => {
            (ProblemCode::NotSynced, "There is no marketplace behind this account that could be asked.")
        }
        Conflict::NotImportable => (
            ProblemCode::NotImportable,
            "The catalogue and the stock of this account are what its marketplace says.",
        ),
        Conflict::SyncEnded => (ProblemCode::SyncEnded, "The sync has ended."),
    };
    Problem::new(code, detail)
}

impl From<&import::Problem> for FieldProblem {
    fn from(problem: &import::Problem) -> Self {
        Self { pointer: problem.place.to_string(), detail: problem.detail.clone() }
    }
}

fn import_refused(problems: &import::Problems) -> Problem {
    let told = match (problems.total(), problems.listed().len()) {
        (1, _) => "One thing is wrong with the file; see `errors`.".to_owned(),
        (total, listed) if total > listed as u64 => {
            format!("{total} things are wrong with the file; `errors` has the first {listed}.")
        }
        (total, _) => format!("{total} things are wrong with the file; see `errors`."),
    };
    let mut problem = Problem::new(ProblemCode::ImportInvalid, format!("{told} Nothing of it was taken."));
    problem.errors = problems.listed().iter().map(FieldProblem::from).collect();
    problem.errors_total = Some(problems.total());
    problem
}

fn refused(refusal: CredentialRefusal) -> Problem {
    let (code, detail) = match refusal.kind {
        RefusalKind::Invalid => {
            (ProblemCode::CredentialsInvalid, "The marketplace does not accept the credential.")
        }
        RefusalKind::Expired => (ProblemCode::CredentialsExpired, "The credential has expired."),
        RefusalKind::Scope => {
            (ProblemCode::CredentialsScope, "The credential does not grant what is needed.")
        }
    };
    Problem::new(code, detail).with_error(format!("/credentials/{}", refusal.field), refusal.message)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
    use app::FieldProblem as Field;
    use domain::role::Permission;

    use super::*;

    fn header(problem: &Problem, name: &actix_web::http::header::HeaderName) -> Option<String> {
        let value = &problem.headers.iter().find(|(header, _)| header == name)?.1;
        value.to_str().ok().map(str::to_owned)
    }

    #[test]
    fn every_refusal_of_a_use_case_has_its_own_code() {
        use Unauthenticated::{
            ExpiredToken, InvalidToken, RefreshTokenReused, SessionEnded, WrongCredentials,
        };
        let refused = |kind| {
            Error::CredentialRefused(CredentialRefusal {
                kind,
                field: "token",
                message: "No such token.".into(),
            })
        };
        for (error, status, code) in [
            (Error::Unauthenticated(InvalidToken), 401, "invalid_token"),
            (Error::Unauthenticated(ExpiredToken), 401, "token_expired"),
            (Error::Unauthenticated(SessionEnded), 401, "session_ended"),
            (Error::Unauthenticated(WrongCredentials), 401, "invalid_credentials"),
            (Error::Unauthenticated(RefreshTokenReused), 401, "refresh_token_reused"),
            (Error::Forbidden(Permission::ManageAccounts), 403, "forbidden"),
            (Error::NotFound, 404, "not_found"),
            (Error::Invalid(vec![Field::new("/name", "is bad")]), 422, "validation_failed"),
            (Error::InvalidCursor, 422, "invalid_cursor"),
            (
                Error::ImportRefused(import::Problems::one(import::Place::Line(7), "is bad")),
                422,
                "import_invalid",
            ),
            (Error::Conflict(Conflict::EmailTaken), 409, "email_taken"),
            (Error::Conflict(Conflict::AccountExists), 409, "account_exists"),
            (Error::Conflict(Conflict::SellerChanged), 409, "seller_changed"),
            (Error::Conflict(Conflict::NoAccount), 409, "no_account"),
            (Error::Conflict(Conflict::NotImportable), 409, "not_importable"),
            (Error::Conflict(Conflict::SyncEnded), 409, "sync_ended"),
            (refused(RefusalKind::Invalid), 422, "credentials_invalid"),
            (refused(RefusalKind::Expired), 422, "credentials_expired"),
            (refused(RefusalKind::Scope), 422, "credentials_scope"),
            (
                Error::MarketplaceUnavailable { retry_after: Duration::from_millis(1500) },
                503,
                "marketplace_unavailable",
            ),
            (Error::Overloaded { retry_after: Duration::from_secs(5) }, 503, "unavailable"),
            (Error::Unavailable(storage::Error::Overtaken), 503, "unavailable"),
            (Error::Overtaken, 500, "internal_error"),
            (Error::Internal("select secret from table".into()), 500, "internal_error"),
        ] {
            let problem = Problem::from(error);
            assert_eq!((problem.code.status().as_u16(), problem.code.code()), (status, code));
            assert!(!problem.detail.contains("secret"), "{}", problem.detail);
            assert_eq!(header(&problem, &WWW_AUTHENTICATE).is_some(), status == 401, "{code}");
            assert_eq!(header(&problem, &RETRY_AFTER).is_some(), status == 503, "{code}");
        }
    }

    #[test]
    fn a_pause_is_rounded_up_to_whole_seconds() {
        for (pause, seconds) in [(0, "1"), (999, "1"), (1000, "1"), (1001, "2")] {
            let problem =
                Problem::from(Error::MarketplaceUnavailable { retry_after: Duration::from_millis(pause) });
            assert_eq!(header(&problem, &RETRY_AFTER).as_deref(), Some(seconds));
        }
    }

    #[test]
    fn a_refused_credential_points_at_its_field() {
        let refusal = CredentialRefusal {
            kind: RefusalKind::Scope,
            field: "token",
            message: "Lacks statistics.".into(),
        };
        let problem = Problem::from(Error::CredentialRefused(refusal));
        assert_eq!(problem.errors[0].pointer, "/credentials/token");
        assert_eq!(problem.errors[0].detail, "Lacks statistics.");
    }
}
