//! A prompter with short waits, and records.

use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use vulnlens::report::RecordKey;
use vulnlens::{Task, TextRecord};
use vulnlens_hub::Network;
use vulnlens_prompt::{
    Cache, Client, Endpoint, Key, Parts, Patience, PromptError, Prompted, Prompter, RunError, Selection,
    Settings, Summary, Way, run,
};

use crate::server::Server;

/// Texts whose best candidates by the embedded model are told by their first words.
pub(crate) const SQL: &str =
    "SQL injection in login.php allows remote attackers to execute SQL via the id parameter.";
pub(crate) const FREE: &str = "Use after free in the renderer of a browser lets attackers run code.";

/// The client of a server, with short waits.
pub(crate) fn client(server: &Server, key: Option<&str>) -> Client {
    let patience = Patience {
        timeout: Duration::from_millis(800),
        retries: 2,
        first_wait: Duration::from_millis(5),
        ..Patience::default()
    };
    let endpoint = Endpoint::parse(&server.url(), false).unwrap();
    let key = key.map(|key| Key::parse(key).unwrap());
    Client::new(endpoint, key, &Network::default(), patience).unwrap()
}

pub(crate) fn cache(folder: &Path) -> Option<Cache> {
    Some(Cache::open(folder).unwrap())
}

pub(crate) fn settings() -> Settings {
    let mut settings = Settings::new("tiny", Task::Cwe);
    settings.selection = Selection::Best(5);
    settings
}

pub(crate) fn prompter(settings: Settings, way: Way) -> Arc<Prompter> {
    Arc::new(Prompter::new(&vulnlens::embedded(), settings, Parts::default(), way).unwrap())
}

/// A prompter of a server, without a cache.
pub(crate) fn asking(server: &Server) -> Arc<Prompter> {
    prompter(settings(), Way { client: Some(client(server, None)), cache: None })
}

pub(crate) fn records(texts: &[&str]) -> Vec<TextRecord> {
    let record = |(number, text): (usize, &&str)| {
        TextRecord::new((*text).to_owned(), ()).key(RecordKey::of_id(format!("CVE-2024-{:04}", number + 1)))
    };
    texts.iter().enumerate().map(record).collect()
}

/// The answers to some texts, and their counts.
pub(crate) fn answers(
    prompter: &Arc<Prompter>,
    texts: &[&str],
    concurrency: usize,
) -> Result<(Vec<Prompted<()>>, Summary), PromptError> {
    let (mut answers, mut summary) = (vec![], Summary::default());
    let records = records(texts).into_iter().map(Ok::<_, Infallible>);
    let done = run(prompter, records, concurrency, |prompted| {
        let Ok(prompted) = prompted;
        summary.add(&prompted);
        answers.push(prompted);
        Ok::<_, Infallible>(())
    });
    match done {
        Ok(()) => Ok((answers, summary)),
        Err(RunError::Prompt(error)) => Err(error),
        Err(RunError::Write(never)) => match never {},
    }
}

/// The weaknesses of an answer.
pub(crate) fn cwes<P>(prompted: &Prompted<P>) -> Vec<String> {
    let labels = prompted.answer.prediction.cwe.iter().flat_map(|cwe| &cwe.labels);
    labels.map(|scored| scored.label.to_string()).collect()
}
