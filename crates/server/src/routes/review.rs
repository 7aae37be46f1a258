//! `/v1/review`: the weaknesses that records carry against those that their texts tell.

use std::io;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Query, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream::unfold;
use serde::Deserialize;
use tokio::sync::mpsc;
use vulnlens::Answerer;
use vulnlens::records::{Mapped, PassedOver, mapped_record, review_options};
use vulnlens::report::{Renderer, Review, ReviewFormat, ReviewReport, Setup};
use vulnlens::stream::{self, Answered, Job};
use vulnlens_corpus::Records;

use super::records::{WAITING, push_error, read};
use crate::app::App;
use crate::error::ApiError;

/// The options behind the path.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReviewOptions {
    /// `jsonl` or `markdown`.
    format: Option<String>,
    model: Option<String>,
}

/// `POST /v1/review`: records that carry weaknesses in, in any form; a verdict for each out.
pub(super) async fn review(
    State(app): State<Arc<App>>,
    Query(asked): Query<ReviewOptions>,
    request: Request,
) -> Result<Response, ApiError> {
    let format = match asked.format.as_deref() {
        None | Some("jsonl") => ReviewFormat::JsonLines,
        Some("markdown") => ReviewFormat::Markdown,
        Some(other) => {
            let message = format!("format: {other:?} is not one of jsonl, markdown");
            return Err(ApiError::new(StatusCode::NOT_ACCEPTABLE, "NotAcceptable", message));
        }
    };
    let (_, model) = app.model(asked.model.as_deref())?;
    let ready = model.ready(&review_options(), false, false);
    let (parts, answered) = mpsc::channel(WAITING);
    let (answerer, setup, limit) = (ready.answerer(), ready.setup.clone(), app.settings.records_bytes);
    let work = move |records| run(&app, records, answerer, setup, format, &parts);
    read(request.into_body(), limit, None, work).await?;
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
    let reviewed =
        stream::classify(&job, records.map(mapped_record), |answered: Answered<Mapped, PassedOver>| {
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
        });
    let ended = reviewed.map_err(io::Error::other).and_then(|()| send(report.finish().into_bytes()));
    if let Err(error) = ended {
        // A client that went away does not hear of it.
        let _ = parts.blocking_send(Err(error));
    }
}
