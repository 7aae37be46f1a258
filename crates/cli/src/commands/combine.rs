//! `model combine`: an encoder and the embedded n-gram model as one.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::Args;
use vulnlens::model::{Header, Partner};
use vulnlens::{CheckpointFolder, Network, Open};
use vulnlens_evaluation::{ChosenCombination, NetworkScores, Part, RecordedPair, common_split, judged_part};

use crate::data_set;
use crate::failure::{Failure, Kind};
use crate::model_arguments::{KnowledgeBaseArguments, ngram};
use crate::options::{THREADS, thread_count, threads};
use crate::output::{Output, json};
use crate::terminal::Terminal;
use crate::threads::on_threads;

/// Let an encoder of CWE sets answer together with the embedded n-gram model
///
/// Chooses the mean, its weights, a temperature and the decision rules on the validation part, and writes them into the
/// description in the encoder's folder, `vulnlens.json`.
#[derive(Debug, Args)]
pub(crate) struct CombineArguments {
    /// The folder, as `train encoder` or `model quantize` wrote it
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,

    /// A data set that `data build` made
    #[arg(long, value_name = "FILE", required_unless_present = "alone")]
    data: Option<PathBuf>,

    /// An n-gram model as the embedded one, but fitted on the training part of the encoder's split alone: weights cannot be
    /// chosen on texts that one of the models was fitted on
    #[arg(long, value_name = "FILE", required_unless_present = "alone")]
    by: Option<PathBuf>,

    /// Let the encoder answer alone again
    #[arg(long, conflicts_with_all = ["data", "by"])]
    alone: bool,

    /// Threads [default: one for each core]
    #[arg(long, env = THREADS, hide_env_values = true, value_name = "N", value_parser = thread_count)]
    threads: Option<NonZeroUsize>,

    #[command(flatten)]
    kb: KnowledgeBaseArguments,
}

pub(crate) fn run(arguments: &CombineArguments, terminal: &Terminal) -> Result<(), Failure> {
    let folder = CheckpointFolder::at(&arguments.folder);
    let place = folder.beside(Header::FILE);
    let name = arguments.folder.display();
    let mut header = folder.header()?.filter(|header| header.cwe_head().is_some()).ok_or_else(|| {
        let message = format!("{name}: its outputs are not CWE sets");
        Failure::new(Kind::Arguments, message).hint("give a folder that `train encoder` wrote")
    })?;
    let (Some(data), Some(by)) = (&arguments.data, &arguments.by) else {
        header.combined_with = None;
        write(&header, &place)?;
        terminal.note(&format!("{}: the encoder answers alone", place.display()));
        return Ok(());
    };
    if let Some(partner) = &header.combined_with {
        let message = format!("{}: is combined already, with {}", place.display(), partner.name);
        return Err(
            Failure::new(Kind::Arguments, message).hint("`model combine --alone` takes the combination out")
        );
    }
    let partner = chosen(arguments, &folder, (data, by), terminal)?;
    terminal.note(&format!("{}: the encoder's weight is {:.2}", place.display(), partner.combination.first));
    header.combined_with = Some(partner);
    write(&header, &place)
}

/// The combination that the validation part chooses.
fn chosen(
    arguments: &CombineArguments,
    folder: &CheckpointFolder,
    (data, by): (&Path, &Path),
    terminal: &Terminal,
) -> Result<Partner, Failure> {
    let kb = arguments.kb.load(terminal)?;
    let opened = folder.open(&Open::new())?;
    let ngram = ngram(&by.to_string_lossy())?;
    let (Some(encoder), Some(of_ngram)) = (NetworkScores::new(opened.encoder()), NetworkScores::new(&ngram))
    else {
        return Err(Failure::new(Kind::Arguments, "the outputs of one model are not CWE sets"));
    };
    let networks: [&dyn Network; 2] = [opened.encoder(), &ngram];
    let split = common_split(networks).ok_or_else(|| different_splits(networks))?;
    let data = data_set::read(data)?;
    let examples = data.examples(split);
    let rows = judged_part(&examples, Part::Validation);
    let work = || RecordedPair::of([encoder, of_ngram], &rows).choose(&kb, &examples);
    let ChosenCombination { way: combination, calibration: rules } =
        on_threads(threads(arguments.threads), work)??;
    let embedded = vulnlens::embedded_model();
    Ok(Partner {
        name: embedded.name().to_owned(),
        revision: embedded.revision().to_owned(),
        combination,
        temperature: rules.temperature,
        rules: rules.decisions,
        fitted_on: format!(
            "validation part of the {} split of {}, with {} {} in place of the embedded one",
            split.name(),
            data.name,
            ngram.name(),
            ngram.revision()
        ),
    })
}

fn different_splits(networks: [&dyn Network; 2]) -> Failure {
    let [of_encoder, of_ngram] =
        networks.map(|network| network.origin().map_or_else(String::new, |origin| origin.split.to_owned()));
    let message =
        format!("the encoder was trained on the split {of_encoder:?}, the n-gram model on {of_ngram:?}");
    Failure::new(Kind::Arguments, message)
        .hint("both must be of one split that has a validation part: `train ngram --split` fits the other")
}

fn write(header: &Header, place: &Path) -> Result<(), Failure> {
    let mut output = Output::open(Some(place))?;
    output.data(&json(&serde_json::json!(header))?)?;
    output.finish()
}
