//! ATT&CK Navigator layers against the fields that the format's description names, and what they say.

use serde_json::{Value, json};
use vulnlens_model::{LabelMode, LabelSource, Labels, Prediction, ScoredLabel, Task, Tasks};
use vulnlens_report::{Answer, Format, RecordKey};
use vulnlens_taxonomy::{Domain, TechniqueId};

use crate::{sample, schema};

/// The fields of a layer, as `layers/spec/v4.5/layerformat.md` of mitre-attack/attack-navigator names them.
const SCHEMA: &str = include_str!("navigator-layer-4.5.json");
const RECOMMENDED: LabelSource = LabelSource::Spaces(LabelMode::Recommended);

fn layer(source: LabelSource, answers: Vec<Answer>) -> Value {
    let bytes = Format::named("navigator").unwrap().render(&sample::setup(source), answers).unwrap();
    let layer: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(schema::violations_of(SCHEMA, &layer), [""; 0]);
    let gradient = &layer["gradient"];
    assert!(gradient["maxValue"].as_f64() > gradient["minValue"].as_f64(), "{layer}");
    assert!(gradient["colors"].as_array().unwrap().len() >= 2);
    for technique in layer["techniques"].as_array().unwrap() {
        assert!(technique["techniqueID"].as_str().unwrap().parse::<TechniqueId>().is_ok());
        assert!(technique["score"].as_f64() <= gradient["maxValue"].as_f64(), "{layer}");
    }
    layer
}

/// The answer to a record: techniques with their probabilities, and whether they are predicted.
fn answer(id: &str, techniques: &[(TechniqueId, f32, bool)]) -> Answer {
    let labels = techniques.iter().map(|(id, score, predicted)| ScoredLabel::new(*id, *score, *predicted));
    let mut prediction = Prediction::default();
    prediction.attack = Some(Labels::new(labels.collect(), 0.0));
    Answer::new(RecordKey::of_id(id), prediction)
}

#[test]
fn a_layer_of_many_records_counts_them() {
    let [obfuscated, exploit] = [1027, 1190].map(TechniqueId::technique);
    let answers = vec![
        answer("a", &[(obfuscated, 0.75, true), (exploit, 0.25, false)]),
        answer("b\u{1b}", &[(obfuscated, 0.9, true)]),
        answer("c", &[]),
    ];
    let layer = layer(RECOMMENDED, answers);
    assert_eq!(layer["name"], "3 records");
    assert_eq!(layer["versions"], json!({"attack": "18", "navigator": "5.1.0", "layer": "4.5"}));
    assert_eq!(layer["domain"], "enterprise-attack");
    let description = layer["description"].as_str().unwrap();
    for wanted in ["derived", "CWE 4.18", "not observed", "number of the 3 records", "model fast"] {
        assert!(description.contains(wanted), "{description}\nlacks {wanted:?}");
    }
    let techniques = layer["techniques"].as_array().unwrap();
    assert_eq!(techniques.len(), 1, "one that is listed and not predicted has no score: {layer}");
    assert_eq!((&techniques[0]["techniqueID"], &techniques[0]["score"]), (&json!("T1027"), &json!(2)));
    let comment = techniques[0]["comment"].as_str().unwrap();
    assert!(comment.contains("2 of 3 records") && comment.contains("90.0 %"), "{comment}");
    assert_eq!(techniques[0]["metadata"][1], json!({"name": "basis", "value": "derived"}));
    assert_eq!(techniques[0]["metadata"][3], json!({"name": "record", "value": "b\u{1b}"}));
    assert_eq!(layer["gradient"]["maxValue"], 2);
    assert_eq!(layer["legendItems"][1]["label"], "2 records");
}

#[test]
fn a_layer_of_one_record_has_probabilities() {
    let obfuscated = TechniqueId::technique(1027);
    let layer = layer(RECOMMENDED, vec![answer("CVE-2024-1", &[(obfuscated, 0.756, true)])]);
    assert_eq!(layer["name"], "CVE-2024-1");
    assert!(layer["description"].as_str().unwrap().contains("probability of the technique in per cent"));
    assert_eq!(layer["techniques"][0]["score"], 75.6);
    assert_eq!(layer["gradient"]["maxValue"], 100);
}

#[test]
fn a_layer_without_techniques_is_one() {
    for answers in [vec![], vec![answer("a", &[])], vec![answer("a", &[]), answer("b", &[])]] {
        let layer = layer(RECOMMENDED, answers);
        assert_eq!(layer["techniques"], json!([]));
        assert!(!layer.to_string().contains("1 records"), "{layer}");
    }
}

#[test]
fn what_the_domain_does_not_have_is_left_out_and_named() {
    let kb = sample::knowledge_base();
    let revoked = |t: &&vulnlens_taxonomy::Technique| {
        t.domain == Domain::Enterprise && t.revoked && kb.current(t.id) != t.id
    };
    let old = kb.techniques().find(revoked).unwrap().id;
    let unknown = TechniqueId::technique(9999);
    let checkpoint = LabelSource::Checkpoint { derived: Tasks::from(Task::Capec), other: false };
    let layer = layer(checkpoint, vec![answer("a", &[(old, 0.9, true), (unknown, 0.8, true)])]);
    let description = layer["description"].as_str().unwrap();
    assert!(description.contains("left out: T9999") && !description.contains("derived"), "{description}");
    assert_eq!(layer["techniques"].as_array().unwrap().len(), 1);
    assert_eq!(layer["techniques"][0]["techniqueID"], kb.current(old).to_string());
}

#[test]
fn what_analysts_assign_stands_first_and_is_told_apart_from_what_is_derived() {
    let [exploit, linker] = [TechniqueId::technique(1190), TechniqueId::sub_technique(1574, 6)];
    let only = TechniqueId::technique(1027);
    let mut answer = answer("a", &[(linker, 0.99, true), (only, 0.98, true)]);
    let curated = [(linker, 0.25, true), (exploit, 0.75, true)];
    let curated = curated.map(|(id, score, predicted)| ScoredLabel::new(id, score, predicted)).to_vec();
    answer.prediction.attack_curated = Some(Labels::new(curated, 0.0));
    let layer = layer(RECOMMENDED, vec![answer]);
    let told = layer["techniques"].as_array().unwrap().iter().map(|technique| {
        let basis = technique["metadata"].as_array().unwrap().iter().find(|entry| entry["name"] == "basis");
        let [id, basis] = [&technique["techniqueID"], &basis.unwrap()["value"]].map(|v| v.as_str().unwrap());
        (id, basis, technique["score"].as_f64().unwrap(), technique.get("color").is_some())
    });
    let want = [
        ("T1190", "curated", 75.0, false),
        ("T1574.006", "curated", 25.0, false),
        ("T1027", "derived", 98.0, true),
    ];
    assert_eq!(told.collect::<Vec<_>>(), want);
    assert!(layer["techniques"][1]["comment"].as_str().unwrap().contains("derived from a weakness, too"));
    assert_eq!(layer["legendItems"][2]["color"], layer["techniques"][2]["color"]);
    let description = layer["description"].as_str().unwrap();
    assert!(description.contains("Basis curated") && description.contains("Basis derived"), "{description}");
}
