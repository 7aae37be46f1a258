//! `model combine`: an encoder and the embedded n-gram model as one.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;
use vulnlens::{CheckpointFolder, CombinationFile, Network, Open};
use vulnlens_evaluation::{
    EvaluationError, Example, NetworkScores, Part, RecordedLogits, Split, calibrate, choose_combination,
    combined,
};

use crate::data_set;
use crate::failure::{Failure, Kind};
use crate::model_arguments::{KnowledgeBaseArguments, ngram};
use crate::options::{thread_count, threads};
use crate::output::{Output, json};
use crate::terminal::Terminal;
use crate::threads::on_threads;

/// Let an encoder of CWE sets answer together with the embedded n-gram model
///
/// Chooses the mean, its weights, a temperature and the decision rules on the validation part, and writes them into the
/// encoder's folder as `combination.json`; without that file the encoder answers alone again.
#[derive(Debug, Args)]
pub(crate) struct CombineArguments {
    /// The folder, as `train encoder` or `model quantize` wrote it
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,

    /// A data set that `data build` made
    #[arg(long, value_name = "FILE")]
    data: PathBuf,

    /// An n-gram model as the embedded one, but fitted on the training part of the encoder's split alone: weights cannot be
    /// chosen on texts that one of the models was fitted on
    #[arg(long, value_name = "FILE")]
    by: PathBuf,

    /// Threads [default: one for each core]
    #[arg(long, value_name = "N", value_parser = thread_count)]
    threads: Option<NonZeroUsize>,

    #[command(flatten)]
    kb: KnowledgeBaseArguments,
}

pub(crate) fn run(arguments: &CombineArguments, terminal: &Terminal) -> Result<(), Failure> {
    let kb = arguments.kb.load(terminal)?;
    let place = arguments.folder.join(CombinationFile::NAME);
    if place.exists() {
        let message = format!("{}: exists already", place.display());
        return Err(Failure::new(Kind::Arguments, message).hint("remove it to combine anew"));
    }
    let name = arguments.folder.display().to_string();
    let opened = CheckpointFolder::at(&arguments.folder).open(&Open::new())?;
    let not_sets = || {
        let message = format!("{name}: its outputs are not CWE sets");
        Failure::new(Kind::Arguments, message).hint("give a folder that `train encoder` wrote")
    };
    let encoder = NetworkScores::new(opened.encoder()).ok_or_else(not_sets)?;
    let ngram = ngram(&arguments.by.to_string_lossy())?;
    let of_ngram = NetworkScores::new(&ngram).ok_or_else(not_sets)?;
    let split_of =
        |network: &dyn Network| network.origin().map(|from| from.split.to_owned()).unwrap_or_default();
    let (split, ngram_split) = (&split_of(opened.encoder()), &split_of(&ngram));
    let split_name = Split::named(split).filter(|split| split.has_test_part());
    let Some(split_name) = split_name.filter(|_| split == ngram_split) else {
        let message =
            format!("the encoder was trained on the split {split:?}, the n-gram model on {ngram_split:?}");
        return Err(Failure::new(Kind::Arguments, message).hint(
            "both must be of one split that has a validation part: `train ngram --split` fits the other",
        ));
    };
    let data = data_set::read(&arguments.data)?;
    let examples = data.examples(split_name);
    let rows: Vec<&Example> =
        examples.iter().filter(|e| e.part == Part::Validation && e.is_labelled()).collect();
    let work = || {
        let (first, second) = (RecordedLogits::of(encoder, &rows), RecordedLogits::of(of_ngram, &rows));
        let first = (&first, encoder.outputs().temperature);
        let second = (&second, of_ngram.outputs().temperature);
        let way = choose_combination(first, second, &examples)?;
        Ok::<_, EvaluationError>((way, calibrate(&combined(way, first, second), &kb, &examples)?))
    };
    let (way, rules) = on_threads(threads(arguments.threads), work)??;
    let embedded = vulnlens::embedded_model();
    let file = CombinationFile {
        format_version: CombinationFile::FORMAT_VERSION,
        with: embedded.header().name.clone(),
        with_revision: embedded.revision().to_owned(),
        way,
        temperature: rules.temperature,
        decisions: rules.decisions,
        decisions_from: format!(
            "validation part of the {split} split of {}, with {} {} in place of the embedded one",
            data.name,
            ngram.header().name,
            ngram.revision()
        ),
    };
    let mut output = Output::open(Some(&place))?;
    output.data(&json(&file)?)?;
    output.finish()?;
    terminal.note(&format!("{}: the encoder's weight is {:.2}", place.display(), way.first));
    Ok(())
}
