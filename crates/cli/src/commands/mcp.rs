//! `mcp`: models as tools of the Model Context Protocol, on standard input and output.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use clap::Args;
use vulnlens::encoder::LoadOptions;
use vulnlens::{ACCURATE, Classifier, FAST, KnowledgeBase, Open};
use vulnlens_mcp::{Limits, Models, Toolbox};

use crate::failure::{Failure, Kind};
use crate::model_arguments::{KnowledgeBaseArguments, open};
use crate::options::{THREADS, thread_count, threads};
use crate::signals;
use crate::terminal::Terminal;

/// Offer models as tools of the Model Context Protocol, on standard input and output
///
/// A client of the protocol starts it: docs/mcp.md says how to register it, and what the tools are. Standard output has
/// the protocol alone. It asks nothing of any other machine and writes nothing. The end of its input, Ctrl-C and SIGTERM end
/// it when what was begun is answered. `vulnlens serve` offers the same tools over HTTP, at /mcp.
#[derive(Debug, Args)]
pub(crate) struct McpArguments {
    /// The models, the first of which answers where a call names none [default: fast and accurate]
    #[arg(long, value_name = "NAME|FILE|FOLDER|ID", num_args = 1..)]
    model: Vec<String>,

    /// Threads that compute [default: one for each core]
    #[arg(long, env = THREADS, hide_env_values = true, value_name = "N", value_parser = thread_count)]
    threads: Option<NonZeroUsize>,

    #[command(flatten)]
    kb: KnowledgeBaseArguments,
}

pub(crate) fn run(arguments: &McpArguments, terminal: &Terminal) -> Result<(), Failure> {
    let threads = threads(arguments.threads);
    let named = match arguments.model.as_slice() {
        [] => vec![FAST.to_owned(), ACCURATE.to_owned()],
        named => named.to_vec(),
    };
    let opening = Opening { kb: Arc::new(arguments.kb.load(terminal)?), threads };
    let mut models = vec![];
    for name in named {
        // Those that are embedded are there, and wait for the first call; others may be missing, which is told at once.
        let opened = match name.as_str() {
            FAST | ACCURATE => None,
            _ => Some(open(&name, opening.settings(), terminal)?),
        };
        models.push((name, Mutex::new(opened)));
    }
    let mut limits = Limits::default();
    limits.threads = threads;
    let toolbox = Toolbox::new(Arc::new(Offered { models, opening }), limits);
    let stopped = signals::stopped();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build();
    let runtime =
        runtime.map_err(|error| Failure::new(Kind::Failed, format!("threads cannot be started: {error}")))?;
    let served = vulnlens_mcp::serve(toolbox, tokio::io::stdin(), tokio::io::stdout(), stopped);
    let ended = runtime.block_on(served);
    // The thread that reads standard input may wait for a line that never comes.
    runtime.shutdown_background();
    ended.map_err(|error| Failure::new(Kind::Failed, error.to_string()))
}

/// The settings of opening a model.
struct Opening {
    kb: Arc<KnowledgeBase>,
    threads: usize,
}

impl Opening {
    fn settings(&self) -> Open<'static> {
        Open::new().knowledge_base(Arc::clone(&self.kb)).load(LoadOptions::default()).threads(self.threads)
    }
}

/// The models that are offered, by name; those that are not loaded yet are so by the first call.
struct Offered {
    models: Vec<(String, Mutex<Option<Classifier>>)>,
    opening: Opening,
}

impl Models for Offered {
    fn names(&self) -> Vec<String> {
        self.models.iter().map(|(name, _)| name.clone()).collect()
    }

    fn classifier(&self, name: &str) -> Result<Classifier, String> {
        let found = self.models.iter().find(|(known, _)| known == name);
        let (_, model) = found.ok_or_else(|| format!("there is no model {name:?}"))?;
        let mut model = model.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(classifier) = &*model {
            return Ok(classifier.clone());
        }
        let opened = vulnlens::open(name, &self.opening.settings()).map_err(|error| error.to_string())?;
        Ok(model.insert(opened).clone())
    }

    fn knowledge_base(&self) -> Result<Arc<KnowledgeBase>, String> {
        Ok(Arc::clone(&self.opening.kb))
    }
}
