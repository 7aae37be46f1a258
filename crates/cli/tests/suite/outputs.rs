//! Output files: they appear whole or not at all, keep their permissions, and links stay links.
#![cfg(unix)]

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::training::table;
use crate::vulnlens::Folder;

/// `classify` in `folder`, waiting for more records, begun by the shell command `before`.
fn classify(folder: &Path, before: &str) -> Child {
    let script = format!("{before} exec \"$0\" classify --input - --output out.jsonl");
    let mut child = Command::new("/bin/sh")
        .args(["-c", &script, env!("CARGO_BIN_EXE_vulnlens")])
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.as_mut().unwrap().write_all(b"{\"description\":\"heap overflow\"}\n").unwrap();
    wait_for("a file is begun", || names(folder).iter().any(|name| name.starts_with(".vulnlens-")));
    child
}

fn names(folder: &Path) -> Vec<String> {
    let entries = folder.read_dir().unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = entries.map(|name| name.to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[track_caller]
fn wait_for(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(60), "{what}: not within a minute");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn send(signal: &str, child: &Child) {
    let script = format!("kill -{signal} {}", child.id());
    assert!(Command::new("/bin/sh").args(["-c", &script]).status().unwrap().success());
}

/// True if this process, and thus its children, ignore a signal from their start on.
fn is_ignored(number: u32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap_or_default();
    u64::from_str_radix(mask.trim(), 16).unwrap_or_default() & (1 << (number - 1)) != 0
}

#[test]
fn a_process_that_is_told_to_end_leaves_nothing_behind() {
    let folder = Folder::new();
    folder.file("out.jsonl", "before");
    let signals = [("INT", 2), ("TERM", 15), ("HUP", 1)];
    for (signal, number) in signals.into_iter().filter(|(_, number)| !is_ignored(*number)) {
        let mut child = classify(&folder.path(""), "");
        send(signal, &child);
        // By the signal itself, as its parent expects: shells report 128 and the number.
        assert_eq!(child.wait().unwrap().signal(), Some(number.cast_signed()), "{signal}");
        assert_eq!(names(&folder.path("")), ["out.jsonl"]);
        assert_eq!(fs::read(folder.path("out.jsonl")).unwrap(), b"before");
    }
}

#[test]
fn a_signal_that_is_ignored_from_the_start_stays_ignored() {
    let folder = Folder::new();
    let mut child = classify(&folder.path(""), "trap '' HUP;");
    send("HUP", &child);
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
    assert_eq!(names(&folder.path("")), ["out.jsonl"]);
}

#[test]
fn a_training_that_is_told_to_end_keeps_what_it_has() {
    let folder = Folder::new();
    folder.file("table.jsonl", table());
    folder.run(&["data", "build", "--table", "table.jsonl", "--out", "data.parquet"]).code(0);
    let tokenizer = "train tokenizer --data data.parquet --size 400 --out tokenizer";
    folder.run(&tokenizer.split(' ').collect::<Vec<_>>()).code(0);
    let train = "train mlm --data data.parquet --tokenizer tokenizer --out model --layers 1 --hidden 32 --heads 4 \
                 --positions 40 --max-tokens 40 --batch 16 --epochs 10000 --threads 1";
    let child = Command::new(env!("CARGO_BIN_EXE_vulnlens"))
        .args(train.split_whitespace())
        .current_dir(folder.path(""))
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait_for("a run is begun", || folder.path("model/run").is_dir());
    std::thread::sleep(Duration::from_secs(1));
    send("TERM", &child);
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(143) && said.contains("--resume"), "{said}");
    let run = names(&folder.path("model/run"));
    assert!(run.contains(&"checkpoint.safetensors".to_owned()), "{run:?}");
    assert!(!run.iter().any(|name| name.starts_with(".vulnlens-")), "{run:?}");
}

#[test]
fn permissions_are_kept_and_links_are_followed() {
    let folder = Folder::new();
    fs::create_dir(folder.path("real")).unwrap();
    for (name, permissions) in [("secret.jsonl", 0o600), ("secret.csv", 0o640), ("secret.parquet", 0o600)] {
        let path = folder.file(name, "");
        fs::set_permissions(&path, fs::Permissions::from_mode(permissions)).unwrap();
        let (link, target) = (format!("link-{name}"), format!("real/{name}"));
        symlink(&target, folder.path(&link)).unwrap();
        for output in [name, &link] {
            folder.run(&["classify", "heap overflow", "--output", output]).code(0);
        }
        let metadata = fs::metadata(&path).unwrap();
        assert_eq!(metadata.permissions().mode() & 0o777, permissions, "{name}");
        assert!(metadata.len() > 0);
        assert!(folder.path(&link).is_symlink());
        assert_eq!(fs::read(folder.path(&target)).unwrap(), fs::read(&path).unwrap());
    }
}

#[test]
fn no_file_commands_the_terminal() {
    let folder = Folder::new();
    folder.file("esc.csv", "i\x1b[31md,de\x1b]0;PWNED\x07sc\n1,2\n");
    folder.file("e\x1b[31m.jsonl", "{\"description\":\"\"}\n");
    for arguments in [
        ["classify", "--input", "esc.csv"],
        ["classify", "--input", "e\x1b[31m.jsonl"],
        ["classify", "--input", "none\x1b[31m.jsonl"],
    ] {
        let outcome = folder.run(&arguments);
        assert_ne!(outcome.code, 0);
        assert!(outcome.stderr.contains(r"\u{1b}"), "{arguments:?}: {}", outcome.stderr);
        assert!(!outcome.stderr.contains(['\x1b', '\x07']), "{arguments:?}: {}", outcome.stderr);
    }
    let outcome = folder.run(&["classify", "--top-k", "\x1b[31mred\x07"]).code(2).says(&["red"]);
    assert!(!outcome.stderr.contains(['\x1b', '\x07']), "{}", outcome.stderr);
}
