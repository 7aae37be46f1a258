//! Vulnerability texts, before any model reads them.
//!
//! [`normalise`] takes out what says nothing of a weakness (vectors, links, dates, credits …), the same when a model
//! learns and when it answers. [`is_withdrawal_notice`] knows the notices that stand in the place of a text.

mod normalise;
mod notice;
mod patterns;

pub use normalise::{NORMALISER, collapsed, normalise};
pub use notice::is_withdrawal_notice;
