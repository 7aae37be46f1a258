//! Opens a published checkpoint, or a hierarchy of them, and answers by its labels:
//! `cargo run --example checkpoint --features encoder -- FOLDER`.
#![expect(clippy::print_stdout, reason = "an example prints its answer")]

use vulnlens::{Input, Open, Options};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).ok_or("give the folder of a checkpoint")?;
    let notice = |notice: &dyn std::fmt::Display| println!("note: {notice}");
    let classifier = vulnlens::open(&folder, &Open::new().threads(2).notices(&notice))?;
    let prediction = classifier.predict(
        Input::text("SQL injection in login.php via the id parameter."),
        &Options::default().threshold(0.0).top_k(5),
    );
    for scored in prediction.cwe.iter().flat_map(|cwe| &cwe.labels) {
        println!("{:.3}  {}", scored.score, scored.label);
    }
    for scored in prediction.attack.iter().flat_map(|attack| &attack.labels) {
        println!("{:.3}  {}", scored.score, scored.label);
    }
    Ok(())
}
