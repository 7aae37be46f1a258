//! The state that all requests share.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

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
    models: BTreeMap<String, RwLock<Arc<Served>>>,
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
        let metrics = Metrics::new(vec![
            ("version", env!("CARGO_PKG_VERSION").to_owned()),
            ("cwe", versions.cwe.clone()),
            ("capec", versions.capec.clone()),
            ("attack", versions.attack.clone()),
        ]);
        let requests = Semaphore::new(settings.requests.min(Semaphore::MAX_PERMITS));
        let default = default.clone();
        let threads = settings.threads;
        models.iter().for_each(|(name, model)| metrics.set_model(name, model.network().revision()));
        let served = |(name, classifier)| (name, RwLock::new(Arc::new(Served::new(classifier, threads))));
        let models = models.into_iter().map(served).collect();
        Some(Self { settings, models, default, metrics, requests })
    }

    /// The model of this name, or the one that answers where none is named.
    ///
    /// # Errors
    /// There is no such model.
    pub(crate) fn model(&self, name: Option<&str>) -> Result<Arc<Served>, ApiError> {
        let wanted = name.unwrap_or(&self.default);
        self.models.get(wanted).map(current).ok_or_else(|| {
            let names: Vec<&str> = self.models.keys().map(String::as_str).collect();
            ApiError::not_found(format!("there is no model {wanted:?}"))
                .hint(format!("the models here are {}", names.join(", ")))
        })
    }

    /// The models, by name.
    pub(crate) fn models(&self) -> impl Iterator<Item = (&str, Arc<Served>)> {
        self.models.iter().map(|(name, model)| (name.as_str(), current(model)))
    }

    /// Lets another classifier answer the requests that come from now on; those that were begun keep theirs.
    pub(crate) fn replace(&self, name: &str, classifier: Classifier) {
        let Some(place) = self.models.get(name) else { return };
        let revision = classifier.network().revision().to_owned();
        let new = Arc::new(Served::new(classifier, self.settings.threads));
        let old = std::mem::replace(&mut *place.write().unwrap_or_else(PoisonError::into_inner), new);
        self.metrics.add_reload(name, old.classifier.network().revision(), &revision);
        // It may be the last to hold it, and giving its memory back takes a while, for which the place is not kept.
        drop(old);
    }

    /// True for the name of the model that answers where none is named.
    pub(crate) fn is_default(&self, name: &str) -> bool {
        self.default == name
    }

    /// The knowledge base of the model that answers where none is named.
    ///
    /// # Errors
    /// There is no model, which a server never lacks.
    pub(crate) fn knowledge_base(&self) -> Result<Arc<KnowledgeBase>, ApiError> {
        Ok(Arc::clone(self.model(None)?.classifier.knowledge_base()))
    }
}

/// The model that stands in a place now.
fn current(place: &RwLock<Arc<Served>>) -> Arc<Served> {
    Arc::clone(&place.read().unwrap_or_else(PoisonError::into_inner))
}
