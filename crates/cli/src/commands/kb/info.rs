//! `kb info`: the releases and the size of a knowledge base.

use clap::Args;
use serde::Serialize;
use vulnlens::KnowledgeBase;
use vulnlens::taxonomy::{GroupingKind, Release, Versions};

use crate::failure::Failure;
use crate::model_arguments::KnowledgeBaseArguments;
use crate::options::ViewFormat;
use crate::output::{print_json, print_text};
use crate::terminal::Terminal;

/// Show which releases a knowledge base is of, and how much it holds
#[derive(Debug, Args)]
pub(crate) struct InfoArguments {
    /// Format of the output
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t)]
    format: ViewFormat,

    #[command(flatten)]
    kb: KnowledgeBaseArguments,
}

#[derive(Serialize)]
struct Info<'a> {
    versions: &'a Versions,
    fingerprint: String,
    weaknesses: usize,
    categories_and_views: usize,
    categories: usize,
    views: usize,
    attack_patterns: usize,
    techniques: usize,
    tactics: usize,
    releases: Vec<Release>,
    atlas_techniques: usize,
    atlas_tactics: usize,
    atlas_mitigations: usize,
    countermeasures: usize,
}

impl<'a> Info<'a> {
    fn new(kb: &'a KnowledgeBase) -> Self {
        let categories = kb.groupings().filter(|grouping| grouping.kind == GroupingKind::Category).count();
        Self {
            versions: kb.versions(),
            fingerprint: kb.fingerprint(),
            weaknesses: kb.weaknesses().len(),
            categories_and_views: kb.groupings().len(),
            categories,
            views: kb.groupings().len().saturating_sub(categories),
            attack_patterns: kb.patterns().len(),
            techniques: kb.techniques().len(),
            tactics: kb.tactics().len(),
            releases: kb.releases(),
            atlas_techniques: kb.atlas().map_or(0, |atlas| atlas.techniques.len()),
            atlas_tactics: kb.atlas().map_or(0, |atlas| atlas.tactics.len()),
            atlas_mitigations: kb.atlas().map_or(0, |atlas| atlas.mitigations.len()),
            countermeasures: kb.d3fend().map_or(0, |d3fend| d3fend.countermeasures.len()),
        }
    }

    fn text(&self) -> String {
        let versions = self.versions;
        let dated = |version: &str, date: &Option<String>| match date {
            Some(date) => format!("{version} ({date})"),
            None => version.to_owned(),
        };
        let of_release = |count: usize| match &versions.cwe_categories {
            Some(release) => format!("{count} (CWE {release})"),
            None => count.to_string(),
        };
        let beside = self.releases.iter().filter(|release| matches!(release.catalogue, "ATLAS" | "D3FEND"));
        let beside = beside.map(|release| {
            let version = release.version.as_deref().unwrap_or("release not stated");
            (release.catalogue, dated(version, &release.date))
        });
        let facts = [
            ("CWE", dated(&versions.cwe, &versions.cwe_date)),
            ("CAPEC", versions.capec.clone()),
            ("ATT&CK", dated(&versions.attack, &versions.attack_date)),
        ];
        let counts = [
            ("weaknesses", self.weaknesses.to_string()),
            ("categories", of_release(self.categories)),
            ("views", of_release(self.views)),
            ("attack patterns", self.attack_patterns.to_string()),
            ("techniques", self.techniques.to_string()),
            ("tactics", self.tactics.to_string()),
            ("ATLAS techniques", self.atlas_techniques.to_string()),
            ("ATLAS tactics", self.atlas_tactics.to_string()),
            ("ATLAS mitigations", self.atlas_mitigations.to_string()),
            ("countermeasures", self.countermeasures.to_string()),
        ];
        let fingerprint = [("fingerprint", self.fingerprint.clone())];
        let lines = facts.into_iter().chain(beside).chain(fingerprint).chain(counts);
        lines.map(|(key, value)| format!("{key:<18} {value}\n")).collect()
    }
}

pub(crate) fn run(arguments: &InfoArguments, terminal: &Terminal) -> Result<(), Failure> {
    let kb = arguments.kb.load(terminal)?;
    let info = Info::new(&kb);
    match arguments.format {
        ViewFormat::Table => print_text(&info.text()),
        ViewFormat::Json => print_json(&info),
    }
}
