//! The reference of the command line, `docs/cli.md`, written from the arguments themselves and checked against them.
//!
//! `VULNLENS_UPDATE_DOCS=1 cargo test -p vulnlens-cli reference` writes it.

use std::path::Path;

use clap::{Command, CommandFactory as _};

use crate::arguments::Cli;

const HEAD: &str = "<!-- Written by a test of crates/cli (src/reference.rs, which says how); do not edit. -->\n\
                    # The command line\n\n\
                    The global options and `--help` stand once, under `vulnlens`; every command takes them.\n";
/// The options that each command takes.
const GLOBAL: [&str; 5] = ["verbose", "quiet", "color", "help", "version"];

/// The help of `command` and of all commands under it.
fn push_help(command: &Command, name: &str, depth: usize, text: &mut String) {
    let heading = "#".repeat(depth);
    let mut shown = command.clone().bin_name(name);
    if depth > 2 {
        shown = shown.mut_args(|argument| {
            let is_global = GLOBAL.contains(&argument.get_id().as_str());
            let is_hidden = is_global || argument.is_hide_set();
            argument.hide(is_hidden)
        });
    }
    let help = shown.render_long_help();
    let help = help.to_string();
    let help: Vec<&str> = help.lines().map(str::trim_end).collect();
    *text += &format!("\n{heading} `{name}`\n\n```text\n{}\n```\n", help.join("\n").trim_end());
    for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
        push_help(below, &format!("{name} {}", below.get_name()), depth + 1, text);
    }
}

#[test]
fn the_reference_is_what_the_arguments_say() {
    let mut command = Cli::command().term_width(100);
    command.build();
    let mut text = HEAD.to_owned();
    push_help(&command, "vulnlens", 2, &mut text);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/cli.md");
    if std::env::var_os("VULNLENS_UPDATE_DOCS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = text.lines().zip(written.lines()).find(|(now, then)| now != then);
    assert!(
        text == written,
        "docs/cli.md is not what the arguments say, first at {differs:?}; write it anew: \
         VULNLENS_UPDATE_DOCS=1 cargo test -p vulnlens-cli reference"
    );
}
