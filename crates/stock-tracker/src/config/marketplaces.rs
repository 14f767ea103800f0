//! How marketplaces are called.

use api::Environment;
use url::Url;

use super::{
    reader::Reader,
    variables::{MARKETPLACE_LIMIT_SCALE, OUTBOUND_ALLOW_PRIVATE, WILDBERRIES_BASE_URL},
};

/// How marketplaces are called.
#[derive(Debug, Clone)]
pub(crate) struct Marketplaces {
    pub(crate) wildberries_base_url: Option<Url>,
    pub(crate) limit_scale: f64,
    pub(crate) allow_private: bool,
}

impl Marketplaces {
    pub(super) fn read(reader: &mut Reader<'_>, environment: Environment) -> Self {
        let wildberries_base_url =
            reader.optional(&WILDBERRIES_BASE_URL, "an origin such as `http://127.0.0.1:8090`", base_url);
        let limit_scale = reader.value(&MARKETPLACE_LIMIT_SCALE, "a number from 0 to 1000", |text| {
            text.parse().ok().filter(|scale| (0.0..=1000.0).contains(scale))
        });
        if limit_scale < 1.0 && wildberries_base_url.is_none() && environment == Environment::Production {
            reader.refuse(
                &MARKETPLACE_LIMIT_SCALE,
                "must not be below 1 in production: the marketplaces are real",
            );
        }
        Self { wildberries_base_url, limit_scale, allow_private: reader.switch(&OUTBOUND_ALLOW_PRIVATE) }
    }

    /// What connectors are told.
    pub(crate) fn settings(&self) -> marketplaces::Settings {
        marketplaces::Settings {
            wildberries_base_url: self.wildberries_base_url.clone(),
            limit_scale: self.limit_scale,
            allow_private: self.allow_private,
            ..marketplaces::Settings::default()
        }
    }
}

/// Nothing but scheme, host and port: the paths are the marketplace's.
fn base_url(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    let anonymous = url.username().is_empty() && url.password().is_none();
    (matches!(url.scheme(), "http" | "https") && url.has_host() && bare && anonymous).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::base_url;

    #[test]
    fn a_base_url_is_an_origin() {
        for good in ["http://127.0.0.1:8090", "https://proxy.example.com/"] {
            assert!(base_url(good).is_some(), "{good}");
        }
        for bad in ["127.0.0.1:8090", "http://u:p@h/", "http://h/path", "http://h/?q", "unix:///x"] {
            assert!(base_url(bad).is_none(), "{bad}");
        }
    }
}
