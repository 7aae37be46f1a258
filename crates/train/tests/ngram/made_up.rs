//! A model so small that it is fitted on the made-up corpus in a moment.

use std::ops::ControlFlow;

use vulnlens_evaluation::Example;
use vulnlens_train::ngram::{Decisions, Settings, train};

pub(crate) use crate::corpus::{description, examples, kb};

pub(crate) fn settings() -> Settings {
    Settings { min_documents: 2, dimensions: 16, batch: 16, epochs: 8, teachers: 2, ..Settings::default() }
}

/// Fits on a pool of so many threads.
pub(crate) fn fit(examples: &[Example], settings: &Settings, threads: usize) -> Vec<u8> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let fitted = || {
        train(examples, &kb(), settings, &description(), &Decisions::Validation, &|_| {
            ControlFlow::Continue(())
        })
    };
    pool.install(fitted).unwrap()
}
