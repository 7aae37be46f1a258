//! `prompt`: texts in, the labels that a text-generation model chooses from a closed list out.

mod arguments;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use vulnlens::records::text_record;
use vulnlens::report::{EntryId, JsonLines, RecordKey, Records as _, Setup};
use vulnlens::taxonomy::{CatalogueDescriptions, CatalogueFiles};
use vulnlens::{Classifier, TextRecord};
use vulnlens_corpus::RecordError;
use vulnlens_evaluation::{Part, labelled_part, spread};
use vulnlens_hub::Network;
use vulnlens_prompt::{
    Cache, Client, Definitions, Endpoint, Key, Parts, Patience, Prompted, Prompter, RunError, Selection,
    Settings, Shot, Shots, Summary, Template, Way,
};

pub(crate) use arguments::PromptArguments;

use self::arguments::EndpointArguments;
use crate::data_set;
use crate::failure::{Failure, Kind};
use crate::options::threads;
use crate::output::{Output, json};
use crate::progress::Reading;
use crate::source::{Source, look_up, report_missing, stdin};
use crate::tally::Tally;
use crate::terminal::Terminal;

/// The records on their way.
type Items = Box<dyn Iterator<Item = Result<TextRecord, RecordError>> + Send>;

/// The records, what messages call them, and what was asked for and is missing.
struct Input {
    items: Items,
    name: String,
    missing: Result<(), Failure>,
}

/// The counts as they are written, with what they are of.
#[derive(Serialize)]
struct SummaryFile<'a> {
    model: &'a str,
    model_revision: &'a str,
    #[serde(flatten)]
    summary: &'a Summary,
}

pub(crate) fn run(arguments: &PromptArguments, terminal: &Terminal) -> Result<(), Failure> {
    let way = way(&arguments.endpoint)?;
    let template = arguments.template.as_deref().map(Template::read).transpose()?.unwrap_or_default();
    let input = input(arguments, terminal)?;
    let classifier = arguments.model.load(threads(arguments.threads), terminal)?;
    let definitions = arguments.model.folder_of_catalogues().map(definitions).transpose()?;
    let shots = arguments.examples.as_deref().map(|path| shots(path, arguments, &classifier)).transpose()?;
    let parts = Parts { template, definitions: definitions.unwrap_or_default(), shots };
    let prompter = Arc::new(Prompter::new(&classifier, settings(arguments), parts, way)?);
    let run = prompter.run();
    let json_lines = JsonLines::new(&Setup::new(run.clone(), classifier.knowledge_base().clone()));
    let mut summary_file = arguments.summary.as_deref().map(|path| Output::open(Some(path))).transpose()?;
    let mut output = Output::packed(arguments.out.as_deref())?;
    let Input { items, name, missing } = input;
    let is_shown = terminal.stdout_is_terminal && arguments.out.is_none();
    let (mut tally, mut summary) = (Tally::new(terminal), Summary::default());
    let mut reading = Reading::new(None, is_shown, terminal);
    let write = |item: Result<Prompted<()>, RecordError>| match item {
        Err(error) => {
            tally.add_error(&error);
            Ok(())
        }
        Ok(prompted) => {
            reading.add(1);
            summary.add(&prompted);
            match prompted.failure() {
                None => tally.add_answered(1),
                Some(failure) => {
                    let record = prompted.answer.record.text().unwrap_or_else(|| name.as_str().into());
                    tally.add_failure(&format!("{record}: {failure}"));
                }
            }
            let mut line = Vec::new();
            json_lines.push(&prompted.answer, &mut line);
            output.data(&line)
        }
    };
    let concurrency = usize::try_from(arguments.endpoint.concurrency).unwrap_or(1);
    let done = vulnlens_prompt::run(&prompter, items, concurrency, write);
    reading.finish();
    terminal.note(&summary.to_string());
    if let Some(mut output) = summary_file.take() {
        let (model, model_revision) = (&*run.model, &*run.model_revision);
        output.data(&json(&SummaryFile { model, model_revision, summary: &summary })?)?;
        output.finish()?;
    }
    done.map_err(|error| match error {
        RunError::Write(failure) => failure,
        RunError::Prompt(error) => error.into(),
    })?;
    if summary.records == 0 {
        tally.check_answered(&name)?;
    }
    output.finish()?;
    tally.result(&name)?;
    missing
}

fn settings(arguments: &PromptArguments) -> Settings {
    let EndpointArguments { model_name, max_tokens, seed, schema_style, .. } = &arguments.endpoint;
    let mut settings = Settings::new(model_name, arguments.task);
    settings.selection = match arguments.all_candidates {
        true => Selection::All,
        false => Selection::Best(arguments.candidates.get()),
    };
    settings.labels = arguments.labels;
    settings.shots = arguments.shots;
    settings.max_labels = arguments.max_labels.get();
    settings.max_prompt_chars = arguments.max_prompt_chars;
    settings.max_tokens = max_tokens.get();
    settings.seed = *seed;
    settings.style = *schema_style;
    settings.confidence = arguments.confidence;
    settings.unsure_below = arguments.rerank.then_some(arguments.unsure_below);
    settings
}

/// The way to replies, as the arguments and the environment describe it.
fn way(arguments: &EndpointArguments) -> Result<Way, Failure> {
    let cache = arguments.cache.as_deref().map(Cache::open).transpose()?;
    let Some(address) = arguments.endpoint.as_deref().filter(|_| !arguments.offline) else {
        return Ok(Way { client: None, cache });
    };
    let endpoint = Endpoint::parse(address, arguments.allow_http)?;
    let network = Network::from_variables(|name| std::env::var_os(name), std::env::home_dir())?;
    if network.offline && !endpoint.is_loopback() {
        let message = "the network may not be used (HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE is set)";
        let failure = Failure::new(Kind::Unavailable, message);
        return Err(failure.hint("unset it, or answer from a cache by --offline"));
    }
    let key = arguments.key_variable.as_deref().map(key).transpose()?;
    let interval = arguments.requests_per_minute.map(|most| Duration::from_secs(60) / most.get());
    let patience = Patience {
        timeout: Duration::from_secs(arguments.timeout),
        retries: arguments.retries,
        interval: interval.unwrap_or_default(),
        ..Patience::default()
    };
    Ok(Way { client: Some(Client::new(endpoint, key, &network, patience)?), cache })
}

/// The key that a variable holds.
fn key(variable: &str) -> Result<Key, Failure> {
    let value = std::env::var_os(variable).filter(|value| !value.is_empty());
    let value = value.ok_or_else(|| {
        let failure = Failure::new(Kind::Arguments, format!("--key-variable: {variable} is not set"));
        failure.hint("set it to the endpoint's key, or leave the option out")
    })?;
    let key = value.to_str().map(Key::parse).transpose()?;
    key.ok_or_else(|| vulnlens_prompt::PromptError::Key.into())
}

/// The definitions of a folder of MITRE's files.
fn definitions(folder: &Path) -> Result<Definitions, Failure> {
    let read = || CatalogueFiles::find(folder)?.0.descriptions();
    let CatalogueDescriptions { cwe, capec, attack } =
        read().map_err(|error| Failure::from(error).unavailable())?;
    let cwe = cwe.into_iter().map(|(id, text)| (EntryId::Cwe(id), text));
    let capec = capec.into_iter().map(|(id, text)| (EntryId::Capec(id), text));
    let attack = attack.into_iter().map(|(id, text)| (EntryId::Technique(id), text));
    Ok(Definitions::new(cwe.chain(capec).chain(attack)))
}

/// The training records of a data set, as examples.
fn shots(path: &Path, arguments: &PromptArguments, classifier: &Classifier) -> Result<Shots, Failure> {
    let network = &**classifier.network();
    if network.entries("SQL injection").is_empty() {
        let message = "--examples: the model knows no features to compare texts by";
        let failure = Failure::new(Kind::Arguments, message);
        return Err(failure.hint("take candidates from `fast`, `accurate` or another n-gram model"));
    }
    let examples = data_set::read(path)?.examples(arguments.split);
    let training = labelled_part(&examples, Part::Train).into_iter();
    let shots = training.map(|e| Shot { cve: e.cve, cwes: e.cwes.clone(), text: e.text.clone() });
    Ok(Shots::new(network, shots.collect()))
}

/// The records that are asked about.
fn input(arguments: &PromptArguments, terminal: &Terminal) -> Result<Input, Failure> {
    if let (Some(part), Some(data)) = (arguments.part, arguments.source.data()) {
        return of_part(part, data, arguments);
    }
    let stream = |input: vulnlens_corpus::Input| {
        let name = input.name().to_owned();
        let plain = |record| {
            let record = text_record(record);
            let (key, year, published) = (record.key, record.year, record.published);
            TextRecord::new(record.text, ()).key(key).year(year).published(published)
        };
        let items = arguments.source.open(input)?.map(move |record| record.map(plain));
        Ok(Input { items: Box::new(items), name, missing: Ok(()) })
    };
    match arguments.source.source(arguments.text.as_deref(), terminal)? {
        Source::Text(text) => Ok(of_list("the text", vec![TextRecord::new(text, ())], Ok(()))),
        Source::Cves(ids, data) => {
            let (found, missing) = look_up(&ids, &data)?;
            let missing = report_missing(&missing, &ids, &data);
            Ok(of_list(&data.display().to_string(), found, missing))
        }
        Source::Stdin => stream(stdin()),
        Source::Records(input, _) => stream(input),
    }
}

fn of_list(name: &str, records: Vec<TextRecord>, missing: Result<(), Failure>) -> Input {
    Input { items: Box::new(records.into_iter().map(Ok)), name: name.to_owned(), missing }
}

/// The labelled records of a part, or some of them.
fn of_part(part: Part, data: &Path, arguments: &PromptArguments) -> Result<Input, Failure> {
    let examples = data_set::read(data)?.examples(arguments.split);
    let rows = labelled_part(&examples, part);
    let most = arguments.sample.map_or(rows.len(), |most| most.get());
    let chosen = spread(rows.len(), most).into_iter().filter_map(|number| rows.get(number));
    let record = |example: &&vulnlens_evaluation::Example| {
        let key = RecordKey::of_id(example.name.clone());
        TextRecord::new(example.text.clone(), ()).key(key).year(Some(example.year))
    };
    let name = format!("{}, part {}", data.display(), part.name());
    Ok(of_list(&name, chosen.map(record).collect(), Ok(())))
}
