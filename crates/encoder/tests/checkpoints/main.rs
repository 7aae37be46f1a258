//! Checkpoints that are damaged, hostile or of another kind, hierarchies, and quantised copies.
#![cfg(test)]

mod damaged;
mod hierarchies;
mod quantized;
mod sample;
