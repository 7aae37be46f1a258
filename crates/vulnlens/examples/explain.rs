//! Explains an answer: the words that carried it, and the paths to ATT&CK.
#![expect(clippy::print_stdout, reason = "an example prints its answer")]

use vulnlens::report::{RecordKey, TableLayout, explanation_text};
use vulnlens::{Input, Options};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let text = std::env::args().nth(1);
    let text = text.as_deref().unwrap_or("SQL injection in login.php via the id parameter.");
    let classifier = vulnlens::embedded();
    let explanation = classifier.explain(Input::text(text), &Options::default());
    let explanation = explanation.ok_or("the model cannot tell which words carried its answer")?;
    let heaviest = explanation.words.iter().max_by(|a, b| a.weight.total_cmp(&b.weight));
    if let Some(word) = heaviest {
        println!("heaviest word: {} ({:+.2})", word.text, word.weight);
    }
    let kb = classifier.knowledge_base();
    println!("{}", explanation_text(&RecordKey::default(), &explanation, kb, TableLayout::default()));
    Ok(())
}
