//! `kb update`: the catalogues as they are published today, as a knowledge base, and what changed.

use std::path::PathBuf;

use clap::Args;
use vulnlens::KnowledgeBase;
use vulnlens::report::Changes;
use vulnlens::taxonomy::diff;
use vulnlens_fetch::Source;

use crate::failure::{Failure, Kind};
use crate::fetching::{PublisherArguments, Shown};
use crate::folder_notes;
use crate::model_arguments::knowledge_base;
use crate::options::ViewFormat;
use crate::output::{Output, print_json, print_text};
use crate::terminal::Terminal;

/// The sources of catalogues.
const CATALOGUES: [Source; 3] = [Source::Mitre, Source::Atlas, Source::D3fend];

/// Fetch the catalogues as they are published, build a knowledge base of them and show what changed
///
/// CWE, CAPEC, ATT&CK, ATLAS and D3FEND are fetched into folders of --folder, as `data fetch` does: what has not
/// changed is not fetched again. The knowledge base is written when all of them are there and read; one that is there
/// is compared with the new one, else the embedded one is. Give the file to `classify` by --kb. The embedded models are
/// made with the weaknesses of the embedded knowledge base: `kb diff` says how the newer ones differ.
#[derive(Debug, Args)]
pub(crate) struct UpdateArguments {
    /// The folder that keeps what is fetched
    #[arg(long, value_name = "FOLDER")]
    folder: PathBuf,

    /// The file of the knowledge base, which is replaced
    #[arg(short, long, value_name = "FILE")]
    out: PathBuf,

    /// Format of the changes
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t)]
    format: ViewFormat,

    #[command(flatten)]
    publishers: PublisherArguments,
}

pub(crate) fn run(arguments: &UpdateArguments, terminal: &Terminal) -> Result<(), Failure> {
    if arguments.publishers.asks_api() {
        let message = "--api is for NVD's records, and these are catalogues";
        return Err(Failure::new(Kind::Arguments, message).hint("leave --api out"));
    }
    let old = match arguments.out.try_exists() {
        Ok(true) => knowledge_base(&arguments.out, None, terminal)?,
        _ => vulnlens::embedded_knowledge_base(),
    };
    let publishers = arguments.publishers.publishers(terminal)?;
    let shown = Shown::new(terminal);
    let fetcher = publishers.fetcher(&shown);
    let fetch = |source: &Source| {
        let folder = arguments.folder.join(source.name());
        Ok((source.name(), fetcher.fetch(*source, &publishers.nvd, &folder)?))
    };
    let fetched: Result<Vec<_>, Failure> = CATALOGUES.iter().map(fetch).collect();
    shown.finish();
    for (name, summary) in fetched? {
        let (fetched, unchanged) = (summary.fetched.len(), summary.unchanged.len());
        terminal.note(&format!("{name}: {fetched} files fetched, {unchanged} unchanged"));
    }
    let (new, notes) = KnowledgeBase::from_folder(&arguments.folder, None)?;
    folder_notes::tell(&notes, terminal);
    let mut output = Output::open(Some(&arguments.out))?;
    output.data(&new.to_bytes())?;
    output.finish()?;
    let (out, fingerprint) = (arguments.out.display(), new.fingerprint());
    terminal.note(&format!("{out}: {}, fingerprint {fingerprint}", new.versions()));
    let changes = Changes::new(&diff(&old, &new), &old, &new);
    match arguments.format {
        ViewFormat::Table => print_text(&changes.text()),
        ViewFormat::Json => print_json(&changes),
    }
}
