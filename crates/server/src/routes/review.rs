//! `/v1/review`: the weaknesses that records carry against those that their texts tell.

use std::io;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream::unfold;
use serde::Deserialize;
use tokio::sync::mpsc;
use utoipa::IntoParams;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use vulnlens::Answerer;
use vulnlens::records::{Mapped, PassedOver, mapped_record, review_options};
use vulnlens::report::{Renderer, Review, ReviewFormat, ReviewReport, Setup};
use vulnlens::stream::{self, Answered, Job};
use vulnlens_corpus::Records;

use super::query;
use super::records::{WAITING, push_error, read};
use crate::app::App;
use crate::error::ApiError;
use crate::forms::{AnyBytes, AnyText, RecordsErrors};

/// The forms of reviews for programs, and of reports to post.
const FORMATS: [ReviewFormat; 2] = [ReviewFormat::JsonLines, ReviewFormat::Markdown];

/// The options behind the path.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ReviewOptions {
    #[param(schema_with = format_schema, required = false)]
    format: Option<String>,
    /// The name of a model of `/v1/models`; the first of them where none is named.
    #[param(nullable = false, example = "fast")]
    model: Option<String>,
}

fn format_schema() -> Schema {
    let names = FORMATS.map(ReviewFormat::name);
    let names = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names));
    names.description(Some("The form of the answer; JSON Lines where none is named")).build().into()
}

impl ReviewOptions {
    fn format(&self) -> Result<ReviewFormat, ApiError> {
        let Some(name) = &self.format else { return Ok(ReviewFormat::JsonLines) };
        FORMATS.into_iter().find(|format| format.name() == name).ok_or_else(|| {
            let message =
                format!("format: {name:?} is not one of {}", FORMATS.map(ReviewFormat::name).join(", "));
            ApiError::new(StatusCode::NOT_ACCEPTABLE, "NotAcceptable", message)
        })
    }
}

/// `POST /v1/review`: records that carry weaknesses in, in any form; a verdict for each out.
#[utoipa::path(
    post,
    path = "/v1/review",
    tag = "records",
    summary = "Review the weaknesses that records carry",
    description = "Records in any form that the command line reads; a verdict for each that carries a weakness. \
                   docs/review.md says what is in it.",
    params(ReviewOptions),
    request_body(content(
        (
            AnyText = "application/x-ndjson",
            example = "{\"id\":\"a\",\"description\":\"Use after free\",\"cwe\":\"CWE-79\"}\n"
        ),
        (AnyText = "text/csv", example = "cve_id,description,cwe\nCVE-2024-1,Use after free,CWE-79\n"),
        (AnyBytes = "application/octet-stream"),
    )),
    responses(
        (
            status = 200,
            description = "The verdicts. Of JSON Lines, each line is a verdict, or a BadRecord for a record that could \
                           not be read or has no text.",
            content((String = "application/x-ndjson"), (String = "text/markdown"))
        ),
        RecordsErrors,
    )
)]
pub(super) async fn review(State(app): State<Arc<App>>, request: Request) -> Result<Response, ApiError> {
    let asked: ReviewOptions = query::options(request.uri())?;
    let format = asked.format()?;
    let model = app.model(asked.model.as_deref())?;
    let ready = model.ready(&review_options(), false, false);
    let (parts, answered) = mpsc::channel(WAITING);
    let (answerer, setup, limit) = (ready.answerer(), ready.setup.clone(), app.settings.records_bytes);
    let work = move |records| run(&app, records, answerer, setup, format, &parts);
    read(request, limit, None, work).await?;
    let kind = match format {
        ReviewFormat::JsonLines => "application/x-ndjson",
        _ => "text/markdown; charset=utf-8",
    };
    let parts = unfold(answered, |mut parts| async move { Some((parts.recv().await?, parts)) });
    Ok(([(header::CONTENT_TYPE, kind)], Body::from_stream(parts)).into_response())
}

/// Reviews records until there are none, or the client wants no more.
fn run(
    app: &App,
    records: Records,
    answerer: Answerer,
    setup: Setup,
    format: ReviewFormat,
    parts: &mpsc::Sender<Result<Bytes, io::Error>>,
) {
    let kb = Arc::clone(&setup.kb);
    let mut report = ReviewReport::new(format, setup);
    let job = Job::new(answerer, Renderer::default(), app.settings.threads);
    let send = |bytes: Vec<u8>| match bytes.is_empty() {
        true => Ok(()),
        false => {
            parts.blocking_send(Ok(bytes.into())).map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))
        }
    };
    let reviewed = stream::classify(
        &job,
        records.with_text().map(mapped_record),
        |answered: Answered<Mapped, PassedOver>| {
            let mut out = Vec::new();
            app.metrics.add_texts(answered.count);
            for passed_over in &answered.errors {
                match passed_over {
                    PassedOver::Unmapped => report.add_unmapped(),
                    PassedOver::Bad(error) if error.is_note() || error.is_passed_over() => {}
                    PassedOver::Bad(error) => {
                        app.metrics.add_failed(1);
                        if format == ReviewFormat::JsonLines {
                            push_error(error, &mut out);
                        }
                    }
                }
            }
            let answers = answered.piece.into_answers().into_iter().zip(answered.places);
            for review in answers.filter_map(|(answer, (_, mapped))| Review::of(answer, mapped, &kb)) {
                report.add(&review, &mut out).map_err(io::Error::other)?;
            }
            send(out)
        },
    );
    let ended = reviewed.map_err(io::Error::other).and_then(|()| send(report.finish().into_bytes()));
    if let Err(error) = ended {
        // A client that went away does not hear of it.
        let _ = parts.blocking_send(Err(error));
    }
}
