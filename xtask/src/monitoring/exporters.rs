//! Debian's exporters of the machine, PostgreSQL and Redis.

use std::net::TcpStream;
use std::process::Command;

use anyhow::Result;
use test_support::process::{Process, free_port};

use super::config::Target;
use crate::packages;
use crate::product::production::Production;

/// Programs that tell Prometheus of other ones. They end when this is dropped.
pub(crate) struct Exporters {
    pub(crate) targets: Vec<Target>,
    // Kept for as long as they shall run.
    processes: Vec<Process>,
}

impl Exporters {
    /// Starts one of each beside the product.
    pub(crate) fn start(production: &Production) -> Result<Self> {
        packages::ensure_exporters()?;
        let mut exporters = Self { targets: Vec::new(), processes: Vec::new() };
        exporters.add("node", "prometheus-node-exporter", "--web.listen-address=", &[])?;
        let database = [("DATA_SOURCE_NAME", &production.database.owner_url)];
        exporters.add("postgres", "prometheus-postgres-exporter", "--web.listen-address=", &database)?;
        let redis = [("REDIS_ADDR", &production.redis.url())];
        exporters.add("redis", "prometheus-redis-exporter", "-web.listen-address=", &redis)?;
        Ok(exporters)
    }

    fn add(
        &mut self,
        job: &'static str,
        program: &'static str,
        listen: &str,
        variables: &[(&str, &String)],
    ) -> Result<()> {
        let address = format!("127.0.0.1:{}", free_port()?);
        let mut process = Process::new(None)?;
        let log = process.folder().join("log");
        let mut command = Command::new(program);
        command.arg(format!("{listen}{address}")).envs(variables.iter().copied());
        process.start(&mut command, &log)?;
        process.wait_until(program, &log, || TcpStream::connect(&address).is_ok())?;
        self.targets.push((job, address));
        self.processes.push(process);
        Ok(())
    }
}
