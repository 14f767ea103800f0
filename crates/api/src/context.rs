//! What is known of a request before anybody knows who sent it.

use std::{
    future::{Ready, ready},
    net::IpAddr,
};

use actix_web::{
    FromRequest, HttpMessage as _, HttpRequest,
    dev::{Payload, ServiceRequest},
    http::header::{HeaderMap, HeaderValue, USER_AGENT},
};
use domain::ids::{TenantId, UserId};
use ipnet::IpNet;
use ratelimit::Proxies;
use uuid::Uuid;

use crate::{problem::Problem, settings::Settings};

/// Most characters of a client's own name that are kept.
const USER_AGENT_LENGTH: usize = 256;

/// The request's id and where it comes from.
#[derive(Debug, Clone, Default)]
pub(crate) struct RequestContext {
    /// The client's own id if it gave a good one, else a new one.
    pub(crate) id: String,
    /// The client's address, through proxies that are trusted.
    pub(crate) address: Option<IpAddr>,
    /// What the client calls itself.
    pub(crate) user_agent: Option<String>,
}

/// Whose request it has turned out to be, for logs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Identity {
    pub(crate) tenant_id: TenantId,
    pub(crate) user_id: UserId,
}

impl RequestContext {
    /// Looks at a request that has just come in.
    pub(crate) fn read(request: &ServiceRequest, settings: &Settings) -> Self {
        let headers = request.headers();
        let peer = request.peer_addr().map(|peer| peer.ip());
        let user_agent = headers.get(USER_AGENT).and_then(|value| value.to_str().ok());
        Self {
            id: given_id(headers).map_or_else(|| Uuid::now_v7().to_string(), str::to_owned),
            address: peer.map(|peer| client_address(peer, headers, &settings.trusted_proxies)),
            user_agent: user_agent.map(|name| name.chars().take(USER_AGENT_LENGTH).collect()),
        }
    }

    /// The context of a request that the outermost layer has seen.
    pub(crate) fn of(request: &HttpRequest) -> Self {
        request.extensions().get::<Self>().cloned().unwrap_or_default()
    }
}

/// The client's address, through proxies of these networks.
fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let lines = headers.get_all("x-forwarded-for").map(HeaderValue::as_bytes);
    Proxies::networks(trusted.iter().copied()).client(peer, lines)
}

/// The client's own id for the request, where it is short and harmless enough to be repeated in headers and logs.
fn given_id(headers: &HeaderMap) -> Option<&str> {
    let id = headers.get("x-request-id")?.to_str().ok()?;
    let fits = (1..=128).contains(&id.len())
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
    fits.then_some(id)
}

/// Where a request comes from, as the use cases want it.
#[derive(Debug)]
pub(crate) struct Client(pub(crate) app::Client);

impl Client {
    pub(crate) fn of(request: &HttpRequest) -> Self {
        let context = RequestContext::of(request);
        Self(app::Client {
            request_id: Some(context.id),
            address: context.address,
            user_agent: context.user_agent,
        })
    }
}

impl FromRequest for Client {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        ready(Ok(Self::of(request)))
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

    use super::given_id;

    fn headers(id: &str) -> HeaderMap {
        let name = HeaderName::from_static("x-request-id");
        [(name, HeaderValue::from_str(id).unwrap())].into_iter().collect()
    }

    #[test]
    fn a_good_id_is_kept_and_a_bad_one_is_not() {
        for good in ["a", "0199c0de-0000-7000-8000-000000000000", "A.b_c-9", &"x".repeat(128)] {
            assert_eq!(given_id(&headers(good)), Some(good));
        }
        for bad in ["", " ", "a b", "a\"b", "<script>", "é", "a/b", &"x".repeat(129)] {
            assert_eq!(given_id(&headers(bad)), None, "{bad}");
        }
        assert_eq!(given_id(&HeaderMap::new()), None);
    }
}
