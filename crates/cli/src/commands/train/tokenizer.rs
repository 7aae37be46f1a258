//! `train tokenizer`: a tokenizer of a data set's descriptions.

use std::fs;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;
use vulnlens_evaluation::{Part, Split};
use vulnlens_files::FileError;
use vulnlens_train::encoder::train_tokenizer;

use crate::data_set;
use crate::failure::Failure;
use crate::options::{THREADS, thread_count, threads};
use crate::output::Output;
use crate::terminal::Terminal;
use crate::threads::on_threads;

/// Train a tokenizer on the descriptions of a data set
///
/// Byte-level byte pairs with RoBERTa's special tokens, in the files that transformers loads. The same texts give the
/// same bytes on any number of threads.
#[derive(Debug, Args)]
pub(crate) struct TokenizerArguments {
    /// A data set that `data build` made
    #[arg(long, value_name = "FILE")]
    data: PathBuf,

    /// The folder that the tokenizer's files go to
    #[arg(short, long, value_name = "FOLDER")]
    out: PathBuf,

    /// Tokens, bytes and special ones included
    #[arg(long, value_name = "N", default_value_t = 12_000)]
    size: usize,

    /// The split whose training part is read
    #[arg(long, value_parser = data_set::split(), value_name = "SPLIT", default_value = "random")]
    split: Split,

    /// Threads [default: one for each core]
    #[arg(long, env = THREADS, hide_env_values = true, value_name = "N", value_parser = thread_count)]
    threads: Option<NonZeroUsize>,
}

pub(crate) fn run(arguments: &TokenizerArguments, terminal: &Terminal) -> Result<(), Failure> {
    let examples = data_set::read(&arguments.data)?.examples(arguments.split);
    let training = examples.iter().filter(|example| example.part == Part::Train);
    let texts: Vec<&str> = training.map(|example| example.text.as_str()).collect();
    let bar = terminal.progress("{spinner} counting pairs, {elapsed}");
    let trained = on_threads(threads(arguments.threads), || train_tokenizer(&texts, arguments.size))?;
    bar.finish_and_clear();
    let trained = trained?;
    let folder = &arguments.out;
    fs::create_dir_all(folder).map_err(FileError::write(folder))?;
    for (name, contents) in &trained.files {
        let mut output = Output::open(Some(&folder.join(name)))?;
        output.data(contents.as_bytes())?;
        output.finish()?;
    }
    terminal.note(&format!("{}: {} tokens, of {} texts", folder.display(), trained.tokens, texts.len()));
    Ok(())
}
