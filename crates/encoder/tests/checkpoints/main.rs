//! Checkpoints that are damaged, hostile or of another kind, adapters, odd folders, hierarchies, quantised copies, packed files and revisions.
#![cfg(test)]

mod adapters;
mod damaged;
mod folders;
mod hierarchies;
mod packed;
mod quantized;
mod revisions;
mod sample;
