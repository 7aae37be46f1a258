//! Options behind paths, and ids in them.

use axum::extract::Query;
use axum::http::Uri;
use serde::de::DeserializeOwned;

use crate::error::ApiError;

/// The options behind a path.
///
/// # Errors
/// One is unknown, given twice, or of another type; the message names it.
pub(super) fn options<T: DeserializeOwned>(uri: &Uri) -> Result<T, ApiError> {
    let read = Query::try_from_uri(uri).map(|Query(options)| options);
    read.map_err(|error| ApiError::validation(error.body_text()))
}
