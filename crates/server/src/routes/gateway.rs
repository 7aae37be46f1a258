//! Routes for clients of CIRCL's ML-Gateway, such as Vulnerability-Lookup.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use vulnlens::report::{Answer, RecordKey};
use vulnlens::{Options, Task, TopK, Whole, best};

use super::body;
use crate::answering::{Served, Text};
use crate::app::App;
use crate::error::ApiError;
use crate::forms::JsonErrors;

/// The number of labels that are listed where none is given.
const TOP_K: usize = 10;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct GatewayRequest {
    /// The text.
    #[schema(pattern = "\\S")]
    description: String,
    /// The number of labels to list.
    #[schema(minimum = 1, maximum = 999_999_999)]
    #[schema(value_type = Option<u64>)]
    top_k: Option<Whole>,
    /// The name of a model of `/v1/models`; the first of them where none is named.
    model: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Techniques {
    techniques: Vec<Technique>,
    model: String,
    model_revision: String,
}

#[derive(Serialize, ToSchema)]
struct Technique {
    technique: String,
    name: String,
    score: f32,
    predicted: bool,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Weaknesses {
    cwes: Vec<Weakness>,
    model: String,
    model_revision: String,
}

#[derive(Serialize, ToSchema)]
struct Weakness {
    cwe: String,
    name: String,
    score: f32,
    predicted: bool,
    /// MITRE's permission to map to it: `Allowed`, `Discouraged` …
    #[schema(required = true)]
    usage: Option<String>,
}

/// `POST /classify/attack-techniques`: the techniques that analysts assign.
#[utoipa::path(
    post,
    path = "/classify/attack-techniques",
    tag = "ml-gateway",
    summary = "List the techniques that analysts assign",
    request_body(content = GatewayRequest, example = json!({ "description": "SQL injection in login.php" })),
    responses((status = 200, description = "The answer", body = Techniques), JsonErrors)
)]
pub(super) async fn techniques(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Json<Techniques>, ApiError> {
    let (model, answer) = listed(&app, request, Task::AttackCurated).await?;
    let kb = model.classifier.knowledge_base();
    let labels = answer.prediction.attack_curated.iter().flat_map(|labels| &labels.labels);
    let technique = |scored: &vulnlens::ScoredLabel<vulnlens::TechniqueId>| Technique {
        technique: scored.label.to_string(),
        name: kb.technique(scored.label).map(|technique| technique.name.clone()).unwrap_or_default(),
        score: scored.score,
        predicted: scored.predicted,
    };
    let techniques = labels.map(technique).collect();
    let (model, model_revision) = named(&model);
    Ok(Json(Techniques { techniques, model, model_revision }))
}

/// `POST /classify/cwe`: weaknesses.
#[utoipa::path(
    post,
    path = "/classify/cwe",
    tag = "ml-gateway",
    summary = "List weaknesses",
    request_body(content = GatewayRequest, example = json!({ "description": "SQL injection in login.php" })),
    responses((status = 200, description = "The answer", body = Weaknesses), JsonErrors)
)]
pub(super) async fn weaknesses(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Json<Weaknesses>, ApiError> {
    let (model, answer) = listed(&app, request, Task::Cwe).await?;
    let kb = model.classifier.knowledge_base();
    let labels = answer.prediction.cwe.iter().flat_map(|labels| &labels.labels);
    let weakness = |scored: &vulnlens::ScoredLabel<vulnlens::CweId>| Weakness {
        cwe: scored.label.to_string(),
        name: kb.name_of_cwe(scored.label).unwrap_or_default().to_owned(),
        score: scored.score,
        predicted: scored.predicted,
        usage: kb.weakness(scored.label).map(|weakness| weakness.usage.to_string()),
    };
    let cwes = labels.map(weakness).collect();
    let (model, model_revision) = named(&model);
    Ok(Json(Weaknesses { cwes, model, model_revision }))
}

#[derive(Serialize, ToSchema)]
pub(super) struct SeverityAnswer {
    /// The band; null where the text describes no vulnerability.
    #[schema(required = true)]
    severity: Option<&'static str>,
    #[schema(required = true)]
    confidence: Option<f32>,
    model: String,
    model_revision: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SeverityRequest {
    /// The text.
    #[schema(pattern = "\\S")]
    description: String,
    /// The name of a model of `/v1/models`; the first of them where none is named.
    model: Option<String>,
}

/// `POST /classify/severity`: the band of the severity that the text implies; null where it describes no vulnerability.
#[utoipa::path(
    post,
    path = "/classify/severity",
    tag = "ml-gateway",
    summary = "Tell the band of the severity that the text implies",
    request_body(content = SeverityRequest, example = json!({ "description": "SQL injection in login.php" })),
    responses((status = 200, description = "The answer", body = SeverityAnswer), JsonErrors)
)]
pub(super) async fn severity(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Json<SeverityAnswer>, ApiError> {
    let SeverityRequest { description, model } = body::json(request, app.settings.body_bytes).await?;
    let options = Options::default().tasks(Task::Cwe).severity(true);
    let (model, answer) = answer(&app, description, model.as_deref(), &options).await?;
    if model.classifier.network().severity().is_none() {
        let message = format!("the model {} has no head of severities", model.classifier.network().name());
        return Err(ApiError::validation(message).hint("ask `fast` or `accurate`"));
    }
    let found = answer.prediction.severity.flatten();
    let (name, revision) = named(&model);
    Ok(Json(SeverityAnswer {
        severity: found.as_ref().map(|severity| severity.band().name()),
        confidence: found.as_ref().map(|severity| severity.confidence),
        model: name,
        model_revision: revision,
    }))
}

fn named(model: &Served) -> (String, String) {
    let network = model.classifier.network();
    (network.name().to_owned(), network.revision().to_owned())
}

/// Answers a request for labels of one task.
async fn listed(app: &App, request: Request, task: Task) -> Result<(Arc<Served>, Answer), ApiError> {
    let GatewayRequest { description, top_k, model } = body::json(request, app.settings.body_bytes).await?;
    let top_k = top_k.map_or(Ok(TopK::Best(TOP_K)), |Whole(number)| best(number))?;
    let options = Options::default().tasks(task).top_k(top_k).threshold(0.0);
    answer(app, description, model.as_deref(), &options).await
}

async fn answer(
    app: &App,
    description: String,
    model: Option<&str>,
    options: &Options,
) -> Result<(Arc<Served>, Answer), ApiError> {
    if description.trim().is_empty() {
        return Err(ApiError::empty());
    }
    let model = app.model(model)?;
    let ready = model.ready(options, false, false);
    app.metrics.add_texts(1);
    let text = Text { key: RecordKey::default(), text: description, year: None };
    let mut answers = model.answer(&ready, vec![text]).await?;
    let answer = answers.pop().ok_or_else(|| ApiError::backend("the model gave no answer"))?;
    Ok((model, answer))
}
