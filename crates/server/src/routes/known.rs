//! `/v1/records/{cve}`: the text of a CVE's record, where the server was given texts.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use serde::Serialize;
use utoipa::ToSchema;
use vulnlens::CveId;

use crate::app::App;
use crate::error::ApiError;
use crate::forms::EntryErrors;

#[derive(Serialize, ToSchema)]
pub(super) struct CveRecord {
    id: String,
    text: String,
    /// The day of publication, where it is known.
    published: Option<String>,
}

/// `GET /v1/records/{cve}`: a record that can be sent to `/v1/classify` as it is.
#[utoipa::path(
    get,
    path = "/v1/records/{cve}",
    tag = "knowledge",
    summary = "Show the text of a CVE, of the data set that the server was started with",
    params((
        "cve" = String,
        Path,
        description = "The id of the CVE",
        pattern = "^CVE-[0-9]{4}-[0-9]{4,9}$",
        example = "CVE-2021-44228"
    )),
    responses((status = 200, description = "The record", body = CveRecord), EntryErrors)
)]
pub(super) async fn record(
    State(app): State<Arc<App>>,
    cve: Result<Path<String>, PathRejection>,
) -> Result<Json<CveRecord>, ApiError> {
    let Path(cve) = cve?;
    let cve: CveId =
        cve.parse().map_err(|_| ApiError::validation(format!("{cve:?} is not the id of a CVE")))?;
    let Some(texts) = app.settings.cve_texts.clone() else {
        return Err(
            ApiError::not_found("the server has no texts of CVEs").hint("start it with --data DATASET")
        );
    };
    // A data set is read from its start to the record.
    let found = tokio::task::spawn_blocking(move || texts.of(cve)).await?;
    let found = found.map_err(ApiError::backend)?;
    let found =
        found.ok_or_else(|| ApiError::not_found(format!("the data set of the server has no {cve}")))?;
    Ok(Json(CveRecord { id: cve.to_string(), text: found.text, published: found.published }))
}
