//! Golden bytes: commands and all that comes of them, kept in `tests/golden/*.txt` and compared whole.
//!
//! A line `$ vulnlens …` of such a file is run. Below it stand its exit code, its standard output (`|`), its standard
//! error (`!`) and the files that it was told to write (named after `=>`); `< FILE` gives standard input. Long or binary
//! outputs are kept as a length and a SHA-256. Everything runs in one temporary folder, so that no path of a machine gets
//! into a fixture.
//!
//! `VULNLENS_GOLDEN=write cargo test -p vulnlens-cli --test suite golden` writes the files anew: a change on purpose is
//! then reviewed as a diff. All outputs are left in `target/tmp/golden` for comparison by `diff -r`;
//! `VULNLENS_GOLDEN_BINARY=FILE` runs another binary and leaves its outputs in `target/tmp/golden-other`.
#![cfg(all(unix, target_arch = "x86_64"))]

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;
use vulnlens_files::sha256_hex;

use crate::packed::gzip;
use crate::vulnlens::Folder;

/// Makes the data sets and models that the other files use; its commands run in order.
const FIRST: &str = "prepare";

/// The other files. Their commands do not depend on each other and run side by side.
const REST: [&str; 11] = [
    "arguments",
    "checkpoints",
    "classify",
    "data",
    "evaluate",
    "explain",
    "find",
    "inputs",
    "kb",
    "model",
    "review",
];

/// Outputs up to this length are kept as text.
const LONGEST_TEXT: usize = 3000;

#[test]
fn golden_bytes_are_what_they_were() {
    // Fitting uses the vector instructions of the machine; without these, other last digits are right, too.
    if !std::arch::is_x86_feature_detected!("avx2") || !std::arch::is_x86_feature_detected!("fma") {
        eprintln!("skipped: golden bytes are those of machines with AVX2 and FMA");
        return;
    }
    let bench = Bench::new();
    let mut differences = bench.check(FIRST, 1);
    for name in REST {
        differences += &bench.check(name, 2);
    }
    assert!(
        differences.is_empty(),
        "{differences}\nOutputs differ from tests/golden; they are in {}. Where that is on purpose, write the files \
         anew (see the head of golden.rs) and commit the diff.",
        bench.outputs.display()
    );
}

/// A command of a golden file.
struct Case<'a> {
    line: &'a str,
    arguments: Vec<&'a str>,
    stdin: Option<&'a str>,
    files: Vec<&'a str>,
}

impl<'a> Case<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let command = line.strip_prefix("$ vulnlens")?;
        let (command, files) = command.split_once(" => ").unwrap_or((command, ""));
        let (command, stdin) = command.split_once(" < ").unwrap_or((command, ""));
        Some(Self {
            line,
            arguments: words(command),
            stdin: Some(stdin.trim()).filter(|name| !name.is_empty()),
            files: files.split_whitespace().collect(),
        })
    }

    /// A name for files of this case.
    fn file_name(&self) -> String {
        let plain = |c: char| if c.is_ascii_alphanumeric() || "-.=".contains(c) { c } else { '_' };
        let name: String = self.line[2..].chars().map(plain).take(120).collect();
        format!("{name}-{}", &sha256_hex(self.line.as_bytes())[..6])
    }
}

/// The words of a command: between single quotes, or else between blanks.
fn words(command: &str) -> Vec<&str> {
    let parts = command.split('\'').enumerate();
    parts
        .flat_map(
            |(number, part)| {
                if number % 2 == 1 { vec![part] } else { part.split_whitespace().collect() }
            },
        )
        .collect()
}

/// Where the commands run.
struct Bench {
    folder: Folder,
    binary: Option<PathBuf>,
    is_writing: bool,
    outputs: PathBuf,
}

impl Bench {
    fn new() -> Self {
        let binary = env::var_os("VULNLENS_GOLDEN_BINARY").map(PathBuf::from);
        let outputs = if binary.is_some() { "golden-other" } else { "golden" };
        let folder = Folder::new();
        // By this name, as usage lines show it.
        let binary = binary.map(|binary| {
            fs::create_dir(folder.path("bin")).unwrap();
            link(&binary, &folder.path("bin/vulnlens"));
            folder.path("bin/vulnlens")
        });
        let bench = Self {
            folder,
            binary,
            is_writing: env::var("VULNLENS_GOLDEN").is_ok_and(|value| value == "write"),
            outputs: Path::new(env!("CARGO_TARGET_TMPDIR")).join(outputs),
        };
        fs::remove_dir_all(&bench.outputs).ok();
        fs::create_dir_all(&bench.outputs).unwrap();
        inputs(&bench.folder);
        bench
    }

    /// Runs the commands of a golden file, and tells what came out differently.
    fn check(&self, name: &str, threads: usize) -> String {
        let path = golden().join(name).with_extension("txt");
        let old = fs::read_to_string(&path).unwrap_or_default();
        let cases: Vec<Case<'_>> = old.lines().filter_map(Case::parse).collect();
        let results = Mutex::new(vec![String::new(); cases.len()]);
        let next = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let result = self.run(case);
                        let at = cases.iter().position(|other| std::ptr::eq(other, case)).unwrap();
                        results.lock().unwrap()[at] = result;
                    }
                });
            }
        });
        let new = with_results(&old, &results.into_inner().unwrap());
        if self.is_writing {
            fs::write(&path, new).unwrap();
            return String::new();
        }
        differences(&old, &new)
    }

    /// A command's exit code and outputs, as a golden file has them.
    fn run(&self, case: &Case<'_>) -> String {
        let mut command = crate::vulnlens::command(&self.folder.path("."));
        if let Some(binary) = &self.binary {
            command = assert_cmd::Command::new(binary);
            command.current_dir(self.folder.path(".")).env_clear().env("LANG", "C.UTF-8");
        }
        command.env("HF_HUB_OFFLINE", "1").env("HF_HOME", "hub").args(&case.arguments);
        let stdin = case.stdin.map(|name| fs::read(self.folder.path(name)).unwrap()).unwrap_or_default();
        let output = command.write_stdin(stdin).output().unwrap();
        let mut shown = format!("exit {}\n", output.status.code().unwrap_or(-1));
        shown += &self.show(case, "stdout", "|", output.stdout);
        shown += &self.show(case, "stderr", "!", output.stderr);
        for file in &case.files {
            match fs::read(self.folder.path(file)) {
                Ok(bytes) => shown += &self.show(case, file, ":", bytes),
                Err(_) => writeln!(shown, "{file}: no such file").unwrap(),
            }
        }
        shown
    }

    /// An output as a golden file has it: its lines behind `mark`, or its length and hash.
    fn show(&self, case: &Case<'_>, what: &str, mark: &str, bytes: Vec<u8>) -> String {
        if bytes.is_empty() {
            return String::new();
        }
        let bytes = without_chance(bytes, &self.folder.path("").display().to_string());
        let ending = what.replace(['/', '\\'], "_");
        fs::write(self.outputs.join(format!("{}.{ending}", case.file_name())), &bytes).unwrap();
        let is_plain = |c: char| c == '\n' || !c.is_control();
        match String::from_utf8(bytes) {
            Ok(text) if text.len() <= LONGEST_TEXT && text.ends_with('\n') && text.chars().all(is_plain) => {
                text.lines().fold(String::new(), |shown, line| shown + mark + " " + line + "\n")
            }
            Ok(text) => summary(what, text.as_bytes()),
            Err(error) => summary(what, error.as_bytes()),
        }
    }
}

/// An output without what changes from run to run (the folder, names of temporary files) and without the revision of
/// the model in records, which changes with a model's file and says nothing of the answers; `model info` has it.
fn without_chance(bytes: Vec<u8>, folder: &str) -> Vec<u8> {
    let Ok(text) = std::str::from_utf8(&bytes) else { return bytes };
    let text = text.replace(folder, "");
    let text = masked(&text, "/.vulnlens-", |c| c.is_ascii_alphanumeric());
    masked(&text, "\"model_revision\":\"", |c| c.is_ascii_hexdigit()).into_bytes()
}

/// `text` with a mark in place of the characters of a kind behind each `key`.
fn masked(text: &str, key: &str, is_kind: fn(char) -> bool) -> String {
    let mut parts = text.split(key);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |shown, part| [&shown, key, "…", part.trim_start_matches(is_kind)].concat())
}

fn summary(what: &str, bytes: &[u8]) -> String {
    let lines = bytes.iter().filter(|byte| **byte == b'\n').count();
    format!("{what}: {} bytes, {lines} lines, sha256 {}\n", bytes.len(), sha256_hex(bytes))
}

/// A golden file with these results below its commands.
fn with_results(old: &str, results: &[String]) -> String {
    let mut results = results.iter();
    let mut new = String::new();
    for line in old.lines() {
        if line.is_empty() || line.starts_with("# ") {
            new += line;
            new.push('\n');
        } else if Case::parse(line).is_some() {
            new += line;
            new.push('\n');
            new += results.next().unwrap();
        }
    }
    new
}

/// The commands whose results differ, with both.
fn differences(old: &str, new: &str) -> String {
    let blocks = |text: &str| -> Vec<String> {
        let mut blocks = vec![String::new()];
        for line in text.lines() {
            if Case::parse(line).is_some() {
                blocks.push(String::new());
            }
            let block = blocks.last_mut().unwrap();
            *block += line;
            block.push('\n');
        }
        blocks
    };
    let changed = |(old, new): &(String, String)| old != new;
    let pairs = blocks(old).into_iter().zip(blocks(new)).filter(changed);
    pairs.fold(String::new(), |text, (old, new)| {
        let command = new.lines().next().unwrap_or_default().to_owned();
        let only = |from: &str, other: &str, sign: &str| -> String {
            let other: Vec<&str> = other.lines().collect();
            from.lines()
                .filter(|line| !other.contains(line))
                .map(|line| format!("  {sign}{line}\n"))
                .collect()
        };
        format!("{text}{command}\n{}{}", only(&old, &new, "-"), only(&new, &old, "+"))
    })
}

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// Puts the files that commands read in the folder: the records in every format, checkpoints, catalogues, sources.
fn inputs(folder: &Folder) {
    let records = fs::read(golden().join("records.jsonl")).unwrap();
    let texts: Vec<(String, String)> =
        std::str::from_utf8(&records).unwrap().lines().map(id_and_text).collect();
    folder.file("records.jsonl.gz", gzip(&records));
    let packed = gzip(&records);
    folder.file("cut.jsonl.gz", &packed[..packed.len() / 2]);
    folder.file("records.jsonl", &records);
    let line = |(_, text): &(String, String)| text.replace(['\n', '\r', '\u{b}', '\u{85}'], " ") + "\n";
    let plain: String = texts.iter().map(line).collect();
    folder.file("records.txt", &plain);
    folder.file("few.txt", plain.lines().take(3).fold(String::new(), |few, line| few + line + "\n"));
    folder.file(
        "few.jsonl",
        records.split_inclusive(|byte| *byte == b'\n').take(5).collect::<Vec<_>>().concat(),
    );
    let row = |(id, text): &(String, String)| {
        format!("\"{}\",\"{}\"\r\n", id.replace('"', "\"\""), text.replace('"', "\"\""))
    };
    folder.file("records.csv", "id,description\r\n".to_owned() + &texts.iter().map(row).collect::<String>());
    folder.file("long-line.jsonl", {
        let long = format!("{{\"id\":\"long\",\"description\":\"{}\"}}\n", "overflow ".repeat(2 << 20));
        long + "{\"id\":\"short\",\"description\":\"SQL injection in the login form\"}\n"
    });
    folder.file("summary.csv", "id,summary\n1,Buffer overflow\n");
    folder.file("header.csv", "id,description\n");
    folder.file("empty.jsonl", "");
    folder.file("blank.txt", "\n \n");
    folder.file("table.jsonl", crate::training::table());
    folder.file("not-a-model.safetensors", "these are no tensors");
    fs::copy(golden().join("bad.jsonl"), folder.path("bad.jsonl")).unwrap();
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    link(&golden().join("sources"), &folder.path("sources"));
    link(&crates.join("encoder/tests/fixtures"), &folder.path("checkpoints"));
    catalogues(folder, &crates.join("taxonomy/tests/data"));
}

fn link(target: &Path, name: &Path) {
    std::os::unix::fs::symlink(fs::canonicalize(target).unwrap(), name).unwrap();
}

/// The made-up catalogues under the names that MITRE gives them, and a second release with some changes.
fn catalogues(folder: &Folder, from: &Path) {
    let read = |name: &str| fs::read_to_string(from.join(name)).unwrap();
    for release in ["release-1", "release-2"] {
        fs::create_dir(folder.path(release)).unwrap();
        let change = |text: String, old: &str, new: &str| {
            assert!(text.contains(old), "{old}");
            if release == "release-1" { text } else { text.replace(old, new) }
        };
        let cwe = change(read("cwe.xml"), "Version=\"9.1\"", "Version=\"9.2\"");
        let cwe = change(cwe, "Name=\"Page of others\"", "Name=\"Page of strangers\"");
        let cwe = change(cwe, "<Related_Attack_Pattern CAPEC_ID=\"9\"/>", "");
        let cwe = change(cwe, "ID=\"80\"", "ID=\"81\"");
        folder.file(&format!("{release}/cwec.xml"), cwe);
        let capec = change(
            read("capec.json"),
            "\"external_id\": \"CWE-119\"},\n       {\"source_name\": \"ATTACK\", \"external_id\": \"T1574.002\"",
            "\"external_id\": \"CWE-119\"},\n       {\"source_name\": \"ATTACK\", \"external_id\": \"T1027\"",
        );
        folder.file(&format!("{release}/stix-capec.json"), capec);
        folder.file(&format!("{release}/enterprise-attack.json"), read("enterprise.json"));
    }
}

/// The id and the text of a record.
fn id_and_text(line: &str) -> (String, String) {
    let record: Value = serde_json::from_str(line).unwrap();
    let text = record["description"].as_str().or(record["text"].as_str()).unwrap().to_owned();
    let id = match &record["id"] {
        Value::String(id) => id.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    (id, text)
}
