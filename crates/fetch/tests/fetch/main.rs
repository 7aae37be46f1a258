//! Fetching from publishers on this machine that throttle, cut, stall, lie and lead astray. No other machine is asked.

#![expect(clippy::unwrap_used, reason = "the servers and helpers of these tests may stop a test")]

mod api;
mod cvelist;
mod download;
mod refusals;
mod server;
mod site;
mod texts;
mod watch;
mod world;
