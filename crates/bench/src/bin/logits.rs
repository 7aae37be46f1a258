//! Logits or token ids of texts, for the scripts that compare them with other programs'.
//!
//! `logits FOLDER [--ids] [--precision f32|int8] [--isa NAME] [--threads N]` reads a JSON string a line from standard input and
//! writes a JSON array a line: the logits of the text, or with `--ids` its token ids.

use std::error::Error;
use std::io::{BufRead, Write};
use std::path::PathBuf;

use rayon::prelude::*;
use vulnlens_encoder::kernels::Isa;
use vulnlens_encoder::{Encoder, LoadOptions, Precision};

const USAGE: &str = "usage: logits FOLDER [--ids] [--precision f32|int8] [--isa NAME] [--threads N]";
/// Texts that are read before they are answered.
const TEXTS_AT_ONCE: usize = 1024;

struct Arguments {
    folder: PathBuf,
    ids: bool,
    options: LoadOptions,
    threads: usize,
}

fn arguments() -> Result<Arguments, Box<dyn Error>> {
    let mut given = std::env::args().skip(1);
    let folder = given.next().ok_or(USAGE)?.into();
    let mut asked = Arguments { folder, ids: false, options: LoadOptions::default(), threads: 0 };
    while let Some(argument) = given.next() {
        match argument.as_str() {
            "--ids" => asked.ids = true,
            "--precision" => {
                asked.options.precision = match given.next().as_deref() {
                    Some("f32") => Precision::F32,
                    Some("int8") => Precision::Int8,
                    _ => return Err(USAGE.into()),
                }
            }
            "--isa" => asked.options.isa = given.next().as_deref().and_then(Isa::named).ok_or(USAGE)?,
            "--threads" => asked.threads = given.next().ok_or(USAGE)?.parse()?,
            _ => return Err(USAGE.into()),
        }
    }
    Ok(asked)
}

fn main() -> Result<(), Box<dyn Error>> {
    let asked = arguments()?;
    rayon::ThreadPoolBuilder::new().num_threads(asked.threads).build_global()?;
    let encoder = Encoder::open(&asked.folder, &asked.options)?;
    let mut lines = std::io::stdin().lock().lines();
    let mut out = std::io::stdout().lock();
    loop {
        let lines: Vec<String> = lines.by_ref().take(TEXTS_AT_ONCE).collect::<Result<_, _>>()?;
        if lines.is_empty() {
            return Ok(());
        }
        let texts: Vec<String> =
            lines.iter().map(|line| serde_json::from_str(line)).collect::<Result<_, _>>()?;
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        if asked.ids {
            let rows: Vec<Vec<u32>> = texts.par_iter().map(|text| encoder.token_ids(text)).collect();
            for row in rows {
                writeln!(out, "{}", serde_json::to_string(&row)?)?;
            }
        } else {
            for row in encoder.logits(&texts).chunks(encoder.labels().len()) {
                writeln!(out, "{}", serde_json::to_string(row)?)?;
            }
        }
    }
}
