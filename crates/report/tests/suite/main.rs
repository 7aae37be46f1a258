//! What the formats write, against their descriptions and each other.
#![cfg(test)]

mod checkpoints;
mod people;
mod record;
mod sample;
mod schema;
