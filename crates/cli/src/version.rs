//! `--version`: the program, its commit, and the revisions of what is embedded.

use vulnlens::{ACCURATE, FAST, Open};

/// The commit that the program was built from, as `build.rs` found it; none outside of a checkout.
const COMMIT: Option<&str> = option_env!("VULNLENS_COMMIT");

/// The version of the program and of the models and the knowledge base in it, a line each.
pub(crate) fn text() -> String {
    let commit = COMMIT.map_or_else(String::new, |commit| format!(" ({commit})"));
    let mut text = format!("vulnlens {}{commit}\n", env!("CARGO_PKG_VERSION"));
    for name in [FAST, ACCURATE] {
        let revision =
            vulnlens::open(name, &Open::new()).map(|classifier| classifier.network().revision().to_owned());
        // `doctor` tells what is wrong with a damaged program.
        text += &format!("model {name} {}\n", revision.as_deref().unwrap_or("cannot be read"));
    }
    let kb = vulnlens::embedded_knowledge_base();
    let versions = kb.versions();
    text + &format!(
        "knowledge base CWE {}, CAPEC {}, ATT&CK {} ({})\n",
        versions.cwe,
        versions.capec,
        versions.attack,
        kb.fingerprint()
    )
}
