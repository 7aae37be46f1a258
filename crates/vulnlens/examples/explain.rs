//! Explains an answer: the words that carried it, and the paths to ATT&CK.
#![expect(clippy::print_stdout, reason = "an example prints its answer")]

use vulnlens::report::{RecordKey, Setup, explanation_text};
use vulnlens::{Answerer, Input, Options};

fn main() {
    let text = std::env::args().nth(1);
    let text = text.as_deref().unwrap_or("SQL injection in login.php via the id parameter.");
    let (classifier, options) = (vulnlens::embedded(), Options::default());
    let setup = Setup::new(classifier.run(&options), classifier.knowledge_base().clone());
    let mut answerer = Answerer::new(&classifier, &options, true).explaining();
    for answer in answerer.answer(&[Input::text(text)], [RecordKey::default()]) {
        let words = answer.explanation.iter().flat_map(|explanation| &explanation.words);
        if let Some(word) = words.max_by(|a, b| a.weight.total_cmp(&b.weight)) {
            println!("heaviest word: {} ({:+.2})", word.text, word.weight);
        }
        println!("{}", explanation_text(&answer, &setup));
    }
}
