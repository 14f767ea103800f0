//! Who calls.

use std::{
    future::{Ready, ready},
    ops::Deref,
};

use actix_web::{FromRequest, HttpMessage as _, HttpRequest, dev::Payload};
use app::Caller;

use crate::problem::{Problem, ProblemCode};

/// Somebody with a live session, as the authentication layer has found out. Without that layer there is nobody.
#[derive(Debug, Clone)]
pub(crate) struct Authenticated(pub(crate) Caller);

impl Deref for Authenticated {
    type Target = Caller;

    fn deref(&self) -> &Caller {
        &self.0
    }
}

impl FromRequest for Authenticated {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let caller = request.extensions().get::<Self>().cloned();
        ready(caller.ok_or_else(|| {
            Problem::unauthenticated(
                ProblemCode::Unauthenticated,
                "Send `Authorization: Bearer` and an access token.",
            )
        }))
    }
}
