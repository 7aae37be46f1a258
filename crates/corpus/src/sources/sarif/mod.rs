//! SARIF 2.1.0, as scanners of code and of packages write it: one record a result.

mod rules;
mod shapes;

use rules::Rules;
use shapes::{Outcome, Taxon};

use super::findings;
use crate::record::{Assigner, Record};
use crate::record_id;
use crate::sources::format::{ObjectFormat, Parsed, Settings};
use crate::sources::json_text::Text;
use crate::sources::object::Object;
use crate::span::Span;

/// The tool, by the tags of its rules and the taxa of its results.
const SARIF: Assigner = Assigner { rank: 45, name: "sarif", added: false };

/// A SARIF log.
pub(super) struct Sarif;

impl ObjectFormat for Sarif {
    fn name(&self) -> &'static str {
        "sarif"
    }

    fn about(&self) -> &'static str {
        "SARIF logs"
    }

    fn recognises(&self, object: &Object<'_>) -> bool {
        let is_version = || object.text("version").is_some_and(|version| version.starts_with("2."));
        let is_schema = || object.text("$schema").is_some_and(|schema| schema.contains("sarif"));
        object.has("runs") && (is_version() || is_schema())
    }

    fn read(&self, object: &[u8], _: &Settings) -> Vec<Parsed> {
        let mut found = Vec::new();
        for run in findings::members(&Object::new(object), "runs", &mut found) {
            let run = Object::new(run);
            let rules = Rules::of(&run, &mut found);
            for result in findings::members(&run, "results", &mut found) {
                found.extend(read(object, result, &rules).transpose());
            }
        }
        findings::of_document(object, found)
    }
}

/// The record of a result of the log; none if it says that nothing is wrong. Its weaknesses are those of its rule, where
/// it has one.
fn read(log: &[u8], bytes: &[u8], rules: &Rules<'_>) -> Result<Option<Record>, crate::problem::BadRecord> {
    let result: Outcome<'_> = findings::parse(bytes, &["ruleId"])?;
    let is_over = result.baseline.0 == "absent";
    if is_over || ["pass", "notApplicable"].contains(&result.kind.0.as_ref()) {
        return Ok(None);
    }
    let rule = rules.of_result(&result);
    let id = [&result.rule_id.0, &result.rule.id.0].into_iter().find(|id| !id.is_empty());
    let id = id.map(AsRef::as_ref).or(rule.map(|rule| rule.id.0.as_ref())).unwrap_or_default();
    let ids = std::iter::once(id).chain(record_id::named(id));
    let mut record = findings::record(ids.map(|id| Text(id.into())));
    record.span = Span::within(log, rule.map_or(bytes, |rule| rule.bytes));
    let of_rule = rule.map(shapes::Rule::text).unwrap_or_default();
    record.describe(&joined(findings::beginning(&of_rule), findings::beginning(&message(&result, rule))));
    let taxa = result
        .taxa
        .0
        .iter()
        .chain(rule.iter().flat_map(|rule| rule.relationships.0.iter().map(|to| &to.target)));
    taxa.for_each(|taxon| label(&mut record, taxon, rules));
    for properties in std::iter::once(&result.properties).chain(rule.map(|rule| &rule.properties)) {
        properties.tags.0.iter().for_each(|tag| record.label_named(SARIF, &tag.0));
        properties.cwe.0.iter().chain(&properties.cwes.0).for_each(|cwe| record.label(SARIF, cwe));
    }
    Ok(Some(record))
}

/// The message of a result: its own, or the one of the rule's that it names, with the arguments in their places.
fn message(result: &Outcome<'_>, rule: Option<&shapes::Rule<'_>>) -> String {
    let own = Some(result.message.text()).filter(|text| !text.is_empty());
    let named = || rule?.messages.get(result.message.id.0.as_ref()).map(shapes::Message::text);
    let text = own.or_else(named).unwrap_or_default();
    filled(&text, &result.message.arguments.0)
}

/// `text` with the arguments in the places `{0}`, `{1}`, …: what is put in is not looked at again.
fn filled(text: &str, arguments: &[Text<'_>]) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('{') {
        filled.push_str(before);
        let place = behind.split_once('}');
        let argument = place.and_then(|(number, _)| arguments.get(number.parse::<usize>().ok()?));
        match (argument, place) {
            (Some(argument), Some((_, behind))) if filled.len() < findings::LONGEST => {
                filled.push_str(&argument.0);
                rest = behind;
            }
            _ => {
                filled.push('{');
                rest = behind;
            }
        }
    }
    filled.push_str(rest);
    filled
}

/// The text of a rule with the message of a result, unless one of them holds the other.
fn joined(rule: &str, message: &str) -> String {
    if message.contains(rule) {
        return message.to_owned();
    }
    if rule.contains(message) { rule.to_owned() } else { format!("{rule}\n{message}") }
}

/// Takes in a taxon, if it is one of CWE.
fn label(record: &mut Record, taxon: &Taxon<'_>, rules: &Rules<'_>) {
    match rules.is_cwe(&taxon.component) {
        true => record.label(SARIF, &taxon.id.0),
        false => record.label_named(SARIF, &taxon.id.0),
    }
}

#[cfg(test)]
mod tests {
    use crate::sources::testing::check;

    fn log(driver: &str, more: &str, results: &str) -> String {
        format!(
            r#"{{"version":"2.1.0","runs":[{{"tool":{{"driver":{{"name":"lint","rules":[{driver}]}}{more}}},
            "taxonomies":[{{"name":"OWASP"}},{{"name":"CWE"}}],"results":[{results}]}}]}}"#
        )
    }

    #[test]
    fn a_result_is_told_by_its_rule_and_its_message() {
        let rule = r#"{"id":"js/xss","fullDescription":{"text":"Full."},"shortDescription":{"text":"Short"},
            "messageStrings":{"m":{"text":"{0} flows into {1}"}},"properties":{"tags":["security","external/cwe/cwe-079"]}}"#;
        let other = r#"{"id":"CVE-2024-0001-a","shortDescription":{"text":"Short"},"fullDescription":null,
            "relationships":[{"target":{"id":"89","toolComponent":{"index":1}}},{"target":{"id":"5","toolComponent":{"index":0}}}]}"#;
        let results = r#"{"ruleId":"js/xss","message":{"text":"Message."}},
            {"ruleId":"js/xss/1","message":{"id":"m","arguments":["q","page"]},"taxa":[{"id":"CWE-80"}]},
            {"ruleIndex":0,"message":{"text":"{0}.","arguments":["Full"]},"properties":{"cwe":["CWE-81"]}},
            {"ruleId":"CVE-2024-0001-a","message":{"text":""}},
            {"ruleId":"js/xss","kind":"pass","message":{"text":"All is well"}},
            {"ruleId":"js/xss","baselineState":"absent","message":{"text":"All is well"}},
            {"ruleId":"js/xss","message":7},
            {"rule":{"id":"unknown"},"message":{"markdown":"*Marked*"}},
            {"ruleId":"nothing","message":null}"#;
        check(
            &log(&format!("{rule},{other}"), "", results),
            &[
                "sarif js/xss||sarif:79|Full.\nMessage.",
                "sarif js/xss/1||sarif:80,sarif:79|Full.\nq flows into page",
                "sarif js/xss||sarif:81,sarif:79|Full.",
                "sarif CVE-2024-0001-a,CVE-2024-0001||sarif:89|Short",
                "in.json: record 5 (js/xss): malformed JSON: invalid type: integer `7`, expected an object…",
                "sarif unknown|||Marked",
                "sarif nothing|||(the record has no description and no title; it is left out)",
            ],
        );
    }

    #[test]
    fn a_damaged_rule_loses_only_itself() {
        let more =
            r#","extensions":[{"name":"more","rules":[{"id":"x"},{"id":"y","help":{"text":"Help"}}]}]"#;
        let results = r#"{"ruleId":"b","ruleIndex":1,"message":{"text":"M"}},{"ruleId":"a","message":{"text":"M"}},
            {"rule":{"index":1,"toolComponent":{"index":0}},"message":{"text":"M"}},{"ruleIndex":-1,"message":{"text":"M"}}"#;
        check(
            &log(r#"{"id":"a","help":7},{"id":"b","fullDescription":{"text":"B"}}"#, more, results),
            &[
                "in.json: record 1 (a): malformed JSON: …",
                "sarif b|||B\nM",
                "sarif a|||M",
                "sarif y|||Help\nM",
                "sarif |||M",
            ],
        );
        let told = "in.json: was read as one of the SARIF logs, and holds no vulnerability";
        check(&log("", "", ""), &[told]);
        check(r#"{"$schema":"https://x/sarif-schema-2.1.0.json","runs":null}"#, &[told]);
    }
}
