//! The state that all requests share.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::Semaphore;
use vulnlens::{Classifier, KnowledgeBase};

use crate::answering::Served;
use crate::error::ApiError;
use crate::metrics::Metrics;
use crate::settings::Settings;

/// The state that all requests share.
pub(crate) struct App {
    pub(crate) settings: Settings,
    /// The models by the names that requests call them.
    models: BTreeMap<String, Served>,
    /// The name of the model that answers where none is named.
    default: String,
    pub(crate) metrics: Metrics,
    /// A permit for each request that may be worked on, or wait for it.
    pub(crate) requests: Semaphore,
}

impl App {
    /// The state of a server of these models, the first of which answers where none is named; `None` without one.
    pub(crate) fn new(models: Vec<(String, Classifier)>, settings: Settings) -> Option<Self> {
        let (default, first) = models.first()?;
        let versions = first.knowledge_base().versions();
        let named =
            |(name, classifier): &(String, Classifier)| format!("{name} {}", classifier.network().revision());
        let metrics = Metrics::new(vec![
            ("version", env!("CARGO_PKG_VERSION").to_owned()),
            ("models", models.iter().map(named).collect::<Vec<_>>().join(", ")),
            ("cwe", versions.cwe.clone()),
            ("capec", versions.capec.clone()),
            ("attack", versions.attack.clone()),
        ]);
        let requests = Semaphore::new(settings.requests.min(Semaphore::MAX_PERMITS));
        let default = default.clone();
        let threads = settings.threads;
        let served = |(name, classifier)| (name, Served::new(classifier, threads));
        let models = models.into_iter().map(served).collect();
        Some(Self { settings, models, default, metrics, requests })
    }

    /// The model of this name, or the one that answers where none is named.
    ///
    /// # Errors
    /// There is no such model.
    pub(crate) fn model(&self, name: Option<&str>) -> Result<(&str, &Served), ApiError> {
        let wanted = name.unwrap_or(&self.default);
        let found = self.models.get_key_value(wanted).map(|(name, model)| (name.as_str(), model));
        found.ok_or_else(|| {
            let names: Vec<&str> = self.models.keys().map(String::as_str).collect();
            ApiError::not_found(format!("there is no model {wanted:?}"))
                .hint(format!("the models here are {}", names.join(", ")))
        })
    }

    /// The models, by name.
    pub(crate) fn models(&self) -> impl Iterator<Item = (&str, &Served)> {
        self.models.iter().map(|(name, model)| (name.as_str(), model))
    }

    /// True for the name of the model that answers where none is named.
    pub(crate) fn is_default(&self, name: &str) -> bool {
        self.default == name
    }

    /// The knowledge base of the model that answers where none is named.
    ///
    /// # Errors
    /// There is no model, which a server never lacks.
    pub(crate) fn knowledge_base(&self) -> Result<&Arc<KnowledgeBase>, ApiError> {
        Ok(self.model(None)?.1.classifier.knowledge_base())
    }
}
