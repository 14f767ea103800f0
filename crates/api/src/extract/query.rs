//! Query strings.

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use chrono::{DateTime, SubsecRound as _, Utc};
use domain::{
    clock::Timestamp,
    page::{Cursor, PageRequest},
};
use serde::{Deserialize, Deserializer, de, de::DeserializeOwned};

use super::{
    field::{QueryNumber, Text},
    words::Complaint,
};
use crate::problem::Problem;

/// Rows of a page unless the client says otherwise.
pub(crate) const DEFAULT_LIMIT: u64 = 50;

/// The parameters of a query string; unknown, repeated and unreadable ones are refused.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest for Query<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        ready(parse(request.query_string()).map(Self))
    }
}

/// No parameters at all.
pub(crate) struct NoQuery;

impl FromRequest for NoQuery {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct None {}

        ready(parse(request.query_string()).map(|None {}| Self))
    }
}

fn parse<T: DeserializeOwned>(query: &str) -> Result<T, Problem> {
    let reader = serde_urlencoded::Deserializer::new(url::form_urlencoded::parse(query.as_bytes()));
    serde_path_to_error::deserialize(reader).map_err(|error| {
        let Complaint { pointer, detail } =
            Complaint::new("/query", error.path(), &error.inner().to_string());
        Problem::invalid(pointer, detail)
    })
}

/// What part of a list a query asks for.
pub(crate) fn page_request<const MAX: i64>(
    limit: Option<QueryNumber<1, MAX>>,
    cursor: Option<Text<1, 512>>,
) -> PageRequest {
    PageRequest {
        limit: limit.map_or(DEFAULT_LIMIT, QueryNumber::count),
        cursor: cursor.map(|text| Cursor(text.0)),
    }
}

/// A moment as RFC 3339 writes it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment(pub(crate) Timestamp);

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        DateTime::parse_from_rfc3339(&text)
            .map(|at| Self(at.with_timezone(&Utc).trunc_subsecs(6)))
            .map_err(|_| de::Error::custom("must be a moment such as 2026-01-31T12:00:00Z"))
    }
}

#[cfg(test)]
mod tests {
    use domain::ids::AccountId;

    use super::*;
    use crate::extract::QueryFlag;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Wanted {
        limit: Option<QueryNumber<1, 200>>,
        account_id: Option<AccountId>,
        search: Option<Text<1, 5>>,
        low: Option<QueryFlag>,
        from: Option<Moment>,
    }

    fn refusal(query: &str) -> String {
        let problem = parse::<Wanted>(query).unwrap_err();
        let error = &problem.errors[0];
        format!("{} {}", error.pointer, error.detail)
    }

    #[test]
    fn good_queries_are_read() {
        let wanted: Wanted =
            parse("limit=7&account_id=0199c0de-0000-7000-8000-000000000000&search=%D0%B0+b&low=true&from=2026-01-31T12:00:00%2B03:00")
                .unwrap();
        assert_eq!(wanted.limit.unwrap().count(), 7);
        assert_eq!(wanted.account_id.unwrap().to_string(), "0199c0de-0000-7000-8000-000000000000");
        assert_eq!(wanted.search.unwrap().0, "а b");
        assert_eq!(wanted.low, Some(QueryFlag(true)));
        assert_eq!(wanted.from.unwrap().0.to_rfc3339(), "2026-01-31T09:00:00+00:00");
        assert!(parse::<Wanted>("").unwrap().limit.is_none());
    }

    #[test]
    fn bad_queries_are_told_where_and_why() {
        for (query, expected) in [
            ("limit=0", "/query/limit must be a whole number from 1 to 200"),
            ("limit=201", "/query/limit must be a whole number from 1 to 200"),
            ("limit=", "/query/limit must be a whole number from 1 to 200"),
            ("limit=1&limit=2", "/query/limit is given twice"),
            ("limlt=1", "/query/limlt is not known here"),
            ("search=123456", "/query/search must have 1 to 5 characters"),
            ("search=%00", "/query/search must not contain NUL characters"),
            ("search=", "/query/search must not be empty"),
            ("low=perhaps", "/query/low must be true or false"),
            ("from=yesterday", "/query/from must be a moment such as 2026-01-31T12:00:00Z"),
        ] {
            assert_eq!(refusal(query), expected, "{query}");
        }
        assert!(refusal("account_id=17").starts_with("/query/account_id "), "{}", refusal("account_id=17"));
    }
}
