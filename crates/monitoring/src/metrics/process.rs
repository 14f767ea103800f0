//! What runs, and what the operating system tells about it.

use prometheus::Registry;

use super::{Build, filed, names};

pub(super) fn register(registry: &Registry, build: &Build) -> prometheus::Result<()> {
    let info = filed(registry, names::BUILD_INFO.int_gauge()?)?;
    info.get_metric_with_label_values(&[build.version, build.commit, build.role.as_str()])?.set(1);
    #[cfg(target_os = "linux")]
    registry.register(Box::new(prometheus::process_collector::ProcessCollector::for_self()))?;
    Ok(())
}
