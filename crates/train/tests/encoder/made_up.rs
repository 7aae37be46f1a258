//! A tokenizer of the made-up corpus and networks so small that they are trained in a moment.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use tempfile::TempDir;
use vulnlens_evaluation::Example;
use vulnlens_train::encoder::{
    ClassifierSettings, Control, Ending, FitSettings, LabelKind, MultiLabelLoss, NetworkSize, Observer,
    Start, StepReport, train_classifier, train_tokenizer,
};
use vulnlens_train::{Goal, TrainError};

use crate::corpus::examples;

pub(crate) use crate::corpus::{description as about, kb};

pub(crate) fn fit_settings() -> FitSettings {
    FitSettings {
        epochs: 3,
        batch: 8,
        part_tokens: 100,
        max_tokens: 32,
        rate: 3e-3,
        save_every: 5,
        log_every: 4,
        ..FitSettings::default()
    }
}

/// Enough updates to learn the four kinds by heart.
pub(crate) fn long() -> FitSettings {
    FitSettings { epochs: 20, rate: 5e-3, dropout: 0.0, save_every: 1000, ..fit_settings() }
}

pub(crate) fn settings() -> ClassifierSettings {
    ClassifierSettings {
        labels: LabelKind::CweSets,
        table: None,
        loss: MultiLabelLoss::Plain,
        auxiliary: None,
        distillation: None,
        year: true,
        goal: Goal::MicroF1,
        fit: fit_settings(),
    }
}

/// A tiny checkpoint of the encoder's own tests.
pub(crate) fn published(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../encoder/tests/fixtures").join(name)
}

/// A folder for everything, with a tokenizer in it.
pub(crate) struct Bench {
    pub(crate) folder: TempDir,
    pub(crate) examples: Vec<Example>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let (folder, examples) = (tempfile::tempdir().unwrap(), examples(200));
        let tokenizer = folder.path().join("tokenizer");
        std::fs::create_dir(&tokenizer).unwrap();
        let texts: Vec<&str> = examples.iter().map(|example| example.text.as_str()).collect();
        for (name, contents) in train_tokenizer(&texts, 400).unwrap().files {
            std::fs::write(tokenizer.join(name), contents).unwrap();
        }
        Self { folder, examples }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn start(&self) -> Start {
        let size = NetworkSize { layers: 2, hidden: 32, heads: 4, intermediate: 64, positions: 40 };
        Start::New(self.path("tokenizer"), size)
    }

    /// Trains on so many threads; the observer may end the run.
    pub(crate) fn train(
        &self,
        settings: &ClassifierSettings,
        out: &Path,
        (stopper, resume, threads): (&Stopper, bool, usize),
    ) -> Result<Ending, TrainError> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let control = Control { observer: stopper, stop: &stopper.stop, resume };
        let start = self.start();
        pool.install(|| train_classifier(&self.examples, &kb(), settings, &about(), (&start, out), control))
    }
}

/// Asks a run to stop after a step.
#[derive(Default)]
pub(crate) struct Stopper {
    pub(crate) after: Option<u64>,
    pub(crate) stop: AtomicBool,
}

impl Stopper {
    pub(crate) fn after(step: u64) -> Self {
        Self { after: Some(step), ..Self::default() }
    }
}

impl Observer for Stopper {
    fn stepped(&self, stepped: &StepReport) {
        if self.after == Some(stepped.step) {
            self.stop.store(true, Ordering::Relaxed);
        }
    }
}
