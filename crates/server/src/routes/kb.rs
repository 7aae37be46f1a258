//! `/v1/kb/{id}` and `/v1/matrix`: the knowledge base.

use std::borrow::Cow;
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use serde::Serialize;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AnyOfBuilder, ArrayBuilder, ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};
use vulnlens::report::{Entry, EntryId};
use vulnlens::taxonomy::Domain;

use crate::app::App;
use crate::error::ApiError;
use crate::forms::{EntryErrors, KnownErrors};

/// The form of an entry: its id, its name, and facts that depend on its kind.
pub(super) struct EntryForm;

impl PartialSchema for EntryForm {
    fn schema() -> RefOr<Schema> {
        let text = || ObjectBuilder::new().schema_type(Type::String);
        let suggestion = ObjectBuilder::new().property("cwe", text()).property("comment", text());
        let suggestion = suggestion.required("cwe").required("comment");
        let list = ArrayBuilder::new().items(AnyOfBuilder::new().item(text()).item(suggestion));
        let fact = AnyOfBuilder::new().item(text()).item(list).build();
        let entry = ObjectBuilder::new().property("id", text()).property("name", text());
        entry.required("id").required("name").additional_properties(Some(Schema::AnyOf(fact))).build().into()
    }
}

impl ToSchema for EntryForm {
    fn name() -> Cow<'static, str> {
        "Entry".into()
    }
}

/// `GET /v1/kb/{id}`: an entry of the catalogues.
#[utoipa::path(
    get,
    path = "/v1/kb/{id}",
    tag = "knowledge",
    summary = "Show an entry of CWE, CAPEC or ATT&CK",
    params((
        "id" = String,
        Path,
        description = "The id of a weakness, category, view, pattern, technique or tactic",
        pattern = "^(CWE-[0-9]{1,5}|CAPEC-[0-9]{1,4}|T[0-9]{4}(\\.[0-9]{3})?|TA[0-9]{4})$",
        example = "CWE-79"
    )),
    responses((status = 200, description = "The entry", body = EntryForm), EntryErrors)
)]
pub(super) async fn entry(
    State(app): State<Arc<App>>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<Entry>, ApiError> {
    let Path(id) = id?;
    let id: EntryId = id
        .parse()
        .map_err(|error: vulnlens::report::ParseEntryIdError| ApiError::validation(error.to_string()))?;
    let entry = Entry::of(id, &*app.knowledge_base()?);
    entry.map(Json).ok_or_else(|| ApiError::not_found(format!("the knowledge base does not know {id}")))
}

#[derive(Serialize, ToSchema)]
pub(super) struct Matrix {
    tactics: Vec<Column>,
}

/// A tactic with the techniques that serve it.
#[derive(Serialize, ToSchema)]
struct Column {
    id: String,
    name: String,
    short_name: String,
    techniques: Vec<Cell>,
}

#[derive(Serialize, ToSchema)]
struct Cell {
    id: String,
    name: String,
}

/// `GET /v1/matrix`: the tactics of ATT&CK's Enterprise matrix in its order, with their techniques by name.
#[utoipa::path(
    get,
    path = "/v1/matrix",
    tag = "knowledge",
    summary = "Show the matrix of ATT&CK Enterprise",
    responses((status = 200, description = "The tactics with their techniques", body = Matrix), KnownErrors)
)]
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
