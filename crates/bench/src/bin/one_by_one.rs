//! The engine's own time for texts one by one: from a text to the bytes of its record, on one thread.
//!
//! ```sh
//! cargo run --release -p vulnlens-bench --bin one_by_one -- TEXTS.json
//! ```
//!
//! Reads a JSON list of texts, answers each once unmeasured, then all of them in rounds; prints the median of the rounds in
//! microseconds for a text.

#![expect(clippy::print_stdout, reason = "the program answers on standard output")]

use std::error::Error;
use std::time::Instant;

use vulnlens::report::{JsonLines, RecordKey, Records as _, Setup};
use vulnlens::{Answerer, Input, Options};

const ROUNDS: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::args().nth(1).ok_or("give the file of a JSON list of texts")?;
    let texts: Vec<String> = serde_json::from_slice(&std::fs::read(file)?)?;
    let classifier = vulnlens::embedded();
    let options = Options::default();
    let setup = Setup::new(classifier.run(&options), classifier.knowledge_base().clone());
    let lines = JsonLines::new(&setup);
    let mut answerer = Answerer::new(&classifier, &options, false);
    let mut record = Vec::new();
    let mut all = || {
        let start = Instant::now();
        for text in &texts {
            record.clear();
            let answers = answerer.answer(&[Input::text(text)], [RecordKey::default()]);
            answers.iter().for_each(|answer| lines.push(answer, &mut record));
        }
        start.elapsed().as_secs_f64() * 1e6 / texts.len().max(1) as f64
    };
    all();
    let mut rounds: Vec<f64> = (0..ROUNDS).map(|_| all()).collect();
    rounds.sort_by(f64::total_cmp);
    println!("{:.2}", rounds[ROUNDS / 2]);
    Ok(())
}
