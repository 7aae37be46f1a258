//! The folders of models: those that a run starts from, and those that it leaves.

mod card;
mod header;
mod hierarchy_file;
mod start;
mod tokenizer;
mod write;

pub(crate) use header::Making;
pub use hierarchy_file::HierarchyForm;
pub(crate) use hierarchy_file::{HierarchyFile, NAME as HIERARCHY_FILE};
pub(crate) use start::StartingPoint;
pub use start::{NetworkSize, Start};
pub use tokenizer::{FEWEST_TOKENS, SPECIAL_TOKENS, TokenizerFiles, train_tokenizer};
pub(crate) use write::{ClassifierFolder, ModelFolder};
