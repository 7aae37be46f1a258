//! Forms that the description of the routes has in common: records, and the errors of routes.

use std::collections::BTreeMap;

use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, PartialSchema, ToSchema};

use crate::error::ErrorBody;

/// The name of the schema of records among the components.
pub(crate) const RECORD_NAME: &str = "Record";
/// The beginning of references to components.
pub(crate) const COMPONENTS: &str = "#/components/schemas/";

/// A record of record output, version 1.
pub(crate) struct Record;

impl PartialSchema for Record {
    fn schema() -> RefOr<Schema> {
        RefOr::Ref(Ref::new(format!("{COMPONENTS}{RECORD_NAME}")))
    }
}

impl ToSchema for Record {}

/// A layer of the ATT&CK Navigator, whose form is MITRE's.
pub(crate) struct Layer;

impl PartialSchema for Layer {
    fn schema() -> RefOr<Schema> {
        let keys = ["name", "versions", "domain", "techniques"];
        let layer = ObjectBuilder::new().description(Some("A layer of the ATT&CK Navigator"));
        keys.into_iter().fold(layer, ObjectBuilder::required).build().into()
    }
}

impl ToSchema for Layer {}

/// An event of MISP, whose form is MISP's.
pub(crate) struct Event;

impl PartialSchema for Event {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().description(Some("An event of MISP")).required("Event").build().into()
    }
}

impl ToSchema for Event {}

/// Mappings to ATT&CK, whose form is that of Mappings Explorer.
pub(crate) struct Mappings;

impl PartialSchema for Mappings {
    fn schema() -> RefOr<Schema> {
        let mappings =
            ObjectBuilder::new().description(Some("Mappings to ATT&CK, as Mappings Explorer has them"));
        mappings.required("mapping_objects").required("metadata").build().into()
    }
}

impl ToSchema for Mappings {}

/// A body of any bytes.
pub(crate) struct AnyBytes;

impl PartialSchema for AnyBytes {
    fn schema() -> RefOr<Schema> {
        let format = SchemaFormat::KnownFormat(KnownFormat::Binary);
        ObjectBuilder::new().schema_type(Type::String).format(Some(format)).min_length(Some(1)).build().into()
    }
}

impl ToSchema for AnyBytes {}

/// A body of any text.
pub(crate) struct AnyText;

impl PartialSchema for AnyText {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).build().into()
    }
}

impl ToSchema for AnyText {}

/// The reason of an error by its status, for readers of the description.
fn reason(status: u16) -> &'static str {
    match status {
        400 => "The request has no Host, or its body is not JSON, was broken off or has no text",
        401 => "The key is missing or wrong",
        403 => "The Host is not a name of the server, or a page of another origin asks",
        404 => "There is no such model or entry",
        406 => "There is no such format",
        408 => "The body came too slowly",
        413 => "The body is too long",
        415 => "The Content-Type is not application/json",
        422 => "A value is wrong, unknown or out of its range; or the body is not a source of records",
        _ => "The server has as many requests as it takes; Retry-After says when to come again",
    }
}

fn errors(statuses: &[u16]) -> BTreeMap<String, RefOr<Response>> {
    let error = Ref::new(format!("{COMPONENTS}{}", ErrorBody::name()));
    let content = ContentBuilder::new().schema(Some(error)).build();
    let response = |status: u16| {
        let response = ResponseBuilder::new().description(reason(status));
        RefOr::T(response.content("application/json", content.clone()).build())
    };
    statuses.iter().map(|status| (status.to_string(), response(*status))).collect()
}

/// Defines sets of errors that routes have in common.
macro_rules! errors {
    ($($(#[$about:meta])* $name:ident [$($status:literal),*])*) => {$(
        $(#[$about])*
        pub(crate) struct $name;

        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                errors(&[$($status),*])
            }
        }
    )*};
}

errors! {
    /// The errors of a route without a key.
    OpenErrors [400, 403]
    /// The errors of a route that needs nothing but the key.
    KnownErrors [400, 401, 403]
    /// The errors of a route with an id.
    EntryErrors [400, 401, 403, 404, 422]
    /// The errors of a route that takes JSON, for the model that answers where none is named.
    TextErrors [400, 401, 403, 408, 413, 415, 422, 429]
    /// The errors of a route that takes JSON, which may name a model.
    JsonErrors [400, 401, 403, 404, 408, 413, 415, 422, 429]
    /// The errors of a route that takes records in any form.
    RecordsErrors [400, 401, 403, 404, 406, 408, 413, 422, 429]
}
