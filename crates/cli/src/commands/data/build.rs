//! `data build`: sources in, one labelled row a text out.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use vulnlens_corpus::{
    BuildOptions, BuildReport, CuratedReport, LeftOut, Progress, ReadAs, SourceReport, build,
};
use vulnlens_fetch::Fetched;

use super::{SplitArguments, new_data_set};
use crate::failure::{Failure, Kind};
use crate::model_arguments::KnowledgeBaseArguments;
use crate::options::{THREADS, ViewFormat, thread_count, threads};
use crate::output::{print_json, print_text};
use crate::progress::counted;
use crate::records::ColumnArguments;
use crate::terminal::{self, Terminal, harmless};

/// The bar of the first half of a build.
const READING: &str = "{spinner} reading: {percent}% {msg}, {eta} left";
/// The bar of the second half.
const WRITING: &str = "{spinner} writing: {percent}% of {len} rows, {rate} rows/s, {eta} left";

/// Build a labelled data set of CVE records
///
/// Sources are files as they are downloaded, plain or packed, or folders of them: NVD's feeds and pages, the CVE list (the
/// release's zip, or a folder), advisories, reports of scanners, and tables (JSON, CSV, Parquet, Arrow), as docs/inputs.md
/// lists them. Records of one CVE are merged: its text and date are those of the first source that has them; NVD's
/// weaknesses count before the CNA's, and the ADPs' are added. Withdrawn records and those without an English description
/// or a CVE id are left out. The labels follow from the knowledge base. Texts of other kinds are rows of their own.
#[derive(Debug, Args)]
pub(crate) struct BuildArguments {
    /// Files and folders of records
    #[arg(value_name = "SOURCE")]
    sources: Vec<PathBuf>,

    /// Labelled texts of CVEs in other styles than the records': JSON Lines with id, aliases, published, description, cwes
    /// and source; each text is a row
    #[arg(long, value_name = "FILE", num_args = 1..)]
    styles: Vec<PathBuf>,

    /// Texts without a vulnerability: JSON Lines with id, description and, where it is not what stands before the colon of
    /// the id, style
    #[arg(long, value_name = "FILE", num_args = 1..)]
    negatives: Vec<PathBuf>,

    /// Files and folders of records that are read for nothing but NVD's word that a text does not tell its weakness
    /// (NVD-CWE-noinfo)
    #[arg(long, value_name = "SOURCE", num_args = 1..)]
    untold: Vec<PathBuf>,

    /// CWE's catalogue as an archive of the answers of its REST API: names, terms, descriptions, consequences and observed
    /// examples of every weakness that may be mapped to are rows
    #[arg(long, value_name = "FILE")]
    catalogue: Option<PathBuf>,

    /// Files of ATT&CK techniques that people assigned to CVEs, kept in the rows of the records: the CTID's table of
    /// CVEs, documents of its Mappings Explorer, or JSON Lines with cve, technique, source, kind, licence and, if
    /// known, role and text
    #[arg(long, value_name = "FILE", num_args = 1..)]
    curated: Vec<PathBuf>,

    /// Files and folders of records that are read for nothing but their base vectors of CVSS 3.x, kept in the rows of the
    /// records: NVD's before the CNA's before the ADPs'
    #[arg(long, value_name = "SOURCE", num_args = 1..)]
    cvss: Vec<PathBuf>,

    /// Former option of SOURCE
    #[arg(long, value_name = "PATH", num_args = 1.., hide = true)]
    nvd: Vec<PathBuf>,

    /// Former option of SOURCE
    #[arg(long, value_name = "PATH", num_args = 1.., hide = true)]
    nvd_api: Vec<PathBuf>,

    /// Former option of SOURCE
    #[arg(long, value_name = "PATH", num_args = 1.., hide = true)]
    cvelist: Vec<PathBuf>,

    /// Former option of SOURCE
    #[arg(long, value_name = "FILE", num_args = 1.., hide = true)]
    table: Vec<PathBuf>,

    /// The file of the data set (Parquet)
    #[arg(short, long, value_name = "FILE", value_parser = new_data_set)]
    out: PathBuf,

    /// Format of the report
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t)]
    format: ViewFormat,

    /// Sources read at once [default: one for each core]; the data set is the same for any number
    #[arg(long, env = THREADS, hide_env_values = true, value_name = "N", value_parser = thread_count)]
    threads: Option<NonZeroUsize>,

    #[command(flatten)]
    columns: ColumnArguments,

    #[command(flatten)]
    splits: SplitArguments,

    #[command(flatten)]
    kb: KnowledgeBaseArguments,
}

pub(crate) fn run(arguments: &BuildArguments, terminal: &Terminal) -> Result<(), Failure> {
    let splits = arguments.splits.resolve()?;
    let BuildArguments { sources, nvd, nvd_api, cvelist, table, .. } = arguments;
    let paths: Vec<PathBuf> =
        [sources, nvd, nvd_api, cvelist, table].into_iter().flatten().cloned().collect();
    if paths.is_empty() {
        let failure = Failure::new(Kind::Arguments, "there are no sources");
        return Err(failure.hint("name files or folders of records"));
    }
    let paths = fetched_files(paths)?;
    let kb = arguments.kb.load(terminal)?;
    let (columns, threads) = (arguments.columns.names(), threads(arguments.threads));
    let options = BuildOptions {
        styles: arguments.styles.clone(),
        negatives: arguments.negatives.clone(),
        untold: arguments.untold.clone(),
        catalogue: arguments.catalogue.clone(),
        curated: arguments.curated.clone(),
        cvss: arguments.cvss.clone(),
        splits,
        columns,
        threads,
        ..BuildOptions::default()
    };
    let (bar, begun) = (terminal.progress(READING), Instant::now());
    bar.set_message(counted(0, begun.elapsed()));
    let report = build(&paths, &kb, &arguments.out, &options, &mut |progress| match progress {
        Progress::Read { records, bytes, total } => {
            bar.set_length(total);
            bar.set_position(bytes);
            bar.set_message(counted(records, begun.elapsed()));
        }
        Progress::Write { rows, total } => {
            if bar.length() != Some(total) {
                terminal::restyle(&bar, WRITING);
                bar.set_length(total);
                bar.reset_elapsed();
            }
            bar.set_position(rows);
        }
    })?;
    bar.finish_and_clear();
    match arguments.format {
        ViewFormat::Table => print_text(&text(&report))?,
        ViewFormat::Json => print_json(&report)?,
    }
    tell(&report, terminal)
}

/// The sources, with the files of each fetched folder in its place: changes before what they change.
fn fetched_files(paths: Vec<PathBuf>) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for path in paths {
        let fetched = if path.is_dir() { Fetched::read(&path)? } else { None };
        match fetched {
            Some(fetched) => files.extend(fetched.paths(&path)),
            None => files.push(path),
        }
    }
    Ok(files)
}

fn text(report: &BuildReport) -> String {
    let mut text = String::from("   records  withdrawn    no text  duplicate        bad  source\n");
    for source in &report.sources {
        let SourceReport { source, records, rejected, without_description, duplicates, bad_records, .. } =
            source;
        text += &format!(
            "{records:10} {rejected:10} {without_description:10} {duplicates:10} {bad_records:10}  {}\n",
            harmless(source)
        );
    }
    text += &format!(
        "{} rows, {} of them with weaknesses, {} sharing their text; left out: {} withdrawn, {} without a text\n",
        report.rows,
        report.labelled_rows,
        report.rows_sharing_text,
        report.rejected,
        report.without_description
    );
    let kinds = report.other_rows.iter().map(|(kind, rows)| format!("{rows} of the kind {kind}"));
    let not_told = Some(report.not_told).filter(|rows| *rows > 0).map(|rows| format!("{rows} not told"));
    let parts: Vec<String> = kinds.chain(not_told).collect();
    if !parts.is_empty() {
        text += &format!("among the rows: {}\n", parts.join(", "));
    }
    if let Some(curated) = &report.curated {
        let sources = curated.by_source.iter().map(|(source, pairs)| format!("{} {pairs}", harmless(source)));
        text += &format!(
            "curated techniques: {} pairs in {} rows ({}); {} of {} CVEs have no text\n",
            curated.pairs,
            curated.rows,
            sources.collect::<Vec<_>>().join(", "),
            curated.cves_without_text,
            curated.cves
        );
    }
    if let Some(cvss) = &report.cvss {
        let sources = cvss.by_source.iter().map(|(source, rows)| format!("{} {rows}", harmless(source)));
        let sources = sources.collect::<Vec<_>>().join(", ");
        text +=
            &format!("base vectors of CVSS: {} rows ({sources}), of {} CVEs rated\n", cvss.rows, cvss.cves);
    }
    text
}

/// Tells what a reader of the data set should know, and fails if records were bad.
fn tell(report: &BuildReport, terminal: &Terminal) -> Result<(), Failure> {
    for message in &report.first_bad_records {
        terminal::error(message);
    }
    for note in &report.notes {
        terminal.note(note);
    }
    match report.unreadable_dates() {
        0 => {}
        count => terminal.warn(&format!("dates that cannot be read, counted as not given: {count}")),
    }
    let unknown = report.unknown_cwes.iter().map(|(id, count)| (id.to_string(), *count));
    warn_of("not in the knowledge base, kept as labels without ancestors", unknown, terminal);
    let unreadable = report.unreadable_cwes.iter().map(|(text, count)| (format!("{text:?}"), *count));
    warn_of("no CWE ids, left out", unreadable, terminal);
    if let Some(curated) = &report.curated {
        tell_curated(curated, terminal);
    }
    if let Some(cvss) = &report.cvss {
        let vectors = cvss.unreadable.iter().map(|(text, count)| (format!("{text:?}"), *count));
        warn_of("no base vectors of CVSS 3.x, left out", vectors, terminal);
    }
    match report.without_cve() {
        0 => {}
        count => terminal.warn(&format!("records without a CVE id, left out: {count}")),
    }
    match report.passed_over() {
        0 => {}
        count => terminal.note(&format!("files that are not sources of records, passed over: {count}")),
    }
    match report.bad_records() {
        0 => Ok(()),
        bad => {
            let message = format!("{bad} records could not be read, {} rows were written", report.rows);
            Err(Failure::new(Kind::SomeRecords, message))
        }
    }
}

/// Tells what became of the pairs that are not in the rows as they stood in their files.
fn tell_curated(report: &CuratedReport, terminal: &Terminal) {
    let mended = report.mended.iter().map(|(id, read)| read_as(&harmless(id), *read));
    warn_of("misspelt techniques, read as what is meant", mended, terminal);
    let revoked = report.revoked.iter().map(|(id, read)| read_as(&id.to_string(), *read));
    warn_of("revoked techniques, replaced by those in force", revoked, terminal);
    for (reason, ids) in &report.left_out {
        let problem = match reason {
            LeftOut::Mobile => "techniques against mobile devices, left out",
            LeftOut::Ics => "techniques against industrial control systems, left out",
            LeftOut::Withdrawn => "techniques without a successor in force, left out",
            LeftOut::Unknown => "techniques not in the knowledge base, left out",
            LeftOut::Unreadable => "no ids of techniques, left out",
        };
        let ids = ids.iter().map(|(id, pairs)| (harmless(id).into_owned(), *pairs));
        warn_of(problem, ids, terminal);
    }
    let counts = [
        (report.without_licence, "curated pairs without a licence, left out"),
        (report.without_technique, "entries of curated files without a technique"),
        (report.duplicates, "curated pairs that their source has more than once"),
    ];
    for (count, problem) in counts.into_iter().filter(|(count, _)| *count > 0) {
        terminal.note(&format!("{problem}: {count}"));
    }
}

/// An id with what it is read as, and how often.
fn read_as(id: &str, ReadAs { technique, pairs }: ReadAs) -> (String, u64) {
    (format!("{id} as {technique}"), pairs)
}

/// The most labels that a warning names, so that it stays a line.
const MOST_NAMED: usize = 5;

/// Warns of labels and how often they were assigned: of a few by name, of many by their number.
fn warn_of(problem: &str, labels: impl Iterator<Item = (String, u64)>, terminal: &Terminal) {
    let (mut listed, mut times) = (vec![], 0u64);
    for (label, count) in labels {
        listed.push(format!("{label} ({count})"));
        times = times.saturating_add(count);
    }
    match listed.len() {
        0 => {}
        1..=MOST_NAMED => terminal.warn(&format!("{problem}: {}", listed.join(", "))),
        many => {
            terminal.warn(&format!("{problem}: {many} labels, assigned {times} times (-v lists them)"));
            listed.iter().for_each(|label| terminal.detail(label));
        }
    }
}
