//! `/v1/classify` and `/v1/explain`: records in, record output out.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;
use utoipa::openapi::schema::{
    AdditionalProperties, AnyOfBuilder, ArrayBuilder, ObjectBuilder, OneOfBuilder, Schema, Type,
};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};
use vulnlens::report::RecordKey;
use vulnlens::{AskedError, AskedOptions, AskedRecord};

use super::{body, records};
use crate::answering::Text;
use crate::app::App;
use crate::error::ApiError;
use crate::forms::{AnyBytes, AnyText, Event, JsonErrors, Layer, Mappings, Record, RecordsErrors};
use crate::json::Object;
use crate::options::{NOT_BLANK, OptionsForm};

/// A request: one text, or records, with options.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClassifyRequest {
    text: Option<String>,
    records: Option<Vec<Object<AskedRecord>>>,
    #[serde(default)]
    options: Object<AskedOptions>,
}

impl PartialSchema for ClassifyRequest {
    fn schema() -> RefOr<Schema> {
        let null = || ObjectBuilder::new().schema_type(Type::Null);
        let form = |text: RefOr<Schema>, records: RefOr<Schema>, required: &str| {
            let options = Ref::from_schema_name(OptionsForm::name());
            let form = ObjectBuilder::new().property("text", text).property("records", records);
            let form = form.property("options", options).required(required);
            form.additional_properties(Some(AdditionalProperties::FreeForm(false)))
        };
        let text = ObjectBuilder::new().schema_type(Type::String).pattern(Some(NOT_BLANK));
        let records = ArrayBuilder::new().items(Ref::from_schema_name(RecordForm::name()));
        let one = form(text.into(), null().into(), "text");
        let many = form(null().into(), records.into(), "records");
        Schema::OneOf(OneOfBuilder::new().item(one).item(many).build()).into()
    }
}

impl ToSchema for ClassifyRequest {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((OptionsForm::name().into_owned(), OptionsForm::schema()));
        schemas.push((RecordForm::name().into_owned(), RecordForm::schema()));
    }
}

/// The form of an [`AskedRecord`].
struct RecordForm;

impl PartialSchema for RecordForm {
    fn schema() -> RefOr<Schema> {
        let text = || ObjectBuilder::new().schema_type(Type::String);
        let or_null = || AnyOfBuilder::new().item(ObjectBuilder::new().schema_type(Type::Null));
        let form = |name: &str| {
            let published = text().pattern(Some("^[0-9]{4}")).examples([json!("2025-01-31")]);
            let form = ObjectBuilder::new().property("id", or_null().item(text()));
            let form = form.property(name, text()).property("published", or_null().item(published));
            form.required(name).additional_properties(Some(AdditionalProperties::FreeForm(false)))
        };
        Schema::OneOf(OneOfBuilder::new().item(form("text")).item(form("description")).build()).into()
    }
}

impl ToSchema for RecordForm {}

/// The answer to a request in JSON: a record, or one for each that was sent.
#[derive(ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "answers are written by the formats of the library; this is their form")]
pub(super) enum Classified {
    One(Record),
    Many { records: Vec<Record> },
}

/// The answer in JSON, to a request in JSON or to records in another form.
#[derive(ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "answers are written by the formats of the library; this is their form")]
pub(super) enum ClassifiedOrExported {
    Classified(Classified),
    Layer(Layer),
    Event(Event),
    Mappings(Mappings),
}

/// `POST /v1/classify`: in JSON `{"text"}` or `{"records"}`; in any other type a file of records.
#[utoipa::path(
    post,
    path = "/v1/classify",
    tag = "records",
    summary = "Classify a text, or records in any form",
    description = "In JSON one text or some records, with options. In any other type records in any form that the \
                   command line reads, plain or packed, told by their structure, with options behind the path: \
                   JSON Lines go out while records come in.",
    params(records::RecordOptions),
    request_body(content(
        (ClassifyRequest = "application/json", example = json!({ "text": "SQL injection in login.php" })),
        (AnyText = "application/x-ndjson", example = "{\"id\":\"a\",\"description\":\"Use after free\"}\n"),
        (AnyText = "text/csv", example = "cve_id,description\nCVE-2024-1,Use after free\n"),
        (AnyBytes = "application/octet-stream"),
    )),
    responses(
        (
            status = 200,
            description = "The answers. Of JSON Lines, each line is a Record, or a BadRecord for one that could not be \
                           read or has no text.",
            content(
                (ClassifiedOrExported = "application/json"),
                (String = "application/x-ndjson"),
                (String = "text/csv"),
                (AnyBytes = "application/vnd.apache.parquet"),
                (AnyBytes = "application/vnd.apache.arrow.stream"),
                (String = "application/sarif+json"),
                (String = "application/stix+json;version=2.1"),
                (String = "text/markdown"),
            ),
            headers(("x-records-failed" = Option<u64>, description = "Records that could not be read or have no text; \
                                                              not of JSON Lines, which tell of each"))
        ),
        RecordsErrors,
    )
)]
pub(super) async fn classify(State(app): State<Arc<App>>, request: Request) -> Result<Response, ApiError> {
    if body::kind(request.headers()) == "application/json" {
        if request.uri().query().is_some_and(|query| !query.is_empty()) {
            let message = "the options of a request in JSON stand in its body, not behind the path";
            return Err(ApiError::validation(message).hint(r#"send {"text": "…", "options": {…}}"#));
        }
        let request: ClassifyRequest = body::json(request, app.settings.body_bytes).await?;
        return answer(&app, request, false).await;
    }
    records::classify(app, request).await
}

/// `POST /v1/explain`: `{"text"}` or `{"records"}`, answered with evidence.
#[utoipa::path(
    post,
    path = "/v1/explain",
    tag = "records",
    summary = "Classify a text or records, with the reasons of each answer",
    request_body(content = ClassifyRequest, example = json!({ "text": "SQL injection in login.php" })),
    responses((status = 200, description = "The answers with their reasons", body = Classified), JsonErrors)
)]
pub(super) async fn explain(State(app): State<Arc<App>>, request: Request) -> Result<Response, ApiError> {
    let request: ClassifyRequest = body::json(request, app.settings.body_bytes).await?;
    answer(&app, request, true).await
}

async fn answer(app: &App, request: ClassifyRequest, explains: bool) -> Result<Response, ApiError> {
    let ClassifyRequest { text, records, options: Object(asked) } = request;
    let model = app.model(asked.model.as_deref())?;
    let ready = model.ready(&asked.options()?, false, explains || asked.evidence);
    match (text, records) {
        (Some(text), None) => {
            if text.trim().is_empty() {
                return Err(ApiError::empty());
            }
            let text = Text { key: RecordKey::default(), text, year: None };
            app.metrics.add_texts(1);
            let answers = model.answer(&ready, vec![text]).await?;
            Ok(written(ready.lines(&answers).trim_ascii_end().to_vec()))
        }
        (None, Some(records)) => {
            if records.len() > app.settings.texts {
                let message = format!("records: {} are more than {}", records.len(), app.settings.texts);
                return Err(ApiError::validation(message)
                    .hint("send more as JSON Lines: Content-Type: application/x-ndjson"));
            }
            let text = |Object(record): Object<AskedRecord>| Ok(Text::from(record.text_record()?));
            let texts = records.into_iter().map(text).collect::<Result<Vec<Text>, AskedError>>()?;
            app.metrics.add_texts(texts.len() as u64);
            let answers = model.answer(&ready, texts).await?;
            Ok(written(list(&ready.lines(&answers))))
        }
        _ => Err(ApiError::validation("the body has neither or both of `text` and `records`")
            .hint(r#"send {"text": "…"} or {"records": [{"id": "…", "text": "…"}]}"#)),
    }
}

/// JSON Lines as `{"records":[…]}`.
fn list(lines: &[u8]) -> Vec<u8> {
    let mut out = br#"{"records":["#.to_vec();
    for (number, line) in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).enumerate() {
        if number > 0 {
            out.push(b',');
        }
        out.extend_from_slice(line);
    }
    out.extend_from_slice(b"]}");
    out
}

/// An answer in JSON.
fn written(body: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_a_list() {
        assert_eq!(list(b""), br#"{"records":[]}"#);
        assert_eq!(list(b"{\"a\":1}\n{\"b\":2}\n"), br#"{"records":[{"a":1},{"b":2}]}"#);
    }
}
