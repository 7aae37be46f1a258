//! The vulnlens command.

fn main() {}
