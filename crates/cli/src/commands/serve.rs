//! `serve`: models over HTTP, with a page for people.

use std::io::Write as _;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use vulnlens::encoder::{Access, LoadOptions};
use vulnlens::{ACCURATE, FAST, KnowledgeBase, ModelFiles, Open};
use vulnlens_files::read_at_most;
use vulnlens_server::{ApiKey, CveText, CveTexts, Model, Server, Settings};

use crate::failure::{Failure, Kind};
use crate::model_arguments::{KnowledgeBaseArguments, open};
use crate::options::{THREADS, thread_count, threads};
use crate::signals;
use crate::source::{self, CveData};
use crate::terminal::Terminal;

/// Most bytes of a file with a key.
const KEY_BYTES: u64 = 4096;

/// Serve models over HTTP, with a page for people
///
/// Open http://127.0.0.1:8080/ for the page. Programs speak to it as docs/serving.md says: record output at /v1/classify, and
/// what text-embeddings-inference, Hugging Face's inference API and CIRCL's ML-Gateway speak. It listens on this machine alone
/// unless --listen says otherwise, and asks nothing of any other machine. Ctrl-C and SIGTERM end it when what was begun is
/// answered.
#[derive(Debug, Args)]
pub(crate) struct ServeArguments {
    /// The address to listen on; port 0 is any that is free
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,

    /// The models, the first of which answers where a request names none [default: fast and accurate]
    #[arg(long, value_name = "NAME|FILE|FOLDER|ID", num_args = 1..)]
    model: Vec<String>,

    /// A file with the key that requests must carry; the variable VULNLENS_API_KEY may hold it instead
    #[arg(long, value_name = "FILE")]
    api_key_file: Option<PathBuf>,

    /// A name by which the server may be called, beside localhost and addresses; may be given several times
    #[arg(long, value_name = "NAME")]
    host: Vec<String>,

    /// A data set that `data build` made, or a folder that `data fetch` made: the page, and /v1/records/CVE-…, then show the texts of its CVEs
    #[arg(long, value_name = "FILE|FOLDER")]
    data: Option<PathBuf>,

    /// The log on standard error: a JSON object for each request, without its text; or nothing
    #[arg(long, value_enum, value_name = "FORM", default_value_t)]
    log: Log,

    /// Requests that are worked on or wait at once; others are told to come again (429)
    #[arg(long, value_name = "N", default_value_t = 512)]
    max_requests: usize,

    /// Most texts of a request in JSON
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    max_texts: usize,

    /// Most bytes of a request in JSON; records in other forms may be longer
    #[arg(long, value_name = "BYTES", default_value_t = 2 << 20)]
    max_body: usize,

    /// Threads that serve and compute [default: one for each core]
    #[arg(long, env = THREADS, hide_env_values = true, value_name = "N", value_parser = thread_count)]
    threads: Option<NonZeroUsize>,

    #[command(flatten)]
    kb: KnowledgeBaseArguments,
}

/// The form of the log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Log {
    Json,
    #[default]
    None,
}

pub(crate) fn run(arguments: &ServeArguments, terminal: &Terminal) -> Result<(), Failure> {
    let threads = threads(arguments.threads);
    let mut settings = Settings::default();
    settings.api_key = api_key(arguments.api_key_file.as_deref())?;
    settings.hosts.clone_from(&arguments.host);
    settings.requests = arguments.max_requests;
    settings.texts = arguments.max_texts;
    settings.body_bytes = arguments.max_body;
    settings.threads = threads;
    settings.cve_texts = arguments.data.as_deref().map(cve_texts).transpose()?;
    let named = if arguments.model.is_empty() {
        vec![FAST.to_owned(), ACCURATE.to_owned()]
    } else {
        arguments.model.clone()
    };
    let kb = Arc::new(arguments.kb.load(terminal)?);
    let mut models = vec![];
    for name in named {
        // Asked before the model is opened, so that no change is missed.
        let files = ModelFiles::of(&name);
        let classifier = open(&name, opening(&kb, threads), terminal)?;
        let model = Model::new(name.clone(), classifier);
        models.push(match files {
            None => model,
            Some(mut files) => {
                let kb = Arc::clone(&kb);
                model.reopen(move || {
                    let reopened =
                        || vulnlens::open(&name, &opening(&kb, threads)).map_err(|error| error.to_string());
                    files.have_changed().then(reopened)
                })
            }
        });
    }
    if arguments.log == Log::Json {
        // A log that cannot be written is lost, and nothing else.
        let log = tracing_subscriber::fmt().json().with_writer(std::io::stderr).log_internal_errors(false);
        // Other libraries may tell of messages, which have texts.
        let own = Targets::new().with_target("vulnlens", LevelFilter::INFO);
        log.finish().with(own).init();
    }
    let stopped = signals::stopped();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build();
    let runtime =
        runtime.map_err(|error| Failure::new(Kind::Failed, format!("threads cannot be started: {error}")))?;
    runtime.block_on(async {
        let server = Server::bind(arguments.listen, models, settings).await;
        let server = server.map_err(|error| {
            Failure::new(Kind::Unavailable, error.to_string()).hint("choose another address by --listen")
        })?;
        let address = server.address().map_err(|error| Failure::new(Kind::Failed, error.to_string()))?;
        terminal.note(&format!("the page is at http://{address}/; Ctrl-C ends it"));
        // Scripts read the address from standard output.
        let _ = writeln!(std::io::stdout(), "http://{address}/");
        supervisor::ready();
        server
            .run(async move {
                stopped.await;
                supervisor::stopping();
            })
            .await;
        Ok(())
    })
}

/// The supervisor that started the server and wants to hear of it: systemd, for a unit of `Type=notify`.
#[cfg(unix)]
mod supervisor {
    use sd_notify::{NotifyState, notify};

    pub(super) fn ready() {
        // A supervisor that does not listen misses nothing that it would need.
        let _ = notify(&[NotifyState::Ready]);
    }

    pub(super) fn stopping() {
        let _ = notify(&[NotifyState::Stopping]);
    }
}

#[cfg(not(unix))]
mod supervisor {
    pub(super) fn ready() {}

    pub(super) fn stopping() {}
}

/// The settings of opening a model. Its weights are copied: a file under a map that is cut short would end the server.
fn opening(kb: &Arc<KnowledgeBase>, threads: usize) -> Open<'static> {
    let load = LoadOptions { access: Access::Copy, ..LoadOptions::default() };
    Open::new().knowledge_base(Arc::clone(kb)).load(load).threads(threads)
}

/// The texts of a data set, or of fetched folders.
fn cve_texts(data: &Path) -> Result<CveTexts, Failure> {
    let texts = CveData::open(data)?;
    Ok(CveTexts::new(move |cve| {
        let found = texts.find(cve).map_err(|failure| failure.message)?;
        let text = |found: source::CveText| CveText {
            text: found.text,
            published: found.published.map(|day| day.to_string()),
        };
        Ok(found.map(text))
    }))
}

/// The key of a file, or of the environment.
fn api_key(file: Option<&Path>) -> Result<Option<ApiKey>, Failure> {
    let (name, text) = match file {
        Some(path) => (
            path.display().to_string(),
            String::from_utf8_lossy(&read_at_most(path, KEY_BYTES)?).into_owned(),
        ),
        None => match std::env::var("VULNLENS_API_KEY") {
            Ok(key) => ("VULNLENS_API_KEY".to_owned(), key),
            Err(_) => return Ok(None),
        },
    };
    let key =
        ApiKey::new(&text).ok_or_else(|| Failure::new(Kind::Arguments, format!("{name}: holds no key")))?;
    Ok(Some(key))
}
