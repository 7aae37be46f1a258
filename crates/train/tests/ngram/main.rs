//! The n-gram model from fit to file, on a made-up corpus.

#![expect(clippy::unwrap_used, reason = "what fails in a helper fails its test")]

#[path = "../corpus/mod.rs"]
mod corpus;
mod curated;
mod fit;
mod made_up;
mod searching;
mod severity;
