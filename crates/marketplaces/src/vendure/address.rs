//! The address of a shop, as its owner enters it.

use reqwest::Url;
use url::Position;

use crate::http::guard::{Guard, Refused};

/// The path of the Admin API, beneath the shop's own.
const ADMIN_API: &str = "/admin-api";

/// Where a shop is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    /// Where questions go.
    api: Url,
    /// Host, port where it is not the usual one, and path, without a slash at the end.
    place: String,
}

impl Address {
    /// Takes an address with or without the path of the Admin API. What is wrong with it comes in words for its owner.
    pub(super) fn parse(text: &str, guard: Guard) -> Result<Self, &'static str> {
        let whole = "Enter the whole address of the shop's server, such as https://shop.example.com.";
        let mut url = Url::parse(text.trim()).map_err(|_| whole)?;
        guard.admit(&url).map_err(Refused::advice)?;
        if url.query().is_some() || url.fragment().is_some() {
            return Err("The address must end before any ? or #.");
        }
        // The same host, and a certificate is for the name without the dot.
        if let Some(host) = url.host_str().and_then(|host| host.strip_suffix('.')).map(str::to_owned) {
            url.set_host(Some(&host)).map_err(|_| whole)?;
        }
        let path = url.path().trim_end_matches('/');
        let path = path.strip_suffix(ADMIN_API).unwrap_or(path).trim_end_matches('/').to_owned();
        let place = format!("{}{path}", &url[Position::BeforeHost..Position::AfterPort]);
        url.set_path(&format!("{path}{ADMIN_API}"));
        Ok(Self { api: url, place })
    }

    /// Where questions go.
    pub(super) fn api(&self) -> &Url {
        &self.api
    }

    /// What tells one shop from every other.
    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// The machine that answers, for the limit on questions to it.
    pub(super) fn host(&self) -> &str {
        &self.api[Position::BeforeHost..Position::AfterPort]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strict(text: &str) -> Result<Address, &'static str> {
        Address::parse(text, Guard::new(false))
    }

    #[test]
    fn one_shop_has_many_spellings_and_one_place() {
        for text in [
            "https://shop.example.com",
            " https://Shop.Example.com/ ",
            "https://shop.example.com:443/admin-api",
            "https://shop.example.com./admin-api/",
        ] {
            let address = strict(text).unwrap();
            assert_eq!(address.api().as_str(), "https://shop.example.com/admin-api", "{text}");
            assert_eq!((address.place(), address.host()), ("shop.example.com", "shop.example.com"), "{text}");
        }
    }

    #[test]
    fn a_shop_may_live_beneath_a_path_and_on_a_port() {
        let address = strict("https://example.com:8443/ru/shop/admin-api").unwrap();
        assert_eq!(address.api().as_str(), "https://example.com:8443/ru/shop/admin-api");
        assert_eq!((address.place(), address.host()), ("example.com:8443/ru/shop", "example.com:8443"));
    }

    #[test]
    fn what_is_no_address_of_a_shop_is_refused_in_words() {
        for text in [
            "",
            "shop.example.com",
            "http://shop.example.com",
            "ftp://shop.example.com",
            "https://user:secret@shop.example.com",
            "https://127.0.0.1",
            "https://[::1]:3000",
            "https://169.254.169.254/latest",
            "https://shop.example.com/?x=1",
            "https://shop.example.com/#/",
            "https://",
        ] {
            let what = strict(text).expect_err(text);
            assert!(what.ends_with('.'), "{text}: {what}");
        }
        assert!(Address::parse("http://127.0.0.1:3000", Guard::new(true)).is_ok());
    }
}
