//! What watches the product: Prometheus with the committed rules, and exporters. Started as the files of this
//! repository say, on loopback; none outlives this process.

pub(crate) mod config;
pub(crate) mod exporters;
pub(crate) mod prometheus;
