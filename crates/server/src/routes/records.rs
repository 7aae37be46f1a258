//! Records in any form that the command line reads, in and out as a stream.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream::unfold};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio_util::io::{StreamReader, SyncIoBridge};
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{IntoParams, ToSchema};
use vulnlens::records::{RECORD_BYTES, text_record};
use vulnlens::report::{Format, Renderer, Writer};
use vulnlens::stream::{self, Answered, Job};
use vulnlens::{Answerer, AskedOptions};
use vulnlens_corpus::sources::{self, SourceFormat};
use vulnlens_corpus::{Input, Limits, RecordError, Records};

use super::{body, query};
use crate::app::App;
use crate::error::ApiError;
use crate::options::{count_text_schema, domain_text_schema, labels_text_schema, taxonomy_text_schema};

/// Parts of an answer that wait for the client at most.
pub(super) const WAITING: usize = 8;
/// The header that counts the records which could not be read, where the answer is no JSON Lines.
const FAILED: HeaderName = HeaderName::from_static("x-records-failed");

/// The options behind the path.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct RecordOptions {
    #[param(schema_with = format_schema, required = false)]
    format: Option<String>,
    #[param(schema_with = input_format_schema, required = false)]
    input_format: Option<String>,
    /// The name of a model of `/v1/models`; the first of them where none is named.
    #[param(nullable = false, example = "fast")]
    model: Option<String>,
    #[param(schema_with = taxonomy_text_schema, required = false)]
    taxonomy: Option<String>,
    #[param(schema_with = labels_text_schema, required = false)]
    labels: Option<String>,
    #[param(schema_with = count_text_schema, required = false)]
    top_k: Option<String>,
    /// The least probability of a label that is listed.
    #[param(nullable = false, minimum = 0, maximum = 1)]
    threshold: Option<f64>,
    /// The year to answer as of, whatever the record's.
    #[param(nullable = false, minimum = 1980, maximum = 2200)]
    as_of: Option<u16>,
    /// Reasons for each answer.
    #[serde(default)]
    evidence: bool,
    /// The severity that the text implies.
    #[serde(default)]
    severity: bool,
    /// Techniques of MITRE ATLAS, for texts about a component of artificial intelligence.
    #[serde(default)]
    atlas: bool,
    /// Countermeasures of MITRE D3FEND.
    #[serde(default)]
    d3fend: bool,
    #[param(schema_with = domain_text_schema, required = false)]
    domain: Option<String>,
}

/// The names of the forms that answers have.
fn format_names() -> Vec<&'static str> {
    Format::ALL.iter().filter(|format| !format.is_for_people()).map(Format::name).collect()
}

fn format_schema() -> Schema {
    let names = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(format_names()));
    names.description(Some("The form of the answer; JSON Lines where none is named")).build().into()
}

fn input_format_schema() -> Schema {
    let names = sources::file_formats().map(|format| format.name());
    let names = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names));
    names.description(Some("The form of the records, which their structure tells as a rule")).build().into()
}

impl RecordOptions {
    /// The options as a body in JSON has them.
    fn asked(&self) -> Result<AskedOptions, ApiError> {
        let mut fields = serde_json::Map::new();
        let mut add = |name: &str, value: Option<serde_json::Value>| {
            fields.extend(value.map(|value| (name.to_owned(), value)));
        };
        add("model", self.model.clone().map(Into::into));
        add("taxonomy", self.taxonomy.clone().map(Into::into));
        add("labels", self.labels.clone().map(Into::into));
        add("top_k", self.top_k.clone().map(Into::into));
        add("threshold", self.threshold.map(Into::into));
        add("as_of", self.as_of.map(Into::into));
        add("evidence", Some(self.evidence.into()));
        add("severity", Some(self.severity.into()));
        add("atlas", Some(self.atlas.into()));
        add("d3fend", Some(self.d3fend.into()));
        add("domain", self.domain.clone().map(Into::into));
        serde_json::from_value(fields.into())
            .map_err(|error| ApiError::validation(format!("the options: {error}")))
    }

    fn format(&self) -> Result<&'static Format, ApiError> {
        let Some(name) = &self.format else { return Ok(Format::JSON_LINES) };
        let found = Format::named(name).filter(|format| !format.is_for_people());
        found.ok_or_else(|| {
            let message = format!("format: {name:?} is not one of {}", format_names().join(", "));
            ApiError::new(StatusCode::NOT_ACCEPTABLE, "NotAcceptable", message)
        })
    }

    fn input_format(&self) -> Result<Option<SourceFormat>, ApiError> {
        let Some(name) = &self.input_format else { return Ok(None) };
        let found = sources::file_formats().find(|format| format.name() == name);
        let known = || sources::file_formats().map(|format| format.name()).collect::<Vec<_>>().join(", ");
        found
            .map(Some)
            .ok_or_else(|| ApiError::validation(format!("input_format: {name:?} is not one of {}", known())))
    }
}

/// The work on the records of one request.
struct Work {
    app: Arc<App>,
    answerer: Answerer,
    renderer: Renderer,
    writer: Writer,
    /// The bytes before the first record.
    head: Vec<u8>,
    /// True where errors stand among the answers, as JSON.
    tells_errors: bool,
    failed: Arc<AtomicU64>,
}

/// Classifies the records of a body. JSON Lines go out while records come in; other forms when all are read.
pub(super) async fn classify(app: Arc<App>, request: Request) -> Result<Response, ApiError> {
    let asked: RecordOptions = query::options(request.uri())?;
    let (format, input_format, options) = (asked.format()?, asked.input_format()?, asked.asked()?);
    let model = app.model(options.model.as_deref())?;
    let ready = model.ready(&options.options()?, format.needs_assigned(), options.evidence);
    let mut head = Vec::new();
    let opened = format.open(&ready.setup, &mut head);
    let (renderer, writer) = opened.map_err(|error| ApiError::backend(error.to_string()))?;
    let tells_errors = format == Format::JSON_LINES;
    let failed = Arc::new(AtomicU64::new(0));
    let work = Work {
        app: Arc::clone(&app),
        answerer: ready.answerer().keeping_texts(format.needs_text()),
        renderer,
        writer,
        head,
        tells_errors,
        failed: Arc::clone(&failed),
    };
    let (parts, mut answered) = mpsc::channel(WAITING);
    let limit = app.settings.records_bytes;
    read(request, limit, input_format, move |records| work.run(records, &parts)).await?;
    let kind = format.media_type();
    if tells_errors {
        let parts = unfold(answered, |mut parts| async move { Some((parts.recv().await?, parts)) });
        return Ok(([(header::CONTENT_TYPE, kind)], Body::from_stream(parts)).into_response());
    }
    let mut whole = Vec::new();
    while let Some(part) = answered.recv().await {
        whole.extend_from_slice(&part.map_err(|error| ApiError::backend(error.to_string()))?);
    }
    let mut response = ([(header::CONTENT_TYPE, kind)], whole).into_response();
    response.headers_mut().insert(FAILED, HeaderValue::from(failed.load(Ordering::Relaxed)));
    Ok(response)
}

/// Opens the records of a body and lets `work` go through them, on a thread that may wait.
///
/// # Errors
/// The body is in none of the forms that records are read from, too long, too slow, or was broken off.
pub(super) async fn read(
    request: Request,
    limit: u64,
    format: Option<SourceFormat>,
    work: impl FnOnce(Records) + Send + 'static,
) -> Result<(), ApiError> {
    match body::length(request.headers()) {
        Some(0) => return Err(ApiError::empty()),
        Some(length) if length > limit => return Err(ApiError::too_large(limit)),
        _ => {}
    }
    let (opened, wait) = tokio::sync::oneshot::channel();
    let fault = Arc::new(OnceLock::new());
    let reader = reader(request.into_body(), limit, Arc::clone(&fault));
    tokio::task::spawn_blocking(move || {
        let limits = Limits { record_bytes: RECORD_BYTES, ..Limits::default() };
        let options = sources::Options { format, limits, ..sources::Options::default() };
        let records = sources::open(Input::stream("the body", reader), &options);
        // What was read before a fault is not answered where nothing has gone out yet. A client that went away does not
        // want the answer.
        match (records, fault.get().cloned()) {
            (_, Some(fault)) => {
                let _ = opened.send(Err(fault));
            }
            (Err(error), None) => {
                let _ = opened.send(Err(ApiError::validation(error.to_string())));
            }
            (Ok(records), None) => {
                let _ = opened.send(Ok(()));
                work(records);
            }
        }
    });
    wait.await?
}

/// A body as a reader for a thread that may wait; one that is longer than the limit ends in an error. The reader's
/// error has the words of the fault, which stands in `fault`.
fn reader(body: Body, limit: u64, fault: Arc<OnceLock<ApiError>>) -> impl io::Read + Send + 'static {
    let mut left = limit;
    let bounded = body.into_data_stream().map(move |part| {
        let part = part.map_err(|error| body::reading(&error, limit)).and_then(|part: Bytes| {
            left = left.checked_sub(part.len() as u64).ok_or_else(|| ApiError::too_large(limit))?;
            Ok(part)
        });
        part.map_err(|error| {
            let words = io::Error::other(error.message().to_owned());
            // The first fault is the one that the reader ends with.
            let _ = fault.set(error);
            words
        })
    });
    SyncIoBridge::new(StreamReader::new(Box::pin(bounded)))
}

impl Work {
    /// Answers records until there are none, or the client wants no more.
    fn run(self, records: Records, parts: &mpsc::Sender<Result<Bytes, io::Error>>) {
        let Self { app, answerer, renderer, mut writer, mut head, tells_errors, failed } = self;
        let job = Job::new(answerer, renderer, app.settings.threads);
        let texts = records.with_text().map(|record| record.map(text_record));
        let send = |bytes: Vec<u8>| match bytes.is_empty() {
            true => Ok(()),
            false => {
                parts.blocking_send(Ok(bytes.into())).map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))
            }
        };
        let answered = stream::classify(&job, texts, |answered: Answered<_, RecordError>| {
            let mut out = std::mem::take(&mut head);
            app.metrics.add_texts(answered.count);
            for error in answered.errors.iter().filter(|error| !error.is_note() && !error.is_passed_over()) {
                failed.fetch_add(1, Ordering::Relaxed);
                app.metrics.add_failed(1);
                if tells_errors {
                    push_error(error, &mut out);
                }
            }
            writer.write(answered.piece, &mut out).map_err(io::Error::other)?;
            send(out)
        });
        let mut end = std::mem::take(&mut head);
        let ended = answered.map_err(io::Error::other).and_then(|()| {
            writer.finish(&mut end).map_err(io::Error::other)?;
            send(end)
        });
        if let Err(error) = ended {
            // A client that went away does not hear of it.
            let _ = parts.blocking_send(Err(error));
        }
    }
}

/// A line among JSON Lines for a record that could not be read or has no text.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BadRecord {
    #[schema(minimum = 1, maximum = 1)]
    schema_version: u8,
    /// The record's place, and the problem.
    error: String,
}

/// Adds a record that could not be read as a line among the answers.
pub(super) fn push_error(error: &RecordError, out: &mut Vec<u8>) {
    let line = BadRecord { schema_version: 1, error: error.to_string() };
    // A number and a text can be written to memory.
    let _ = serde_json::to_writer(&mut *out, &line);
    out.push(b'\n');
}
