//! A server as clients see it.
#![cfg(test)]

mod description;
#[cfg(feature = "mcp")]
mod mcp;
mod replacing;
mod running;
mod server;
