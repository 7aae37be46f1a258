//! `/v1/kb/{id}` and `/v1/matrix`: the knowledge base.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;
use vulnlens::report::{Entry, EntryId};
use vulnlens::taxonomy::Domain;

use crate::app::App;
use crate::error::ApiError;

/// `GET /v1/kb/{id}`: an entry of the catalogues.
pub(super) async fn entry(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Json<Entry>, ApiError> {
    let id: EntryId = id
        .parse()
        .map_err(|error: vulnlens::report::ParseEntryIdError| ApiError::validation(error.to_string()))?;
    let entry = Entry::of(id, app.knowledge_base()?);
    entry.map(Json).ok_or_else(|| ApiError::not_found(format!("the knowledge base does not know {id}")))
}

#[derive(Serialize)]
pub(super) struct Matrix {
    tactics: Vec<Column>,
}

/// A tactic with the techniques that serve it.
#[derive(Serialize)]
struct Column {
    id: String,
    name: String,
    short_name: String,
    techniques: Vec<Cell>,
}

#[derive(Serialize)]
struct Cell {
    id: String,
    name: String,
}

/// `GET /v1/matrix`: the tactics of ATT&CK's Enterprise matrix in its order, with their techniques by name.
pub(super) async fn matrix(State(app): State<Arc<App>>) -> Result<Json<Matrix>, ApiError> {
    let kb = app.knowledge_base()?;
    let mut tactics: Vec<_> = kb.tactics().filter(|tactic| tactic.domain == Domain::Enterprise).collect();
    tactics.sort_by_key(|tactic| (tactic.column, tactic.id));
    let column = |tactic: &vulnlens::taxonomy::Tactic| {
        let in_force = kb.techniques().filter(|technique| !technique.revoked && !technique.deprecated);
        let of_tactic = in_force.filter(|technique| technique.tactics.contains(&tactic.id));
        let parents = of_tactic.filter(|technique| !technique.id.is_sub_technique());
        let mut techniques: Vec<Cell> = parents
            .map(|technique| Cell { id: technique.id.to_string(), name: technique.name.clone() })
            .collect();
        techniques.sort_by(|a, b| a.name.cmp(&b.name));
        let (id, name, short_name) = (tactic.id.to_string(), tactic.name.clone(), tactic.shortname.clone());
        Column { id, name, short_name, techniques }
    };
    Ok(Json(Matrix { tactics: tactics.into_iter().map(column).collect() }))
}
