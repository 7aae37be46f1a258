//! Errors between an id and its folder.

use std::io;
use std::path::{Path, PathBuf};

use vulnlens_files::names::ADAPTER_WEIGHTS;
use vulnlens_files::{Classified, ErrorKind};

use crate::endpoint::Endpoint;
use crate::id::HubId;

/// Why there is no folder for a model id. Each says what to do about it; for a command-line program all of
/// them mean that the model is not available.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    /// The hub knows no such repository, or does not show it to us.
    #[error("`{id}` is not on {endpoint}: it does not exist, or it is private {}", token_hint(*token))]
    NotFound {
        /// The id that was asked for.
        id: HubId,
        /// The hub that was asked.
        endpoint: Box<str>,
        /// True if a token was sent.
        token: bool,
    },
    /// The repository has no such branch, tag or commit.
    #[error("`{}` has no revision `{}`: see {endpoint}/{}/tree/main for its branches and tags", id.repo, id.revision, id.repo)]
    RevisionNotFound {
        /// The id that was asked for.
        id: HubId,
        /// The hub that was asked.
        endpoint: Box<str>,
    },
    /// The owner grants access one by one.
    #[error("`{id}` is gated: ask for access at {endpoint}/{} {}", id.repo, token_hint(*token))]
    Gated {
        /// The id that was asked for.
        id: HubId,
        /// The hub that was asked.
        endpoint: Box<str>,
        /// True if a token was sent.
        token: bool,
    },
    /// Status 401 or 403 for another reason.
    #[error("{endpoint} refuses `{id}` (status {status}{}): it does not exist, is private, or the token is not accepted {}", remark(message), token_hint(*token))]
    Refused {
        /// The id that was asked for.
        id: HubId,
        /// The hub that was asked.
        endpoint: Box<str>,
        /// The status of the answer.
        status: u16,
        /// The hub's message.
        message: Option<Box<str>>,
        /// True if a token was sent.
        token: bool,
    },
    /// The hub listed a file and then did not have it.
    #[error("`{id}` has no file `{file}`, which its list names: try again")]
    FileNotFound {
        /// The id that was asked for.
        id: HubId,
        /// The file.
        file: Box<str>,
    },
    /// Offline, and the cache does not have it.
    #[error("`{id}` is not available offline: {} {}; run `vulnlens model pull {id}` where there is a network (HF_HUB_OFFLINE unset), and copy that folder here if that is another machine", folder.display(), absent(missing))]
    NotCached {
        /// The id that was asked for.
        id: HubId,
        /// The repository's folder in the cache.
        folder: PathBuf,
        /// Files that the snapshot lacks; empty when there is no snapshot of the revision.
        missing: Vec<String>,
    },
    /// The hub cannot be reached.
    #[error("cannot reach {address} for `{id}`: {reason}; behind a proxy set HTTPS_PROXY, behind one that has its own certificates also REQUESTS_CA_BUNDLE; for a machine without a network copy {} from one that has it", folder.display())]
    NoConnection {
        /// The id that was asked for.
        id: HubId,
        /// The address.
        address: Box<str>,
        /// The network's error.
        reason: Box<str>,
        /// The repository's folder in the cache.
        folder: Box<Path>,
    },
    /// A download was cut; what has arrived is kept.
    #[error(
        "the download of `{file}` was cut after {done} of {total} bytes: {reason}; run the command again to resume"
    )]
    Interrupted {
        /// The file.
        file: Box<str>,
        /// Bytes on disk.
        done: u64,
        /// Bytes it has.
        total: u64,
        /// The network's error.
        reason: Box<str>,
    },
    /// Too many requests.
    #[error(
        "{endpoint} asks for fewer requests (status 429{}): wait, or send a token by HF_TOKEN",
        remark(retry_after)
    )]
    TooManyRequests {
        /// The hub that was asked.
        endpoint: Box<str>,
        /// When to try again, as the hub says it: seconds or a date.
        retry_after: Option<Box<str>>,
    },
    /// Any other status that is not a success.
    #[error(
        "{address} answers with status {status}{}: try again later, or another HF_ENDPOINT",
        remark(message)
    )]
    Status {
        /// The address.
        address: Box<str>,
        /// The status.
        status: u16,
        /// The server's message.
        message: Option<Box<str>>,
    },
    /// The answer is not that of a hub.
    #[error(
        "{address} does not answer as a Hugging Face hub does: {problem}; check HF_ENDPOINT and the proxy"
    )]
    NotAHub {
        /// The address.
        address: Box<str>,
        /// The problem.
        problem: Box<str>,
    },
    /// The bytes are not those that the hub announced.
    #[error(
        "`{file}` of `{id}` arrived damaged (SHA-256 {found}, expected {expected}); it was deleted: try again"
    )]
    Checksum {
        /// The id that was asked for.
        id: Box<HubId>,
        /// The file.
        file: Box<str>,
        /// The announced value.
        expected: Box<str>,
        /// The value that arrived.
        found: Box<str>,
    },
    /// The repository has no `config.json` where it has weights.
    #[error("`{id}` is not a transformers model: it lacks {}", crate::files::path(folder, "config.json"))]
    NoConfig {
        /// The id that was asked for.
        id: HubId,
        /// The sub-folder, empty for the root.
        folder: String,
    },
    /// The repository has no weights that can be read.
    #[error(
        "`{id}` has no weights{}: expected model.safetensors or pytorch_model.bin, or shards of either{}",
        inside(folder),
        instead(found)
    )]
    NoWeights {
        /// The id that was asked for.
        id: HubId,
        /// The sub-folder, empty for the root.
        folder: String,
        /// Weights of other kinds.
        found: Vec<String>,
    },
    /// The index of the weights names shards that the repository does not have.
    #[error("`{id}` is incomplete on the hub: it lacks {}", missing.join(", "))]
    MissingShards {
        /// The id that was asked for.
        id: HubId,
        /// The shards.
        missing: Vec<String>,
    },
    /// The certificates to trust cannot be used.
    #[error("the root certificates in {} cannot be used: {reason}; check REQUESTS_CA_BUNDLE", path.display())]
    Certificates {
        /// The file.
        path: PathBuf,
        /// The problem.
        reason: Box<str>,
    },
    /// The cache cannot be read or written.
    #[error(transparent)]
    Disk(#[from] Disk),
}

impl Classified for HubError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Unavailable
    }
}

/// A file of the cache that cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}: {source}{}", path.display(), disk_hint(source))]
pub struct Disk {
    /// The operation that failed.
    pub action: &'static str,
    /// The file or folder.
    pub path: PathBuf,
    /// The error of the operating system.
    pub source: io::Error,
}

impl Disk {
    pub(crate) fn new(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self { action, path: path.to_owned(), source }
    }
}

impl HubError {
    pub(crate) fn not_a_hub(address: &impl ToString, problem: &str) -> Self {
        Self::NotAHub { address: address.to_string().into(), problem: problem.into() }
    }
}

pub(crate) fn boxed(endpoint: &Endpoint) -> Box<str> {
    endpoint.as_str().into()
}

fn token_hint(token: bool) -> &'static str {
    if token {
        "(a token was sent: check that it is valid and may read this repository)"
    } else {
        "(no token was sent: set HF_TOKEN, or log in with `hf auth login`, if you have access)"
    }
}

fn remark(text: &Option<Box<str>>) -> String {
    text.as_ref().map(|text| format!(", {text}")).unwrap_or_default()
}

fn absent(missing: &[String]) -> String {
    if missing.is_empty() {
        "has no such snapshot".to_owned()
    } else {
        format!("lacks {}", missing.join(", "))
    }
}

fn inside(folder: &str) -> String {
    if folder.is_empty() { String::new() } else { format!(" in {folder}") }
}

fn instead(found: &[String]) -> String {
    let is_adapter = found.iter().any(|name| ADAPTER_WEIGHTS.contains(&name.as_str()));
    match found {
        [] => String::new(),
        _ if is_adapter => format!(
            " (it has {}, an adapter: merge it into its base model by PEFT's `merge_and_unload`, and give the folder that \
             this saves)",
            found.join(", ")
        ),
        _ => format!(" (it has {})", found.join(", ")),
    }
}

fn disk_hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "; free some space, or set HF_HUB_CACHE to a folder on another disk"
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "; set HF_HUB_CACHE to a folder that you may write"
        }
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_of_an_adapter_says_what_to_do() {
        let found = |names: &[&str]| instead(&names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>());
        assert!(found(&["adapter_model.safetensors"]).contains("merge_and_unload"));
        assert_eq!(found(&["tf_model.h5", "model.onnx"]), " (it has tf_model.h5, model.onnx)");
        assert_eq!(found(&[]), "");
    }
}
