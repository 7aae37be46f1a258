//! The native module of the Python package `vulnlens`: models, tables, records, the knowledge base, the command line.
//!
//! It is thin: arguments come as plain values, answers go as bytes of JSON or as Arrow's streams, and what people read
//! of an answer is the package's Python code in `python/vulnlens`. Every call that computes lets other Python threads
//! run.
//!
//! Forked processes: threads are made for each call, or on a pool that belongs to one process (`threads`); no lock is
//! waited for that a thread of the parent may hold.

mod answering;
mod capsule;
mod columns;
mod enriching;
mod errors;
mod kb;
mod model;
mod parallel;
mod question;
mod reader;
mod rows;
mod space;
mod table;
mod texts;
mod threads;

use pyo3::prelude::*;

/// The native part of vulnlens; the package `vulnlens` is what to use.
#[pymodule(gil_used = false)]
mod _native {
    /// The version of the package.
    #[pymodule_export]
    const VERSION: &str = env!("CARGO_PKG_VERSION");
    #[pymodule_export]
    use super::kb::KnowledgeBase;
    #[pymodule_export]
    use super::model::Model;
    #[pymodule_export]
    use super::question::Question;
    #[pymodule_export]
    use super::reader::Reader;
    #[pymodule_export]
    use super::run_command;
    #[pymodule_export]
    use super::space::Space;
    #[pymodule_export]
    use super::table::Table;
    #[pymodule_export]
    use super::texts::year_of;
}

/// Runs the command line `vulnlens` by its arguments, the first of which is its name; returns the exit code.
#[pyfunction]
fn run_command(py: Python<'_>, arguments: Vec<std::ffi::OsString>) -> u8 {
    py.detach(|| vulnlens_cli::run(arguments))
}
