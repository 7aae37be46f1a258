//! The arguments of `classify`, as clap reads them.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;
use vulnlens::report::Format;
use vulnlens::{Classifier, LabelMode, Options, Task, Tasks};

use crate::addition_arguments::AdditionArguments;
use crate::attack_arguments::AttackArguments;
use crate::choice::one_of;
use crate::model_arguments::ModelArguments;
use crate::options::{THREADS, thread_count};
use crate::question::QuestionArguments;
use crate::record_format::format_parser;
use crate::source::SourceArguments;
use crate::terminal::Terminal;

/// Classify a text, a file of records or CVEs of a data set
///
/// Without TEXT, standard input is read. A terminal gets a short table, a file or a pipe gets one JSON object a
/// record; --format always wins. Inputs are texts, tables, JSON of one's own, CVE records, NVD's feeds and pages, advisories
/// and reports of scanners, as docs/inputs.md lists them. The year, which the answer depends on, is that of the date of
/// publication, otherwise of a CVE id, otherwise the newest that the model knows.
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

    #[command(flatten)]
    pub(super) source: SourceArguments,

    /// Taxonomies of the labels, and techniques that analysts assign (`curated`) [default: all that the model answers]
    #[arg(long, value_parser = one_of(Task::ALL, task_name, Task::help), value_delimiter = ',', value_name = "LIST")]
    taxonomy: Option<Vec<Task>>,

    #[command(flatten)]
    pub(super) question: QuestionArguments,

    #[command(flatten)]
    pub(super) attack: AttackArguments,

    /// Format of the output [default: table on a terminal, by --out's name, otherwise jsonl]
    #[arg(short, long, value_name = "FORMAT", value_parser = format_parser())]
    pub(super) format: Option<&'static Format>,

    /// Reasons for each answer, as in `explain`: words, ways, rules, and the mapped CVEs most like the text; for `jsonl`
    #[arg(long)]
    pub(super) evidence: bool,

    /// CSV without formulas: a field that a spreadsheet would take for one gets a `'` in front
    #[arg(long)]
    pub(super) safe_csv: bool,

    /// Write to a file, which appears when it is whole and is compressed if its name ends in `.gz` or `.zst`; or to a folder
    /// (`out/`), a file for each record; `-` for standard output
    #[arg(short, long, alias = "output", value_name = "FILE")]
    pub(super) out: Option<PathBuf>,

    /// Threads that classify [default: one for each core]
    #[arg(long, env = THREADS, hide_env_values = true, value_name = "N", value_parser = thread_count)]
    pub(super) threads: Option<NonZeroUsize>,

    #[command(flatten)]
    pub(super) additions: AdditionArguments,

    #[command(flatten)]
    pub(super) model: ModelArguments,
}

/// The name of a task on the command line.
pub(crate) fn task_name(task: Task) -> &'static str {
    if task == Task::AttackCurated { "curated" } else { task.key() }
}

impl ClassifyArguments {
    /// The tasks that are asked for.
    pub(super) fn tasks(&self) -> Tasks {
        let asked = self.taxonomy.as_ref().map_or(Tasks::ALL, |tasks| tasks.iter().copied().collect());
        self.additions.tasks(asked)
    }

    /// Warns where techniques that analysts assign are asked for by name and not answered.
    pub(super) fn check(&self, classifier: &Classifier, options: &Options, terminal: &Terminal) {
        self.additions.check(classifier, terminal);
        let is_named = self.taxonomy.as_ref().is_some_and(|tasks| tasks.contains(&Task::AttackCurated));
        let is_answered = classifier.network().curated().is_some() && options.labels != LabelMode::Reference;
        if is_named && !is_answered {
            terminal.warn(
                "no techniques that analysts assign are answered: the model has none, or --labels is `reference`",
            );
        }
    }
}
