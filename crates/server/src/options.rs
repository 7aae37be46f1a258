//! The form of the options of a request, in its body or behind its path.

use utoipa::ToSchema;
use utoipa::openapi::schema::{AnyOfBuilder, ArrayBuilder, ObjectBuilder, Schema, Type};
use vulnlens::{LabelMode, MOST_LABELS, Task};

/// Texts with a character that is not a blank.
pub(crate) const NOT_BLANK: &str = r"\S";
/// A number of labels, or all of them, as text.
const COUNT_TEXT: &str = "^(all|[1-9][0-9]{0,8})$";

/// The form of [`vulnlens::AskedOptions`], as the description of the routes has it.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Options, example = json!({ "taxonomy": ["cwe"], "top_k": 3 }))]
#[expect(dead_code, reason = "the library reads options; this is their form")]
pub(crate) struct OptionsForm {
    /// The name of a model of `/v1/models`; the first of them where none is named.
    model: Option<String>,
    #[schema(schema_with = taxonomy_schema)]
    taxonomy: Option<String>,
    #[schema(schema_with = labels_schema)]
    labels: Option<String>,
    #[schema(schema_with = count_schema)]
    top_k: Option<u64>,
    /// The least probability of a label that is listed.
    #[schema(minimum = 0, maximum = 1)]
    threshold: Option<f64>,
    /// The year to answer as of, whatever the record's.
    #[schema(minimum = 1980, maximum = 2200)]
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
    #[schema(schema_with = domain_schema)]
    domain: Option<String>,
}

/// The names of ATT&CK's matrices.
const DOMAINS: [&str; 3] = ["enterprise", "ics", "mobile"];

/// Names of ATT&CK's matrices in one text.
pub(crate) fn domain_text_schema() -> Schema {
    let name = DOMAINS.join("|");
    let pattern = format!("^ *({name}) *(, *({name}) *)*$");
    let text = ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern));
    text.description(Some("The matrices of ATT&CK, with commas between them; enterprise where none is named"))
        .build()
        .into()
}

fn domain_schema() -> Schema {
    let list = ArrayBuilder::new().items(enumerated(DOMAINS));
    let any = AnyOfBuilder::new().item(list).item(domain_text_schema()).item(null());
    any.description(Some("The matrices of ATT&CK: a list, or one text with commas")).build().into()
}

/// The names of tasks: their keys, and `curated`.
fn task_names() -> impl Iterator<Item = &'static str> {
    Task::ALL.iter().map(|task| task.key()).chain(["curated"])
}

fn enumerated(values: impl IntoIterator<Item = &'static str>) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(values))
}

fn null() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Null)
}

/// Names of tasks in one text.
pub(crate) fn taxonomy_text_schema() -> Schema {
    let name = task_names().collect::<Vec<_>>().join("|");
    let pattern = format!("^ *({name}) *(, *({name}) *)*$");
    let text = ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern));
    text.description(Some("The taxonomies to answer, with commas between them")).build().into()
}

fn taxonomy_schema() -> Schema {
    let list = ArrayBuilder::new().items(enumerated(task_names()));
    let any = AnyOfBuilder::new().item(list).item(taxonomy_text_schema()).item(null());
    any.description(Some("The taxonomies to answer: a list, or one text with commas")).build().into()
}

/// The names of the label spaces.
pub(crate) fn labels_text_schema() -> Schema {
    let names = enumerated(LabelMode::ALL.map(LabelMode::name));
    names.description(Some("The label spaces")).build().into()
}

fn labels_schema() -> Schema {
    AnyOfBuilder::new().item(labels_text_schema()).item(null()).build().into()
}

/// A number of labels behind a path.
pub(crate) fn count_text_schema() -> Schema {
    let text = ObjectBuilder::new().schema_type(Type::String).pattern(Some(COUNT_TEXT));
    text.description(Some("The number of labels to list, or `all`")).build().into()
}

fn count_schema() -> Schema {
    let number = ObjectBuilder::new().schema_type(Type::Integer);
    let number = number.minimum(Some(1)).maximum(Some(MOST_LABELS));
    AnyOfBuilder::new().item(number).item(count_text_schema()).item(null()).build().into()
}
