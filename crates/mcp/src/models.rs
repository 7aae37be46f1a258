//! The models that tools ask.

use std::sync::Arc;

use vulnlens::{Classifier, KnowledgeBase};

/// The models that tools ask, as the program holds them.
pub trait Models: Send + Sync + 'static {
    /// The names of the models; the first answers where a call names none.
    fn names(&self) -> Vec<String>;

    /// The model called `name`, one of [`Self::names`]; it may be loaded for the call.
    ///
    /// # Errors
    /// The model cannot be loaded; the message says why.
    fn classifier(&self, name: &str) -> Result<Classifier, String>;

    /// The knowledge base of `kb_show` and `kb_path`.
    ///
    /// # Errors
    /// There is none; the message says why.
    fn knowledge_base(&self) -> Result<Arc<KnowledgeBase>, String>;

    /// Counts texts that were answered.
    fn add_texts(&self, count: u64) {
        let _ = count;
    }
}
