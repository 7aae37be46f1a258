//! The crate's behaviour from outside, one file per part of it.
#![cfg(test)]

mod atlas_d3fend;
mod attack_release;
mod catalogues;
mod chain;
mod compiled;
mod fixture;
mod forms;
mod official;
mod properties;
