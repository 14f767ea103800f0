//! Which host serves which category of methods.

use url::Url;

/// A category of methods; a token grants some of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Category {
    /// Open to a token of any category.
    Common,
    Content,
    Marketplace,
    Statistics,
    Analytics,
}

impl Category {
    /// The categories that the connector reads from.
    pub(super) const NEEDED: [Self; 4] =
        [Self::Content, Self::Marketplace, Self::Statistics, Self::Analytics];

    /// All of them, each on a host of its own.
    const ALL: [Self; 5] =
        [Self::Common, Self::Content, Self::Marketplace, Self::Statistics, Self::Analytics];

    /// The name, as in the list of a token's scopes.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Common => "common",
            Self::Content => "content",
            Self::Marketplace => "marketplace",
            Self::Statistics => "statistics",
            Self::Analytics => "analytics",
        }
    }

    const fn origin(self) -> &'static str {
        match self {
            Self::Common => "https://common-api.wildberries.ru",
            Self::Content => "https://content-api.wildberries.ru",
            Self::Marketplace => "https://marketplace-api.wildberries.ru",
            Self::Statistics => "https://statistics-api.wildberries.ru",
            Self::Analytics => "https://seller-analytics-api.wildberries.ru",
        }
    }
}

/// The hosts that are really called.
#[derive(Debug, Clone)]
pub(super) struct Hosts {
    everything: Option<String>,
}

impl Hosts {
    /// With `base_url` its origin takes the place of every host.
    pub(super) fn new(base_url: Option<&Url>) -> Self {
        Self { everything: base_url.map(|url| url.origin().ascii_serialization()) }
    }

    /// Every origin that is called.
    pub(super) fn origins(&self) -> Vec<String> {
        match &self.everything {
            Some(origin) => vec![origin.clone()],
            None => Category::ALL.map(|category| category.origin().to_owned()).to_vec(),
        }
    }

    /// Whether one origin serves every category.
    pub(super) const fn is_one(&self) -> bool {
        self.everything.is_some()
    }

    /// The address of a method; `path` begins with a slash.
    pub(super) fn address(&self, category: Category, path: &str) -> String {
        format!("{}{path}", self.everything.as_deref().unwrap_or(category.origin()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_url_replaces_every_host_and_no_path() {
        let real = Hosts::new(None);
        assert_eq!(real.address(Category::Content, "/ping"), "https://content-api.wildberries.ru/ping");
        let local = Hosts::new(Some(&"http://127.0.0.1:9/".parse().unwrap()));
        for category in Category::NEEDED {
            assert_eq!(local.address(category, "/api/v3/orders"), "http://127.0.0.1:9/api/v3/orders");
        }
    }
}
