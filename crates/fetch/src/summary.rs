//! The outcome of a fetch.

use serde::Serialize;

use crate::fetched::FetchedFile;

/// The outcome of a fetch.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Summary {
    /// The files that came, in their order.
    pub fetched: Vec<String>,
    /// The bytes of these files.
    pub bytes: u64,
    /// The files that had not changed, in their order.
    pub unchanged: Vec<String>,
}

impl Summary {
    pub(crate) fn count(&mut self, name: &str, file: Option<&FetchedFile>) {
        match file {
            None => self.unchanged.push(name.to_owned()),
            Some(file) => {
                self.bytes = self.bytes.saturating_add(file.bytes);
                self.fetched.push(name.to_owned());
            }
        }
    }
}
