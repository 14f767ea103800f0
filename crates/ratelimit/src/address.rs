//! Who is at the other end, when proxies stand between, and which addresses are one client's.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroUsize;

use ipnet::IpNet;

/// Which proxies stand before the service. Only what they wrote is believed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxies(Trust);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Trust {
    #[default]
    Nobody,
    Networks(Vec<IpNet>),
    Hops(NonZeroUsize),
}

impl Proxies {
    /// None: the client is who opened the connection, whatever it says.
    pub fn none() -> Self {
        Self::default()
    }

    /// Those with addresses of these networks.
    pub fn networks(networks: impl IntoIterator<Item = IpNet>) -> Self {
        Self(Trust::Networks(networks.into_iter().collect()))
    }

    /// So many, one before the other, whatever their addresses; nobody can reach the service past them.
    pub fn hops(hops: NonZeroUsize) -> Self {
        Self(Trust::Hops(hops))
    }

    /// The client's address. `forwarded_for` is the value of every `X-Forwarded-For` line, in the order in which they
    /// came.
    ///
    /// The entries are read from right to left, since each proxy adds the address it was called from at the end; what
    /// a client wrote itself stands left of what can be believed, and changes nothing. An entry that is no address
    /// ends the walk.
    pub fn client<'a>(&self, peer: IpAddr, forwarded_for: impl IntoIterator<Item = &'a [u8]>) -> IpAddr {
        let peer = peer.to_canonical();
        let hops = || -> Vec<&'a [u8]> {
            forwarded_for.into_iter().flat_map(|line| line.split(|byte| *byte == b',')).collect()
        };
        match &self.0 {
            Trust::Nobody => peer,
            Trust::Hops(count) => {
                let hops = hops();
                let at = hops.len().checked_sub(count.get());
                at.and_then(|at| address(hops[at])).unwrap_or(peer)
            }
            Trust::Networks(networks) => {
                let trusted = |client: &IpAddr| networks.iter().any(|network| network.contains(client));
                let mut client = peer;
                if trusted(&client) {
                    for hop in hops().into_iter().rev() {
                        let Some(address) = address(hop) else { break };
                        client = address;
                        if !trusted(&client) {
                            break;
                        }
                    }
                }
                client
            }
        }
    }
}

/// An address as proxies write it: some with a port, in brackets, or with a zone.
fn address(hop: &[u8]) -> Option<IpAddr> {
    let text = str::from_utf8(hop).ok()?.trim();
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let zoneless = bare.split_once('%').map_or(bare, |(address, _zone)| address);
    let with_port = || text.parse::<SocketAddr>().map(|socket| socket.ip());
    zoneless.parse().or_else(|_| with_port()).ok().map(|address: IpAddr| address.to_canonical())
}

/// How much of an address tells one client from another, in bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prefixes {
    /// Of an IPv4 address; at most 32.
    pub v4: u8,
    /// Of an IPv6 address; at most 128.
    pub v6: u8,
}

impl Default for Prefixes {
    /// Whole IPv4 addresses, and the /64 of an IPv6 address: one line has that many addresses to choose from.
    fn default() -> Self {
        Self { v4: 32, v6: 64 }
    }
}

impl Prefixes {
    /// What tells the client of this address from others, as bytes for a [`Subject`](crate::Subject).
    pub fn network(&self, address: IpAddr) -> [u8; 17] {
        let mut network = [0; 17];
        match address.to_canonical() {
            IpAddr::V4(address) => {
                network[0] = 4;
                let kept = u32::MAX.checked_shl(32_u32.saturating_sub(self.v4.into())).unwrap_or(0);
                network[1..5].copy_from_slice(&(address.to_bits() & kept).to_be_bytes());
            }
            IpAddr::V6(address) => {
                network[0] = 6;
                let kept = u128::MAX.checked_shl(128_u32.saturating_sub(self.v6.into())).unwrap_or(0);
                network[1..].copy_from_slice(&(address.to_bits() & kept).to_be_bytes());
            }
        }
        network
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn networks(trusted: &[&str]) -> Proxies {
        Proxies::networks(trusted.iter().map(|network| network.parse().unwrap()))
    }

    fn hops(count: usize) -> Proxies {
        Proxies::hops(NonZeroUsize::new(count).unwrap())
    }

    fn client(proxies: &Proxies, peer: &str, lines: &[&str]) -> String {
        proxies.client(peer.parse().unwrap(), lines.iter().map(|line| line.as_bytes())).to_string()
    }

    #[test]
    fn nobody_is_believed_unless_trusted() {
        for proxies in [Proxies::none(), networks(&[]), networks(&["10.0.0.0/8"])] {
            assert_eq!(client(&proxies, "203.0.113.9", &["198.51.100.1"]), "203.0.113.9");
        }
    }

    #[test]
    fn the_rightmost_untrusted_hop_is_the_client() {
        let trusted = networks(&["10.0.0.0/8", "fd00::/8"]);
        assert_eq!(client(&trusted, "10.0.0.1", &["198.51.100.1"]), "198.51.100.1");
        // What the client itself wrote stands further left.
        assert_eq!(client(&trusted, "10.0.0.1", &["1.1.1.1, 198.51.100.1, 10.0.0.2"]), "198.51.100.1");
        assert_eq!(client(&trusted, "10.0.0.1", &["1.1.1.1", "198.51.100.1"]), "198.51.100.1");
        assert_eq!(client(&trusted, "fd00::1", &["[2001:db8::1]:4711"]), "2001:db8::1");
        assert_eq!(client(&trusted, "fd00::1", &["[2001:db8::1]"]), "2001:db8::1");
        assert_eq!(client(&trusted, "fd00::1", &["fe80::1%eth0"]), "fe80::1");
        assert_eq!(client(&trusted, "::ffff:10.0.0.1", &["198.51.100.1:80"]), "198.51.100.1");
        assert_eq!(client(&trusted, "10.0.0.1", &["::ffff:198.51.100.1"]), "198.51.100.1");
    }

    #[test]
    fn nonsense_ends_the_walk() {
        let trusted = networks(&["10.0.0.0/8"]);
        for line in ["198.51.100.1, unknown", "", "_hidden", "198.51.100.1,", "1.2.3.4.5", "198.51.100.1:x"] {
            assert_eq!(client(&trusted, "10.0.0.1", &[line]), "10.0.0.1", "{line}");
        }
        assert_eq!(client(&trusted, "10.0.0.1", &["10.0.0.3"]), "10.0.0.3");
        assert_eq!(trusted.client("10.0.0.1".parse().unwrap(), [b"\xff".as_slice()]).to_string(), "10.0.0.1");
    }

    #[test]
    fn hops_are_counted_from_the_right() {
        assert_eq!(client(&hops(1), "10.0.0.1", &["1.1.1.1, 198.51.100.1"]), "198.51.100.1");
        assert_eq!(client(&hops(2), "10.0.0.1", &["198.51.100.1", "10.0.0.2"]), "198.51.100.1");
        assert_eq!(client(&hops(3), "10.0.0.1", &["198.51.100.1", "10.0.0.2"]), "10.0.0.1", "too few");
        assert_eq!(client(&hops(1), "10.0.0.1", &["198.51.100.1, unknown"]), "10.0.0.1");
        assert_eq!(client(&hops(1), "10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn one_line_has_one_network() {
        let network = |text: &str| Prefixes::default().network(text.parse().unwrap());
        assert_eq!(network("2001:db8:0:1::1"), network("2001:db8:0:1:ffff::2"));
        assert_ne!(network("2001:db8:0:1::1"), network("2001:db8:0:2::1"));
        assert_eq!(network("::ffff:198.51.100.1"), network("198.51.100.1"));
        assert_ne!(network("198.51.100.1"), network("198.51.100.2"));
        assert_ne!(network("0.0.0.0"), network("::"));
        let wide = Prefixes { v4: 24, v6: 48 };
        let wide = |text: &str| wide.network(text.parse().unwrap());
        assert_eq!(wide("198.51.100.1"), wide("198.51.100.254"));
        assert_ne!(wide("198.51.100.1"), wide("198.51.101.1"));
        assert_eq!(wide("2001:db8:1:1::"), wide("2001:db8:1:2::"));
        let none = Prefixes { v4: 0, v6: 0 };
        assert_eq!(none.network("1.2.3.4".parse().unwrap()), none.network("4.3.2.1".parse().unwrap()));
        assert_eq!(none.network("2001::".parse().unwrap()), none.network("2002::".parse().unwrap()));
    }

    proptest! {
        #[test]
        fn what_a_client_writes_changes_nothing(
            lie in prop::collection::vec(prop_oneof![
                "[ -~]{0,40}",
                any::<std::net::Ipv4Addr>().prop_map(|address| address.to_string()),
                any::<std::net::Ipv6Addr>().prop_map(|address| address.to_string()),
                Just("10.0.0.7".to_owned()),
            ], 0..6),
            separate in any::<bool>(),
        ) {
            let lie = lie.join(", ");
            for (proxies, told) in [
                (networks(&["10.0.0.0/8"]), "198.51.100.1, 10.0.0.2"),
                (hops(2), "198.51.100.1, 10.0.0.2"),
            ] {
                let joined = format!("{lie}, {told}");
                let lines = if separate { vec![lie.as_str(), told] } else { vec![joined.as_str()] };
                prop_assert_eq!(client(&proxies, "10.0.0.1", &lines), "198.51.100.1");
            }
        }
    }
}
