//! `/mcp`: the tools of the Model Context Protocol.

use std::sync::Arc;

use vulnlens::{Classifier, KnowledgeBase};
use vulnlens_mcp::{HttpService, Limits, Models, Toolbox, http_service};

use crate::app::App;

impl Models for App {
    fn names(&self) -> Vec<String> {
        let is_other = |name: &&str| !self.is_default(name);
        let default = self.models().map(|(name, _)| name).filter(|name| self.is_default(name));
        default.chain(self.models().map(|(name, _)| name).filter(is_other)).map(str::to_owned).collect()
    }

    fn classifier(&self, name: &str) -> Result<Classifier, String> {
        self.model(Some(name)).map(|served| served.classifier.clone()).map_err(|error| error.to_string())
    }

    fn knowledge_base(&self) -> Result<Arc<KnowledgeBase>, String> {
        self.knowledge_base().map_err(|error| error.to_string())
    }

    fn add_texts(&self, count: u64) {
        self.metrics.add_texts(count);
    }
}

/// The tools over the models of the server, within its bounds.
pub(super) fn service(app: &Arc<App>) -> HttpService {
    let mut limits = Limits::default();
    limits.records = app.settings.texts;
    limits.message_bytes = app.settings.body_bytes;
    limits.threads = app.settings.threads;
    let models: Arc<dyn Models> = Arc::<App>::clone(app);
    http_service(Toolbox::new(models, limits))
}
