//! Streams, help and self-knowledge.

use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::vulnlens::Folder;

/// A process with pipes on all streams.
fn spawn(folder: &Folder, arguments: &[&str]) -> std::process::Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vulnlens"));
    command.args(arguments).current_dir(folder.path(".")).env_clear();
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let folder = Folder::new();
    let line = "{\"id\":\"a\",\"description\":\"Buffer overflow in the parser\"}\n";
    folder.file("in.jsonl", line.repeat(20_000));
    for format in ["jsonl", "csv", "parquet"] {
        let arguments = ["classify", "--input", "in.jsonl", "--quiet", "--format", format];
        let mut child = spawn(&folder, &arguments);
        let mut first = [0];
        child.stdout.take().unwrap().read_exact(&mut first).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{format}");
        assert_eq!(output.status.code(), Some(0), "{format}");
    }
}

#[test]
fn it_ends_when_its_reader_went_away_though_its_input_is_silent() {
    let folder = Folder::new();
    let mut child = spawn(&folder, &["classify", "--quiet"]);
    drop(child.stdout.take());
    // Two chunks; standard input then stays open and silent.
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all("Buffer overflow in the parser\n".repeat(600).as_bytes()).unwrap();
    stdin.flush().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    drop(stdin);
}

#[test]
fn help_and_version_are_data() {
    let folder = Folder::new();
    let help = folder.run(&["--help"]).code(0);
    assert!(help.stdout.contains("Exit codes: 0 ok") && help.stderr.is_empty());
    let version = folder.run(&["--version"]).code(0);
    let lines: Vec<&str> = version.stdout.lines().collect();
    let name = format!("vulnlens {}", env!("CARGO_PKG_VERSION"));
    assert!(lines[0] == name || lines[0].starts_with(&format!("{name} (")), "{}", version.stdout);
    let info = folder.run(&["model", "info", "--format", "json"]).code(0).stdout;
    let info: Value = serde_json::from_str(&info).unwrap();
    assert_eq!(lines[1], format!("model fast {}", info["revision"].as_str().unwrap()));
    assert!(lines[2].starts_with("model accurate ") && lines[3].starts_with("knowledge base CWE "));
    assert_eq!(folder.run(&["kb", "show", "--version"]).code(0).stdout, version.stdout);
}

#[test]
fn colours_are_chosen_for_help_and_for_messages_about_arguments() {
    let folder = Folder::new();
    for arguments in
        [&["--help"][..], &["classify", "--help"], &["classify", "--nonsense"], &["kb", "show", "x"]]
    {
        for (choice, is_coloured) in [("never", false), ("always", true)] {
            let color = format!("--color={choice}");
            for chosen in [&["--color", choice][..], &[color.as_str()]] {
                let mut command = crate::vulnlens::command(&folder.path("."));
                let output =
                    command.env("CLICOLOR_FORCE", "1").args(arguments).args(chosen).output().unwrap();
                let shown = [output.stdout, output.stderr].concat();
                assert_eq!(shown.contains(&0x1B), is_coloured, "{arguments:?} {chosen:?}");
            }
        }
    }
}

#[test]
fn help_that_cannot_be_written_is_a_failure() {
    let Ok(full) = std::fs::File::options().write(true).open("/dev/full") else { return };
    let mut command = Command::new(env!("CARGO_BIN_EXE_vulnlens"));
    assert_eq!(command.arg("--help").stdout(full).status().unwrap().code(), Some(1));
}

#[test]
fn the_doctor_finds_the_program_whole() {
    let folder = Folder::new();
    let report = folder.run(&["doctor", "--format", "json"]).code(0).stdout;
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["version"], env!("CARGO_PKG_VERSION"));
    let checks = report["checks"].as_array().unwrap();
    assert_eq!(checks.len(), 4);
    assert!(checks.iter().all(|check| check["ok"] == true), "{report}");
    let catalogues: Vec<&str> =
        report["catalogues"].as_array().unwrap().iter().map(|of| of["catalogue"].as_str().unwrap()).collect();
    assert_eq!(catalogues, ["CWE", "CAPEC", "ATT&CK", "ATLAS", "D3FEND"]);
    assert!(
        report["catalogues"].as_array().unwrap().iter().all(|of| of["days_old"].as_u64() > Some(0)),
        "{report}"
    );
    let text = folder.run(&["doctor"]).code(0).stdout;
    assert!(text.contains("self-test") && text.contains("3.9 of 2023-01-24"), "{text}");
    assert!(text.contains("`kb update` looks for a newer one"), "CAPEC 3.9 is years old: {text}");
}

#[test]
fn every_shell_can_complete() {
    let folder = Folder::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = folder.run(&["completions", shell]).code(0).stdout;
        assert!(script.contains("vulnlens") && script.contains("classify"), "{shell}");
    }
}

#[test]
fn every_command_has_a_manual_page() {
    let folder = Folder::new();
    let page = folder.run(&["man"]).code(0).stdout;
    assert!(page.contains(".TH vulnlens 1") && page.contains("classify"), "{page}");
    let page = folder.run(&["man", "kb", "path"]).code(0).stdout;
    assert!(page.contains("CWE\\-79 T1027"), "{page}");
    folder.run(&["man", "kb", "paths"]).code(2).says(&["no command `paths`"]);
}

#[test]
fn quiet_says_errors_alone_and_without_utf8_tables_are_ascii() {
    let folder = Folder::new();
    folder.file("in.txt", "Buffer overflow in the parser\n");
    let outcome = folder.run(&["classify", "in.txt", "--quiet"]).code(0);
    assert_eq!(outcome.stderr, "");
    let mut command = crate::vulnlens::command(&folder.path("."));
    let output = command.env("LC_ALL", "C").args(["kb", "path", "CWE-79", "T1027"]).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "CWE-79 > CWE-74 > CAPEC-267 > T1027\n");
}

#[test]
fn a_pipe_that_stays_open_is_answered() {
    use std::io::{BufRead as _, BufReader};
    let folder = Folder::new();
    let bert = concat!(env!("CARGO_MANIFEST_DIR"), "/../encoder/tests/fixtures/bert");
    for model in ["fast", bert] {
        let mut child = spawn(&folder, &["classify", "-", "--input-format", "jsonl", "--model", model]);
        let mut stdin = child.stdin.take().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        for id in ["a", "b"] {
            let record = format!("{{\"id\":\"{id}\",\"description\":\"Buffer overflow in the parser\"}}\n");
            stdin.write_all(record.as_bytes()).unwrap();
            stdin.flush().unwrap();
            let answer: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
            assert_eq!(answer["id"], id, "{model}");
        }
        drop(stdin);
        assert_eq!(child.wait().unwrap().code(), Some(0));
    }
}
