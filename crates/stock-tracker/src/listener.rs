//! Taking a port, with an error that says what to do about it.

use std::{
    io,
    net::{TcpListener, ToSocketAddrs},
};

use anyhow::{Context as _, anyhow};

/// Listens on `address`, which the variable or flag `setting` decides.
pub(crate) fn bind(address: impl ToSocketAddrs, shown: &str, setting: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address)
        .map_err(|error| match error.kind() {
            io::ErrorKind::AddrInUse => {
                anyhow!("something else listens there; stop it, or choose another place with {setting}")
            }
            io::ErrorKind::AddrNotAvailable => anyhow!("this machine has no such address: see {setting}"),
            io::ErrorKind::PermissionDenied => anyhow!("not allowed; choose another place with {setting}"),
            _ => anyhow::Error::new(error),
        })
        .with_context(|| format!("cannot listen on {shown}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_named_with_the_setting() {
        let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = taken.local_addr().unwrap();
        let error = format!("{:#}", bind(address, &address.to_string(), "PORT").unwrap_err());
        assert!(error.contains(&address.to_string()) && error.contains("PORT"), "{error}");
    }
}
