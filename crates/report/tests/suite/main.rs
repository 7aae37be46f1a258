//! What the formats write, against their descriptions and each other.
#![cfg(test)]

mod answers;
mod checkpoints;
mod exports;
mod found;
mod navigator;
mod people;
mod record;
mod reviews;
mod sample;
mod saved;
mod schema;
