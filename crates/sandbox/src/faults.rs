//! Faults on demand: which request is spoilt, and how. Pure; the HTTP edge carries them out.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::wildberries::endpoints::Operation;
use crate::wildberries::reports::ReportEnd;

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FaultKind {
    /// 429 with the marketplace's headers; the buckets are not touched.
    RateLimited {
        /// Value of `X-Ratelimit-Retry`, in seconds.
        retry_seconds: i64,
    },
    /// A bare answer with this status, for example 402, 500 or 503, and a body as the gateway would write it.
    Status {
        /// HTTP status; 500 when it is no valid status.
        status: u16,
    },
    /// An HTML page where JSON is expected, as proxies send it.
    Html {
        /// HTTP status of the page.
        status: u16,
    },
    /// The connection ends in the middle of the body.
    Truncated,
    /// The answer is right, but late.
    Slow {
        /// Delay before the request is handled.
        milliseconds: u64,
    },
    /// One field of the answer is replaced; nothing happens where the pointer leads nowhere.
    Rewrite {
        /// JSON pointer into the body, for example `/data/items/0/quantity`.
        pointer: String,
        /// What to put there, for example a text in place of a number.
        value: Value,
    },
    /// Every field of this name in the answer gets another one, at any depth.
    RenameField {
        /// The name, for example `nmId`.
        field: String,
        /// The new name.
        to: String,
    },
    /// Every field of this name in the answer changes its type, at any depth, and keeps its content as far as it can.
    RetypeField {
        /// The name, for example `quantity`.
        field: String,
        /// The new type; a value that has it stays as it is.
        to: JsonType,
    },
    /// The token of the request is withdrawn for good; this request is the first to be told.
    RevokedToken,
    /// The asynchronous report that the request is about ends before its time: the one that it asks for, or the one
    /// in its path. Nothing happens to requests that are about none.
    EndReport {
        /// How it ends.
        end: ReportEnd,
    },
}

/// A type of JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JsonType {
    /// A string.
    Text,
    /// A number; 0 for what is none.
    Number,
    /// True or false.
    Boolean,
    /// `null`.
    Null,
    /// A list of the value.
    List,
    /// An object with the value in its field `value`.
    Object,
}

/// When a fault strikes, counted over the requests it matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Times {
    /// The next `n` requests; afterwards the fault is gone.
    Next(u32),
    /// Every `k`-th request until the faults are cleared.
    Every(u32),
    /// The `n`-th request, counted from 1, and all after it until the faults are cleared.
    From(u32),
}

/// An order to spoil answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fault {
    /// Paths that begin with this text; all paths when it is empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub path_prefix: String,
    /// Only this method; all of them when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<Operation>,
    /// Only this seller's requests; everybody's when absent.
    #[serde(default)]
    pub seller: Option<usize>,
    /// When it strikes.
    pub times: Times,
    /// What goes wrong.
    #[serde(flatten)]
    pub kind: FaultKind,
}

impl Fault {
    /// A fault for every seller.
    pub fn new(path_prefix: impl Into<String>, times: Times, kind: FaultKind) -> Self {
        Self { path_prefix: path_prefix.into(), operation: None, seller: None, times, kind }
    }

    /// A fault of one method, for every seller.
    pub fn on(operation: Operation, times: Times, kind: FaultKind) -> Self {
        Self { path_prefix: String::new(), operation: Some(operation), seller: None, times, kind }
    }

    /// Narrows the fault to one seller.
    #[must_use]
    pub fn for_seller(self, seller: usize) -> Self {
        Self { seller: Some(seller), ..self }
    }

    fn matches(&self, path: &str, operation: Option<Operation>, seller: Option<usize>) -> bool {
        path.starts_with(&self.path_prefix)
            && (self.operation.is_none() || self.operation == operation)
            && (self.seller.is_none() || self.seller == seller)
    }
}

/// Faults in force, in the order in which they were asked for.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Active>);

#[derive(Debug)]
struct Active {
    fault: Fault,
    seen: u32,
}

impl Faults {
    pub(crate) fn add(&mut self, fault: Fault) {
        self.0.push(Active { fault, seen: 0 });
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn list(&self) -> Vec<Fault> {
        self.0.iter().map(|active| active.fault.clone()).collect()
    }

    /// Counts a request against the faults it matches, up to and including the first that strikes.
    pub(crate) fn strike(
        &mut self,
        path: &str,
        operation: Option<Operation>,
        seller: Option<usize>,
    ) -> Option<FaultKind> {
        let mut struck = None;
        for Active { fault, seen } in &mut self.0 {
            if struck.is_some() || !fault.matches(path, operation, seller) {
                continue;
            }
            *seen = seen.saturating_add(1);
            let strikes = match fault.times {
                Times::Next(n) => *seen <= n,
                Times::Every(k) => k > 0 && seen.is_multiple_of(k),
                Times::From(n) => *seen >= n,
            };
            if strikes {
                struck = Some(fault.kind.clone());
            }
        }
        self.0.retain(|active| !matches!(active.fault.times, Times::Next(n) if active.seen >= n));
        struck
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn next_strikes_n_times_and_is_gone() {
        let mut faults = Faults::default();
        faults.add(Fault::new("/api/v3", Times::Next(2), FaultKind::Truncated));
        assert_eq!(faults.strike("/content", None, Some(0)), None);
        assert_eq!(faults.strike("/api/v3/orders", None, Some(0)), Some(FaultKind::Truncated));
        assert_eq!(faults.strike("/api/v3/orders", None, Some(1)), Some(FaultKind::Truncated));
        assert_eq!(faults.strike("/api/v3/orders", None, Some(0)), None);
        assert!(faults.list().is_empty());
    }

    #[test]
    fn every_kth_request_of_one_seller() {
        let mut faults = Faults::default();
        let kind = FaultKind::Status { status: 503 };
        faults.add(Fault::new("/", Times::Every(3), kind.clone()).for_seller(1));
        let struck: Vec<bool> = (0..6).map(|_| faults.strike("/ping", None, Some(1)).is_some()).collect();
        assert_eq!(struck, [false, false, true, false, false, true]);
        assert!((0..6).all(|_| faults.strike("/ping", None, Some(0)).is_none()));
    }

    #[test]
    fn a_second_fault_waits_for_the_first() {
        let mut faults = Faults::default();
        faults.add(Fault::new("/", Times::Next(1), FaultKind::Truncated));
        faults.add(Fault::new("/", Times::Next(1), FaultKind::Html { status: 502 }));
        assert_eq!(faults.strike("/ping", None, None), Some(FaultKind::Truncated));
        assert_eq!(faults.strike("/ping", None, None), Some(FaultKind::Html { status: 502 }));
        assert_eq!(faults.strike("/ping", None, None), None);
    }

    #[test]
    fn from_the_nth_request_of_one_method_on() {
        let mut faults = Faults::default();
        faults.add(Fault::on(Operation::RemainsStatus, Times::From(2), FaultKind::Truncated));
        let mut strikes = |operation| faults.strike("/api/v1/warehouse_remains", operation, None).is_some();
        assert!(!strikes(Some(Operation::RemainsStatus)));
        assert!(!strikes(Some(Operation::RemainsCreate)) && !strikes(None));
        assert!(strikes(Some(Operation::RemainsStatus)));
        assert!(strikes(Some(Operation::RemainsStatus)));
        assert!(!strikes(Some(Operation::RemainsDownload)));
    }

    #[test]
    fn the_control_api_can_write_a_fault_as_json() {
        let text = r#"{"path_prefix":"/ping","times":{"next":1},"kind":"rate_limited","retry_seconds":7}"#;
        let fault: Fault = serde_json::from_str(text).expect("a fault");
        assert_eq!(fault.kind, FaultKind::RateLimited { retry_seconds: 7 });
        let text = r#"{"operation":"wb_stocks_report","seller":null,"times":{"from":3},"kind":"rename_field","field":"nmId","to":"nm"}"#;
        let fault: Fault = serde_json::from_str(text).expect("a fault");
        assert_eq!((fault.operation, fault.times), (Some(Operation::WbStocksReport), Times::From(3)));
        let written: Value = serde_json::from_str(text).expect("JSON");
        assert_eq!(serde_json::to_value(fault).expect("JSON"), written);
    }
}
