//! The column of curated pairs: a list of structures in each row.

use std::borrow::Cow;
use std::sync::Arc;

use arrow_array::builder::{ArrayBuilder, ListBuilder, StringBuilder, StructBuilder};
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};
use arrow_schema::{DataType, Field, Fields};

use vulnlens_taxonomy::Role;

use super::schema;
use crate::columns;
use crate::curated::{CuratedPair, CuratedSource};
use crate::problem::Problem;

const TECHNIQUE: &str = "technique";
const ROLE: &str = "role";
const SOURCE: &str = "source";
const KIND: &str = "kind";
const LICENCE: &str = "licence";
const REASON: &str = "reason";

/// The fields of a pair, in order; its reason alone may be missing.
fn fields() -> Fields {
    let names = [TECHNIQUE, ROLE, SOURCE, KIND, LICENCE, REASON];
    names.into_iter().map(|name| Field::new(name, DataType::Utf8, name == REASON)).collect()
}

fn item() -> Arc<Field> {
    Arc::new(Field::new("element", DataType::Struct(fields()), false))
}

/// The column.
pub(super) fn field() -> Field {
    Field::new(schema::CURATED, DataType::List(item()), false)
}

/// The pairs of each row on their way into the column.
pub(crate) struct PairsBuilder(ListBuilder<StructBuilder>);

impl PairsBuilder {
    pub(crate) fn new() -> Self {
        Self(ListBuilder::new(StructBuilder::from_fields(fields(), 0)).with_field(item()))
    }

    /// Adds the pairs of the next row.
    pub(crate) fn push(&mut self, pairs: &[CuratedPair]) {
        for CuratedPair { technique, role, source, reason } in pairs {
            let technique = technique.to_string();
            let CuratedSource { name, kind, licence } = source;
            let cells: [Option<&str>; 6] = [
                Some(technique.as_str()),
                Some(role.name()),
                Some(name),
                Some(kind),
                Some(licence),
                reason.as_deref(),
            ];
            let item = self.0.values();
            for (builder, cell) in item.field_builders_mut().iter_mut().zip(cells) {
                if let Some(builder) = builder.as_any_mut().downcast_mut::<StringBuilder>() {
                    builder.append_option(cell);
                }
            }
            item.append(true);
        }
        self.0.append(true);
    }

    pub(crate) fn finish(&mut self) -> ArrayRef {
        Arc::new(self.0.finish())
    }
}

/// The pairs in a row of the column.
pub(super) fn pairs(column: &dyn Array, row: usize) -> Result<Vec<CuratedPair>, Problem> {
    let items = match column.data_type() {
        DataType::List(_) => {
            column.as_list_opt::<i32>().map(|lists| (lists.values(), columns::list_range(lists, row)))
        }
        DataType::LargeList(_) => {
            column.as_list_opt::<i64>().map(|lists| (lists.values(), columns::list_range(lists, row)))
        }
        _ => None,
    };
    let Some((values, range)) = items else { return Ok(Vec::new()) };
    range.map(|at| pair(values.as_ref(), at)).collect()
}

fn pair(items: &dyn Array, at: usize) -> Result<CuratedPair, Problem> {
    let optional = |name: &str| {
        items.as_struct_opt()?.column_by_name(name).and_then(|cells| columns::text(cells.as_ref(), at))
    };
    let text = |name: &'static str| optional(name).ok_or(Problem::MissingField(name));
    let (technique, role) = (text(TECHNIQUE)?, text(ROLE)?);
    let bad_role =
        || Problem::bad_field(ROLE, &role, "exploitation, primary-impact, secondary-impact or uncategorised");
    Ok(CuratedPair {
        technique: technique
            .parse()
            .map_err(|_| Problem::bad_field(TECHNIQUE, &technique, "an id such as T1027"))?,
        role: Role::named(&role).ok_or_else(bad_role)?,
        source: CuratedSource {
            name: text(SOURCE)?.into_owned(),
            kind: text(KIND)?.into_owned(),
            licence: text(LICENCE)?.into_owned(),
        },
        reason: optional(REASON).map(Cow::into_owned),
    })
}
