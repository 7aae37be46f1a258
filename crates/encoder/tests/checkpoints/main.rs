//! Checkpoints that are damaged, hostile or of another kind, hierarchies, quantised copies, packed files and revisions.
#![cfg(test)]

mod damaged;
mod hierarchies;
mod packed;
mod quantized;
mod revisions;
mod sample;
