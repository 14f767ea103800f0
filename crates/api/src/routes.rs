//! Which paths exist, and with which methods: read from the OpenAPI document, so that the two cannot differ.

use actix_web::{dev::ResourceDef, http::Method};
use utoipa::openapi::{OpenApi, path::PathItem};

/// Every route of the service.
#[derive(Debug)]
pub(crate) struct Routes(Vec<Route>);

#[derive(Debug)]
struct Route {
    path: ResourceDef,
    methods: Vec<Method>,
}

/// What is known of a path and a method.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// There is such an operation.
    Operation,
    /// The path exists with other methods, listed as `Allow` wants them.
    Path {
        /// The other methods.
        allow: String,
    },
    /// There is no such path.
    Nothing,
}

impl Routes {
    pub(crate) fn of(document: &OpenApi) -> Self {
        let paths = document.paths.paths.iter();
        Self(
            paths
                .map(|(path, item)| Route { path: ResourceDef::new(path.as_str()), methods: methods(item) })
                .collect(),
        )
    }

    /// Looks a request up by its path as it is routed, which is decoded. `HEAD` is served wherever `GET` is.
    pub(crate) fn find(&self, method: &Method, path: &str) -> Known {
        let mut methods: Vec<&str> = self
            .0
            .iter()
            .filter(|route| route.path.is_match(path))
            .flat_map(|route| route.methods.iter().map(Method::as_str))
            .collect();
        if methods.contains(&"GET") {
            methods.push("HEAD");
        }
        if methods.contains(&method.as_str()) {
            return Known::Operation;
        }
        if methods.is_empty() {
            return Known::Nothing;
        }
        methods.sort_unstable();
        methods.dedup();
        Known::Path { allow: methods.join(", ") }
    }
}

fn methods(item: &PathItem) -> Vec<Method> {
    [
        (item.get.is_some(), Method::GET),
        (item.post.is_some(), Method::POST),
        (item.put.is_some(), Method::PUT),
        (item.patch.is_some(), Method::PATCH),
        (item.delete.is_some(), Method::DELETE),
    ]
    .into_iter()
    .filter_map(|(there, method)| there.then_some(method))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_knows_all_methods_of_all_its_templates() {
        let routes = Routes::of(&crate::openapi());
        let find = |method: Method, path: &str| routes.find(&method, path);
        assert_eq!(find(Method::GET, "/api/v1/products"), Known::Operation);
        assert_eq!(find(Method::HEAD, "/api/v1/products"), Known::Operation);
        assert_eq!(find(Method::DELETE, "/api/v1/products"), Known::Path { allow: "GET, HEAD".into() });
        let account = "/api/v1/marketplace-accounts/0199c0de-0000-7000-8000-000000000000";
        assert_eq!(find(Method::PUT, account), Known::Path { allow: "DELETE, GET, HEAD, PATCH".into() });
        assert_eq!(find(Method::GET, "/api/v1/auth/login"), Known::Path { allow: "POST".into() });
        assert_eq!(find(Method::GET, "/api/v1/nothing"), Known::Nothing);
        assert_eq!(find(Method::GET, "/api/v1/products/a/b"), Known::Nothing);
    }
}
