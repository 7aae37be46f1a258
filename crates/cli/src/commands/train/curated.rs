//! `train curated`: fitting the head of techniques that analysts assign, and measuring such heads.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;
use vulnlens::taxonomy::technique_descriptions;
use vulnlens_train::curated::{
    CuratedExample, CuratedFigures, CuratedReport, Descriptions, Spread, measure, train,
};

use crate::data_set;
use crate::failure::{Failure, Kind};
use crate::model_arguments::KnowledgeBaseArguments;
use crate::options::{THREADS, thread_count, threads};
use crate::output::Output;
use crate::terminal::Terminal;
use crate::threads::on_threads;

/// Fit the head of techniques that analysts assign, and put it into an n-gram model's file
///
/// Learns from the pairs that `data build --curated` put into the data set. The same data and model give the same bytes, on
/// any number of threads. With --splits, the head is measured first: fitted on nine tenths of the texts and judged on the
/// rest, so many times over, beside what its parts do alone; the table goes to standard output.
#[derive(Debug, Args)]
pub(crate) struct CuratedArguments {
    /// A data set that `data build --curated` made
    #[arg(long, value_name = "FILE")]
    data: PathBuf,

    /// The n-gram model that gets the head, and whose answers the head reads
    #[arg(long, value_name = "NAME|FILE", default_value = "fast")]
    model: String,

    /// The file of the model with its head
    #[arg(short, long, value_name = "FILE", required_unless_present = "splits")]
    out: Option<PathBuf>,

    /// A bundle of ATT&CK, whose descriptions make those techniques known that hardly a text has
    #[arg(long, value_name = "FILE")]
    attack: Option<PathBuf>,

    /// Splits to measure heads on, each with a tenth of the texts to judge on
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=100))]
    splits: Option<u64>,

    /// A file for the measurement, as JSON
    #[arg(long, value_name = "FILE", requires = "splits")]
    report: Option<PathBuf>,

    /// The last year of the CVEs that a head is fitted on to be judged on later ones
    #[arg(long, value_name = "YEAR", default_value_t = 2020)]
    until: u16,

    /// Threads [default: one for each core]
    #[arg(long, env = THREADS, hide_env_values = true, value_name = "N", value_parser = thread_count)]
    threads: Option<NonZeroUsize>,

    #[command(flatten)]
    kb: KnowledgeBaseArguments,
}

pub(crate) fn run(arguments: &CuratedArguments, terminal: &Terminal) -> Result<(), Failure> {
    let data = data_set::read(&arguments.data)?;
    let examples: Vec<CuratedExample> = data.curated().filter_map(CuratedExample::of).collect();
    let (model, bytes) = vulnlens::open_ngram(&arguments.model)?;
    let kb = arguments.kb.load(terminal)?;
    let descriptions = match &arguments.attack {
        Some(path) => technique_descriptions(path)?,
        None => Descriptions::new(),
    };
    let threads = threads(arguments.threads);
    let in_data = |mut failure: Failure| {
        failure.message = format!("{}: {}", arguments.data.display(), failure.message);
        failure
    };
    if let Some(splits) = arguments.splits {
        let bar = terminal.progress("{spinner} measuring, {elapsed}");
        let report =
            on_threads(threads, || measure(&model, &kb, &examples, &descriptions, splits, arguments.until))?;
        bar.finish_and_clear();
        let report = report.map_err(Failure::from).map_err(in_data)?;
        let mut output = Output::open(None)?;
        output.data(table(&report).as_bytes())?;
        output.finish()?;
        if let Some(path) = &arguments.report {
            let json = serde_json::to_string_pretty(&report)
                .map_err(|error| Failure::new(Kind::Failed, error.to_string()))?;
            let mut output = Output::open(Some(path))?;
            output.data((json + "\n").as_bytes())?;
            output.finish()?;
        }
    }
    let Some(out) = &arguments.out else { return Ok(()) };
    let fitted_on = format!("{} texts with techniques of {}", examples.len(), data.name);
    let mut output = Output::open(Some(out))?;
    let bar = terminal.progress("{spinner} fitting, {elapsed}");
    let fitted = on_threads(threads, || train(&bytes, &model, &kb, &examples, &descriptions, fitted_on))?;
    bar.finish_and_clear();
    let fitted = fitted.map_err(Failure::from).map_err(in_data)?;
    output.data(&fitted)?;
    output.finish()?;
    terminal.note(&format!("{}: {:.2} MB", out.display(), fitted.len() as f64 / 1e6));
    Ok(())
}

/// The measurement as Markdown.
fn table(report: &CuratedReport) -> String {
    let of = |spread: Spread| format!("{:.3} ± {:.3}", spread.mean, spread.deviation);
    let names = |figures: &CuratedFigures| figures.named().map(|(name, _)| name).join(" | ");
    let row = |figures: &CuratedFigures| figures.named().map(|(_, spread)| of(spread)).join(" | ");
    let alone =
        |figures: &CuratedFigures<f64>| figures.named().map(|(_, value)| format!("{value:.3}")).join(" | ");
    let [mapped, others] = report.texts;
    let projects: Vec<String> =
        report.projects.iter().map(|(name, texts)| format!("{name} {texts}")).collect();
    let mut text = format!(
        "{mapped} texts mapped by projects ({}), {others} by other sources alone; {} splits of {:.0} % to judge on; \
         {:.1} parent techniques\n\n",
        projects.join(", "),
        report.splits,
        100.0 * report.tested,
        report.techniques,
    );
    if let Some(first) = report.systems.first() {
        text += &format!("| system | {} |\n|---|{}\n", names(&first.figures), "--:|".repeat(7));
    }
    for system in &report.systems {
        text += &format!("| {} | {} |\n", system.system, row(&system.figures));
    }
    text += "\nThe head less each, split by split:\n\n";
    if let Some(first) = report.systems.first() {
        text += &format!("| system | {} |\n|---|{}\n", names(&first.figures), "--:|".repeat(7));
    }
    for system in report.systems.iter().take(report.systems.len().saturating_sub(1)) {
        text += &format!("| {} | {} |\n", system.system, row(&system.head_less_this));
    }
    let (year, tested, popularity, head) = &report.later;
    text += &format!("\nFitted on CVEs to {year}, judged on {tested} later ones:\n\n");
    if let Some(first) = report.systems.first() {
        text += &format!("| system | {} |\n|---|{}\n", names(&first.figures), "--:|".repeat(7));
    }
    text += &format!("| popularity | {} |\n| the head | {} |\n", alone(popularity), alone(head));
    if let Some(described) = report.described {
        text += &format!(
            "\nBy similarity to their descriptions alone, {} techniques with too few texts: of {} pairs {:.0} % among the \
             first five, {:.0} % among the first twenty, median rank {}\n",
            described.techniques,
            described.pairs,
            100.0 * described.recall_at_5,
            100.0 * described.recall_at_20,
            described.median_rank
        );
    }
    let (texts, jaccard, recall) = report.between_projects;
    text + &format!(
        "\nTwo projects on the {texts} texts that both mapped: Jaccard {jaccard:.2}; one has {:.0} % of the other's \
         techniques.\n",
        100.0 * recall
    )
}
