//! `kb build`: the official files into a compiled knowledge base.

use std::path::PathBuf;

use clap::Args;
use vulnlens::taxonomy::{CatalogueFiles, FolderNote};

use crate::failure::Failure;
use crate::folder_notes;
use crate::output::Output;
use crate::terminal::Terminal;

/// Build a knowledge base of MITRE's files
///
/// The files are taken as they are downloaded: CWE's XML (.xml or .xml.zip) or the answers of its REST API (.json, or
/// an archive or a folder of them), CAPEC's STIX 2.1 bundle (.json or .json.gz) or XML (.xml), and ATT&CK's STIX 2.1
/// bundles; in place of a bundle also a folder of github.com/mitre/cti with a file for each object. ATLAS and D3FEND may be
/// left out. The result holds ids, names and relations and, of the catalogues' prose, CWE's mapping notes and the
/// beginnings of the descriptions of techniques of ATLAS, ICS and Mobile, which texts are compared with.
#[derive(Debug, Args)]
pub(crate) struct BuildArguments {
    /// CWE's catalogue
    #[arg(long, value_name = "FILE|FOLDER")]
    cwe: PathBuf,

    /// CWE's release, for a catalogue that does not say it [default: the one in the file's name]
    #[arg(long, value_name = "VERSION")]
    cwe_version: Option<String>,

    /// Another catalogue of CWE, whose categories and views are taken, and whose mapping notes where the first has
    /// none: reduced catalogues have neither
    #[arg(long, value_name = "FILE|FOLDER")]
    cwe_categories: Option<PathBuf>,

    /// CAPEC's catalogue
    #[arg(long, value_name = "FILE|FOLDER")]
    capec: PathBuf,

    /// ATT&CK's bundles: Enterprise, and Mobile and ICS if wanted
    #[arg(long, value_name = "FILE|FOLDER", num_args = 1.., required = true)]
    attack: Vec<PathBuf>,

    /// MITRE ATLAS, ATLAS.yaml
    #[arg(long, value_name = "FILE")]
    atlas: Option<PathBuf>,

    /// MITRE D3FEND's ontology in Turtle, plain or packed
    #[arg(long, value_name = "FILE")]
    d3fend: Option<PathBuf>,

    /// D3FEND's release, for a file that does not say it, such as its month: 2025-08
    #[arg(long, value_name = "VERSION", requires = "d3fend")]
    d3fend_version: Option<String>,

    /// ATT&CK's release, for bundles that do not say it
    #[arg(long, value_name = "VERSION")]
    attack_version: Option<String>,

    /// The file of the knowledge base
    #[arg(short, long, value_name = "FILE")]
    out: PathBuf,
}

pub(crate) fn run(arguments: BuildArguments, terminal: &Terminal) -> Result<(), Failure> {
    let files = CatalogueFiles {
        cwe: vec![arguments.cwe],
        cwe_categories: arguments.cwe_categories,
        capec: vec![arguments.capec],
        attack: arguments.attack,
        atlas: arguments.atlas.into_iter().collect(),
        d3fend: arguments.d3fend.into_iter().collect(),
    };
    let (mut builder, mut notes) = files.parse()?;
    let is_named = |file: &PathBuf| arguments.cwe_version.is_some() && files.cwe.contains(file);
    notes.retain(|note| !matches!(note, FolderNote::ReleaseByName { file, .. } if is_named(file)));
    folder_notes::tell(&notes, terminal);
    if let Some(version) = arguments.cwe_version {
        builder = builder.cwe_version(version);
    }
    if let Some(version) = arguments.attack_version {
        builder = builder.attack_version(version);
    }
    if let Some(version) = arguments.d3fend_version {
        builder = builder.d3fend_version(version);
    }
    let kb = builder.build()?;
    let mut output = Output::open(Some(&arguments.out))?;
    output.data(&kb.to_bytes())?;
    output.finish()?;
    let (out, versions, fingerprint) = (arguments.out.display(), kb.versions(), kb.fingerprint());
    terminal.note(&format!("{out}: {versions}, fingerprint {fingerprint}"));
    Ok(())
}
