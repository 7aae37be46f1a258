//! SARIF 2.1.0: the tags by which GitHub's code scanning knows weaknesses, and the relations to a taxonomy, as the standard
//! wants it. A rule is filled, and with it all its results; a result without a rule is filled itself.

use std::collections::BTreeMap;
use std::ops::Range;

use super::format::{Finding, Format};
use crate::filling::{Filling, Label, Origin};
use crate::json::{Edits, Json, Node, Object, Unfit};

/// SARIF logs.
pub(super) struct Sarif;

/// The name of the taxonomy.
const CWE: &str = "CWE";

impl Format for Sarif {
    fn name(&self) -> &'static str {
        "sarif"
    }

    fn fill(
        &self,
        finding: &Finding<'_>,
        filling: &Filling,
        origin: &Origin,
        edits: &mut Edits,
    ) -> Result<(), Unfit> {
        let mut found = Object::new(finding.node.clone(), "rule")?;
        let target = |label: &Label| {
            let component = Json::Object(vec![("name", Json::text(CWE))]);
            Json::Object(vec![("id", Json::Text(label.number.to_string())), ("toolComponent", component)])
        };
        if found.get("message")?.is_some() || found.get("ruleId")?.is_some() {
            found.extend("taxa", filling.weaknesses.iter().map(target).collect(), edits)?;
        } else {
            let kinds = || Json::texts(["superset"]);
            let relation = |label: &Label| Json::Object(vec![("target", target(label)), ("kinds", kinds())]);
            found.extend("relationships", filling.weaknesses.iter().map(relation).collect(), edits)?;
        }
        // As CodeQL writes them, with three digits at least.
        let tags = || filling.weaknesses.iter().map(|label| format!("external/cwe/cwe-{:03}", label.number));
        match found.object("properties")? {
            Some(mut properties) => {
                properties.extend("tags", tags().map(Json::Text).collect(), edits)?;
                properties.put_new("vulnlens", origin.mark(filling), edits)?;
                properties.finish(edits);
            }
            None => {
                let members = vec![("tags", Json::texts(tags())), ("vulnlens", origin.mark(filling))];
                found.put("properties", Json::Object(members), edits)?;
            }
        }
        found.finish(edits);
        Ok(())
    }

    fn close(
        &self,
        document: &Node<'_>,
        filled: &[(Range<usize>, &Filling)],
        origin: &Origin,
        edits: &mut Edits,
    ) -> Result<(), Unfit> {
        let log = Object::new(document.clone(), "log")?;
        let runs = log.get("runs")?.and_then(|runs| runs.members()).unwrap_or_default();
        for run in runs {
            let at = run.value.at();
            let of_run = filled.iter().filter(|(place, _)| at.start <= place.start && place.end <= at.end);
            let mut weaknesses = BTreeMap::new();
            for label in of_run.flat_map(|(_, filling)| &filling.weaknesses) {
                weaknesses.entry(label.number).or_insert(label);
            }
            if !weaknesses.is_empty() {
                add_taxonomy(run.value, weaknesses.into_values(), origin, edits)?;
            }
        }
        Ok(())
    }
}

/// Adds the weaknesses that a run refers to to its taxonomy of CWE, which is made where there is none.
fn add_taxonomy<'a>(
    run: Node<'_>,
    weaknesses: impl Iterator<Item = &'a Label>,
    origin: &Origin,
    edits: &mut Edits,
) -> Result<(), Unfit> {
    let mut run = Object::new(run, "run")?;
    let taxonomies = run.get("taxonomies")?.and_then(|list| list.members()).unwrap_or_default();
    let names = |node: &Node<'_>, key: &str, wanted: &str| {
        let object = Object::new(node.clone(), key).ok();
        object.and_then(|object| object.get(key).ok()??.string()).is_some_and(|name| name == wanted)
    };
    let known = taxonomies.into_iter().find(|taxonomy| names(&taxonomy.value, "name", CWE));
    let taxon = |label: &Label| {
        Json::Object(vec![("id", Json::Text(label.number.to_string())), ("name", Json::text(&*label.name))])
    };
    if let Some(known) = known {
        let mut known = Object::new(known.value, "taxonomies")?;
        let taxa = known.get("taxa")?.and_then(|list| list.members()).unwrap_or_default();
        let is_new = |label: &&Label| {
            let id = label.number.to_string();
            !taxa.iter().any(|taxon| names(&taxon.value, "id", &id))
        };
        let new: Vec<Json> = weaknesses.filter(is_new).map(taxon).collect();
        if !new.is_empty() {
            known.extend("taxa", new, edits)?;
            known.finish(edits);
        }
        return Ok(());
    }
    let text = Json::Object(vec![("text", Json::text("The MITRE Common Weakness Enumeration"))]);
    let taxonomy = vec![
        ("name", Json::text(CWE)),
        ("version", Json::text(&*origin.versions.cwe)),
        ("organization", Json::text("MITRE")),
        ("shortDescription", text),
        ("taxa", Json::List(weaknesses.map(taxon).collect())),
    ];
    run.extend("taxonomies", vec![Json::Object(taxonomy)], edits)?;
    run.finish(edits);
    Ok(())
}
