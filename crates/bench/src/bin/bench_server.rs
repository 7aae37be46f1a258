//! Our side of `benches/encoder_vs_engines.py`: loads a checkpoint once, then times what it is told to.
//!
//! `bench_server FOLDER WORK f32|int8 THREADS ISA` with WORK a JSON file `{"one": ids, "many": [ids, …], "texts": [text, …]}`, ISA
//! a name such as `avx2` or `widest`, first prints `{"load": seconds, "first": seconds}`: opening the checkpoint, and scoring the first text after that. Then
//! it reads commands, a line each, and answers each with a JSON array of seconds, one for each run:
//!
//! - `one N`: logits of the token ids `one`, N times;
//! - `many N`: logits of all the token ids `many` in one call, N times;
//! - `texts N`: scores of all the texts in one call, tokenising included, N times.
#![expect(clippy::print_stdout, reason = "a measuring program answers on standard output")]

use std::error::Error;
use std::fs;
use std::hint::black_box;
use std::io::BufRead;
use std::path::Path;
use std::time::Instant;

use serde::Deserialize;
use vulnlens_encoder::kernels::Isa;
use vulnlens_encoder::{Encoder, LoadOptions, Precision};

#[derive(Deserialize)]
struct Work {
    one: Vec<u32>,
    many: Vec<Vec<u32>>,
    texts: Vec<String>,
}

fn seconds<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let start = Instant::now();
    let result = work();
    (result, start.elapsed().as_secs_f64())
}

fn timed<T>(runs: usize, work: impl Fn() -> T) -> Vec<f64> {
    (0..runs).map(|_| seconds(|| black_box(work())).1).collect()
}

fn main() -> Result<(), Box<dyn Error>> {
    let given: Vec<String> = std::env::args().skip(1).collect();
    let [folder, work, precision, threads, isa] = given.as_slice() else {
        return Err("usage: bench_server FOLDER WORK f32|int8 THREADS ISA".into());
    };
    let precision = if precision == "int8" { Precision::Int8 } else { Precision::F32 };
    rayon::ThreadPoolBuilder::new().num_threads(threads.parse()?).build_global()?;
    let work: Work = serde_json::from_slice(&fs::read(work)?)?;
    let texts: Vec<&str> = work.texts.iter().map(String::as_str).collect();
    let many: Vec<&[u32]> = work.many.iter().map(Vec::as_slice).collect();

    let isa = if isa == "widest" {
        Isa::detected()
    } else {
        Isa::named(isa).ok_or("no such ISA on this machine")?
    };
    let options = LoadOptions { precision, isa, ..LoadOptions::default() };
    let (encoder, load) = seconds(|| Encoder::open(Path::new(folder), &options));
    let encoder = encoder?;
    let (_, first) = seconds(|| encoder.scores(&texts[..1]));
    println!("{}", serde_json::json!({ "load": load, "first": first }));

    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let (command, runs) = line.split_once(' ').ok_or("a command is a name and a number")?;
        let runs = runs.trim().parse()?;
        let seconds = match command {
            "one" => timed(runs, || encoder.logits_of_ids(&[&work.one])),
            "many" => timed(runs, || encoder.logits_of_ids(&many)),
            "texts" => timed(runs, || encoder.scores(&texts)),
            _ => return Err(format!("unknown command {command}").into()),
        };
        println!("{}", serde_json::to_string(&seconds)?);
    }
    Ok(())
}
