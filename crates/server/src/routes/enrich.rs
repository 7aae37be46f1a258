//! `/v1/enrich`: a document in, the same document with the weaknesses that its findings lack out.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use vulnlens::{Classifier, Options};
use vulnlens_enrich::{EnrichError, EnrichFormat, EnrichOptions, EnrichSummary, Enricher, ThreadedPredictor};

use super::{body, query};
use crate::app::App;
use crate::error::ApiError;
use crate::forms::{AnyBytes, AnyText, RecordsErrors};

/// The longest document that is taken, as it comes and unpacked: it is held, and so is the answer.
const DOCUMENT_BYTES: u64 = 64 << 20;
/// The header with the number of findings by what became of them, as JSON.
const SUMMARY: HeaderName = HeaderName::from_static("x-enrich-summary");

/// The options behind the path.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct EnrichQuery {
    /// The name of a model of `/v1/models`; the first of them where none is named.
    #[param(nullable = false, example = "fast")]
    model: Option<String>,
    #[param(schema_with = format_schema, required = false)]
    format: Option<String>,
    /// The least score of a weakness that is written; 0.9 where none is named.
    #[param(nullable = false, minimum = 0, maximum = 1)]
    min_score: Option<f32>,
    /// The year to answer as of, whatever the finding's.
    #[param(nullable = false, minimum = 1980, maximum = 2200)]
    as_of: Option<u16>,
    /// Of CVE records, only the containers that would be added.
    #[serde(default)]
    container: bool,
}

fn format_names() -> Vec<&'static str> {
    EnrichFormat::all().into_iter().map(EnrichFormat::name).collect()
}

fn format_schema() -> Schema {
    let names = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(format_names()));
    names.description(Some("The form of the document, which its structure tells as a rule")).build().into()
}

impl EnrichQuery {
    fn options(&self) -> Result<EnrichOptions, ApiError> {
        let format = self.format.as_deref().map(|name| {
            EnrichFormat::named(name).ok_or_else(|| {
                let message = format!("format: {name:?} is not one of {}", format_names().join(", "));
                ApiError::new(StatusCode::NOT_ACCEPTABLE, "NotAcceptable", message)
            })
        });
        let options = EnrichOptions::default().format(format.transpose()?).container(self.container);
        let options = options.unpacked_bytes(DOCUMENT_BYTES);
        let Some(min_score) = self.min_score else { return Ok(options) };
        if !(0.0..=1.0).contains(&min_score) {
            return Err(ApiError::validation(format!("min_score: {min_score} is not from 0 to 1")));
        }
        Ok(options.min_score(min_score))
    }

    fn as_of(&self) -> Result<Option<u16>, ApiError> {
        match self.as_of {
            Some(year) if !(1980..=2200).contains(&year) => {
                Err(ApiError::validation(format!("as_of: {year} is not a year from 1980 to 2200")))
            }
            as_of => Ok(as_of),
        }
    }
}

/// `POST /v1/enrich`: a document in, the same document filled out.
#[utoipa::path(
    post,
    path = "/v1/enrich",
    tag = "records",
    summary = "Fill missing weaknesses into a document",
    description = "An advisory, a report of a scanner, records or a table; the same bytes with insertions come out. \
                   docs/enrich.md lists the formats. The header X-Enrich-Summary has the number of \
                   findings by what became of them, as JSON.",
    params(EnrichQuery),
    request_body(content(
        (
            AnyText = "application/x-ndjson",
            example = "{\"id\":\"a\",\"description\":\"SQL injection in login.php via the id parameter\"}\n"
        ),
        (AnyText = "text/csv", example = "cve_id,description\nCVE-2024-1,SQL injection via the id parameter\n"),
        (AnyBytes = "application/octet-stream"),
    )),
    responses(
        (
            status = 200,
            description = "The document, with the Content-Type that it came with.",
            content((String = "application/x-ndjson"), (String = "text/csv"), (AnyBytes = "application/octet-stream"))
        ),
        RecordsErrors,
    )
)]
pub(super) async fn enrich(State(app): State<Arc<App>>, request: Request) -> Result<Response, ApiError> {
    let asked: EnrichQuery = query::options(request.uri())?;
    let (options, as_of) = (asked.options()?, asked.as_of()?);
    let model = app.model(asked.model.as_deref())?;
    let limit = app.settings.records_bytes.min(DOCUMENT_BYTES);
    let kind = request.headers().get(header::CONTENT_TYPE).cloned();
    let document = body::whole(request.into_body(), usize::try_from(limit).unwrap_or(usize::MAX)).await?;
    if document.is_empty() {
        return Err(ApiError::empty());
    }
    let (classifier, threads) = (model.classifier.clone(), app.settings.threads);
    let work = move || filled(&classifier, threads, as_of, options, &document);
    let (summary, filled) = tokio::task::spawn_blocking(work).await??;
    app.metrics.add_texts(summary.total().saturating_sub(summary.bad));
    app.metrics.add_failed(summary.bad);
    let mut response = filled.into_response();
    let kind = kind.unwrap_or(HeaderValue::from_static("application/octet-stream"));
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    // Counts and fixed words always become JSON of printable characters.
    let summary =
        serde_json::to_string(&summary).ok().and_then(|summary| HeaderValue::from_str(&summary).ok());
    response.headers_mut().extend(summary.map(|summary| (SUMMARY, summary)));
    Ok(response)
}

fn filled(
    classifier: &Classifier,
    threads: usize,
    as_of: Option<u16>,
    options: EnrichOptions,
    document: &Bytes,
) -> Result<(EnrichSummary, Vec<u8>), ApiError> {
    let predictor = ThreadedPredictor::new(classifier, Options::default().as_of(as_of), threads);
    let bytes: &[u8] = document;
    let mut out = Vec::with_capacity(bytes.len());
    let done = Enricher::new(predictor, options).enrich("the body", bytes, &mut out, &mut |_| {});
    match done {
        Ok(summary) => Ok((summary, out)),
        Err(error @ (EnrichError::Write(_) | EnrichError::Stopped)) => {
            Err(ApiError::backend(error.to_string()))
        }
        Err(error) => Err(ApiError::validation(error.to_string())),
    }
}
