//! `data stats`: what a data set holds.

use std::fmt::Display;
use std::path::PathBuf;

use clap::Args;
use vulnlens_corpus::{DatasetReader, LevelStats, Stats, stats};

use crate::failure::Failure;
use crate::options::ViewFormat;
use crate::output::{print_json, print_text};

/// Labels that the table shows of each level.
const SHOWN: usize = 10;

/// Count what a data set holds: rows, labels, lengths, duplicates, conflicts
#[derive(Debug, Args)]
pub(crate) struct StatsArguments {
    /// A data set that `data build` made
    file: PathBuf,

    /// Format of the figures
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t)]
    format: ViewFormat,
}

pub(crate) fn run(arguments: &StatsArguments) -> Result<(), Failure> {
    let stats = stats(&DatasetReader::open(&arguments.file)?)?;
    match arguments.format {
        ViewFormat::Table => print_text(&text(&stats)),
        ViewFormat::Json => print_json(&stats),
    }
}

fn text(stats: &Stats) -> String {
    let mut text = format!("rows                {}\n", stats.rows);
    for (kind, rows) in &stats.by_kind {
        text += &format!("{:<18}  {rows} rows\n", format!("kind {kind}"));
    }
    for (outcome, rows) in &stats.by_outcome {
        text += &format!("{outcome:<18}  {rows} rows\n");
    }
    for (name, parts) in [("random split", stats.random), ("temporal split", stats.temporal)] {
        let (train, validation, test) = (parts.train, parts.validation, parts.test);
        text += &format!("{name:<18}  {train} train, {validation} validation, {test} test\n");
    }
    let words = stats.words;
    text += &format!(
        "words in a text     min {}, 5 % {}, 25 % {}, median {}, 75 % {}, 95 % {}, 99 % {}, max {}\n",
        words.min, words.q05, words.q25, words.q50, words.q75, words.q95, words.q99, words.max
    );
    text +=
        &format!("shared texts        {} rows in {} groups\n", stats.rows_sharing_text, stats.shared_groups);
    text += &format!("conflicting groups  {}\n", stats.conflicting_groups);
    for conflict in &stats.conflicts {
        let list =
            |cwes: &[vulnlens::CweId]| cwes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let (first, other) = (list(&conflict.first_cwes), list(&conflict.other_cwes));
        text += &format!("  {} {first} | {} {other}\n", conflict.first, conflict.other);
    }
    text += &level("CWE as assigned", &stats.cwe);
    text += &level("CWE with ancestors", &stats.cwe_derived);
    text += &level("CAPEC", &stats.capec);
    text += &level("ATT&CK", &stats.attack);
    let years = stats.by_cve_year.iter().map(|(year, rows)| format!("{year}: {rows}"));
    text + &format!("rows by CVE year    {}\n", years.collect::<Vec<_>>().join(", "))
}

/// The most frequent labels of a level.
fn level<Id: Ord + Copy + Display>(name: &str, level: &LevelStats<Id>) -> String {
    let mut labels: Vec<(Id, u64)> = level.labels.iter().map(|(id, rows)| (*id, *rows)).collect();
    labels.sort_by_key(|(id, rows)| (std::cmp::Reverse(*rows), *id));
    let most = labels.iter().take(SHOWN).map(|(id, rows)| format!("{id} {rows}"));
    let most = most.collect::<Vec<_>>().join(", ");
    format!("{name:<18}  {} rows, {} labels: {most}\n", level.rows, labels.len())
}
