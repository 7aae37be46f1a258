//! Classifies one text with the embedded model: `cargo run --example classify -- "SQL injection in login.php"`.
#![expect(clippy::print_stdout, reason = "an example prints its answer")]

use vulnlens::{Input, Options};

fn main() {
    let text = std::env::args().nth(1);
    let text = text.as_deref().unwrap_or("Cross-site scripting in the search field allows script injection.");
    let classifier = vulnlens::embedded();
    let prediction = classifier.predict(Input::text(text), &Options::default().top_k(3));
    let kb = classifier.knowledge_base();
    for scored in prediction.cwe.iter().flat_map(|cwe| &cwe.labels) {
        let sign = if scored.predicted { '✓' } else { ' ' };
        let name = kb.name_of_cwe(scored.label).unwrap_or("(unknown)");
        println!("{sign} {:5.1} %  {}  {name}", scored.score * 100.0, scored.label);
    }
    // Techniques are derived: MITRE's catalogues link them to the weakness.
    for scored in prediction.attack.iter().flat_map(|attack| &attack.labels) {
        println!("  {:5.1} %  {} (derived)", scored.score * 100.0, scored.label);
    }
}
