//! Exchange formats: against their descriptions, with hostile ids and texts, and whatever the pieces they are made of.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::{Value, json};
use vulnlens_model::{LabelMode, LabelSource};
use vulnlens_report::{Answer, Format, RecordKey, Setup};
use vulnlens_taxonomy::{TechniqueId, Timestamp};

use crate::sample;
use crate::schema::check_stix;

static SETUP: LazyLock<Setup> = LazyLock::new(|| sample::setup(LabelSource::Spaces(LabelMode::Recommended)));

/// Formats that are one JSON document, and those that are JSON Lines.
const DOCUMENTS: [&str; 5] = ["navigator", "stix", "misp", "sarif", "mappings"];
const LINES: [&str; 1] = ["ocsf"];
const MARKDOWN: [&str; 2] = ["markdown", "mapping-report"];

fn render(format: &str, answers: Vec<Answer>) -> String {
    String::from_utf8(Format::named(format).unwrap().render(&SETUP, answers).unwrap()).unwrap()
}

fn document(format: &str, answers: Vec<Answer>) -> Value {
    let text = render(format, answers);
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{format}: {error}\n{text}"))
}

/// A record of a CVE with an answer of every kind.
fn cve() -> Answer {
    let published = "2021-12-10T00:00:00.000Z".parse::<Timestamp>().unwrap();
    Answer::new(RecordKey::of_id("CVE-2021-44228"), sample::curated())
        .with_text("A form is open to SQL injection.")
        .published(Some(published))
}

/// A record of each kind of answer, with ids of every kind.
fn records() -> Vec<Answer> {
    let ids =
        [Some("GHSA-2222-3333-4444"), Some("CAPEC-63"), Some("a \"b\" <c>\n`d` @e"), None, None, Some("")];
    let answers = sample::answers().into_iter().zip(ids).zip(1..);
    let answers = answers.map(|((prediction, id), line)| {
        let key = RecordKey { id: id.map(str::to_owned), line: Some(line) };
        Answer::new(key, prediction)
            .with_text(format!("<script>alert({line})</script> [x](y) ``` {{0}} @all | \u{0}\u{202e}"))
    });
    [cve()].into_iter().chain(answers).collect()
}

#[test]
fn documents_are_json_for_any_number_of_records() {
    for format in DOCUMENTS {
        for count in 0..=records().len() {
            document(format, records().into_iter().take(count).collect());
        }
    }
    for format in LINES {
        let text = render(format, records());
        // Three records have no id and no weakness, and no place in OCSF's class.
        assert_eq!(text.lines().count(), records().len() - 3, "{text}");
        text.lines().for_each(|line| drop(serde_json::from_str::<Value>(line).unwrap()));
    }
}

#[test]
fn pieces_make_the_same_bytes_as_a_whole() {
    for format in DOCUMENTS.into_iter().chain(LINES).chain(MARKDOWN).map(|name| Format::named(name).unwrap())
    {
        let whole = format.render(&SETUP, records()).unwrap();
        let mut out = Vec::new();
        let (renderer, mut writer) = format.open(&SETUP, &mut out).unwrap();
        // The last piece is rendered first, as by a thread that is faster.
        let mut pieces: Vec<_> = records().into_iter().map(|answer| vec![answer]).rev().collect();
        pieces.push(vec![]);
        let pieces: Vec<_> = pieces.into_iter().map(|answers| renderer.render(answers)).collect();
        pieces.into_iter().rev().for_each(|piece| writer.write(piece, &mut out).unwrap());
        writer.finish(&mut out).unwrap();
        assert!(out == whole, "{}\n{}", format.name(), String::from_utf8_lossy(&out));
    }
}

#[test]
fn a_bundle_is_one_of_stix() {
    let bundle = document("stix", records());
    assert_eq!(bundle["type"], "bundle");
    let objects = bundle["objects"].as_array().unwrap();
    let mut ids = BTreeSet::new();
    for object in objects {
        assert_eq!(check_stix(object), [""; 0], "{object}");
        assert!(ids.insert(object["id"].as_str().unwrap()), "{object} stands twice");
    }
    // All that is referred to is there.
    for object in objects {
        for key in ["source_ref", "target_ref", "created_by_ref"] {
            assert!(object.get(key).is_none_or(|id| ids.contains(id.as_str().unwrap())), "{object}");
        }
    }
    let of_type = |kind: &str| objects.iter().filter(|object| object["type"] == kind).collect::<Vec<_>>();
    assert_eq!(of_type("vulnerability").len(), records().len());
    let vulnerability = of_type("vulnerability")[0];
    assert_eq!(vulnerability["name"], "CVE-2021-44228");
    assert_eq!(vulnerability["created"], "2021-12-10T00:00:00.000Z");
    let references = vulnerability["external_references"].as_array().unwrap();
    assert_eq!(references[0]["external_id"], "CVE-2021-44228");
    assert_eq!(
        (&references[1]["source_name"], &references[1]["external_id"]),
        (&json!("cwe"), &json!("CWE-89"))
    );
}

#[test]
fn techniques_are_mitres_objects_and_tell_what_they_rest_on() {
    let bundle = document("stix", vec![cve()]);
    let objects = bundle["objects"].as_array().unwrap();
    let technique =
        objects.iter().find(|object| object["external_references"][0]["external_id"] == "T1190").unwrap();
    // As MITRE publishes it.
    assert_eq!(technique["id"], "attack-pattern--3f886f2a-874f-4333-b794-aa6075009b1c");
    assert_eq!(technique["created"], "2018-04-18T17:59:24.739Z");
    assert_eq!(technique["kill_chain_phases"][0]["phase_name"], "initial-access");
    let relationship = |id: &Value| {
        let of = |object: &&Value| object["type"] == "relationship" && &object["source_ref"] == id;
        objects.iter().find(of).unwrap()
    };
    let exploit = relationship(&technique["id"]);
    assert_eq!(exploit["relationship_type"], "targets");
    assert_eq!(exploit["confidence"], 80);
    assert_eq!(exploit["labels"], json!(["curated", "exploitation"]));
    let derived = objects.iter().find(|object| object["labels"] == json!(["derived"])).unwrap();
    assert!(derived["description"].as_str().unwrap().contains("CWE-89 > "), "{derived}");
    // A technique that is listed and is no answer has no place.
    let told = |id: &str| objects.iter().any(|object| object["external_references"][0]["external_id"] == id);
    assert!(!told("T1059") && told("T1574.006"));
}

#[test]
fn a_layer_tells_the_way_to_a_derived_technique() {
    let layer = document("navigator", vec![cve()]);
    let techniques = layer["techniques"].as_array().unwrap();
    let derived = techniques.iter().find(|technique| technique["metadata"][1]["value"] == "derived").unwrap();
    assert!(derived["comment"].as_str().unwrap().contains("; CWE-89 > "), "{derived}");
}

#[test]
fn the_same_record_has_the_same_ids_in_every_bundle() {
    let ids = |bundle: &Value| -> BTreeMap<String, Value> {
        let objects = bundle["objects"].as_array().unwrap().iter();
        objects.map(|object| (object["id"].as_str().unwrap().to_owned(), object.clone())).collect()
    };
    let (alone, among) = (document("stix", vec![cve()]), document("stix", records()));
    let all = ids(&among);
    assert!(ids(&alone).iter().all(|(id, object)| all.get(id) == Some(object)));
    assert_ne!(alone["id"], among["id"]);
}

#[test]
fn an_event_is_one_of_misp() {
    let event = &document("misp", records())["Event"];
    let objects = event["Object"].as_array().unwrap();
    let mut uuids = BTreeSet::new();
    for object in objects {
        assert!(uuids.insert(object["uuid"].as_str().unwrap()), "{object} stands twice");
        for attribute in object["Attribute"].as_array().unwrap() {
            assert!(uuids.insert(attribute["uuid"].as_str().unwrap()), "{attribute} stands twice");
        }
    }
    for object in objects {
        for reference in object["ObjectReference"].as_array().into_iter().flatten() {
            assert!(uuids.contains(reference["referenced_uuid"].as_str().unwrap()), "{reference}");
        }
    }
    let tags: Vec<&str> = objects[0]["Attribute"][0]["Tag"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tag| tag["name"].as_str().unwrap())
        .collect();
    assert!(
        tags.contains(&"misp-galaxy:mitre-attack-pattern=\"Exploit Public-Facing Application - T1190\""),
        "{tags:?}"
    );
    let named = |name: &str| objects.iter().filter(|object| object["name"] == name).count();
    assert_eq!(named("vulnerability"), records().len());
    assert!(named("weakness") >= 1 && named("attack-pattern") >= 1);
    assert_eq!(event["date"], "2021-12-10");
}

#[test]
fn a_sarif_log_names_rules_and_taxa_that_it_describes() {
    let log = document("sarif", records());
    let run = &log["runs"][0];
    let described = |list: &Value| -> BTreeSet<String> {
        list.as_array().unwrap().iter().map(|entry| entry["id"].as_str().unwrap().to_owned()).collect()
    };
    let rules = described(&run["tool"]["driver"]["rules"]);
    let taxa = described(&run["taxonomies"][0]["taxa"]);
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), records().len());
    for result in results {
        assert!(rules.contains(result["ruleId"].as_str().unwrap()), "{result}");
        for taxon in result["taxa"].as_array().into_iter().flatten() {
            assert!(taxa.contains(taxon["id"].as_str().unwrap()), "{result}");
        }
        // The standard: what is no failure has no level.
        assert_eq!(result["kind"] == "fail", result["level"] != "none", "{result}");
    }
    assert_eq!(results[0]["ruleId"], "CWE-89");
    assert_eq!(results[0]["properties"]["tags"], json!(["external/cwe/cwe-89"]));
}

#[test]
fn a_message_of_sarif_has_no_placeholders_and_links() {
    let answer = Answer::new(RecordKey::of_id("[x](y) {0} \\"), sample::injection());
    let log = document("sarif", vec![answer]);
    let text = log["runs"][0]["results"][0]["message"]["text"].as_str().unwrap();
    assert!(text.starts_with("\\[x\\](y) {{0}} \\\\: CWE-89"), "{text}");
}

#[test]
fn a_finding_of_ocsf_has_one_of_the_ids_that_the_class_wants() {
    for line in render("ocsf", records()).lines() {
        let finding: Value = serde_json::from_str(line).unwrap();
        assert_eq!((&finding["class_uid"], &finding["type_uid"]), (&json!(2002), &json!(200_201)));
        for vulnerability in finding["vulnerabilities"].as_array().unwrap() {
            let ids = ["advisory", "cve", "cwe"].into_iter().filter(|key| vulnerability.get(key).is_some());
            assert_eq!(ids.count(), 1, "{vulnerability}");
        }
    }
    let line = render("ocsf", vec![cve()]);
    let finding: Value = serde_json::from_str(line.trim_end()).unwrap();
    assert_eq!(finding["time"], 1_639_094_400_000_i64);
    let sub = finding["finding_info"]["attacks"]
        .as_array()
        .unwrap()
        .iter()
        .find(|attack| attack.get("sub_technique").is_some())
        .unwrap();
    assert_eq!(
        (&sub["technique"]["uid"], &sub["sub_technique"]["uid"]),
        (&json!("T1574"), &json!("T1574.006"))
    );
}

#[test]
fn mappings_have_types_and_groups_that_the_metadata_describe() {
    let mappings = document("mappings", records());
    let metadata = &mappings["metadata"];
    let objects = mappings["mapping_objects"].as_array().unwrap();
    for mapping in objects {
        let [kind, group] = ["mapping_type", "capability_group"].map(|key| mapping[key].as_str().unwrap());
        assert!(metadata["mapping_types"].get(kind).is_some(), "{mapping}");
        assert!(metadata["capability_groups"].get(group).is_some(), "{mapping}");
        assert!(mapping["attack_object_id"].as_str().unwrap().parse::<TechniqueId>().is_ok());
    }
    let exploit = &objects[0];
    assert_eq!(exploit["capability_id"], "CVE-2021-44228");
    assert_eq!(
        (&exploit["mapping_type"], &exploit["confidence"]),
        (&json!("exploitation_technique"), &json!(80))
    );
    assert_eq!(exploit["attack_object_name"], "Exploit Public-Facing Application");
    // Records without an id cannot be mapped.
    assert!(objects.iter().all(|mapping| !mapping["capability_id"].as_str().unwrap().starts_with('#')));
}

#[test]
fn a_ticket_quotes_its_text() {
    let text = render("markdown", vec![cve()]);
    for wanted in [
        "## CVE-2021-44228\n",
        "```text\nA form is open to SQL injection.\n```\n",
        "| [CWE-89](https://cwe.mitre.org/data/definitions/89.html) |",
        "| curated, exploitation |",
    ] {
        assert!(text.contains(wanted), "{text}\nlacks {wanted:?}");
    }
    let report = render("mapping-report", vec![cve()]);
    let row = report.lines().last().unwrap();
    assert_eq!(row.matches(" | ").count(), 5, "{row}");
    assert!(row.contains("[T1190](https://attack.mitre.org/techniques/T1190)"), "{row}");
}

/// The HTML, links and images in a document of Markdown that its texts did not have to give.
fn foreign(markdown: &str) -> Vec<String> {
    use pulldown_cmark::{Event, Options, Parser, Tag};
    let events = Parser::new_ext(markdown, Options::ENABLE_TABLES);
    events
        .filter_map(|event| match event {
            Event::Html(html) | Event::InlineHtml(html) if &*html != "<br>" => Some(html.to_string()),
            Event::Start(Tag::Link { dest_url, .. })
                if !dest_url.contains(".mitre.org/") && !dest_url.contains("cve.org/") =>
            {
                Some(dest_url.to_string())
            }
            Event::Start(Tag::Image { dest_url, .. }) => Some(dest_url.to_string()),
            _ => None,
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn texts_stay_texts(id in any::<String>(), text in any::<String>(), part in "[`~<>\\[\\]()!@|#*_&;a\n\\\\ -]{0,40}") {
        let answer = |id: &str, text: &str| {
            Answer::new(RecordKey::of_id(id), sample::curated()).with_text(text.to_owned())
        };
        for answer in [answer(&id, &text), answer(&part, &part)] {
            for format in MARKDOWN {
                let markdown = render(format, vec![answer.clone()]);
                prop_assert_eq!(foreign(&markdown), Vec::<String>::new(), "{}", markdown);
            }
            let bundle = document("stix", vec![answer.clone()]);
            for object in bundle["objects"].as_array().unwrap() {
                prop_assert_eq!(check_stix(object), Vec::<String>::new());
            }
            let id = answer.record.id.as_ref().filter(|id| !id.trim().is_empty());
            prop_assert_eq!(&bundle["objects"][1]["name"], id.map_or("text", |id| id));
            document("misp", vec![answer.clone()]);
            document("sarif", vec![answer.clone()]);
            let has_place = id.is_some();
            prop_assert!(!has_place || render("ocsf", vec![answer.clone()]).lines().count() == 1);
        }
    }
}

#[cfg(feature = "parquet")]
#[test]
fn arrow_holds_the_rows_of_parquet() {
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
    let bytes = |format: &str| Format::named(format).unwrap().render(&SETUP, records()).unwrap();
    let stream =
        arrow_ipc::reader::StreamReader::try_new(std::io::Cursor::new(bytes("arrow")), None).unwrap();
    let arrow: Vec<_> = stream.map(Result::unwrap).collect();
    let parquet = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(bytes("parquet"))).unwrap();
    let parquet: Vec<_> = parquet.build().unwrap().map(Result::unwrap).collect();
    assert_eq!(arrow.len(), 1);
    assert_eq!(arrow[0].columns(), parquet[0].columns());
    assert_eq!(arrow[0].schema().fields(), parquet[0].schema().fields());
}
