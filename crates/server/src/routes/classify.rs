//! `/v1/classify` and `/v1/explain`: records in, record output out.

use std::sync::Arc;

use axum::extract::{Query, Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use vulnlens::report::RecordKey;
use vulnlens::{AskedError, AskedOptions, AskedRecord};

use super::{body, records};
use crate::answering::Text;
use crate::app::App;
use crate::error::ApiError;

/// A request: one text, or records, with options.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClassifyRequest {
    text: Option<String>,
    records: Option<Vec<AskedRecord>>,
    #[serde(default)]
    options: AskedOptions,
}

/// `POST /v1/classify`: in JSON `{"text"}` or `{"records"}`; in any other type a file of records.
pub(super) async fn classify(
    State(app): State<Arc<App>>,
    Query(asked): Query<records::RecordOptions>,
    request: Request,
) -> Result<Response, ApiError> {
    if body::kind(request.headers()) == "application/json" {
        let request: ClassifyRequest = body::json(request, app.settings.body_bytes).await?;
        return answer(&app, request, false).await;
    }
    records::classify(app, asked, request).await
}

/// `POST /v1/explain`: `{"text"}` or `{"records"}`, answered with evidence.
pub(super) async fn explain(State(app): State<Arc<App>>, request: Request) -> Result<Response, ApiError> {
    let request: ClassifyRequest = body::json(request, app.settings.body_bytes).await?;
    answer(&app, request, true).await
}

async fn answer(app: &App, request: ClassifyRequest, explains: bool) -> Result<Response, ApiError> {
    let ClassifyRequest { text, records, options: asked } = request;
    let (_, model) = app.model(asked.model.as_deref())?;
    let ready = model.ready(&asked.options()?, false, explains || asked.evidence);
    match (text, records) {
        (Some(text), None) => {
            if text.trim().is_empty() {
                return Err(ApiError::empty());
            }
            let text = Text { key: RecordKey::default(), text, year: None };
            app.metrics.add_texts(1);
            let answers = model.answer(&ready, vec![text]).await?;
            Ok(json(ready.lines(&answers).trim_ascii_end().to_vec()))
        }
        (None, Some(records)) => {
            if records.len() > app.settings.texts {
                let message = format!("records: {} are more than {}", records.len(), app.settings.texts);
                return Err(ApiError::validation(message)
                    .hint("send more as JSON Lines: Content-Type: application/x-ndjson"));
            }
            let text = |record: AskedRecord| Ok(Text::from(record.text_record()?));
            let texts = records.into_iter().map(text).collect::<Result<Vec<Text>, AskedError>>()?;
            app.metrics.add_texts(texts.len() as u64);
            let answers = model.answer(&ready, texts).await?;
            Ok(json(list(&ready.lines(&answers))))
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

/// A body in JSON.
pub(super) fn json(body: Vec<u8>) -> Response {
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
