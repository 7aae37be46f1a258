//! One checkpoint, ready to score texts.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use rayon::prelude::*;
use vulnlens_files::names::{ADAPTER_CONFIG, CONFIG};

use crate::config::{Config, Problem};
use crate::error::EncoderError;
use crate::forward::{Buffers, Loading, Network, Precision, Sequences, check, is_bare};
use crate::kernels::Isa;
use crate::repository::files::Files;
use crate::repository::package::Package;
use crate::tokenizer::{Notice, Tokenizer};
use crate::weights::{Access, Weights};

/// Tokens that go through the network at once: enough to use each panel of weights many times while it is in the cache,
/// few enough that activations stay small beside the weights.
const TOKENS_AT_ONCE: usize = 1024;
/// Longest `config.json` that is read.
const MOST_CONFIG: u64 = 64 << 20;

/// Options of loading and running a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoadOptions {
    /// Precision of the layers. A checkpoint that was saved quantised is used so whatever stands here.
    pub precision: Precision,
    /// Texts longer than the network's limit go through it in windows that share this many tokens, and each label's
    /// logit is the greatest of the windows'. `None` cuts them off, as transformers does.
    pub window_overlap: Option<usize>,
    /// The function from logits to scores, whatever the configuration says; `None` takes what it says or, where it leaves
    /// that open, what transformers takes.
    pub scores: Option<Problem>,
    /// The way in which the weights are taken from files: mapped, unless the process outlives them.
    pub access: Access,
    /// The instructions to use; the widest that the machine has unless told otherwise.
    pub isa: Isa,
}

impl Default for LoadOptions {
    fn default() -> Self {
        let (access, isa) = (Access::default(), Isa::detected());
        Self { precision: Precision::F32, window_overlap: None, scores: None, access, isa }
    }
}

/// A sequence classifier with its tokenizer.
///
/// Scores of a text are the same bits whatever the other texts of a call and whatever the number of threads; work is
/// split over the rayon pool that the caller runs in.
#[derive(Debug)]
pub struct Encoder {
    config: Config,
    tokenizer: Tokenizer,
    network: Network,
    options: LoadOptions,
    notices: Vec<Notice>,
    /// Room of calls that are over; as many as there were calls at once.
    buffers: Mutex<Vec<Buffers>>,
}

impl Encoder {
    /// Loads the checkpoint in `folder`: `config.json`, the weights and the tokenizer's files.
    ///
    /// # Errors
    /// Whatever keeps the checkpoint from giving transformers' numbers: see [`EncoderError`].
    pub fn open(folder: &Path, options: &LoadOptions) -> Result<Self, EncoderError> {
        let files = Files::Folder(folder);
        Self::of(files, files, &Weights::open_by(folder, options.access)?, options)
    }

    /// Loads the checkpoint in `folder`, a part of `whole`, whose tokenizer it has unless it has one of its own.
    pub(crate) fn open_part(
        folder: &Path,
        whole: &Path,
        options: &LoadOptions,
    ) -> Result<Self, EncoderError> {
        let (files, shared) = (Files::Folder(folder), Files::Folder(whole));
        let is_shared = !files.has_tokenizer() && shared.has_tokenizer();
        let tokenizer = if is_shared { shared } else { files };
        Self::of(files, tokenizer, &Weights::open_by(folder, options.access)?, options)
    }

    /// Opens a checkpoint in one file.
    ///
    /// # Errors
    /// As [`Encoder::open`].
    pub fn open_package(package: &Package, options: &LoadOptions) -> Result<Self, EncoderError> {
        let files = Files::Package(package);
        Self::of(files, files, &package.weights()?, options)
    }

    fn of(
        files: Files<'_>,
        tokenizer: Files<'_>,
        weights: &Weights,
        options: &LoadOptions,
    ) -> Result<Self, EncoderError> {
        let file = files.path(CONFIG);
        let missing = || EncoderError::io(&file)(std::io::ErrorKind::NotFound.into());
        let json = files.bytes(CONFIG, MOST_CONFIG)?.ok_or_else(missing)?;
        let mut config = Config::from_json(&json, &file)?;
        let bare = is_bare(weights, &config);
        check(weights, &config, bare)?;
        let loading = Loading { weights, precision: options.precision, isa: options.isa };
        let (tokenizer, network) =
            rayon::join(|| Tokenizer::of(tokenizer, &config), || Network::load(loading, &config, bare));
        let (tokenizer, rebuilt) = tokenizer?;
        let adapted = weights.adapted_from().map(|base| {
            let (file, base) = (files.path(ADAPTER_CONFIG), base.to_owned());
            Notice::AdapterMerged { file, base }
        });
        let scores = choose_scores(&mut config, options.scores, file);
        Ok(Self {
            tokenizer,
            network: network?,
            options: *options,
            notices: rebuilt.into_iter().chain(adapted).chain(scores).collect(),
            config,
            buffers: Mutex::default(),
        })
    }

    /// The configuration of the checkpoint.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The labels, in the order of the scores.
    #[must_use]
    pub fn labels(&self) -> &[String] {
        &self.config.labels
    }

    /// Remarks for the user, to be shown once.
    #[must_use]
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// The token ids of a text as [`logits`](Self::logits) uses them, without windows.
    #[must_use]
    pub fn token_ids(&self, text: &str) -> Vec<u32> {
        self.tokenizer.encode(text, self.max_tokens())
    }

    /// Tokens of a text that are read at most, special tokens included.
    #[must_use]
    pub fn max_tokens(&self) -> usize {
        self.tokenizer.max_tokens()
    }

    /// True if a text is too long to be read in one piece.
    #[must_use]
    pub fn is_cut(&self, text: &str) -> bool {
        // A token has a byte at least.
        text.len() >= self.max_tokens() && self.tokenizer.encode_windows(text, self.max_tokens(), 0).len() > 1
    }

    /// Logits of texts, one row a text, one column a label.
    #[must_use]
    pub fn logits(&self, texts: &[&str]) -> Vec<f32> {
        let windows: Vec<Vec<Vec<u32>>> = texts.par_iter().map(|text| self.windows(text)).collect();
        let sequences: Vec<&[u32]> = windows.iter().flatten().map(Vec::as_slice).collect();
        let logits = self.logits_of_ids(&sequences);
        let labels = self.config.labels.len();
        let mut rest = logits.chunks_exact(labels);
        let mut out: Vec<f32> = Vec::with_capacity(texts.len() * labels);
        for windows in &windows {
            let first = out.len();
            out.extend(rest.next().into_iter().flatten());
            for _ in 1..windows.len() {
                let more = rest.next().into_iter().flatten();
                out[first..].iter_mut().zip(more).for_each(|(logit, more)| *logit = logit.max(*more));
            }
        }
        out
    }

    /// Scores of texts, in `0..=1`: each label's sigmoid, or the softmax over the labels, as the checkpoint says
    /// ([`Config::problem`]).
    #[must_use]
    pub fn scores(&self, texts: &[&str]) -> Vec<f32> {
        let mut logits = self.logits(texts);
        for row in logits.chunks_exact_mut(self.config.labels.len()) {
            scores(self.config.problem, row);
        }
        logits
    }

    /// Logits of token ids, one row a sequence, one column a label: what [`logits`](Self::logits) does behind the
    /// tokenizer.
    ///
    /// # Panics
    /// When a sequence is empty or longer than [`Config::max_tokens`], or an id is not in the vocabulary.
    #[must_use]
    pub fn logits_of_ids(&self, sequences: &[&[u32]]) -> Vec<f32> {
        let most = self.config.max_tokens();
        let vocabulary = self.config.vocabulary;
        for ids in sequences {
            assert!(!ids.is_empty() && ids.len() <= most, "a sequence has 1 to {most} tokens");
            assert!(ids.iter().all(|&id| (id as usize) < vocabulary), "ids are below {vocabulary}");
        }
        let mut buffers = self.take_buffers();
        // The pool is entered once here; else each of a hundred steps would wake it anew, a fifth of a short text in int8.
        let logits = rayon::scope(|_| self.logits_in_batches(sequences, &mut buffers));
        if let Ok(mut spare) = self.buffers.try_lock() {
            spare.push(buffers);
        }
        logits
    }

    fn logits_in_batches(&self, sequences: &[&[u32]], buffers: &mut Buffers) -> Vec<f32> {
        let mut logits = Vec::with_capacity(sequences.len() * self.config.labels.len());
        let mut rest = sequences;
        while !rest.is_empty() {
            let (batch, after) = rest.split_at(batch_length(rest));
            logits.extend(self.network.logits(&Sequences::new(batch.iter().copied()), buffers));
            rest = after;
        }
        logits
    }

    fn take_buffers(&self) -> Buffers {
        self.buffers.try_lock().ok().and_then(|mut spare| spare.pop()).unwrap_or_default()
    }

    fn windows(&self, text: &str) -> Vec<Vec<u32>> {
        let most = self.max_tokens();
        match self.options.window_overlap {
            None => vec![self.tokenizer.encode(text, most)],
            Some(overlap) => self.tokenizer.encode_windows(text, most, overlap),
        }
    }
}

/// Chooses the function from logits to scores: the one asked for, or that of the configuration.
fn choose_scores(config: &mut Config, asked: Option<Problem>, file: PathBuf) -> Option<Notice> {
    let said = config.problem;
    let problem = asked.unwrap_or(said);
    config.problem = problem;
    match (asked, config.problem_is_stated) {
        (Some(_), true) if said != problem => Some(Notice::ScoresOverruled { file, problem }),
        (None, false) => Some(Notice::ScoresAssumed { file, problem }),
        _ => None,
    }
}

/// Turns a row of logits into scores, in place.
pub(crate) fn scores(problem: Problem, row: &mut [f32]) {
    match problem {
        Problem::MultiLabel => row.iter_mut().for_each(|logit| *logit = 1.0 / (1.0 + (-*logit).exp())),
        Problem::SingleLabel => {
            let greatest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            row.iter_mut().for_each(|logit| *logit = (*logit - greatest).exp());
            let sum: f32 = row.iter().sum();
            row.iter_mut().for_each(|score| *score /= sum);
        }
    }
}

/// The number of sequences that go together: at least one, and not many more tokens than wanted.
fn batch_length(sequences: &[&[u32]]) -> usize {
    let mut tokens = 0;
    let fitting = sequences.iter().take_while(|ids| {
        tokens += ids.len();
        tokens <= TOKENS_AT_ONCE
    });
    fitting.count().max(1)
}
