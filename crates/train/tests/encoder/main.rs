//! Encoders trained on a made-up corpus: what they learn, and that a run can be broken off without a trace.

#![expect(clippy::unwrap_used, reason = "what fails in a helper fails its test")]

#[path = "../corpus/mod.rs"]
mod corpus;
mod made_up;

mod bad_input;
mod hierarchies;
mod learning;
mod resuming;
mod searching;
