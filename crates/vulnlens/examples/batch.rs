//! Classifies one text a line of standard input and writes JSON Lines, on two threads:
//! `printf 'SQL injection\nUse after free\n' | cargo run --example batch`.

use std::convert::Infallible;
use std::io::{self, BufRead, Write};

use vulnlens::report::{Format, RecordKey, Setup};
use vulnlens::stream::{self, Job, TextRecord};
use vulnlens::{Answerer, Options};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let classifier = vulnlens::embedded();
    let options = Options::default().top_k(3);
    let setup = Setup::new(classifier.run(&options), classifier.knowledge_base().clone());
    let (mut stdout, mut out) = (io::stdout().lock(), Vec::new());
    let (renderer, mut writer) = Format::JSON_LINES.open(&setup, &mut out)?;
    let lines = io::BufReader::new(io::stdin()).lines().map_while(Result::ok).zip(1..);
    let records = lines.map(|(text, line)| {
        let key = RecordKey { id: None, line: Some(line) };
        Ok::<_, Infallible>(TextRecord::new(text, ()).key(key))
    });
    let job = Job::new(Answerer::new(&classifier, &options, false), renderer, 2);
    stream::classify(&job, records, |answered| {
        writer.write(answered.piece, &mut out)?;
        stdout.write_all(&out)?;
        out.clear();
        Ok::<_, Box<dyn std::error::Error>>(())
    })
    .map_err(|error| error.to_string())?;
    writer.finish(&mut out)?;
    Ok(stdout.write_all(&out)?)
}
