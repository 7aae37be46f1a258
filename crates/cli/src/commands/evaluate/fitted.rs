//! `--fit` and `--keep`: models that are fitted for their evaluation, or were before.

use std::path::Path;

use vulnlens::{KnowledgeBase, NgramModel};
use vulnlens_evaluation::{DataSet, Split};
use vulnlens_train::ngram::{Decisions, Settings, is_fit_of};

use crate::commands::train::{Fit, resolved};
use crate::failure::{Failure, Kind};
use crate::model_arguments::ngram;
use crate::output::Output;
use crate::settings::SettingArguments;
use crate::terminal::Terminal;

/// Fits of one command.
pub(super) struct Fits<'a> {
    pub(super) data: &'a DataSet,
    pub(super) kb: &'a KnowledgeBase,
    pub(super) settings: &'a SettingArguments<Settings>,
    /// Styles that are not fitted on.
    pub(super) held_out_styles: &'a [String],
    /// The folder where fitted models are kept.
    pub(super) keep: Option<&'a Path>,
    pub(super) threads: usize,
    pub(super) terminal: &'a Terminal,
}

impl Fits<'_> {
    /// The model of one split and seed, fitted now or before.
    pub(super) fn model(&self, split: Split, seed: u64) -> Result<NgramModel, Failure> {
        let settings = resolved(self.settings, seed)?;
        let decisions = Decisions::Validation;
        let fit = Fit {
            data: self.data,
            split,
            held_out_styles: self.held_out_styles.to_vec(),
            name: "fast",
            settings: settings.clone(),
            decisions,
        };
        let kept = self.keep.map(|folder| folder.join(format!("fast-{}-{seed}.safetensors", split.name())));
        if let Some(path) = kept.as_ref().filter(|path| path.exists()) {
            if let Some(model) = self.kept(path, &fit, &settings)? {
                return Ok(model);
            }
            self.terminal.warn(&format!("{} has other settings or data; fitting anew", path.display()));
        }
        self.terminal.note(&format!("fitting on the {} split, seed {seed}", split.name()));
        let bytes = fit.run(self.kb, self.threads, self.terminal)?;
        if let Some(path) = kept {
            let mut output = Output::open(Some(&path))?;
            output.data(&bytes)?;
            output.finish()?;
        }
        NgramModel::from_bytes(&bytes).map_err(|error| Failure::new(Kind::Failed, error.to_string()))
    }

    /// The model in a file, if it is what the fit would give.
    fn kept(&self, path: &Path, fit: &Fit<'_>, settings: &Settings) -> Result<Option<NgramModel>, Failure> {
        let model = ngram(&path.to_string_lossy())?;
        let is_same = is_fit_of(model.header(), settings, &fit.description(), self.kb);
        Ok(Some(model).filter(|_| is_same))
    }
}
