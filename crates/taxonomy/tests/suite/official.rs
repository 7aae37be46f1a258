//! The official files: read without a single issue, and the chain over them agrees with what
//! CVE2CAPEC published. Skipped where the files are absent.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use vulnlens_taxonomy::{
    CweId, Domain, GroupingKind, KnowledgeBase, KnowledgeBaseBuilder, TechniqueId, atlas, attack, capec, cwe,
    d3fend,
};

/// The folder of official files beside the repository, if it is there.
fn shared_data() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: {} is absent", folder.display());
    None
}

fn gzip(path: PathBuf) -> impl BufRead {
    BufReader::new(MultiGzDecoder::new(File::open(path).unwrap()))
}

/// CWE 4.18, and CWE 4.19.1 as the REST API answers, neither of which may hold an issue.
fn cwe_releases(folder: &Path) -> [cwe::CweCatalog; 2] {
    let archive =
        |name: &str| zip::ZipArchive::new(File::open(folder.join("cwe").join(name)).unwrap()).unwrap();
    let mut zip = archive("cwec_v4.18.xml.zip");
    let reduced = cwe::parse(BufReader::new(zip.by_index(0).unwrap()), "cwe").unwrap();
    let mut zip = archive("cwe-4.19.1-api.zip");
    let mut answers = cwe::ApiAnswers::new();
    for number in 0..zip.len() {
        let mut bytes = vec![];
        zip.by_index(number).unwrap().read_to_end(&mut bytes).unwrap();
        answers.add(&number.to_string(), &bytes);
    }
    let mut whole = answers.finish("cwe-api").unwrap();
    whole.version = Some("4.19.1".to_owned());
    for catalog in [&reduced, &whole] {
        assert_eq!(catalog.issues, []);
    }
    [reduced, whole]
}

/// The knowledge base of CWE, CAPEC 3.9 and ATT&CK 18.1, none of which may hold an issue.
fn official_with(folder: &Path, cwe: cwe::CweCatalog, categories: Option<cwe::CweCatalog>) -> KnowledgeBase {
    let capec = capec::parse(gzip(folder.join("capec/stix-capec.json.gz")), "capec").unwrap();
    assert_eq!(capec.issues, []);
    let mut builder = KnowledgeBaseBuilder::new().cwe(cwe).capec(capec).attack_version("18.1");
    if let Some(categories) = categories {
        builder = builder.categories(categories);
    }
    for name in ["enterprise", "mobile", "ics"] {
        let catalog =
            attack::parse(gzip(folder.join(format!("attack/{name}-attack.json.gz"))), name).unwrap();
        assert_eq!(catalog.issues, [], "{name}");
        builder = builder.attack(catalog);
    }
    let atlas = BufReader::new(File::open(folder.join("atlas/ATLAS.yaml")).unwrap());
    let builder = builder.atlas(atlas::parse(atlas, "ATLAS.yaml").unwrap());
    let ontology = gzip(folder.join("d3fend/d3fend-protege.ttl.gz"));
    let builder = builder.d3fend(d3fend::parse(ontology, "d3fend.ttl").unwrap()).d3fend_version("2025-08");
    builder.build().unwrap()
}

/// The embedded one: weaknesses of CWE 4.18, whose file has no categories, and categories and views of 4.19.1.
fn official(folder: &Path) -> KnowledgeBase {
    let [reduced, whole] = cwe_releases(folder);
    official_with(folder, reduced, Some(whole))
}

/// CWE 4.19.1 alone.
fn newer(folder: &Path) -> KnowledgeBase {
    let [_, whole] = cwe_releases(folder);
    official_with(folder, whole, None)
}

#[test]
fn the_embedded_knowledge_base_is_made_of_the_official_files() {
    let Some(folder) = shared_data() else { return };
    let kb = official(&folder);
    let counts = (kb.weaknesses().len(), kb.patterns().len(), kb.techniques().len(), kb.tactics().len());
    assert_eq!(counts, (969, 615, 835 + 190 + 95, 14 + 14 + 12));
    let categories = kb.groupings().filter(|grouping| grouping.kind == GroupingKind::Category).count();
    assert_eq!((categories, kb.groupings().len() - categories), (420, 58));
    let versions = (kb.versions().cwe.as_str(), kb.versions().cwe_categories.as_deref());
    assert_eq!(versions, ("4.18", Some("4.19.1")));
    assert_eq!(kb.name_of_cwe(CweId(264)), Some("Permissions, Privileges, and Access Controls"));
    assert_eq!(kb.weaknesses().filter(|weakness| kb.is_in_view_1003(weakness.id)).count(), 130);
    let embedded = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/kb.bin")).unwrap();
    let loaded = KnowledgeBase::from_bytes(&embedded).unwrap();
    assert_eq!((loaded.atlas(), loaded.d3fend()), (kb.atlas(), kb.d3fend()));
    assert_eq!(KnowledgeBase::embedded().descriptions(), kb.descriptions());
    assert!(kb.to_bytes() == embedded, "assets/kb.bin is not what `kb build` makes");
}

#[test]
fn cwe_and_capec_list_the_same_links() {
    let Some(folder) = shared_data() else { return };
    let [kb, newer] = [official(&folder), newer(&folder)];
    let links = |kb: &KnowledgeBase| kb.weaknesses().map(|w| w.capecs.clone()).collect::<Vec<_>>();
    assert_eq!(links(&kb), links(&newer));
    let from_cwe: BTreeSet<_> =
        kb.weaknesses().flat_map(|w| w.capecs.iter().map(|&capec| (w.id, capec))).collect();
    let from_capec: BTreeSet<_> = kb.patterns().flat_map(|p| p.cwes.iter().map(|&cwe| (cwe, p.id))).collect();
    assert_eq!(from_cwe, from_capec, "so the chain need not ask both sides");
}

/// `ChildOf` relations of CWE 4.18 that CVE2CAPEC's lists, made with other releases, do not know.
const NEWER_RELATIONS: [(u32, u32); 5] = [(120, 787), (325, 1240), (362, 662), (617, 705), (1188, 344)];

#[test]
fn the_chain_agrees_with_cve2capec() {
    let Some(folder) = shared_data() else { return };
    agrees_with_cve2capec(&folder, &official(&folder));
    agrees_with_cve2capec(&folder, &newer(&folder));
}

fn agrees_with_cve2capec(folder: &Path, kb: &KnowledgeBase) {
    let mut disagreements = Vec::new();
    let mut records = 0;
    // Records whose list lacks a parent of one of its ids, by that relation.
    let mut incomplete: BTreeMap<(u32, u32), Vec<String>> = BTreeMap::new();
    for year in 1999..=2016 {
        for line in gzip(folder.join(format!("cve2capec/CVE-{year}.jsonl.gz"))).lines() {
            for (id, record) in crate::fixture::published(&line.unwrap()) {
                records += 1;
                let missing = missing_parents(kb, &record.cwe);
                // From the leaves alone, where the list is complete in this release; else as listed.
                let labels = if missing.is_empty() {
                    let labels = kb.chain(&leaves(kb, &record.cwe));
                    assert_eq!(
                        labels,
                        kb.chain_of_complete(&record.cwe),
                        "{id}: leaves imply the whole list"
                    );
                    labels
                } else {
                    kb.chain_of_complete(&record.cwe)
                };
                if !labels.capec.iter().eq(&record.capec) || !labels.techniques.iter().eq(&record.techniques)
                {
                    disagreements.push(id.clone());
                }
                for relation in missing {
                    incomplete.entry(relation).or_default().push(id.clone());
                }
            }
        }
    }
    assert_eq!(records, 85_254);
    assert!(
        disagreements.len() <= 1,
        "{} of {records} disagree: {:?}",
        disagreements.len(),
        &disagreements[..2]
    );
    incomplete.retain(|relation, _| !NEWER_RELATIONS.contains(relation));
    assert_eq!(
        incomplete.into_values().collect::<Vec<_>>(),
        [["CVE-2012-6716"]],
        "one list lacks a parent of CWE-79"
    );
}

/// The parents, by relation, that `ids` lacks.
fn missing_parents(kb: &KnowledgeBase, ids: &[CweId]) -> Vec<(u32, u32)> {
    let relations = ids.iter().flat_map(|&id| kb.parents(id).iter().map(move |&parent| (id, parent)));
    relations.filter(|(_, parent)| !ids.contains(parent)).map(|(id, parent)| (id.0, parent.0)).collect()
}

/// The ids that no other of `ids` implies.
fn leaves(kb: &KnowledgeBase, ids: &[CweId]) -> Vec<CweId> {
    ids.iter().copied().filter(|id| !ids.iter().any(|other| kb.ancestors(*other).contains(id))).collect()
}

#[derive(serde::Deserialize)]
struct CorpusRecord {
    cwes: Vec<String>,
}

#[test]
fn the_chain_reaches_175_techniques_over_the_corpus() {
    let Some(folder) = shared_data() else { return };
    let [kb, newer] = [official(&folder), newer(&folder)];
    let mut sets: BTreeSet<Vec<String>> = BTreeSet::new();
    for line in gzip(folder.join("corpus.jsonl.gz")).lines() {
        sets.insert(serde_json::from_str::<CorpusRecord>(&line.unwrap()).unwrap().cwes);
    }
    let ids = |set: &Vec<String>| set.iter().filter_map(|id| id.parse().ok()).collect::<Vec<CweId>>();
    for set in &sets {
        let (chain, chain_of_newer) = (kb.chain(&ids(set)), newer.chain(&ids(set)));
        assert_eq!(
            (chain.capec, &chain.techniques),
            (chain_of_newer.capec, &chain_of_newer.techniques),
            "{set:?}"
        );
    }
    let reached: BTreeSet<TechniqueId> = sets.iter().flat_map(|set| kb.chain(&ids(set)).techniques).collect();
    assert_eq!(reached.len(), 175);
    // CAPEC links one technique that is in the mobile matrix, and one since revoked.
    let unusual =
        |id: &&TechniqueId| kb.technique(**id).is_none_or(|t| t.domain != Domain::Enterprise || t.revoked);
    let unusual: Vec<String> = reached.iter().filter(unusual).map(ToString::to_string).collect();
    assert_eq!(unusual, ["T1513", "T1574.002"]);
}
