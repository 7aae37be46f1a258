//! Training against what PyTorch computes (`tools/training_fixtures.py`), and against itself: threads, recomputation,
//! dropout.
#![cfg(test)]

mod dropout;
mod fixture;
mod gradients;
mod objectives;
mod same_bits;
mod steps;
