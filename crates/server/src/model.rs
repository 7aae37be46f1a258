//! Models to serve, and their files' replacement while they are served.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};
use vulnlens::Classifier;

use crate::app::App;

/// The time between two looks at whether models have changed.
const LOOK: Duration = Duration::from_secs(1);

/// A look at whether a model has changed: `None` where it has not, else the new one, or why it cannot be used.
pub(crate) type Reopen = Box<dyn FnMut() -> Option<Result<Classifier, String>> + Send>;

/// A model to serve.
pub struct Model {
    pub(crate) name: String,
    pub(crate) classifier: Classifier,
    pub(crate) reopen: Option<Reopen>,
}

impl Model {
    /// A model under the name that requests call it.
    #[must_use]
    pub fn new(name: impl Into<String>, classifier: Classifier) -> Self {
        Self { name: name.into(), classifier, reopen: None }
    }

    /// The model with a way to open it again. About once a second `reopen` is asked, on a thread that may wait, whether
    /// the model has changed: `None` says that it has not. A new one answers the requests that come from then on, and
    /// those that were begun are answered by the old one; where it cannot be used, the old one stays.
    #[must_use]
    pub fn reopen(self, reopen: impl FnMut() -> Option<Result<Classifier, String>> + Send + 'static) -> Self {
        Self { reopen: Some(Box::new(reopen)), ..self }
    }
}

/// Looks after models that may change, without an end.
pub(crate) async fn watch(app: Arc<App>, mut models: Vec<(String, Reopen)>) {
    if models.is_empty() {
        return;
    }
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        let app = Arc::clone(&app);
        // Opening takes seconds, which no request waits for.
        let looked = tokio::task::spawn_blocking(move || {
            models.iter_mut().for_each(|(name, reopen)| look(&app, name, reopen));
            models
        });
        match looked.await {
            Ok(looked) => models = looked,
            Err(error) => {
                tracing::error!(%error, "models are not looked after any longer; this is a fault of vulnlens");
                return;
            }
        }
    }
}

fn look(app: &App, name: &str, reopen: &mut Reopen) {
    match reopen() {
        None => {}
        Some(Ok(classifier)) => {
            let revision = classifier.network().revision().to_owned();
            app.replace(name, classifier);
            tracing::info!(model = name, revision, "the model was replaced");
        }
        Some(Err(error)) => {
            app.metrics.add_failed_reload(name);
            tracing::error!(
                model = name,
                error,
                "the model has changed and cannot be used; the one before it stays"
            );
        }
    }
}
