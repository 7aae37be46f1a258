//! The arguments of `prompt`, as clap reads them.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;

use clap::Args;
use vulnlens::{LabelMode, Task};
use vulnlens_evaluation::{Part, Split};
use vulnlens_prompt::SchemaStyle;

use crate::choice::one_of;
use crate::commands::classify::task_name;
use crate::data_set;
use crate::model_arguments::ModelArguments;
use crate::options::{THREADS, thread_count};
use crate::question::probability;
use crate::source::SourceArguments;

/// The most requests at once: more are a slip of the finger, and take a server down.
const MOST_AT_ONCE: u64 = 256;
/// The longest time for one reply: a day.
const LONGEST_TIMEOUT: u64 = 24 * 60 * 60;

/// Ask a text-generation model behind an OpenAI-compatible endpoint
///
/// The model answers from a closed list: the best labels of a classifier, with names and, by --kb with a folder of MITRE's
/// files, definitions. Its reply is bound to the list by a JSON Schema and read strictly. The output is one JSON object a
/// record, which `evaluate --answers` judges; scores of such labels are not probabilities. Only the endpoint is asked, and it
/// gets the texts. Start again with the same --cache to resume. docs/prompting.md tells more.
#[derive(Debug, Args)]
pub(crate) struct PromptArguments {
    /// The text; or a file, if there is one of that name; or `-` for standard input
    #[arg(group = "source")]
    pub(super) text: Option<String>,

    #[command(flatten)]
    pub(super) source: SourceArguments,

    /// The labelled records of this part of --data, by --split
    #[arg(long, value_parser = one_of(&Part::EVALUATED, Part::name, Part::help), value_name = "PART", group = "source", requires = "data")]
    pub(super) part: Option<Part>,

    /// At most N records of --part, evenly spread
    #[arg(long, value_name = "N", requires = "part")]
    pub(super) sample: Option<NonZeroUsize>,

    /// The split of --part and --examples
    #[arg(long, value_parser = data_set::split(), value_name = "SPLIT", default_value = Split::Random.name())]
    pub(super) split: Split,

    /// Taxonomy of the labels
    #[arg(long, value_parser = one_of(&TASKS, task_name, Task::help), value_name = "TASK", default_value = Task::Cwe.key())]
    pub(super) task: Task,

    /// Candidates of each text: the best labels of the classifier
    #[arg(long, value_name = "N", default_value = "20")]
    pub(super) candidates: NonZeroUsize,

    /// Make all labels of the label space candidates of every text
    #[arg(long, conflicts_with = "candidates")]
    pub(super) all_candidates: bool,

    /// Label space of the candidates
    #[arg(long, value_parser = one_of(&LabelMode::ALL, LabelMode::name, LabelMode::help), value_name = "SPACE", default_value = LabelMode::Recommended.name())]
    pub(super) labels: LabelMode,

    /// A template of prompts, with {text}, {candidates}, {definitions} and {examples} [default: a built-in one]
    #[arg(long, value_name = "FILE")]
    pub(super) template: Option<PathBuf>,

    /// A data set that `data build` made: its training records most like a text are examples, never one about the same CVE
    #[arg(long, value_name = "FILE")]
    pub(super) examples: Option<PathBuf>,

    /// Examples in a prompt
    #[arg(long, value_name = "K", default_value = "3", requires = "examples")]
    pub(super) shots: usize,

    /// Ask only where the classifier is unsure, and put the model's choice first among its labels
    #[arg(long)]
    pub(super) rerank: bool,

    /// Probability of the classifier's best label from which on nobody is asked
    #[arg(long, value_name = "P", default_value = "0.5", value_parser = probability, requires = "rerank")]
    pub(super) unsure_below: f32,

    /// Ask for a confidence with each label
    #[arg(long)]
    pub(super) confidence: bool,

    /// Most labels of a reply
    #[arg(long, value_name = "N", default_value = "5")]
    pub(super) max_labels: NonZeroUsize,

    /// Most characters of a prompt: examples are left out, then the text is cut
    #[arg(long, value_name = "N", default_value = "32000")]
    pub(super) max_prompt_chars: usize,

    /// Write to a file, which appears when it is whole and is compressed if its name ends in `.gz` or `.zst`; `-` for standard
    /// output
    #[arg(short, long, alias = "output", value_name = "FILE")]
    pub(super) out: Option<PathBuf>,

    /// Write the counts of records, requests, retries, tokens and refused ids as JSON
    #[arg(long, value_name = "FILE")]
    pub(super) summary: Option<PathBuf>,

    #[command(flatten)]
    pub(super) endpoint: EndpointArguments,

    /// Threads that a checkpoint computes on [default: one for each core]
    #[arg(long, env = THREADS, hide_env_values = true, value_name = "N", value_parser = thread_count)]
    pub(super) threads: Option<NonZeroUsize>,

    #[command(flatten)]
    pub(super) model: ModelArguments,
}

/// The tasks that a list of labels can be made for.
const TASKS: [Task; 3] = [Task::Cwe, Task::Capec, Task::Attack];

/// Arguments about the endpoint and the cache.
#[derive(Debug, Args)]
#[command(next_help_heading = "Endpoint")]
pub(super) struct EndpointArguments {
    /// The address to which `/chat/completions` is appended: `https://host/v1`, or `http://127.0.0.1:8080/v1`
    #[arg(long, value_name = "URL", required_unless_present = "offline")]
    pub(super) endpoint: Option<String>,

    /// The model, as the endpoint knows it
    #[arg(long, value_name = "NAME")]
    pub(super) model_name: String,

    /// The environment variable that holds the endpoint's key, which goes to the endpoint alone and is never shown
    #[arg(long, value_name = "VARIABLE")]
    pub(super) key_variable: Option<String>,

    /// Allow plain `http` to other machines, which lets the network read texts and key
    #[arg(long)]
    pub(super) allow_http: bool,

    /// The way in which replies are bound to their form
    #[arg(long, value_parser = one_of(&SchemaStyle::ALL, SchemaStyle::name, SchemaStyle::help), value_name = "STYLE", default_value = SchemaStyle::JsonSchema.name())]
    pub(super) schema_style: SchemaStyle,

    /// Most tokens of a reply
    #[arg(long, value_name = "N", default_value = "512")]
    pub(super) max_tokens: NonZeroU32,

    /// Seed of the endpoint's random choices; the temperature is 0
    #[arg(long, value_name = "N", default_value = "1")]
    pub(super) seed: u64,

    /// Seconds for one reply
    #[arg(long, value_name = "SECONDS", default_value = "120", value_parser = clap::value_parser!(u64).range(1..=LONGEST_TIMEOUT))]
    pub(super) timeout: u64,

    /// Times that a request is sent again after a failure that may pass
    #[arg(long, value_name = "N", default_value = "5", value_parser = clap::value_parser!(u32).range(..=100))]
    pub(super) retries: u32,

    /// Most requests in a minute
    #[arg(long, value_name = "N")]
    pub(super) requests_per_minute: Option<NonZeroU32>,

    /// Requests at once; the order of the output is that of the input
    #[arg(long, value_name = "N", default_value = "4", value_parser = clap::value_parser!(u64).range(1..=MOST_AT_ONCE))]
    pub(super) concurrency: u64,

    /// A folder where replies are kept as they come, and found again
    #[arg(long, value_name = "FOLDER")]
    pub(super) cache: Option<PathBuf>,

    /// Answer from the cache alone
    #[arg(long, requires = "cache")]
    pub(super) offline: bool,
}
