//! A server as clients see it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod description;
mod replacing;
mod running;
mod server;
