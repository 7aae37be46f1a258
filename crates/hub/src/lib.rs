//! Hugging Face ids to folders, through the user's own hub cache.
//!
//! A model id such as `ORG/NAME`, optionally followed by `@revision`, becomes a local folder that holds the
//! files a text classifier needs. The folder lies in the cache that Python's `huggingface_hub` uses, in the
//! same layout and under the same lock files, so that either program finds what the other downloaded:
//!
//! ```text
//! <cache>/.locks/models--ORG--NAME/<etag>.lock
//! <cache>/models--ORG--NAME/blobs/<etag>                 the bytes, once
//! <cache>/models--ORG--NAME/refs/main                    the commit that `main` was at
//! <cache>/models--ORG--NAME/snapshots/<commit>/<file>    a relative link into blobs
//! ```
//!
//! [`Hub::resolve`] asks the network only for what the cache lacks; [`Hub::pull`] asks the hub for the newest
//! commit of the revision; [`Hub::cached`] never asks. Nothing here prints or reads the environment:
//! [`Settings::from_variables`] is given a function that looks variables up.
//!
//! A snapshot shows up only when all of its blobs are there and checked, and a reference (`refs/main`) only
//! after its snapshot, so an interrupted download leaves nothing that looks complete; it resumes where it
//! was cut. Blobs named by SHA-256 (all weights on the hub) are verified before they get their name.
//!
//! ```no_run
//! use vulnlens_hub::{Hub, HubId, Settings};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let settings = Settings::from_variables(|name| std::env::var_os(name), std::env::home_dir())?;
//! let id: HubId = "Sana9/securebert-vuln2attack-flat".parse()?;
//! let snapshot = Hub::new(settings)?.resolve(&id, &())?;
//! println!("{} at {}", snapshot.folder.display(), snapshot.commit);
//! # Ok(())
//! # }
//! ```
//!
//! [`Network`] makes the agents by which other crates ask other hosts: the same encryption, proxies and time limits.
//!
//! # Why not the `hf-hub` crate
//!
//! hf-hub 0.5 (55 packages, against 23 for `ureq` with rustls) verifies no checksum, locks beside the blobs where
//! Python does not look, joins file names to local paths unchecked, has no offline switch and panics on a
//! redirect without a `Location`. So the cache is written here, on `ureq` with rustls and Mozilla's root
//! certificates (or those in a file that is named), which builds without OpenSSL.

mod cache;
mod client;
mod contents;
mod download;
mod endpoint;
mod error;
mod files;
mod hub;
mod id;
mod lock;
mod metadata;
mod network;
mod progress;
mod proxy;
mod settings;
mod token;
mod variables;

pub use endpoint::{Endpoint, EndpointError, Origin, redirected};
pub use error::{Disk, HubError};
pub use hub::{Hub, Snapshot};
pub use id::{Commit, HubId, IdError, RepoId, Revision};
pub use network::Network;
pub use progress::Progress;
pub use proxy::{Proxy, ProxyError};
pub use settings::{Settings, Timeouts};
pub use token::{Token, TokenError};
pub use variables::SettingsError;
