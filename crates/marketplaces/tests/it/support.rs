//! What every test needs: a factory with limits in memory, a clock that stands, a catalogue, and readings to the end.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{
    clock::{Clock, Timestamp},
    limit::{Bucket, BucketKey, Claim, Grant, LimiterUnavailable, SellerLimiter},
    marketplace::{Capabilities, Capability, Credential, MarketplaceCode, Seller, WarehouseKind},
    reading::{Location, Position, ReadPage},
};
use marketplaces::{
    CallObserver, CallOutcome, Error, Factory, KnownCatalogue, KnownCatalogueError, Marketplace, Proven,
    Settings,
};
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::time::Instant;
use url::Url;

/// The moment at which the clock of every test stands.
pub(crate) const NOW: &str = "2026-11-20T09:00:00Z";

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

struct Standing;

impl Clock for Standing {
    fn now(&self) -> Timestamp {
        at(NOW)
    }
}

/// A clock that a test turns on.
pub(crate) struct Turning(Mutex<Timestamp>);

impl Turning {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(at(NOW))))
    }

    pub(crate) fn turn(&self, by: Duration) {
        *self.0.lock().unwrap() += by;
    }
}

impl Clock for Turning {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

/// Buckets of this process, and what they were told.
pub(crate) struct Limits {
    start: Instant,
    buckets: Mutex<BTreeMap<BucketKey, Bucket>>,
    pub(crate) told: Mutex<Vec<(BucketKey, Told)>>,
    is_down: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    Acquired,
    Charged(u32),
    Blocked(Duration),
}

impl Limits {
    fn new(is_down: bool) -> Arc<Self> {
        let (buckets, told) = (Mutex::default(), Mutex::default());
        Arc::new(Self { start: Instant::now(), buckets, told, is_down })
    }

    fn now_ms(&self) -> i64 {
        i64::try_from(self.start.elapsed().as_millis()).unwrap()
    }

    fn change(&self, claim: &Claim, told: Told, change: impl FnOnce(Bucket) -> Bucket) {
        let mut buckets = self.buckets.lock().unwrap();
        let bucket = buckets.entry(claim.key.clone()).or_default();
        *bucket = change(*bucket);
        self.told.lock().unwrap().push((claim.key.clone(), told));
    }

    /// What the limits of one group were told, in order.
    pub(crate) fn told_of(&self, group: &str) -> Vec<Told> {
        let told = self.told.lock().unwrap();
        told.iter().filter(|(key, _)| key.group == group).map(|(_, told)| *told).collect()
    }

    /// The sellers in whose budgets calls of a group were counted.
    pub(crate) fn sellers_of(&self, group: &str) -> Vec<String> {
        let told = self.told.lock().unwrap();
        told.iter().filter(|(key, _)| key.group == group).map(|(key, _)| key.seller.clone()).collect()
    }
}

#[async_trait]
impl SellerLimiter for Limits {
    async fn acquire(&self, claims: &[Claim]) -> Result<Grant, LimiterUnavailable> {
        if self.is_down {
            return Err(LimiterUnavailable("down".to_owned()));
        }
        let now = self.now_ms();
        let wait = {
            let buckets = self.buckets.lock().unwrap();
            let wait =
                |claim: &Claim| buckets.get(&claim.key).copied().unwrap_or_default().wait(claim.rate, now);
            claims.iter().map(wait).max().unwrap_or_default()
        };
        if !wait.is_zero() {
            return Ok(Grant::After(wait));
        }
        for claim in claims {
            self.change(claim, Told::Acquired, |bucket| bucket.charged(claim.rate, 1, now));
        }
        Ok(Grant::Now)
    }

    async fn charge(&self, claim: &Claim, cost: u32) -> Result<(), LimiterUnavailable> {
        let now = self.now_ms();
        self.change(claim, Told::Charged(cost), |bucket| bucket.charged(claim.rate, cost, now));
        Ok(())
    }

    async fn block(&self, claim: &Claim, wait: Duration) -> Result<(), LimiterUnavailable> {
        let now = self.now_ms();
        self.change(claim, Told::Blocked(wait), |bucket| bucket.blocked(claim.rate, wait, now));
        Ok(())
    }
}

/// Remembers how calls ended.
#[derive(Default)]
pub(crate) struct Heard(pub(crate) Mutex<Vec<(&'static str, CallOutcome)>>);

impl CallObserver for Heard {
    fn call_finished(&self, _: MarketplaceCode, operation: &'static str, outcome: CallOutcome, _: Duration) {
        self.0.lock().unwrap().push((operation, outcome));
    }
}

/// Does nothing where another test of this process was first.
pub(crate) fn install_tls() {
    drop(rustls::crypto::ring::default_provider().install_default());
}

/// A factory and what can be seen of it from outside.
pub(crate) struct World {
    pub(crate) factory: Factory,
    pub(crate) limits: Arc<Limits>,
    pub(crate) heard: Arc<Heard>,
}

impl World {
    /// A world whose Wildberries is at `url`, with periods a thousand times shorter.
    pub(crate) fn new(url: Url) -> Self {
        Self::with(&Settings { limit_scale: 0.001, ..Settings::default() }, url, false, Arc::new(Standing))
    }

    pub(crate) fn with(settings: &Settings, url: Url, limiter_down: bool, clock: Arc<dyn Clock>) -> Self {
        let settings = Settings { wildberries_base_url: Some(url), ..settings.clone() };
        Self::made(settings, limiter_down, clock)
    }

    fn made(settings: Settings, limiter_down: bool, clock: Arc<dyn Clock>) -> Self {
        install_tls();
        let limits = Limits::new(limiter_down);
        let heard = Arc::new(Heard::default());
        let factory = Factory::new(settings, limits.clone(), clock, heard.clone()).unwrap();
        Self { factory, limits, heard }
    }

    pub(crate) fn with_settings(url: Url, settings: &Settings) -> Self {
        Self::with(settings, url, false, Arc::new(Standing))
    }

    /// A world with periods ten thousand times shorter and a clock to turn.
    pub(crate) fn turning(url: Url) -> (Self, Arc<Turning>) {
        let clock = Turning::new();
        let settings = Settings { limit_scale: 0.0001, ..Settings::default() };
        (Self::with(&settings, url, false, clock.clone()), clock)
    }

    /// A world in which the marketplace is not played: nobody may be called.
    pub(crate) fn of_real_hosts() -> Self {
        Self::made(Settings::default(), true, Arc::new(Standing))
    }

    /// A world without limits to ask.
    pub(crate) fn without_limiter(url: Url) -> Self {
        Self::with(&Settings::default(), url, true, Arc::new(Standing))
    }

    /// An account of a proven seller with a Personal token for everything.
    pub(crate) fn account(&self, seller: &str) -> Box<dyn Marketplace> {
        self.account_with(seller, PERSONAL, &ALL)
    }

    /// An account of a proven seller with a token of a type that reads so much.
    pub(crate) fn account_with(
        &self,
        seller: &str,
        acc: u8,
        capabilities: &[Capability],
    ) -> Box<dyn Marketplace> {
        let seller = Seller { external_id: seller.to_owned(), name: seller.to_owned() };
        let capabilities = capabilities.iter().copied().collect();
        self.connect_as(&jwt(&json!({ "acc": acc })), &seller, &capabilities)
    }

    /// An account whose credential has not proven anything.
    pub(crate) fn connect(&self, token: &str) -> Box<dyn Marketplace> {
        self.factory.connect(MarketplaceCode::Wildberries, &credential(token), None).unwrap()
    }

    pub(crate) fn connect_as(
        &self,
        token: &str,
        seller: &Seller,
        capabilities: &Capabilities,
    ) -> Box<dyn Marketplace> {
        let proven = Some(Proven { seller, capabilities });
        self.factory.connect(MarketplaceCode::Wildberries, &credential(token), proven).unwrap()
    }
}

/// The types of tokens, as tokens number them.
pub(crate) const BASIC: u8 = 1;
pub(crate) const TEST: u8 = 2;
pub(crate) const PERSONAL: u8 = 3;
pub(crate) const SERVICE: u8 = 4;

/// What a Personal token of every category reads.
pub(crate) const ALL: [Capability; 5] = [
    Capability::Products,
    Capability::Locations,
    Capability::StockMarketplace,
    Capability::StockSeller,
    Capability::Orders,
];

/// A token in shape.
pub(crate) fn jwt(payload: &Value) -> String {
    format!("eyJhbGciOiJFUzI1NiJ9.{}.c2lnbmF0dXJl", URL_SAFE_NO_PAD.encode(payload.to_string()))
}

pub(crate) fn credential(token: &str) -> Credential {
    Credential::new(BTreeMap::from([("token".to_owned(), SecretString::from(token))]))
}

/// A catalogue in memory.
#[derive(Default)]
pub(crate) struct Known {
    pub(crate) variants: Vec<String>,
    pub(crate) warehouses: Vec<Location>,
}

impl Known {
    pub(crate) fn new(variants: impl IntoIterator<Item = i64>, warehouses: &[(&str, &str)]) -> Self {
        let mut variants: Vec<_> = variants.into_iter().map(|id| id.to_string()).collect();
        variants.sort();
        let warehouses = warehouses.iter().map(|(id, name)| seller_warehouse(id, name)).collect();
        Self { variants, warehouses }
    }
}

#[async_trait]
impl KnownCatalogue for Known {
    async fn variants_after(
        &self,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>, KnownCatalogueError> {
        let later = self.variants.iter().filter(|id| after.is_none_or(|after| id.as_str() > after));
        Ok(later.take(limit).cloned().collect())
    }

    async fn seller_warehouses(&self) -> Result<Vec<Location>, KnownCatalogueError> {
        Ok(self.warehouses.clone())
    }
}

pub(crate) fn seller_warehouse(id: &str, name: &str) -> Location {
    Location { kind: WarehouseKind::Seller, external_id: Some(id.to_owned()), name: name.to_owned() }
}

/// Reads to the end, each page with a new connector, as a process that is killed after every page would; waits for
/// limits and for what is being made.
pub(crate) async fn read_all<T>(
    mut page: impl AsyncFnMut(Option<Position>) -> Result<ReadPage<T>, Error>,
) -> Result<Reading<T>, Error> {
    let mut reading = Reading { rows: Vec::new(), failed: 0, pages: 0, pauses: Vec::new(), watermark: None };
    let mut position = None;
    loop {
        let next = match page(position.clone()).await {
            Err(Error::RateLimited { retry_after, .. }) => {
                tokio::time::sleep(retry_after).await;
                continue;
            }
            page => page?,
        };
        reading.rows.extend(next.rows);
        reading.failed += next.failed;
        reading.pages += 1;
        reading.watermark = next.watermark.or(reading.watermark);
        reading.pauses.extend(next.pause);
        assert!(reading.pages < 1000, "the reading never ends");
        if let Some(pause) = next.pause {
            tokio::time::sleep(pause).await;
        }
        position = match next.next {
            Some(next) => Some(next),
            None => return Ok(reading),
        };
    }
}

/// A whole reading.
#[derive(Debug)]
pub(crate) struct Reading<T> {
    pub(crate) rows: Vec<T>,
    pub(crate) failed: u64,
    pub(crate) pages: usize,
    pub(crate) pauses: Vec<Duration>,
    pub(crate) watermark: Option<Position>,
}
