//! Routes for clients of text-embeddings-inference and of Hugging Face's inference API: labels of weaknesses.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::openapi::schema::{AnyOfBuilder, ArrayBuilder, ObjectBuilder, Schema, SchemaType, Type};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};
use vulnlens::report::{Answer, RecordKey};
use vulnlens::{Options, Task, TopK, Whole, best};

use super::body;
use crate::answering::Text;
use crate::app::App;
use crate::error::ApiError;
use crate::forms::TextErrors;
use crate::json::Object;
use crate::options::NOT_BLANK;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PredictRequest {
    #[schema(schema_with = inputs_schema)]
    inputs: Inputs,
    #[serde(default)]
    #[schema(schema_with = false_schema)]
    raw_scores: bool,
    /// Texts are cut off where the model stops reading, whatever stands here.
    #[serde(default, rename = "truncate")]
    _truncate: Option<bool>,
    /// Texts are cut off at their end, whatever stands here.
    #[serde(default, rename = "truncation_direction")]
    _truncation_direction: Option<String>,
}

fn text_schema() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).pattern(Some(NOT_BLANK))
}

fn inputs_schema() -> Schema {
    let one = ArrayBuilder::new().items(text_schema()).min_items(Some(1)).max_items(Some(1));
    let batch = ArrayBuilder::new().items(one).min_items(Some(1));
    let any = AnyOfBuilder::new().item(text_schema()).item(batch);
    any.description(Some("A text, or a list of lists of one text each")).build().into()
}

fn texts_schema() -> Schema {
    let many = ArrayBuilder::new().items(text_schema()).min_items(Some(1));
    let any = AnyOfBuilder::new().item(text_schema()).item(many);
    any.description(Some("A text, or a list of them")).build().into()
}

fn false_schema() -> Schema {
    let no = ObjectBuilder::new().schema_type(Type::Boolean).enum_values(Some([false]));
    no.description(Some("Scores before any softmax: there are none here")).build().into()
}

fn function_schema() -> Schema {
    let names = FUNCTIONS.map(Value::from).into_iter().chain([Value::Null]);
    let kinds = SchemaType::from_iter([Type::String, Type::Null]);
    let names = ObjectBuilder::new().schema_type(kinds).enum_values(Some(names));
    names.description(Some("The scores are probabilities, which both functions give")).build().into()
}

/// A text, a pair of texts, or a list of lists of one text each.
#[derive(Deserialize)]
#[serde(untagged)]
enum Inputs {
    Text(String),
    Batch(Vec<Vec<String>>),
    Pair([serde::de::IgnoredAny; 2]),
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct InferenceRequest {
    #[schema(schema_with = texts_schema)]
    inputs: OneOrMany,
    #[serde(default)]
    #[schema(value_type = Parameters)]
    parameters: Object<Parameters>,
    /// Whatever stands here changes nothing.
    #[serde(default, rename = "options")]
    _options: Option<Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Parameters {
    /// The number of labels to list; all of them where none is given.
    #[schema(minimum = 1, maximum = 999_999_999)]
    #[schema(value_type = Option<u64>)]
    top_k: Option<Whole>,
    #[schema(schema_with = function_schema)]
    function_to_apply: Option<String>,
}

/// The functions that give probabilities.
const FUNCTIONS: [&str; 2] = ["sigmoid", "softmax"];

/// A label with its score.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Scored {
    score: f32,
    label: String,
}

/// The scores of one text, or of each of several.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Predicted {
    One(Vec<Scored>),
    Many(Vec<Vec<Scored>>),
}

impl PartialSchema for Predicted {
    fn schema() -> RefOr<Schema> {
        // A text without labels has an empty list, which is either.
        let one = || ArrayBuilder::new().items(Ref::from_schema_name(Scored::name()));
        let many = ArrayBuilder::new().items(one());
        Schema::AnyOf(AnyOfBuilder::new().item(one()).item(many).build()).into()
    }
}

impl ToSchema for Predicted {}

/// `POST /predict`, as text-embeddings-inference has it.
#[utoipa::path(
    post,
    path = "/predict",
    tag = "text-embeddings-inference",
    summary = "Score all weaknesses",
    request_body(content = PredictRequest, example = json!({ "inputs": "SQL injection in login.php" })),
    responses(
        (
            status = 200,
            description = "All weaknesses, the best first: a list of a text, a list of lists of several",
            body = Predicted,
            headers(("x-compute-characters" = u64, description = "The characters of the texts"))
        ),
        TextErrors,
    )
)]
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
    let predicted = match (is_one, scored.pop()) {
        (true, Some(one)) => Predicted::One(one),
        (_, last) => {
            scored.extend(last);
            Predicted::Many(scored)
        }
    };
    let mut response = Json(predicted).into_response();
    let name = HeaderName::from_static("x-compute-characters");
    response.headers_mut().insert(name, HeaderValue::from(characters));
    Ok(response)
}

/// `POST /`, as Hugging Face's inference API has it: a list for each text.
#[utoipa::path(
    post,
    path = "/",
    tag = "inference-api",
    summary = "Score weaknesses",
    request_body(content = InferenceRequest, example = json!({ "inputs": "SQL injection in login.php" })),
    responses((status = 200, description = "A list for each text, the best first", body = Vec<Vec<Scored>>), TextErrors)
)]
pub(super) async fn inference(State(app): State<Arc<App>>, request: Request) -> Result<Response, ApiError> {
    let InferenceRequest { inputs, parameters: Object(parameters), .. } =
        body::json(request, app.settings.body_bytes).await?;
    let is_other = |function: &String| !FUNCTIONS.contains(&function.as_str());
    if let Some(function) = parameters.function_to_apply.filter(is_other) {
        return Err(ApiError::validation(format!(
            "function_to_apply: {function:?} is not one of {}: the scores are probabilities, and there are no others",
            FUNCTIONS.join(", ")
        )));
    }
    let texts = match inputs {
        OneOrMany::One(text) => vec![text],
        OneOrMany::Many(texts) => texts,
    };
    let top_k = parameters.top_k.map_or(Ok(TopK::All), |Whole(number)| best(number))?;
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
    let model = app.model(None)?;
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
