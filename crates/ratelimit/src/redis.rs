//! The store that processes share.

mod admission;
mod answer;
mod asker;
mod call;
mod cluster;
mod connections;
mod driver;
mod failure;
mod lane;
mod memory;
mod parts;
mod scripts;
mod sender;
mod store;

pub use self::{
    cluster::Cluster,
    connections::Connections,
    memory::MemoryPolicy,
    store::{RedisOptions, RedisOptionsError, RedisStore},
};
