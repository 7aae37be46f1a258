//! `data fetch`: published records and catalogues into a folder.

use std::path::PathBuf;

use clap::Args;
use indicatif::HumanBytes;
use vulnlens_fetch::Source;

use crate::choice::one_of;
use crate::failure::{Failure, Kind};
use crate::fetching::{PublisherArguments, Shown};
use crate::terminal::Terminal;

/// Fetch published records and catalogues into a folder
///
/// The folder is made or brought up to date: what has not changed is not fetched again, and what was cut is resumed,
/// also after the program was killed. A file appears when it is whole, is what it says and has its publisher's
/// checksum; `fetched.json` records address, date and checksum of each. `data build`, `kb build` and `classify --data`
/// read the folder. Nothing but the addresses in docs/fetch.md is asked; --hosts names others.
#[derive(Debug, Args)]
pub(crate) struct FetchArguments {
    /// The source
    #[arg(value_name = "SOURCE", value_parser = one_of(&Source::ALL, Source::name, Source::help))]
    source: Source,

    /// The folder, one for each source
    #[arg(short, long, value_name = "FOLDER")]
    out: PathBuf,

    #[command(flatten)]
    publishers: PublisherArguments,
}

pub(crate) fn run(arguments: &FetchArguments, terminal: &Terminal) -> Result<(), Failure> {
    if arguments.publishers.asks_api() && arguments.source != Source::Nvd {
        let message = format!("--api is for `nvd`, and the source is `{}`", arguments.source.name());
        return Err(Failure::new(Kind::Arguments, message).hint("leave --api out"));
    }
    let publishers = arguments.publishers.publishers(terminal)?;
    let shown = Shown::new(terminal);
    let fetched = publishers.fetcher(&shown).fetch(arguments.source, &publishers.nvd, &arguments.out);
    shown.finish();
    let summary = fetched?;
    summary.fetched.iter().for_each(|name| terminal.detail(&format!("fetched {name}")));
    terminal.note(&format!(
        "{}: {} files fetched ({}), {} unchanged",
        arguments.out.display(),
        summary.fetched.len(),
        HumanBytes(summary.bytes),
        summary.unchanged.len()
    ));
    Ok(())
}
