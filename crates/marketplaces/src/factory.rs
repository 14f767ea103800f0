//! From a stored credential to an open connector.

use std::{sync::Arc, time::Duration};

use domain::{
    clock::Clock,
    limit::SellerLimiter,
    marketplace::{Capabilities, Credential, Descriptor, MarketplaceCode, Seller},
};
use url::Url;

use crate::{
    Marketplace,
    http::{Caller, ClientBuildError, guard::Guard},
    manual,
    observer::CallObserver,
    vendure::{self, Vendure},
    wildberries::{self, Wildberries},
};

/// What the operator may set.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Takes the place of every Wildberries host; paths stay as they are.
    pub wildberries_base_url: Option<Url>,
    /// Multiplies every period of a limit and every backoff; 1 for real marketplaces.
    pub limit_scale: f64,
    /// Whether addresses that users enter may be private, and plain `http`. For development and tests.
    pub allow_private: bool,
    /// Longest time to open a connection.
    pub connect_timeout: Duration,
    /// Longest time for a whole call, body included.
    pub request_timeout: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            wildberries_base_url: None,
            limit_scale: 1.0,
            allow_private: false,
            connect_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_mins(1),
        }
    }
}

/// A credential that cannot even be tried.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {what}")]
pub struct CredentialProblem {
    /// The field of the credential.
    pub field: &'static str,
    /// What is wrong with it, in words a seller understands.
    pub what: &'static str,
}

/// Why an account cannot be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// The credential cannot even be tried.
    #[error(transparent)]
    Credential(#[from] CredentialProblem),
    /// There is no marketplace behind accounts of this kind.
    #[error("there is no marketplace to connect to")]
    NothingToConnect,
}

/// What an account has proven to be when its credential was verified.
#[derive(Debug, Clone, Copy)]
pub struct Proven<'a> {
    /// Whose it is.
    pub seller: &'a Seller,
    /// What it can read.
    pub capabilities: &'a Capabilities,
}

/// Opens connectors; one for the whole process.
pub struct Factory {
    caller: Arc<Caller>,
    clock: Arc<dyn Clock>,
    settings: Settings,
}

impl Factory {
    /// A factory whose connectors share one HTTP client and the limits of sellers.
    ///
    /// Fails where the HTTP client cannot be built. The process must have installed a default TLS provider before.
    pub fn new(
        settings: Settings,
        limiter: Arc<dyn SellerLimiter>,
        clock: Arc<dyn Clock>,
        observer: Arc<dyn CallObserver>,
    ) -> Result<Self, ClientBuildError> {
        let caller = Arc::new(Caller::new(&settings, limiter, observer)?);
        Ok(Self { caller, clock, settings })
    }

    /// Every marketplace that can be connected.
    pub fn descriptors(&self) -> &'static [&'static Descriptor] {
        static ALL: [&Descriptor; 3] = [&wildberries::DESCRIPTOR, &vendure::DESCRIPTOR, &manual::DESCRIPTOR];
        &ALL
    }

    /// Every call that connectors make, by the names that observers are told.
    pub fn operations() -> Vec<(MarketplaceCode, &'static str)> {
        let of = |code, names: &'static [&'static str]| names.iter().map(move |name| (code, *name));
        of(MarketplaceCode::Wildberries, wildberries::OPERATIONS)
            .chain(of(MarketplaceCode::Vendure, vendure::OPERATIONS))
            .collect()
    }

    /// What a credential of this kind is allowed less of than others of its marketplace; none where nothing is known to
    /// be less.
    pub fn narrowness(code: MarketplaceCode, credential_kind: &str) -> Option<&'static str> {
        match code {
            MarketplaceCode::Wildberries => wildberries::narrowness(credential_kind),
            MarketplaceCode::Vendure | MarketplaceCode::Manual => None,
        }
    }

    /// Opens an account. `proven` is none while [`Marketplace::verify`] is still to find that out. Makes no call.
    pub fn connect(
        &self,
        code: MarketplaceCode,
        credential: &Credential,
        proven: Option<Proven<'_>>,
    ) -> Result<Box<dyn Marketplace>, ConnectError> {
        match code {
            MarketplaceCode::Wildberries => Ok(Box::new(Wildberries::connect(
                Arc::clone(&self.caller),
                Arc::clone(&self.clock),
                self.settings.wildberries_base_url.as_ref(),
                credential,
                proven,
            )?)),
            MarketplaceCode::Vendure => Ok(Box::new(Vendure::connect(
                Arc::clone(&self.caller),
                Arc::clone(&self.clock),
                Guard::new(self.settings.allow_private),
                credential,
                proven,
            )?)),
            MarketplaceCode::Manual => Err(ConnectError::NothingToConnect),
        }
    }
}
