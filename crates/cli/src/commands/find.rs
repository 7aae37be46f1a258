//! `find`: records and labels in answers that `classify` wrote.

use std::path::{Path, PathBuf};

use clap::Args;
use vulnlens::report::{EntryId, Find, FindFormat, FindReport, SavedAnswers, saved_files};
use vulnlens::{KnowledgeBase, Task};

use super::classify::task_name;
use crate::choice::one_of;
use crate::failure::{Failure, Kind};
use crate::model_arguments::KnowledgeBaseArguments;
use crate::output::Output;
use crate::progress::Reading;
use crate::question::probability;
use crate::terminal::{self, Terminal};

/// Bad answers that are told of one by one, unless `--verbose`.
const ERRORS_TOLD: u64 = 20;
/// The bytes that are gathered before they are written.
const PIECE: usize = 64 << 10;

/// Find records or count labels in answers that `classify` wrote
///
/// With ids, the records whose answers have one of them: a technique finds its sub-techniques, too, a tactic the
/// techniques that serve it. Without ids, the labels of all records, each with the number of its records and its
/// greatest probability.
///
/// Answers are read as JSON Lines, Parquet or a stream of Arrow, plain or packed: `find T1190 --input
/// answers.jsonl.gz`. Where nothing is found, the exit code is 3. docs/find.md says more.
#[derive(Debug, Args)]
pub(crate) struct FindArguments {
    /// CWE-79 (or 79), CAPEC-63, T1027, T1562.003, TA0005 …
    #[arg(value_name = "ID")]
    ids: Vec<EntryId>,

    /// Files of answers, or folders of them; `-` for standard input, which is also read without any
    #[arg(short, long, alias = "in", value_name = "FILE|FOLDER", num_args = 1..)]
    input: Vec<PathBuf>,

    /// Find the weaknesses below those that are asked for, too
    #[arg(long, requires = "ids")]
    descendants: bool,

    /// Find and count labels that are listed and are not answers, too
    #[arg(long)]
    all: bool,

    /// Least probability of a label that is found
    #[arg(long, value_name = "P", default_value = "0", value_parser = probability)]
    min_score: f32,

    /// Lists that are looked at: taxonomies, and techniques that analysts assign (`curated`) [default: all]
    #[arg(long, value_parser = one_of(Task::ALL, task_name, Task::help), value_delimiter = ',', value_name = "LIST")]
    taxonomy: Option<Vec<Task>>,

    /// Format of the output [default: table on a terminal, by --out's name, otherwise jsonl]
    #[arg(short, long, value_name = "FORMAT", value_parser = one_of(&FindFormat::ALL, FindFormat::name, FindFormat::help))]
    format: Option<FindFormat>,

    /// CSV without formulas: a field that a spreadsheet would take for one gets a `'` in front
    #[arg(long)]
    safe_csv: bool,

    /// Write to a file, which appears when it is whole and is compressed if its name ends in `.gz` or `.zst`
    #[arg(short, long, alias = "output", value_name = "FILE")]
    out: Option<PathBuf>,

    #[command(flatten)]
    kb: KnowledgeBaseArguments,
}

pub(crate) fn run(arguments: &FindArguments, terminal: &Terminal) -> Result<(), Failure> {
    let out = arguments.out.as_deref().filter(|path| path.as_os_str() != "-");
    let to_terminal = terminal.stdout_is_terminal && out.is_none();
    let usual = if to_terminal { FindFormat::Table } else { FindFormat::JsonLines };
    let format = arguments.format.or_else(|| FindFormat::of_file(out?)).unwrap_or(usual);
    check(arguments, format)?;
    let files = files(arguments, terminal)?;
    let kb = arguments.kb.load(terminal)?;
    let find = Find::new(kb.clone()).ids(&arguments.ids, arguments.descendants);
    let find = find.min_score(arguments.min_score).all_listed(arguments.all);
    let find = match &arguments.taxonomy {
        Some(tasks) => find.tasks(tasks.iter().copied().collect()),
        None => find,
    };
    for id in find.unknown() {
        terminal.warn(&format!("the knowledge base does not know {id}"));
    }
    let report = FindReport::new(find, format).layout(terminal.layout()).safe_csv(arguments.safe_csv);
    let mut begun = Vec::new();
    report.begin(&mut begun);
    let mut finding = Finding {
        report,
        output: Output::packed(arguments.out.as_deref())?,
        is_styled: format == FindFormat::Table,
        ready: begun,
        failed: 0,
        reading: Reading::new(None, to_terminal, terminal),
        terminal,
    };
    for file in &files {
        finding.read(file, &kb)?;
    }
    finding.finish(arguments)
}

/// Checks that the arguments make sense together.
fn check(arguments: &FindArguments, format: FindFormat) -> Result<(), Failure> {
    if format == FindFormat::Ids && arguments.ids.is_empty() {
        let message = "--format ids is for records, and labels are counted without an ID";
        return Err(Failure::new(Kind::Arguments, message).hint("name what to find, such as T1190"));
    }
    if arguments.safe_csv && format != FindFormat::Csv {
        let message = format!("--safe-csv is for CSV, and the output is {}", format.name());
        return Err(Failure::new(Kind::Arguments, message).hint("add --format csv, or leave --safe-csv out"));
    }
    Ok(())
}

/// The files of the arguments, those of folders one by one.
fn files(arguments: &FindArguments, terminal: &Terminal) -> Result<Vec<PathBuf>, Failure> {
    let mut files = vec![];
    for path in &arguments.input {
        let found = saved_files(path)?;
        if found.is_empty() {
            let failure =
                Failure::new(Kind::Input, format!("{}: is a folder without answers", path.display()));
            return Err(failure.hint("answers are named .jsonl, .parquet or .arrows, packed or not"));
        }
        files.extend(found);
    }
    if files.is_empty() && terminal.stdin_is_terminal {
        return Err(Failure::new(Kind::Arguments, "there are no answers to look at")
            .hint("name files that `classify --out` wrote: `vulnlens find T1190 --input answers.jsonl`"));
    }
    if files.is_empty() {
        files.push(PathBuf::from("-"));
    }
    Ok(files)
}

/// A search at work.
struct Finding<'a> {
    report: FindReport,
    output: Output,
    is_styled: bool,
    ready: Vec<u8>,
    failed: u64,
    reading: Reading,
    terminal: &'a Terminal,
}

impl Finding<'_> {
    /// Looks at the answers of a file.
    fn read(&mut self, file: &Path, kb: &KnowledgeBase) -> Result<(), Failure> {
        let answers = match file.as_os_str() == "-" {
            true => SavedAnswers::stream("standard input", std::io::stdin(), kb),
            false => SavedAnswers::file(file, kb),
        };
        let name = answers.name().clone();
        for saved in answers {
            match saved {
                Ok(saved) => {
                    self.report.add(&name, saved.answer, &saved.run, &mut self.ready)?;
                    self.reading.add(1);
                }
                Err(error) => self.add_error(&error.to_string()),
            }
            if self.ready.len() >= PIECE {
                self.write()?;
            }
        }
        Ok(())
    }

    fn add_error(&mut self, error: &str) {
        self.failed = self.failed.saturating_add(1);
        if self.failed <= ERRORS_TOLD || self.terminal.is_verbose() {
            terminal::error(error);
        } else if self.failed == ERRORS_TOLD.saturating_add(1) {
            terminal::error("more bad answers follow; they are only counted (-v tells of each)");
        }
    }

    fn write(&mut self) -> Result<(), Failure> {
        let ready = std::mem::take(&mut self.ready);
        if self.is_styled { self.output.text(&ready) } else { self.output.data(&ready) }
    }

    /// Ends the output, and says what was found.
    fn finish(mut self, arguments: &FindArguments) -> Result<(), Failure> {
        self.reading.finish();
        let summary = self.report.summary();
        let failed = self.failed;
        if summary.records == 0 {
            let message = match failed {
                0 => "there are no answers in the input".to_owned(),
                _ => format!("there are no answers in the input that can be read; {failed} failed"),
            };
            return Err(Failure::new(Kind::Input, message)
                .hint("give what `vulnlens classify --input FILE --out answers.jsonl` writes"));
        }
        if self.report.is_of_several_runs() {
            self.terminal
                .warn("the answers are of several models or releases; the layer names those of the first");
        }
        let mut rest = std::mem::take(&mut self.ready);
        let Self { report, mut output, is_styled, .. } = self;
        report.finish(&mut rest)?;
        if is_styled {
            output.text(&rest)?
        } else {
            output.data(&rest)?
        }
        output.finish()?;
        self.terminal.note(&summary.line());
        if summary.found == 0 {
            return Err(nothing_found(arguments, summary.only_listed));
        }
        if failed == 0 {
            return Ok(());
        }
        let answers = if failed == 1 { "answer" } else { "answers" };
        let message = format!("{failed} {answers} failed, {} were read", summary.records);
        Err(Failure::new(Kind::SomeRecords, message))
    }
}

/// The failure that an empty result is.
fn nothing_found(arguments: &FindArguments, only_listed: u64) -> Failure {
    let ids: Vec<String> = arguments.ids.iter().map(EntryId::to_string).collect();
    let message = match ids.as_slice() {
        [] => "no record has a label that is looked for".to_owned(),
        ids => format!("no record has {}", ids.join(" or ")),
    };
    let failure = Failure::new(Kind::Input, message);
    if only_listed > 0 {
        failure.hint("--all finds labels that are listed without being answers, too")
    } else {
        failure
    }
}
