//! `--atlas`, `--d3fend` and `--domain`: answers in addition to the model's own.

use clap::Args;
use vulnlens::model::additions::{Additions, domain_name};
use vulnlens::report::Format;
use vulnlens::taxonomy::Domain;
use vulnlens::{Classifier, Task, Tasks};

use crate::choice::one_of;
use crate::failure::{Failure, Kind};
use crate::terminal::Terminal;

/// The matrices of ATT&CK, in the order of their names in help.
const DOMAINS: [Domain; 3] = [Domain::Enterprise, Domain::Ics, Domain::Mobile];

/// Answers in addition to the model's own.
#[derive(Debug, Args)]
#[command(next_help_heading = "Additional taxonomies")]
pub(crate) struct AdditionArguments {
    /// Add techniques of MITRE ATLAS, for texts about a component of artificial intelligence alone: those that correspond
    /// to techniques that are answered, and those that the text is like; for `jsonl` and `table`
    #[arg(long)]
    atlas: bool,

    /// Add countermeasures of MITRE D3FEND against the weaknesses and techniques that are answered; for `jsonl` and `table`
    #[arg(long)]
    d3fend: bool,

    /// Matrices of ATT&CK; techniques of ICS and Mobile are found by how similar the text is to their descriptions alone,
    /// for `jsonl` and `table`
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = one_of(&DOMAINS, domain_name, domain_help), default_value = "enterprise")]
    domain: Vec<Domain>,
}

fn domain_help(domain: Domain) -> &'static str {
    match domain {
        Domain::Enterprise => "Enterprise, as the model answers it",
        Domain::Ics => "Industrial control systems, by similarity alone",
        Domain::Mobile => "Mobile, by similarity alone",
    }
}

impl AdditionArguments {
    /// The choice of answers.
    pub(crate) fn additions(&self) -> Additions {
        let asked = Additions::NOTHING.atlas(self.atlas).d3fend(self.d3fend);
        self.domain.iter().fold(asked, |asked, domain| asked.domain(*domain, true))
    }

    /// The tasks of `asked` that these arguments leave: those of ATT&CK where Enterprise is among the matrices.
    pub(crate) fn tasks(&self, asked: Tasks) -> Tasks {
        if self.domain.contains(&Domain::Enterprise) {
            return asked;
        }
        asked.without(Task::Attack).without(Task::AttackCurated)
    }

    /// Refuses formats that have no place for what is asked for.
    pub(crate) fn check_format(&self, format: &Format) -> Result<(), Failure> {
        let has_place = format == Format::JSON_LINES || format == Format::TABLE;
        if has_place || self.additions() == Additions::NOTHING {
            return Ok(());
        }
        let message = format!(
            "--atlas, --d3fend and --domain are for jsonl and table, and the output is {}",
            format.name()
        );
        Err(Failure::new(Kind::Arguments, message).hint("add --format jsonl, or leave them out"))
    }

    /// Warns of what cannot be answered by this model and this knowledge base.
    pub(crate) fn check(&self, classifier: &Classifier, terminal: &Terminal) {
        let (asked, kb) = (self.additions(), classifier.knowledge_base());
        let lacks = |name: &str, option: &str| {
            let message =
                format!("the knowledge base has no {name}: nothing is answered; `kb build {option}` adds it");
            terminal.warn(&message);
        };
        if asked.atlas && kb.atlas().is_none() {
            lacks("ATLAS", "--atlas");
        }
        if asked.d3fend && kb.d3fend().is_none() {
            lacks("D3FEND", "--d3fend");
        }
        if asked.compares() && classifier.network().entries("vulnerability").is_empty() {
            terminal.warn(
                "no technique is answered by similarity: a checkpoint knows no features to compare texts by",
            );
        }
    }
}
