//! Asking an endpoint on this machine that fails, stalls, lies and invents. No other machine is asked.

#![expect(clippy::unwrap_used, reason = "the servers and helpers of these tests may stop a test")]

mod caching;
mod failures;
mod order;
mod replies;
mod rerank;
mod server;
mod world;
