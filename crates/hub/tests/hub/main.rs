//! Pulling from a made-up hub on this machine, and sharing a cache with huggingface_hub.

#![expect(clippy::unwrap_used, reason = "the servers and helpers of these tests may stop a test")]

mod cache;
mod mirror;
mod pull;
mod refusals;
mod resume;
mod server;
mod variables;
