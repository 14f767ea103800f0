//! What watches the product: Prometheus with the committed rules, exporters, Alertmanager. Started as the files of this
//! repository say, on loopback; none outlives this process.

pub(crate) mod alertmanager;
pub(crate) mod config;
pub(crate) mod exporters;
pub(crate) mod prometheus;
