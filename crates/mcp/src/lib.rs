//! Classifiers of vulnerability text as tools of the Model Context Protocol.
//!
//! A [`Toolbox`] has the tools `classify`, `explain`, `review_mapping`, `kb_show` and `kb_path` (`docs/mcp.md`), thin
//! over the library `vulnlens`: the same options, numbers and names as on the command line. [`serve`] offers them on
//! a stream of lines, such as standard input and output; with the feature `http`, `http_service` over streamable
//! HTTP. The models come from the caller, as [`Models`].
//!
//! Nothing is fetched and nothing is written. The texts that are asked about come back within JSON strings alone, also
//! in errors: whoever reads the answers can keep data apart from instructions.

mod arguments;
mod catalogue;
mod error;
#[cfg(feature = "http")]
mod http;
mod limits;
mod lines;
mod models;
mod stdio;
mod toolbox;
mod tools;

#[cfg(feature = "http")]
pub use http::{HttpService, http_service};
pub use limits::Limits;
pub use models::Models;
pub use stdio::{ServeError, serve};
pub use toolbox::Toolbox;
