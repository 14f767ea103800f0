//! Refuses requests for hosts that are not this service: a page of somebody else's name could otherwise be made of it.

use actix_web::{
    Error,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header::HOST,
    middleware::Next,
    web::Data,
};

use super::edge::is_health;
use crate::{
    problem::{Problem, ProblemCode},
    service::Shared,
};

pub(super) async fn layer(
    shared: Data<Shared>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let trusted = &shared.settings.trusted_hosts;
    let asked = match request.uri().authority() {
        Some(authority) => Some(authority.as_str()),
        None => request.headers().get(HOST).and_then(|host| host.to_str().ok()),
    };
    // Balancers ask for health by address.
    if trusted.is_empty() || is_health(request.path()) || asked.is_some_and(|host| is_trusted(host, trusted))
    {
        return Ok(next.call(request).await?.map_into_boxed_body());
    }
    let problem =
        Problem::new(ProblemCode::InvalidHost, "This service does not answer for the host of the request.");
    let answer = problem.respond(&shared, request.request());
    Ok(request.into_response(answer))
}

fn is_trusted(host: &str, trusted: &[String]) -> bool {
    let name = without_port(host).trim_end_matches('.').to_ascii_lowercase();
    trusted.iter().any(|pattern| match pattern.strip_prefix("*.") {
        Some(parent) => name
            .strip_suffix(&parent.to_ascii_lowercase())
            .and_then(|child| child.strip_suffix('.'))
            .is_some_and(|child| !child.is_empty()),
        None => name.eq_ignore_ascii_case(pattern),
    })
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !name.ends_with(':') => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::is_trusted;

    #[test]
    fn names_are_compared_whole_and_without_port() {
        let trusted = ["api.example.com".to_owned(), "*.example.org".to_owned(), "[::1]".to_owned()];
        for host in [
            "api.example.com",
            "API.Example.com:8000",
            "api.example.com.",
            "a.example.org",
            "a.b.example.org:1",
            "[::1]:8000",
            "[::1]",
        ] {
            assert!(is_trusted(host, &trusted), "{host}");
        }
        for host in [
            "",
            "example.com",
            "evil-api.example.com",
            "api.example.com.evil.net",
            "example.org",
            "xexample.org",
            "api.example.com:x",
        ] {
            assert!(!is_trusted(host, &trusted), "{host}");
        }
    }
}
