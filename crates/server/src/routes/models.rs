//! `/v1/models` and `/info`: what is served.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::answering::Served;
use crate::app::App;
use crate::error::ApiError;
use crate::forms::KnownErrors;

#[derive(Serialize, ToSchema)]
pub(super) struct Models {
    models: Vec<Model>,
    version: &'static str,
    taxonomies: Taxonomies,
    /// True where `/v1/records/{cve}` has texts.
    knows_cves: bool,
}

#[derive(Serialize, ToSchema)]
struct Model {
    name: String,
    model: String,
    model_revision: String,
    /// True for the one that answers where none is named.
    default: bool,
    /// The tasks that it answers.
    taxonomies: Vec<&'static str>,
}

#[derive(Serialize, ToSchema)]
struct Taxonomies {
    cwe: String,
    capec: String,
    attack: String,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Info {
    model_id: String,
    model_sha: String,
    model_dtype: &'static str,
    model_type: ModelType,
    max_concurrent_requests: usize,
    max_input_length: usize,
    max_client_batch_size: usize,
    version: &'static str,
    taxonomies: Taxonomies,
}

#[derive(Serialize, ToSchema)]
struct ModelType {
    classifier: ClassifierType,
}

#[derive(Serialize, ToSchema)]
struct ClassifierType {
    id2label: std::collections::BTreeMap<String, String>,
    label2id: std::collections::BTreeMap<String, usize>,
}

const VERSION: &str = env!("CARGO_PKG_VERSION");

fn taxonomies(app: &App) -> Result<Taxonomies, ApiError> {
    let kb = app.knowledge_base()?;
    let versions = kb.versions();
    let (cwe, capec, attack) = (versions.cwe.clone(), versions.capec.clone(), versions.attack.clone());
    Ok(Taxonomies { cwe, capec, attack })
}

/// The tasks that a model answers.
fn tasks(model: &Served) -> Vec<&'static str> {
    let mut tasks = vec!["cwe", "capec", "attack"];
    tasks.extend(model.classifier.network().curated().is_some().then_some("attack_curated"));
    tasks
}

/// `GET /v1/models`.
#[utoipa::path(
    get,
    path = "/v1/models",
    tag = "knowledge",
    summary = "List the models",
    responses((status = 200, description = "The models with their revisions", body = Models), KnownErrors)
)]
pub(super) async fn models(State(app): State<Arc<App>>) -> Result<Json<Models>, ApiError> {
    let model = |(name, served): (&str, Arc<Served>)| Model {
        name: name.to_owned(),
        model: served.classifier.network().name().to_owned(),
        model_revision: served.classifier.network().revision().to_owned(),
        default: app.is_default(name),
        taxonomies: tasks(&served),
    };
    Ok(Json(Models {
        models: app.models().map(model).collect(),
        version: VERSION,
        taxonomies: taxonomies(&app)?,
        knows_cves: app.settings.cve_texts.is_some(),
    }))
}

/// `GET /info`, as text-embeddings-inference has it: the labels are the weaknesses.
#[utoipa::path(
    get,
    path = "/info",
    tag = "text-embeddings-inference",
    summary = "Describe the model that answers where none is named",
    responses((status = 200, description = "The model", body = Info), KnownErrors)
)]
pub(super) async fn info(State(app): State<Arc<App>>) -> Result<Json<Info>, ApiError> {
    let model = app.model(None)?;
    let network = model.classifier.network();
    let mut labels: Vec<String> = match network.outputs().cwe_sets() {
        Some(outputs) => {
            let mut ids: Vec<_> = outputs.sets.iter().flatten().copied().collect();
            ids.sort_unstable();
            ids.dedup();
            ids.iter().map(ToString::to_string).collect()
        }
        None => vec![],
    };
    labels.dedup();
    let label2id = labels.iter().enumerate().map(|(number, label)| (label.clone(), number)).collect();
    let id2label =
        labels.into_iter().enumerate().map(|(number, label)| (number.to_string(), label)).collect();
    Ok(Json(Info {
        model_id: network.name().to_owned(),
        model_sha: network.revision().to_owned(),
        model_dtype: "mixed",
        model_type: ModelType { classifier: ClassifierType { id2label, label2id } },
        max_concurrent_requests: app.settings.requests,
        max_input_length: vulnlens::stream::TEXT_BYTES,
        max_client_batch_size: app.settings.texts,
        version: VERSION,
        taxonomies: taxonomies(&app)?,
    }))
}
