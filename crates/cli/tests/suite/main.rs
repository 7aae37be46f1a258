//! The command as its users meet it: whole processes, with an environment of their own. All records are made up.
#![cfg(test)]

mod attack_releases;
mod bad_input;
mod bad_models;
mod calibration;
mod cases;
mod checkpoints;
mod classify;
mod data;
mod enrichments;
mod evaluation;
mod exports;
mod fetching;
mod find;
mod golden;
mod hierarchies;
mod kb;
mod labels;
mod manners;
#[cfg(feature = "mcp")]
mod mcp;
mod outputs;
mod packed;
mod prompts;
mod reviews;
#[cfg(feature = "server")]
mod serving;
mod sources;
mod training;
mod vulnlens;
