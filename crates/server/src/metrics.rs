//! Metrics for Prometheus.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

/// Upper ends of the durations that are told apart, in seconds.
const DURATIONS: [f64; 12] =
    [0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0];

/// A request by its route and the status of its answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: String,
}

/// A model with the revision that answers.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Revision {
    model: String,
    revision: String,
}

/// A model that was opened again, and how that ended: `replaced` or `failed`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reload {
    model: String,
    result: &'static str,
}

/// The metrics of a server.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Answered, Counter>,
    durations: Family<Route, Histogram>,
    in_flight: Gauge,
    texts: Counter,
    failed_records: Counter,
    models: Family<Revision, Gauge>,
    reloads: Family<Reload, Counter>,
}

impl Metrics {
    /// The metrics of a server, with what never changes: a fact a label.
    pub(crate) fn new(facts: Vec<(&'static str, String)>) -> Self {
        let mut registry = Registry::with_prefix("vulnlens");
        let requests = Family::default();
        let durations = Family::new_with_constructor((|| Histogram::new(DURATIONS)) as fn() -> Histogram);
        let (in_flight, texts, failed_records) = (Gauge::default(), Counter::default(), Counter::default());
        registry.register("build", "Versions of the program and the taxonomies", Info::new(facts));
        registry.register("requests", "Requests that were answered", Family::clone(&requests));
        let about = "Time from the head of a request to the head of its answer";
        registry.register_with_unit("request_duration", about, Unit::Seconds, Family::clone(&durations));
        registry.register("requests_in_flight", "Requests that are worked on", Gauge::clone(&in_flight));
        registry.register("texts", "Texts that were classified", Counter::clone(&texts));
        let about = "Records that could not be read or have no text";
        registry.register("failed_records", about, Counter::clone(&failed_records));
        let (models, reloads) = (Family::default(), Family::default());
        registry.register("model_revision", "Models with the revisions that answer", Family::clone(&models));
        let about = "Models whose files changed: replaced, or failed where the new ones cannot be used";
        registry.register("model_reloads", about, Family::clone(&reloads));
        Self { registry, requests, durations, in_flight, texts, failed_records, models, reloads }
    }

    /// Counts a request in until what it gives is dropped.
    pub(crate) fn begin(&self) -> InFlight {
        self.in_flight.inc();
        InFlight(Gauge::clone(&self.in_flight))
    }

    pub(crate) fn answered(&self, route: &str, status: u16, took: Duration) {
        self.requests.get_or_create(&Answered { route: route.to_owned(), status }).inc();
        self.durations.get_or_create(&Route { route: route.to_owned() }).observe(took.as_secs_f64());
    }

    pub(crate) fn add_texts(&self, count: u64) {
        self.texts.inc_by(count);
    }

    pub(crate) fn add_failed(&self, count: u64) {
        self.failed_records.inc_by(count);
    }

    /// Tells the revision of a model that answers.
    pub(crate) fn set_model(&self, model: &str, revision: &str) {
        let (model, revision) = (model.to_owned(), revision.to_owned());
        self.models.get_or_create(&Revision { model, revision }).set(1);
    }

    /// Counts a model that was replaced by another revision.
    pub(crate) fn add_reload(&self, model: &str, former: &str, revision: &str) {
        self.models.remove(&Revision { model: model.to_owned(), revision: former.to_owned() });
        self.set_model(model, revision);
        self.reloads.get_or_create(&Reload { model: model.to_owned(), result: "replaced" }).inc();
    }

    /// Counts a model whose new files cannot be used.
    pub(crate) fn add_failed_reload(&self, model: &str) {
        self.reloads.get_or_create(&Reload { model: model.to_owned(), result: "failed" }).inc();
    }

    /// The metrics as text, in the form of OpenMetrics.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

/// A request that is worked on.
pub(crate) struct InFlight(Gauge);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}
