//! Keeps addresses that users enter away from private networks.
//!
//! A name is resolved once, by the client's own resolver, and only public addresses of it are connected to, so a name
//! that changes between check and use gains nothing. Redirects are not followed. Addresses that the operator
//! configured do not pass through here.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

/// Why an address is not called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Only `https` is allowed.
    #[error("the address must begin with https://")]
    NotHttps,
    /// There is nothing to connect to.
    #[error("the address names no host")]
    NoHost,
    /// A user name or password does not belong in an address.
    #[error("the address must not contain a user name or password")]
    Credentials,
    /// It lies in a private or special network.
    #[error("the address is not public")]
    NotPublic,
}

impl Refused {
    /// What to tell whoever entered the address.
    pub const fn advice(self) -> &'static str {
        match self {
            Self::NotHttps => "The address must begin with https://.",
            Self::NoHost => "This is not the address of a shop.",
            Self::Credentials => "The address must not contain a user name or password.",
            Self::NotPublic => "The address must be one on the public internet.",
        }
    }
}

/// Decides which addresses may be called.
#[derive(Debug, Clone, Copy)]
pub struct Guard {
    allow_private: bool,
}

impl Guard {
    /// With `allow_private` every address and plain `http` pass: for development and tests.
    pub const fn new(allow_private: bool) -> Self {
        Self { allow_private }
    }

    /// Checks what can be told from the address itself; names are checked when they are resolved.
    pub fn admit(self, url: &Url) -> Result<(), Refused> {
        if !(url.scheme() == "https" || (self.allow_private && url.scheme() == "http")) {
            return Err(Refused::NotHttps);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refused::Credentials);
        }
        let literal = match url.host().ok_or(Refused::NoHost)? {
            Host::Domain(_) => return Ok(()),
            Host::Ipv4(ip) => IpAddr::V4(ip),
            Host::Ipv6(ip) => IpAddr::V6(ip),
        };
        if self.allow_private || is_public(literal) { Ok(()) } else { Err(Refused::NotPublic) }
    }

    /// Makes a client resolve names through this guard. Literal addresses never reach a resolver, so each URL must
    /// be admitted as well.
    pub fn install(self, builder: reqwest::ClientBuilder) -> reqwest::ClientBuilder {
        let builder = builder.redirect(reqwest::redirect::Policy::none()).no_proxy();
        if self.allow_private { builder } else { builder.dns_resolver(Arc::new(PublicOnly)) }
    }
}

/// Resolves names with the system's resolver and forgets every address that is not public.
#[derive(Debug)]
struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found.filter(|address| is_public(address.ip())).collect();
            if public.is_empty() {
                return Err(Refused::NotPublic.into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

/// Whether an address belongs to the public internet.
pub fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

/// What is left after the special-purpose registry of IANA.
fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let special = a == 0
        || a == 10
        || a == 127
        || a >= 224
        || (a == 100 && (64..128).contains(&b))
        || (a == 169 && b == 254)
        || (a == 172 && (16..32).contains(&b))
        || (a == 192 && b == 168)
        || (a == 192 && b == 0 && (c == 0 || c == 2))
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (b == 18 || b == 19))
        || (a == 198 && b == 51 && c == 100)
        || (a == 203 && b == 0 && c == 113);
    !special
}

/// Global unicast without the parts that are tunnels, documentation or protocol assignments; an IPv4 address in the
/// clothes of IPv6 is judged as what it is.
fn is_public_v6(ip: Ipv6Addr) -> bool {
    if let Some(v4) = ip.to_ipv4_mapped() {
        return is_public_v4(v4);
    }
    let [first, second, ..] = ip.segments();
    let global_unicast = first & 0xe000 == 0x2000;
    let special = match first {
        0x2001 => second < 0x0200 || second == 0x0db8,
        0x2002 => true,
        0x3fff => second < 0x1000,
        _ => false,
    };
    global_unicast && !special
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn private_and_special_addresses_are_not_public() {
        for text in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.170",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::7f00:1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "3fff::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!is_public(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn ordinary_addresses_are_public() {
        for text in ["1.1.1.1", "100.63.0.1", "172.32.0.1", "192.0.1.1", "2606:4700::1111", "::ffff:8.8.8.8"]
        {
            assert!(is_public(text.parse().unwrap()), "{text}");
        }
    }

    proptest! {
        #[test]
        fn an_address_in_other_clothes_is_judged_the_same(bits in any::<u32>()) {
            let v4 = Ipv4Addr::from_bits(bits);
            prop_assert_eq!(is_public(v4.into()), is_public(v4.to_ipv6_mapped().into()));
        }

        #[test]
        fn nothing_that_the_standard_library_calls_special_is_public(bits in any::<u32>()) {
            let ip = Ipv4Addr::from_bits(bits);
            let special = ip.is_private() || ip.is_loopback() || ip.is_link_local() || ip.is_multicast()
                || ip.is_broadcast() || ip.is_documentation() || ip.is_unspecified();
            prop_assert!(!(special && is_public(ip.into())));
        }

        #[test]
        fn only_global_unicast_is_public(bits in any::<u128>()) {
            let ip = Ipv6Addr::from_bits(bits);
            let inside = ip.to_ipv4_mapped().is_some() || bits >> 125 == 1;
            prop_assert!(inside || !is_public(ip.into()));
        }
    }

    #[test]
    fn addresses_are_judged_before_they_are_called() {
        let strict = Guard::new(false);
        for (text, verdict) in [
            ("https://shop.example", Ok(())),
            ("https://1.1.1.1/x", Ok(())),
            ("http://shop.example", Err(Refused::NotHttps)),
            ("ftp://shop.example", Err(Refused::NotHttps)),
            ("https://user@shop.example", Err(Refused::Credentials)),
            ("https://:secret@shop.example", Err(Refused::Credentials)),
            ("https://127.0.0.1", Err(Refused::NotPublic)),
            ("https://0x7f.1", Err(Refused::NotPublic)),
            ("https://2130706433", Err(Refused::NotPublic)),
            ("https://[::ffff:10.0.0.1]", Err(Refused::NotPublic)),
        ] {
            assert_eq!(strict.admit(&text.parse().unwrap()), verdict, "{text}");
        }
        let lax = Guard::new(true);
        assert_eq!(lax.admit(&"http://127.0.0.1:8080".parse().unwrap()), Ok(()));
        assert_eq!(lax.admit(&"file:///etc/passwd".parse().unwrap()), Err(Refused::NotHttps));
    }

    #[tokio::test]
    async fn a_name_of_a_private_address_resolves_to_nothing() {
        let found = PublicOnly.resolve("localhost".parse().unwrap()).await;
        assert!(found.is_err_and(|error| error.to_string() == Refused::NotPublic.to_string()));
    }
}
