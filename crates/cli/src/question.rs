//! The question to a model: label space, labels listed, threshold and year, the same for every command that answers.

use clap::Args;
use vulnlens::model::Years;
use vulnlens::report::TableLayout;
use vulnlens::{Classifier, LabelMode, Options, TopK};

use crate::choice::one_of;
use crate::terminal::Terminal;

/// The variable that stands for `--labels`.
const LABELS: &str = "VULNLENS_LABELS";

/// The question to a model.
#[derive(Debug, Args)]
pub(crate) struct QuestionArguments {
    /// The label space, which decides what the probabilities mean; for a checkpoint, `reference` leaves the techniques that the
    /// chain gives as CAPEC writes them
    #[arg(long, env = LABELS, hide_env_values = true, value_parser = one_of(&LabelMode::ALL, LabelMode::name, LabelMode::help), value_name = "SPACE", default_value = LabelMode::Recommended.name())]
    labels: LabelMode,

    /// Labels of each taxonomy, the best: a number or `all` [default: those predicted and the best 5; in a table 5, and 2 of
    /// what follows from weaknesses where techniques that analysts assign are listed]
    #[arg(long, value_name = "N", value_parser = top_k)]
    top_k: Option<TopK>,

    /// Least probability of a label that is listed; 0, with `--top-k all`, lists every label of the space
    #[arg(long, value_name = "P", default_value = "0.05", value_parser = probability)]
    threshold: f32,

    /// Answer as of this year, whatever the record's; years that the model does not tell apart count as its oldest or newest
    #[arg(long, value_name = "YEAR", value_parser = clap::value_parser!(u16).range(1980..=2200))]
    as_of: Option<u16>,

    /// Add the severity that the text implies: a base vector of CVSS 3.1 with its score and band, predicted from the text
    #[arg(long)]
    severity: bool,
}

impl QuestionArguments {
    /// The options of the answers to an output for people or for programs.
    pub(crate) fn options(&self, is_for_people: bool) -> Options {
        // A table says how many labels it does not show, so it has to be given them all.
        let top_k = if is_for_people { TopK::All } else { self.top_k.unwrap_or_default() };
        let options = Options::default().labels(self.labels).top_k(top_k).threshold(self.threshold);
        options.as_of(self.as_of).severity(self.severity)
    }

    /// The layout of tables: the usual one, or with as many labels as are asked for.
    pub(crate) fn layout(&self, terminal: &Terminal) -> TableLayout {
        let layout = terminal.layout();
        match self.top_k {
            None => layout,
            Some(TopK::Best(number)) => TableLayout { rows: Some(number), derived: None, ..layout },
            Some(_) => TableLayout { rows: None, derived: None, ..layout },
        }
    }

    /// Warns of what the model pays no heed to.
    pub(crate) fn check(&self, classifier: &Classifier, terminal: &Terminal) {
        if self.as_of.is_some() && !classifier.network().reads_years() {
            terminal.warn("a checkpoint knows no years: --as-of changes nothing");
        }
        if self.severity && classifier.network().severity().is_none() {
            terminal.warn(
                "no severities are answered: the model has no head for them; `train severity` fits one",
            );
        }
        let years = classifier.network().header().and_then(|header| header.years);
        if let (Some(year), Some(Years { oldest, newest })) = (self.as_of, years) {
            let known = year.clamp(oldest.unwrap_or(0).min(newest), newest);
            if year != known {
                terminal
                    .warn(&format!("the model does not know the year {year}: texts are read as of {known}"));
            }
        }
    }
}

/// Parses the number of labels: `all`, or a number from 1.
fn top_k(text: &str) -> Result<TopK, &'static str> {
    match text.parse() {
        _ if text == "all" => Ok(TopK::All),
        Ok(0) | Err(_) => Err("expected a number from 1, or `all`"),
        Ok(number) => Ok(TopK::Best(number)),
    }
}

fn probability(text: &str) -> Result<f32, &'static str> {
    let number = text.parse().ok().filter(|number| (0.0..=1.0).contains(number));
    number.ok_or("expected a number from 0 to 1")
}
