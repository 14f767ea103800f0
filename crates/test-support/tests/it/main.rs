//! What a test may rely on from the throw-away servers.

mod postgres;
mod redis;
mod sqlite;
