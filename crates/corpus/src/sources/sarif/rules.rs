//! The rules and taxonomies of a run.

use std::collections::HashMap;

use super::shapes::{Component, Outcome, Rule};
use crate::sources::findings;
use crate::sources::format::Parsed;
use crate::sources::object::Object;

/// The rules of a run's tool and its extensions, and which of its taxonomies are CWE.
pub(super) struct Rules<'a> {
    /// The rules of the tool itself, then those of each extension; a damaged one keeps its place.
    components: Vec<Vec<Option<Rule<'a>>>>,
    /// The component and the place in it of each rule; of two rules with one id, those of the first.
    places: HashMap<String, (usize, usize)>,
    is_cwe: Vec<bool>,
}

impl<'a> Rules<'a> {
    /// The rules of `run`; damaged ones are errors among `found`.
    pub(super) fn of(run: &Object<'a>, found: &mut Vec<Parsed>) -> Self {
        let mut components = Vec::new();
        let tool = run.object("tool");
        components.push(
            tool.as_ref()
                .and_then(|tool| tool.object("driver"))
                .map_or_else(Vec::new, |driver| read(&driver, found)),
        );
        if let Some(tool) = &tool {
            let extensions = findings::members(tool, "extensions", found);
            components.extend(extensions.into_iter().map(|extension| read(&Object::new(extension), found)));
        }
        let mut places = HashMap::new();
        for (component, rules) in components.iter().enumerate() {
            for (place, rule) in rules.iter().enumerate() {
                let Some(rule) = rule else { continue };
                places.entry(rule.id.0.clone().into_owned()).or_insert((component, place));
            }
        }
        let taxonomies = findings::members(run, "taxonomies", found);
        let is_cwe = |taxonomy: &[u8]| Object::new(taxonomy).text("name").is_some_and(|name| is_cwe(&name));
        Self { components, places, is_cwe: taxonomies.into_iter().map(is_cwe).collect() }
    }

    /// The rule of a result: the one it names, else the one at the place that it gives.
    pub(super) fn of_result(&self, result: &Outcome<'_>) -> Option<&Rule<'a>> {
        let named = [&result.rule_id.0, &result.rule.id.0].into_iter().find_map(|id| self.named(id));
        named.or_else(|| {
            let component = result
                .rule
                .component
                .index
                .map_or(Some(0), |index| usize::try_from(index).ok()?.checked_add(1));
            self.at(component?, result.rule.index.or(result.rule_index)?)
        })
    }

    /// The rule of an id, which may have parts behind that of the rule: `CA1000/1`.
    fn named(&self, id: &str) -> Option<&Rule<'a>> {
        let parts = std::iter::successors(Some(id), |id| id.rsplit_once('/').map(|(head, _)| head));
        let (component, place) = parts.filter_map(|id| self.places.get(id)).next()?;
        self.components.get(*component)?.get(*place)?.as_ref()
    }

    fn at(&self, component: usize, place: i64) -> Option<&Rule<'a>> {
        self.components.get(component)?.get(usize::try_from(place).ok()?)?.as_ref()
    }

    /// Tests whether a reference is to CWE.
    pub(super) fn is_cwe(&self, component: &Component<'_>) -> bool {
        let by_place = || self.is_cwe.get(usize::try_from(component.index?).ok()?).copied();
        is_cwe(&component.name.0) || by_place().unwrap_or_default()
    }
}

fn is_cwe(name: &str) -> bool {
    name.eq_ignore_ascii_case("cwe") || name.to_ascii_lowercase().contains("common weakness enumeration")
}

/// Reads the rules of a tool or an extension.
fn read<'a>(component: &Object<'a>, found: &mut Vec<Parsed>) -> Vec<Option<Rule<'a>>> {
    let rules = findings::members(component, "rules", found);
    let mut kept = Vec::with_capacity(rules.len());
    for rule in rules {
        kept.push(match findings::parse::<Rule<'a>>(rule, &["id"]) {
            Ok(mut parsed) => {
                parsed.bytes = rule;
                Some(parsed)
            }
            Err(bad) => {
                found.push(Err(bad));
                None
            }
        });
    }
    kept
}
