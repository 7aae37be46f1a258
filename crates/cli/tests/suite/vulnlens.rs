//! One way to run the command: a clean environment, a folder of its own, and what came of it as text.

use std::path::{Path, PathBuf};

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

/// A folder to run the command in.
pub(crate) struct Folder(TempDir);

/// What came of a run.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Puts a file in the folder.
    pub(crate) fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// Runs the command in the folder.
    pub(crate) fn run(&self, arguments: &[&str]) -> Outcome {
        self.run_with(arguments, b"")
    }

    /// Runs the command in the folder with `stdin`.
    pub(crate) fn run_with(&self, arguments: &[&str], stdin: impl Into<Vec<u8>>) -> Outcome {
        let output = command(self.0.path()).args(arguments).write_stdin(stdin.into()).output().unwrap();
        Outcome {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// The command in `folder`, with nothing in its environment that could change what it says.
pub(crate) fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vulnlens"));
    command.current_dir(folder).env_clear().env("LANG", "C.UTF-8");
    command
}

impl Outcome {
    /// The outcome, if the command ended with `code`.
    #[track_caller]
    pub(crate) fn code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:#?}");
        self
    }

    /// The outcome, if standard error holds each of `words`.
    #[track_caller]
    pub(crate) fn says(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.stderr.contains(word), "{word:?} is not said in:\n{}", self.stderr);
        }
        self
    }

    /// The lines of standard output as JSON.
    #[track_caller]
    pub(crate) fn records(&self) -> Vec<Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The ids of the records, in their order.
    #[track_caller]
    pub(crate) fn ids(&self) -> Vec<Option<String>> {
        let id = |record: &Value| record["id"].as_str().map(str::to_owned);
        self.records().iter().map(id).collect()
    }
}
