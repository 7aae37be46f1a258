//! A made-up hub with one repository, `org/name`, and the place on another port where large files lie.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex};

use sha2::{Digest, Sha256};
use vulnlens_hub::{Endpoint, Hub, HubId, Progress, Settings, Token};

use crate::server::{Reply, Seen, Server};

pub(crate) const COMMIT: &str = "1111111111111111111111111111111111111111";
pub(crate) const OTHER_COMMIT: &str = "2222222222222222222222222222222222222222";

/// Names and bytes; `.safetensors` and `.bin` are large files, which the hub redirects to the other server.
pub(crate) type Files = Vec<(&'static str, Vec<u8>)>;

/// The servers' next actions; shared with the tests.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) commit: String,
    pub(crate) files: Files,
    /// For each following download of a large file: how many bytes to send before the connection breaks.
    pub(crate) cuts: VecDeque<usize>,
    /// True if a part of a file may be asked for.
    pub(crate) ranges: bool,
    /// True if the bytes are changed on their way.
    pub(crate) damaged: bool,
}

pub(crate) struct Mirror {
    pub(crate) hub: Server,
    pub(crate) store: Server,
    pub(crate) state: Arc<Mutex<State>>,
}

/// A small classifier, with files that are not needed.
pub(crate) fn classifier() -> Files {
    vec![
        ("README.md", b"# A model".to_vec()),
        ("config.json", b"{\"model_type\":\"roberta\"}".to_vec()),
        ("model.safetensors", (0..1000u32).flat_map(u32::to_le_bytes).collect()),
        ("pytorch_model.bin", b"not wanted".to_vec()),
        ("tokenizer.json", b"{}".to_vec()),
    ]
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Stands in for git's hash, which the cache only uses as a name.
pub(crate) fn git_hash(bytes: &[u8]) -> String {
    sha256(bytes)[..40].to_owned()
}

pub(crate) fn id(text: &str) -> HubId {
    text.parse().unwrap()
}

/// Settings for a cache and an endpoint, with a token.
pub(crate) fn settings(cache: &Path, endpoint: &str) -> Settings {
    let mut settings = Settings::new(cache.to_owned());
    settings.endpoint = Endpoint::parse(endpoint).unwrap();
    settings.token = Token::parse("hf_secret").unwrap();
    settings
}

impl Mirror {
    pub(crate) fn start(files: Files) -> Self {
        let state = State { commit: COMMIT.to_owned(), files, ranges: true, ..State::default() };
        let state = Arc::new(Mutex::new(state));
        let shared = Arc::clone(&state);
        let store = Server::start(move |request| stored(&mut shared.lock().unwrap(), request));
        let (shared, store_url) = (Arc::clone(&state), store.url());
        let hub = Server::start(move |request| listed(&shared.lock().unwrap(), request, &store_url));
        Self { hub, store, state }
    }

    pub(crate) fn hub_for(&self, cache: &Path) -> Hub {
        Hub::new(settings(cache, &self.hub.url())).unwrap()
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap());
    }
}

/// The hub: the list of files, small files, and redirects to the store.
fn listed(state: &State, request: &Seen, store: &str) -> Reply {
    if let Some(rest) = request.path.strip_prefix("/old/name/resolve/") {
        return Reply::new(307).header("Location", format!("/org/name/resolve/{rest}"));
    }
    if request.path.starts_with("/api/models/") {
        let names = state.files.iter().map(|(name, _)| format!("{{\"rfilename\":\"{name}\"}}"));
        let names = names.collect::<Vec<_>>().join(",");
        return Reply::new(200)
            .body(format!("{{\"sha\":\"{}\",\"siblings\":[{names}],\"tags\":[]}}", state.commit));
    }
    let prefix = format!("/org/name/resolve/{}/", state.commit);
    let file = request.path.strip_prefix(&prefix);
    let Some((name, bytes)) = state.files.iter().find(|(name, _)| Some(*name) == file) else {
        return Reply::new(404).header("X-Error-Code", "EntryNotFound");
    };
    if !name.ends_with(".safetensors") && !name.ends_with(".bin") {
        let etag = format!("\"{}\"", git_hash(bytes));
        let reply = Reply::new(200).header("ETag", etag).header("X-Repo-Commit", &state.commit);
        return reply.header("Content-Length", bytes.len()).body(bytes.clone());
    }
    let digest = sha256(bytes);
    Reply::new(302)
        .header("X-Repo-Commit", &state.commit)
        .header("X-Linked-Etag", format!("\"{digest}\""))
        .header("X-Linked-Size", bytes.len())
        .header("Location", format!("{store}/{digest}?signature=1"))
}

/// The store: bytes by their hash, parts of them, broken connections.
fn stored(state: &mut State, request: &Seen) -> Reply {
    let digest = request.path.trim_start_matches('/').split('?').next().unwrap();
    let Some((_, bytes)) = state.files.iter().find(|(_, bytes)| sha256(bytes) == digest) else {
        return Reply::new(404);
    };
    let mut bytes = bytes.clone();
    if state.damaged {
        bytes[0] ^= 1;
    }
    let from = request.headers.get("range").filter(|_| state.ranges);
    let from = from.and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse::<usize>().ok());
    let mut reply = match from {
        None => Reply::new(200).body(bytes),
        Some(from) => {
            let range = format!("bytes {from}-{}/{}", bytes.len() - 1, bytes.len());
            Reply::new(206).header("Content-Range", range).body(&bytes[from..])
        }
    };
    reply.cut = state.cuts.pop_front();
    reply
}

/// Keeps every report.
#[derive(Default)]
pub(crate) struct Reports(pub(crate) Mutex<Vec<(String, u64, u64)>>);

impl Progress for Reports {
    fn advance(&self, file: &str, done: u64, total: u64) {
        self.0.lock().unwrap().push((file.to_owned(), done, total));
    }
}
