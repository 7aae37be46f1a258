//! Published vulnerability records and catalogues, fetched into folders of one's own.
//!
//! [`Fetcher::fetch`] brings a folder up to date with a [`Source`]; [`Fetched`] is the record that it keeps there.
//! Files of the sources are kept as they are published, packed or not, under the names by which the readers of records
//! and of knowledge bases know them.
//!
//! The process may end at any byte: a file gets its name when it is whole, is what it says and has the checksum that
//! its publisher gives, and a part is taken up where it ends. Hosts that are not in the table [`Hosts`] are never
//! asked, wherever another one leads. Failures that may pass are tried again after a while, by a [`Clock`] that is
//! given. Nothing here prints or reads the environment.
//!
//! [`FetchedTexts`] finds the texts of CVEs in what was fetched; [`Watch`] hands out the records that are new or
//! changed, each state once.

mod client;
mod clock;
mod content;
mod cvelist;
mod download;
mod error;
mod fetched;
mod hosts;
mod nvd_api;
mod nvd_feeds;
mod precedence;
mod progress;
mod run;
mod single;
mod source;
mod store;
mod summary;
mod texts;
mod wanted;
mod watch;

pub use clock::{Clock, SystemClock};
pub use error::FetchError;
pub use fetched::{Fetched, FetchedFile, RECORD};
pub use hosts::Hosts;
pub use nvd_api::NvdKey;
pub use progress::Progress;
pub use run::{Fetcher, NvdBy};
pub use source::Source;
pub use summary::Summary;
pub use texts::{FetchedText, FetchedTexts};
pub use watch::{Batch, Watch, WatchSettings};
