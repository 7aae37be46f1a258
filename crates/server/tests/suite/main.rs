//! A server as clients see it.
#![cfg(test)]

mod description;
mod replacing;
mod running;
mod server;
