//! `data fetch` and `watch` as whole processes: against a publisher on this machine that lies, and killed at any
//! moment.

#![cfg(unix)]

#[path = "../../../fetch/tests/fetch/server.rs"]
mod server;
#[path = "../../../fetch/tests/fetch/site.rs"]
#[expect(dead_code, reason = "the tests of the library use all of it")]
mod site;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use vulnlens_files::sha256_hex;

use crate::vulnlens::Folder;
use server::{Reply, Seen};
use site::{Site, gzip, hosts, nvd_feed, nvd_meta, nvd_record};

/// Kills in a usual run, which ends after [`LONGEST`] too; `VULNLENS_KILLS` gives another number and no such end.
const KILLS: usize = 60;
const LONGEST: Duration = Duration::from_secs(12);
/// The last year that feeds are published of: the process's clock is the real one.
const LAST_YEAR: u16 = 2040;

/// A folder with the table of addresses of a publisher.
fn world() -> (Folder, Site) {
    let (folder, site) = (Folder::new(), Site::start());
    folder.file("hosts.toml", hosts(&site.server.url()));
    (folder, site)
}

/// Publishes a feed, and gives its file.
fn publish(site: &Site, feed: &str, records: &[String]) -> Vec<u8> {
    let content = nvd_feed(records);
    site.put(&format!("/nvd-feeds/nvdcve-2.0-{feed}.meta"), nvd_meta(&content));
    let packed = gzip(&content);
    site.put(&format!("/nvd-feeds/nvdcve-2.0-{feed}.json.gz"), packed.clone());
    packed
}

/// Records of a year, with a word that tells states apart.
fn records(year: u16, count: usize, word: &str) -> Vec<String> {
    let text =
        |at| format!("SQL injection in page {at} of product {year} allows attackers to read data {word}");
    (0..count).map(|at| nvd_record(&format!("CVE-{year}-{at:04}"), &text(at))).collect()
}

fn publish_all(site: &Site) {
    for year in 2002..=LAST_YEAR {
        publish(site, &year.to_string(), &records(year, 3, "one"));
    }
    publish(site, "modified", &records(2024, 3, "one"));
}

#[test]
fn records_are_fetched_and_answered() {
    let (folder, site) = world();
    publish_all(&site);
    let fetch = ["data", "fetch", "nvd", "--out", "nvd", "--hosts", "hosts.toml"];
    folder.run(&fetch).code(0).says(&["files fetched", "0 unchanged"]);
    folder.run(&fetch).code(0).says(&["0 files fetched"]);
    let classify = ["classify", "--data", "nvd", "--cve-id", "CVE-2010-0001,CVE-2024-0002"];
    let outcome = folder.run(&classify).code(0);
    assert_eq!(outcome.ids(), [Some("CVE-2010-0001".to_owned()), Some("CVE-2024-0002".to_owned())]);
    assert_eq!(outcome.records()[0]["cwe"][0]["label"], "CWE-89", "{}", outcome.stdout);
    folder.run(&["classify", "--data", "nvd", "--cve-id", "CVE-2010-9999"]).code(3).says(&["does not hold"]);
    let build = folder.run(&["data", "build", "nvd", "-o", "data.parquet", "-f", "json"]).code(0);
    let report: Value = serde_json::from_str(&build.stdout).unwrap();
    assert_eq!(report["bad_records"], Value::Null, "{report}");
    let first = report["sources"][0]["source"].as_str().unwrap();
    assert!(
        first.ends_with("nvdcve-2.0-modified.json.gz"),
        "changes count before what they change: {report}"
    );
}

#[test]
fn failures_have_their_exit_codes() {
    let (folder, site) = world();
    let kev = ["data", "fetch", "kev", "--out", "kev", "--hosts", "hosts.toml"];
    folder.run(&kev).code(5).says(&["status 404", "--hosts"]);
    folder.run(&["data", "fetch", "kev", "--out", "kev", "--api"]).code(2).says(&["--api is for `nvd`"]);
    folder.file("bad.toml", "kve = \"https://x\"\n");
    folder
        .run(&["data", "fetch", "kev", "--out", "kev", "--hosts", "bad.toml"])
        .code(2)
        .says(&["bad.toml:1"]);
    let none = folder.run(&["data", "fetch", "kev", "--out", "kev", "--hosts", "none.toml"]);
    none.code(3).says(&["none.toml: cannot be read"]);
    site.put("/kev", br#"{"vulnerabilities":[]}"#);
    folder.run(&kev).code(0);
    folder
        .run(&["data", "fetch", "atlas", "--out", "kev", "--hosts", "hosts.toml"])
        .code(2)
        .says(&["holds `kev`"]);
    folder
        .run(&["classify", "--data", "kev", "--cve-id", "CVE-2020-0001"])
        .code(5)
        .says(&["no records of CVEs"]);
    let mut offline = crate::vulnlens::command(&folder.path("."));
    let output = offline.args(kev).env("HF_HUB_OFFLINE", "1").output().unwrap();
    assert_eq!(output.status.code(), Some(5));
    assert!(String::from_utf8_lossy(&output.stderr).contains("HF_HUB_OFFLINE"));
    let mut key = crate::vulnlens::command(&folder.path("."));
    let api = ["data", "fetch", "nvd", "--api", "--out", "nvd", "--hosts", "hosts.toml"];
    let output = key.args(api).env("NVD_API_KEY", "a b").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(!String::from_utf8_lossy(&output.stderr).contains("a b"));
}

#[test]
fn catalogues_are_fetched_built_and_compared() {
    let (folder, site) = world();
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../taxonomy/tests/data");
    let read = |name: &str| fs::read(data.join(name)).unwrap();
    site.put("/cwe", crate::packed::zip(&[("cwec_v9.9.xml", &read("cwe.xml"))]));
    site.put("/capec", read("capec.json"));
    site.put("/attack-enterprise", read("enterprise.json"));
    site.put("/attack-mobile", read("mobile.json"));
    site.put("/attack-ics", br#"{"type":"bundle","objects":[]}"#);
    site.put("/atlas", read("atlas.yaml"));
    let update = ["kb", "update", "--folder", "catalogues", "--out", "kb.bin", "--hosts", "hosts.toml"];
    folder.run(&update).code(5).says(&["status 404", "d3fend"]);
    assert!(!folder.path("kb.bin").exists(), "nothing is written of half the catalogues");
    site.put("/d3fend", read("d3fend.ttl"));
    folder.run(&update).code(3).says(&["ics-attack.json: not a STIX 2.1 bundle of ATT&CK"]);
    site.put("/attack-ics", read("mobile.json"));
    let first = folder.run(&update).code(0);
    first.says(&["mitre: 1 files fetched, 4 unchanged", "kb.bin: CWE"]);
    let show = ["kb", "show", "D3-DW", "AML.T0010", "--kb", "kb.bin"];
    folder.run(&show).code(0);
    let whole = fs::read(folder.path("kb.bin")).unwrap();
    site.put("/atlas", String::from_utf8(read("atlas.yaml")).unwrap().replace("By a page", "By a sheet"));
    let second = folder.run(&update).code(0);
    assert!(second.stdout.contains("\"Talking") || second.stdout.contains("By a sheet"), "{}", second.stdout);
    assert_ne!(fs::read(folder.path("kb.bin")).unwrap(), whole);
    let last = fs::read(folder.path("kb.bin")).unwrap();
    site.put("/d3fend", read("d3fend.ttl")[..2000].to_vec());
    folder.run(&update).code(5);
    assert_eq!(fs::read(folder.path("kb.bin")).unwrap(), last, "a file that was cut changes nothing");
    let mut offline = crate::vulnlens::command(&folder.path("."));
    let output = offline.args(update).env("HF_HUB_OFFLINE", "1").output().unwrap();
    assert_eq!(output.status.code(), Some(5));
    assert!(String::from_utf8_lossy(&output.stderr).contains("HF_HUB_OFFLINE"));
    folder.run(&[&update[..], &["--api"]].concat()).code(2).says(&["--api is for NVD's records"]);
}

#[test]
fn changes_are_answered_to_a_file_and_to_standard_output() {
    let (folder, site) = world();
    publish(&site, "modified", &records(2024, 3, "one"));
    let watch = ["watch", "nvd", "--folder", "feed", "--once", "--hosts", "hosts.toml"];
    let to_file = [&watch[..], &["-o", "answers.jsonl"]].concat();
    folder.run(&to_file).code(0).says(&["3 records answered"]);
    folder.run(&to_file).code(0).says(&["0 records answered"]);
    let answers = fs::read_to_string(folder.path("answers.jsonl")).unwrap();
    let to_stdout = [&watch[..], &["--cursor", "other.json"]].concat();
    let outcome = folder.run(&to_stdout).code(0);
    assert_eq!(outcome.stdout, answers, "the same answers");
    assert_eq!(outcome.ids()[0].as_deref(), Some("CVE-2024-0000"));
    folder.run(&watch).code(2).says(&["cursor"]);
}

/// A number that looks random and is the same in each run.
fn random(state: &AtomicU64, below: u64) -> u64 {
    let mixed = |mut x: u64| {
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^ (x >> 31)
    };
    mixed(state.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed)) % below
}

/// Changes an answer as a server might that is tired, confused or behind a strange proxy.
fn lie(seen: &Seen, honest: Reply, random: impl Fn(u64) -> u64) -> Reply {
    let middle = |length: usize| usize::try_from(random(length.max(1) as u64)).unwrap();
    let is_packed = seen.path.ends_with(".gz");
    match random(20) {
        0 | 1 => {
            let cut = middle(honest.body.len());
            honest.cut(cut)
        }
        2 => Reply::new(503).header("Retry-After", 0),
        3 => Reply::new(429).header("Retry-After", 0),
        4 => Reply::new(403).header("Retry-After", 0),
        5 => {
            let cut = middle(honest.body.len());
            Reply { pause: Some(Duration::from_millis(20)), ..honest.cut(cut) }
        }
        6 if is_packed => Reply::new(200).body("<html>Sign in</html>"),
        7 if is_packed && !honest.body.is_empty() => {
            let (mut body, at) = (honest.body.clone(), middle(honest.body.len()));
            body[at] ^= 0x40;
            Reply { body, ..honest }
        }
        8 => Reply { length: Some(honest.body.len() as u64 + 100), ..honest },
        9 if is_packed => Reply { length: Some((honest.body.len() as u64).saturating_sub(9)), ..honest },
        10 => honest.header("ETag", "\"another\""),
        11 => Reply::new(416),
        _ => honest,
    }
}

/// Kills until enough were made: each one after `run` began a process, and `between` sees what it left.
fn kill(longest_life: u64, mut begin: impl FnMut() -> Command, mut between: impl FnMut(usize)) {
    let (kills, longest) = match std::env::var("VULNLENS_KILLS") {
        Ok(kills) => (kills.parse().unwrap(), Duration::MAX),
        Err(_) => (KILLS, LONGEST),
    };
    let (state, begun) = (AtomicU64::new(7), Instant::now());
    for number in 0..kills {
        if begun.elapsed() > longest {
            break;
        }
        let mut child = begin().stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_micros(random(&state, longest_life)));
        // On Unix, that is SIGKILL.
        let _ = child.kill();
        child.wait().unwrap();
        between(number);
    }
}

fn vulnlens(folder: &Folder, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vulnlens"));
    command.current_dir(folder.path(".")).env_clear().args(arguments);
    command
}

/// The states that files may be in, by their names.
type States = BTreeMap<String, Vec<String>>;

/// Checks that each file of a folder is one that was published, whole.
fn all_are_whole(folder: &Path, states: &States) -> usize {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    let mut files = 0;
    for entry in entries {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if name.starts_with('.') {
            continue;
        }
        let bytes = fs::read(entry.path()).unwrap();
        if name == "fetched.json" {
            let record: Value = serde_json::from_slice(&bytes).unwrap();
            assert_eq!(record["source"], "nvd");
            continue;
        }
        files += 1;
        assert!(states[&name].contains(&sha256_hex(&bytes)), "{name} is damaged, with {} bytes", bytes.len());
    }
    files
}

#[test]
fn a_fetch_may_be_killed_at_any_moment() {
    let (folder, site) = world();
    let mut states = States::new();
    let mut put = |feed: &str, records: &[String]| {
        let packed = publish(&site, feed, records);
        states.entry(format!("nvdcve-2.0-{feed}.json.gz")).or_default().push(sha256_hex(&packed));
        states.clone()
    };
    let mut published = States::new();
    for year in 2002..=LAST_YEAR {
        published = put(&year.to_string(), &records(year, 400, "one"));
    }
    put("modified", &records(2024, 400, "one"));
    let lies = std::sync::Arc::new(AtomicU64::new(1));
    site.mood_for_all(move |seen, honest| lie(seen, honest, |below| random(&lies, below)));
    let fetch = ["data", "fetch", "nvd", "--out", "nvd", "--hosts", "hosts.toml"];
    let mut most = 0;
    kill(
        150_000,
        || vulnlens(&folder, &fetch),
        |number| {
            most = most.max(all_are_whole(&folder.path("nvd"), &published));
            // The publisher goes on, too.
            let year = 2002 + u16::try_from(number % 20).unwrap();
            published = put(&year.to_string(), &records(year, 400, &format!("state {number}")));
        },
    );
    assert!(most > 0, "some files came before a kill");
    site.be_honest();
    folder.run(&fetch).code(0);
    all_are_whole(&folder.path("nvd"), &published);
    for (name, states) in &published {
        let current = states.last().unwrap();
        match fs::read(folder.path("nvd").join(name)) {
            Ok(bytes) => assert_eq!(&sha256_hex(bytes), current, "{name}"),
            // Years that have not begun are not asked for.
            Err(_) => assert!(name.as_str() > "nvdcve-2.0-2025", "{name} is missing"),
        }
    }
    let left = fs::read_dir(folder.path("nvd"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let left: Vec<String> = left.filter(|name| name.starts_with('.') && name != ".fetch.lock").collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_watch_may_be_killed_at_any_moment() {
    let (folder, site) = world();
    let (mut expected, mut current) = (BTreeSet::new(), records(2024, 1500, "one"));
    let mut publish_all = |records: &[String]| {
        publish(&site, "modified", records);
        expected.extend(records.iter().map(|record| {
            let record: Value = serde_json::from_str(record).unwrap();
            record["cve"]["id"].as_str().unwrap().to_owned()
        }));
        expected.clone()
    };
    let mut all = publish_all(&current);
    let lies = std::sync::Arc::new(AtomicU64::new(2));
    site.mood_for_all(move |seen, honest| lie(seen, honest, |below| random(&lies, below)));
    let watch = [
        "watch",
        "nvd",
        "--folder",
        "feed",
        "-o",
        "answers.jsonl",
        "--once",
        "--hosts",
        "hosts.toml",
        "--threads",
        "1",
    ];
    kill(
        1_500_000,
        || vulnlens(&folder, &watch),
        |number| {
            // New records come, and those that were there stay.
            let id = format!("CVE-2024-{}", 10_000 + number);
            current.push(nvd_record(&id, &format!("Buffer overflow number {number}")));
            all = publish_all(&current);
        },
    );
    site.be_honest();
    folder.run(&watch).code(0);
    let answers = fs::read_to_string(folder.path("answers.jsonl")).unwrap();
    assert!(answers.ends_with('\n'));
    let ids: Vec<String> = answers
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].as_str().unwrap().to_owned())
        .collect();
    let distinct: BTreeSet<String> = ids.iter().cloned().collect();
    assert_eq!(ids.len(), distinct.len(), "a record is answered twice");
    assert_eq!(distinct, all, "a record is lost");
}
