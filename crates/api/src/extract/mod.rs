//! What handlers take: each type says what a handler needs and refuses everything else with a problem.

mod body;
mod caller;
mod field;
mod id;
mod query;
mod words;

pub(crate) use body::{Body, LIMIT as BODY_LIMIT, NoBody, read};
pub(crate) use caller::Authenticated;
pub(crate) use field::{Number, Object, QueryFlag, QueryNumber, SecretText, Text, given, given_or_null};
pub(crate) use id::Id;
pub(crate) use query::{DEFAULT_LIMIT, Moment, NoQuery, Query, page_request};
