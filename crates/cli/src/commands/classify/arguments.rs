//! The arguments of `classify`, as clap reads them.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;
use vulnlens::report::Format;
use vulnlens::{CveId, LabelMode, Task, TopK};

use crate::choice::one_of;
use crate::model_arguments::ModelArguments;
use crate::options::{THREADS, thread_count};
use crate::record_format::format_parser;
use crate::records::RecordArguments;

/// The variable that stands for `--labels`.
const LABELS: &str = "VULNLENS_LABELS";
/// The tasks that any model answers.
const TAXONOMIES: [Task; 3] = [Task::Cwe, Task::Capec, Task::Attack];

/// Classify a text, a file of records or CVEs of a data set
///
/// Without TEXT, standard input is read. A terminal gets a short table, a file or a pipe gets one JSON object a
/// record; --format always wins. Input records need `description` (or `text`), and take `id` and `published`; NVD's
/// feeds and API pages and records of the CVE list are read as they are. The year, which the answer depends on, is that
/// of `published`, else of a CVE id, else the newest that the model knows.
/// Of a text 64 KiB are read at most: by n-gram models the first 2,000 words, by checkpoints as many tokens as they
/// were made for, unless --window-overlap says otherwise.
///
/// A checkpoint answers by its own labels, whatever --labels says, and knows no years. Labels that are withdrawn or not
/// known to the knowledge base are kept and marked. What it has no labels of follows by the chain, if it can.
#[derive(Debug, Args)]
pub(crate) struct ClassifyArguments {
    /// The text; or a file, if there is one of that name; or `-` for standard input
    #[arg(group = "source")]
    pub(super) text: Option<String>,

    /// A file of records, plain or packed, or a folder of them; `-` for standard input
    #[arg(short, long, value_name = "FILE", group = "source")]
    pub(super) input: Option<PathBuf>,

    /// CVEs to look up in --data
    #[arg(long, value_name = "CVE", value_delimiter = ',', group = "source", requires = "data")]
    pub(super) cve_id: Vec<CveId>,

    /// A data set that `data build` made
    #[arg(long, value_name = "FILE", requires = "cve_id")]
    pub(super) data: Option<PathBuf>,

    #[command(flatten)]
    pub(super) records: RecordArguments,

    /// Taxonomies of the labels
    #[arg(long, value_parser = one_of(&TAXONOMIES, Task::key, Task::help), value_delimiter = ',', value_name = "LIST", default_value = "cwe,capec,attack")]
    pub(super) taxonomy: Vec<Task>,

    /// The label space, which decides what the probabilities mean; for a checkpoint, `reference` leaves the techniques that the
    /// chain gives as CAPEC writes them
    #[arg(long, env = LABELS, hide_env_values = true, value_parser = one_of(&LabelMode::ALL, LabelMode::name, LabelMode::help), value_name = "SPACE", default_value = LabelMode::Recommended.name())]
    pub(super) labels: LabelMode,

    /// Labels of each taxonomy, the best: a number or `all` [default: 5 in a table, else those predicted and the best 5]
    #[arg(long, value_name = "N", value_parser = top_k)]
    pub(super) top_k: Option<TopK>,

    /// Least probability of a label that is listed; 0, with `--top-k all`, lists every label of the space
    #[arg(long, value_name = "P", default_value = "0.05", value_parser = probability)]
    pub(super) threshold: f32,

    /// Format of the output [default: table on a terminal, by --out's name, otherwise jsonl]
    #[arg(short, long, value_name = "FORMAT", value_parser = format_parser())]
    pub(super) format: Option<&'static Format>,

    /// CSV without formulas: a field that a spreadsheet would take for one gets a `'` in front
    #[arg(long)]
    pub(super) safe_csv: bool,

    /// Write to a file, which appears when it is whole and is compressed if its name ends in `.gz` or `.zst`; or to a folder
    /// (`out/`), a file for each record; `-` for standard output
    #[arg(short, long, alias = "output", value_name = "FILE")]
    pub(super) out: Option<PathBuf>,

    /// Answer as of this year, whatever the record's
    #[arg(long, value_name = "YEAR", value_parser = clap::value_parser!(u16).range(1980..=2200))]
    pub(super) as_of: Option<u16>,

    /// Threads that classify [default: one for each core]
    #[arg(long, env = THREADS, hide_env_values = true, value_name = "N", value_parser = thread_count)]
    pub(super) threads: Option<NonZeroUsize>,

    #[command(flatten)]
    pub(super) model: ModelArguments,
}

/// The number of labels: `all`, or a number from 1.
fn top_k(text: &str) -> Result<TopK, &'static str> {
    match text.parse() {
        _ if text == "all" => Ok(TopK::All),
        Ok(0) | Err(_) => Err("expected a number from 1, or `all`"),
        Ok(number) => Ok(TopK::Best(number)),
    }
}

fn probability(text: &str) -> Result<f32, &'static str> {
    let number = text.parse().ok().filter(|number| (0.0..=1.0).contains(number));
    number.ok_or("expected a number from 0 to 1")
}
