//! Options about a published checkpoint: its arithmetic, its labels, its scores.

use std::path::{Path, PathBuf};

use clap::Args;
use vulnlens::encoder::{LoadOptions, Precision, Problem};
use vulnlens::{Open, Task};
use vulnlens_files::read_at_most;

use crate::choice::one_of;
use crate::failure::{Failure, Kind};

/// Longest file of labels that is read: a million of 64 bytes.
const LONGEST: u64 = 64 << 20;
/// The taxonomies that numbers may be ids of.
const TAXONOMIES: [Task; 3] = [Task::Cwe, Task::Capec, Task::Attack];

/// The use of a checkpoint that does not say everything about itself.
#[derive(Debug, Args)]
pub(crate) struct CheckpointArguments {
    /// Arithmetic of a checkpoint
    #[arg(long, value_parser = one_of(&Precision::ALL, Precision::name, Precision::help), value_name = "PRECISION", default_value = Precision::F32.name())]
    precision: Precision,

    /// Scores of a checkpoint, for one that does not say it or says it wrongly [default: as its config.json says, otherwise
    /// softmax]
    #[arg(long, value_parser = one_of(&Problem::ALL, Problem::name, Problem::help), value_name = "FUNCTION")]
    scores: Option<Problem>,

    /// Taxonomy of a checkpoint's labels that are bare numbers, such as 79
    #[arg(long, value_parser = one_of(&TAXONOMIES, Task::key, help), value_name = "TAXONOMY")]
    taxonomy_of_labels: Option<Task>,

    /// Names of a checkpoint's labels, one a line, in the order of its outputs: for labels such as LABEL_0
    #[arg(long, value_name = "FILE")]
    labels_file: Option<PathBuf>,
}

fn help(taxonomy: Task) -> &'static str {
    match taxonomy {
        Task::Cwe => "Weaknesses",
        Task::Capec => "Attack patterns",
        _ => "ATT&CK techniques",
    }
}

impl CheckpointArguments {
    /// The settings of opening a model, loaded by `load` in all that these arguments leave open.
    pub(crate) fn settings(&self, load: LoadOptions) -> Result<Open<'static>, Failure> {
        let mut settings =
            Open::new().load(LoadOptions { precision: self.precision, scores: self.scores, ..load });
        if let Some(taxonomy) = self.taxonomy_of_labels {
            settings = settings.taxonomy_of_labels(taxonomy);
        }
        if let Some(file) = &self.labels_file {
            settings = settings.label_names(label_names(file)?);
        }
        Ok(settings)
    }
}

/// The lines of a file, each the name of a label.
fn label_names(file: &Path) -> Result<Vec<String>, Failure> {
    let bytes = read_at_most(file, LONGEST)?;
    let refused = |line: usize, problem: &str, hint: &str| {
        Failure::new(Kind::Input, format!("{}:{line}: {problem}", file.display())).hint(hint)
    };
    let text = std::str::from_utf8(&bytes).map_err(|error| {
        let line = 1 + bytes.iter().take(error.valid_up_to()).filter(|byte| **byte == b'\n').count();
        refused(line, "is not UTF-8", "save the file as UTF-8")
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut names: Vec<String> = Vec::new();
    for (line, name) in (1..).zip(text.lines().map(str::trim)) {
        if name.is_empty() {
            return Err(refused(
                line,
                "the line is empty",
                "give one label a line, in the order of the outputs",
            ));
        }
        if let Some(first) = names.iter().position(|known| known == name) {
            let problem = format!("the label {name:?} stands in line {} already", first + 1);
            return Err(refused(line, &problem, "give every output a name of its own"));
        }
        names.push(name.to_owned());
    }
    Ok(names)
}
