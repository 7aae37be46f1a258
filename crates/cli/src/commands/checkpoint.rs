//! `model pull`, `model quantize` and `model pack`: the files of checkpoints.

use std::borrow::Cow;
use std::path::PathBuf;

use clap::Args;
use vulnlens::encoder::{Package, pack, quantize};
use vulnlens::model::megabytes;
use vulnlens::{FoundModel, Open, OpenedEncoder};
use vulnlens_hub::HubId;

use crate::failure::{Failure, Kind};
use crate::hub;
use crate::model_arguments::find;
use crate::output::{Output, print_text};
use crate::terminal::Terminal;

/// Download a checkpoint from the Hugging Face hub, or bring it up to date
///
/// It goes to the hub's own cache (HF_HUB_CACHE, HF_HOME), where Python's libraries find it too. Prints the folder.
#[derive(Debug, Args)]
pub(crate) struct PullArguments {
    /// The id, ORG/NAME or ORG/NAME@REVISION
    #[arg(value_name = "ID")]
    id: HubId,
}

/// Write a checkpoint with its layers in eight bits: a quarter of the size, faster, and a little less exact
#[derive(Debug, Args)]
pub(crate) struct QuantizeArguments {
    /// The folder of a checkpoint, or a file in it; or an id of the hub
    #[arg(value_name = "FOLDER|ID")]
    model: String,

    /// The folder to write, which must not exist yet
    #[arg(short, long, value_name = "FOLDER")]
    out: PathBuf,
}

/// Write an encoder of CWE sets into one file, ready for --model
///
/// Its tensors stay as they are: `model quantize` makes them smaller before.
#[derive(Debug, Args)]
pub(crate) struct PackArguments {
    /// The folder, as `train encoder` or `model quantize` wrote it
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,

    /// The file to write
    #[arg(short, long, value_name = "FILE")]
    out: PathBuf,
}

pub(crate) fn pull(arguments: &PullArguments, terminal: &Terminal) -> Result<(), Failure> {
    let snapshot = hub::pull(&arguments.id, terminal)?;
    let fetched = match snapshot.fetched {
        0 => "nothing was missing".to_owned(),
        bytes => format!("{} downloaded", megabytes(bytes)),
    };
    terminal.note(&format!("{} at {}: {fetched}", arguments.id.repo.as_str(), snapshot.commit.as_str()));
    print_text(&format!("{}\n", snapshot.folder.display()))
}

pub(crate) fn write_quantized(arguments: &QuantizeArguments, terminal: &Terminal) -> Result<(), Failure> {
    let FoundModel::Folder(folder) = find(&arguments.model, terminal)? else {
        let message = format!("{}: is not a checkpoint; n-gram models are small already", arguments.model);
        return Err(Failure::new(Kind::Arguments, message).hint("give the folder of a checkpoint"));
    };
    if arguments.out.exists() {
        let message = format!("{}: exists already", arguments.out.display());
        return Err(Failure::new(Kind::Arguments, message).hint("name a folder that does not exist yet"));
    }
    let done = quantize(folder.path(), &arguments.out)?;
    terminal.note(&format!(
        "{}: {} where there were {}",
        arguments.out.display(),
        megabytes(done.bytes_after),
        megabytes(done.bytes_before)
    ));
    Ok(())
}

pub(crate) fn write_packed(arguments: &PackArguments, terminal: &Terminal) -> Result<(), Failure> {
    let mut output = Output::open(Some(&arguments.out))?;
    let bytes = pack(&arguments.folder)?;
    // What cannot be opened again is not written.
    let package = Package::from_bytes(Cow::Owned(bytes.clone()), &arguments.out)?;
    let network = OpenedEncoder::of_package(&package, &Open::new())?.into_network()?;
    output.data(&bytes)?;
    output.finish()?;
    let sets = network.outputs().len();
    let size = megabytes(bytes.len() as u64);
    terminal.note(&format!("{}: {size}, {sets} CWE sets", arguments.out.display()));
    Ok(())
}
