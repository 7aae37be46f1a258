//! Records of one's own: a key for each taxonomy, and the mark. A key that stands for weaknesses and holds none is filled.

use vulnlens_corpus::sources::is_weakness_key;

use super::format::{Finding, Format};
use crate::filling::{Filling, Label, Origin};
use crate::json::{Edits, Json, Object, Unfit, unfit};

/// Records in JSON of one's own.
pub(super) struct JsonRows;

impl Format for JsonRows {
    fn name(&self) -> &'static str {
        "json"
    }

    fn fill(
        &self,
        finding: &Finding<'_>,
        filling: &Filling,
        origin: &Origin,
        edits: &mut Edits,
    ) -> Result<(), Unfit> {
        let ids = |labels: &[Label]| Json::texts(labels.iter().map(|label| &*label.id));
        let mut record = Object::new(finding.node.clone(), "record")?;
        let known = record.keys().find(|key| is_weakness_key(key)).map(str::to_owned);
        match &known {
            None => record.put("cwe", ids(&filling.weaknesses), edits)?,
            Some(key) => fill_known(&record, key, filling, edits)?,
        }
        for (key, labels) in [("capec", &filling.patterns), ("attack", &filling.techniques)] {
            if !labels.is_empty() {
                record.put_new(key, ids(labels), edits)?;
            }
        }
        record.put_new("vulnlens", origin.mark(filling), edits)?;
        record.finish(edits);
        Ok(())
    }
}

/// Fills a value of the record's own that says nothing: a text where it is a text, otherwise a list.
fn fill_known(record: &Object<'_>, key: &str, filling: &Filling, edits: &mut Edits) -> Result<(), Unfit> {
    let Some(value) = record.get(key)? else { return Ok(()) };
    let ids: Vec<Json> = filling.weaknesses.iter().map(|label| Json::text(&*label.id)).collect();
    match value.text() {
        "null" => record.replace(&value, &Json::List(ids), edits),
        "\"\"" => {
            let ids: Vec<&str> = filling.weaknesses.iter().map(|label| &*label.id).collect();
            record.replace(&value, &Json::Text(ids.join(", ")), edits);
        }
        _ => match value.members().filter(|_| value.is_list()) {
            Some(members) => record.extend_list(&value, &members, &ids, edits),
            None => return Err(unfit(key, &value, "a list, or nothing")),
        },
    }
    Ok(())
}
