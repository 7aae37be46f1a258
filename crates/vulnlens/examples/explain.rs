//! Explains an answer: the words that carried it, and the paths to ATT&CK.
#![expect(clippy::print_stdout, reason = "an example prints its answer")]

use vulnlens::report::{RecordKey, Setup, explanation_text};
use vulnlens::{Answerer, Input, Options};

fn main() {
    let text = std::env::args().nth(1);
    let text = text.as_deref().unwrap_or("SQL injection in login.php via the id parameter.");
    let (classifier, options) = (vulnlens::embedded(), Options::default());
    let explanation = classifier.explain(Input::text(text), &options);
    let heaviest = explanation.words.iter().max_by(|a, b| a.weight.total_cmp(&b.weight));
    if let Some(word) = heaviest {
        println!("heaviest word: {} ({:+.2})", word.text, word.weight);
    }
    let setup = Setup::new(classifier.run(&options), classifier.knowledge_base().clone());
    let answers =
        Answerer::new(&classifier, &options, true).answer(&[Input::text(text)], [RecordKey::default()]);
    for answer in answers {
        println!("{}", explanation_text(&answer, &explanation, &setup));
    }
}
