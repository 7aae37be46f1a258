//! Routes for clients of text-embeddings-inference and of Hugging Face's inference API: labels of weaknesses.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use vulnlens::report::{Answer, RecordKey};
use vulnlens::{Options, Task, TopK};

use super::body;
use crate::answering::Text;
use crate::app::App;
use crate::error::ApiError;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PredictRequest {
    inputs: Inputs,
    /// Scores before any softmax: there are none here.
    #[serde(default)]
    raw_scores: bool,
    #[serde(default, rename = "truncate")]
    _truncate: Option<bool>,
    #[serde(default, rename = "truncation_direction")]
    _truncation_direction: Option<String>,
}

/// A text, a pair of texts, or a list of lists of one text each.
#[derive(Deserialize)]
#[serde(untagged)]
enum Inputs {
    Text(String),
    Batch(Vec<Vec<String>>),
    Pair([serde::de::IgnoredAny; 2]),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InferenceRequest {
    inputs: OneOrMany,
    #[serde(default)]
    parameters: Parameters,
    #[serde(default, rename = "options")]
    _options: Option<serde_json::Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {
    top_k: Option<usize>,
    function_to_apply: Option<String>,
}

/// A label with its score.
#[derive(Debug, Serialize)]
struct Scored {
    score: f32,
    label: String,
}

/// `POST /predict`, as text-embeddings-inference has it.
pub(super) async fn predict(State(app): State<Arc<App>>, request: Request) -> Result<Response, ApiError> {
    let PredictRequest { inputs, raw_scores, .. } = body::json(request, app.settings.body_bytes).await?;
    if raw_scores {
        return Err(ApiError::validation(
            "raw_scores: the scores are probabilities, and there are no others",
        ));
    }
    let (texts, is_one) = match inputs {
        Inputs::Text(text) => (vec![text], true),
        Inputs::Pair(_) => {
            return Err(ApiError::validation("inputs: a pair of texts is not classified together")
                .hint(r#"for two texts send [["…"], ["…"]]"#));
        }
        Inputs::Batch(lists) => {
            let one = |list: Vec<String>| <[String; 1]>::try_from(list).map(|[text]| text).ok();
            let texts = lists.into_iter().map(one).collect::<Option<Vec<String>>>();
            (texts.ok_or_else(|| ApiError::validation("inputs: each list must have one text"))?, false)
        }
    };
    let characters: usize = texts.iter().map(|text| text.chars().count()).sum();
    let mut scored = labels(&app, texts, TopK::All).await?;
    let mut response = match (is_one, scored.pop()) {
        (true, Some(one)) => Json(one).into_response(),
        (_, last) => {
            scored.extend(last);
            Json(scored).into_response()
        }
    };
    let name = HeaderName::from_static("x-compute-characters");
    response.headers_mut().insert(name, HeaderValue::from(characters));
    Ok(response)
}

/// `POST /`, as Hugging Face's inference API has it: a list for each text.
pub(super) async fn inference(State(app): State<Arc<App>>, request: Request) -> Result<Response, ApiError> {
    let InferenceRequest { inputs, parameters, .. } = body::json(request, app.settings.body_bytes).await?;
    if let Some(function) = parameters.function_to_apply.filter(|function| function == "none") {
        return Err(ApiError::validation(format!(
            "function_to_apply: {function:?}: the scores are probabilities, and there are no others"
        )));
    }
    let texts = match inputs {
        OneOrMany::One(text) => vec![text],
        OneOrMany::Many(texts) => texts,
    };
    let top_k = parameters.top_k.map_or(TopK::All, TopK::Best);
    Ok(Json(labels(&app, texts, top_k).await?).into_response())
}

/// The weaknesses of texts, the most probable first.
async fn labels(app: &App, texts: Vec<String>, top_k: TopK) -> Result<Vec<Vec<Scored>>, ApiError> {
    if texts.is_empty() || texts.iter().any(|text| text.trim().is_empty()) {
        return Err(ApiError::empty());
    }
    if texts.len() > app.settings.texts {
        return Err(ApiError::validation(format!(
            "inputs: {} are more than {}",
            texts.len(),
            app.settings.texts
        )));
    }
    let (_, model) = app.model(None)?;
    let options = Options::default().tasks(Task::Cwe).top_k(top_k).threshold(0.0);
    let ready = model.ready(&options, false, false);
    app.metrics.add_texts(texts.len() as u64);
    let of = |text: String| Text { key: RecordKey::default(), text, year: None };
    let answers = model.answer(&ready, texts.into_iter().map(of).collect()).await?;
    Ok(answers.iter().map(scored).collect())
}

fn scored(answer: &Answer) -> Vec<Scored> {
    let labels = answer.prediction.cwe.iter().flat_map(|cwe| &cwe.labels);
    labels.map(|scored| Scored { score: scored.score, label: scored.label.to_string() }).collect()
}
