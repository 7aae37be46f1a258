//! Our side of `benches/training_vs_pytorch.py`: makes a network of random parameters, then times the steps it is told to make.
//!
//! `training_steps WORK THREADS [--recompute]` with WORK a JSON file of the script (see there) first prints `{"parameters":
//! count}`. Then it reads commands, a line each:
//!
//! - `steps FIRST COUNT`: trains on so many batches from the first on, and answers `{"seconds": [of each], "loss": of the last}`.
//!
//! A step is the forward pass with dropout of 0.1, the loss, the backward pass, clipping at a norm of 1 and AdamW.
#![expect(clippy::print_stdout, reason = "a measuring program answers on standard output")]

use std::error::Error;
use std::fs;
use std::io::BufRead;
use std::time::Instant;

use serde::Deserialize;
use vulnlens_encoder::Config;
use vulnlens_encoder::training::{
    AdamW, AdamWSettings, Batch, BinaryLoss, Dropout, Gradients, Noise, Parameters, Training,
    TrainingNetwork, TrainingSettings, Update, clip_factor, layer_factors, masked_language_loss,
};

/// The work that the script describes.
#[derive(Deserialize)]
struct Work {
    /// A Hugging Face configuration.
    config: serde_json::Value,
    masked: bool,
    labels: usize,
    rate: f64,
    batches: Vec<Given>,
}

/// A batch: token ids of each text, and what is to be learnt of it.
#[derive(Deserialize)]
struct Given {
    texts: Vec<Vec<u32>>,
    /// Labels of each text.
    labels: Vec<Vec<usize>>,
    /// Places of each text's hidden tokens, and what these were.
    hidden: Vec<Vec<usize>>,
    hidden_ids: Vec<Vec<u32>>,
}

struct Run {
    work: Work,
    network: TrainingNetwork,
    optimizer: AdamW,
    gradients: Gradients,
    step: u64,
}

impl Run {
    fn new(work: Work, recompute: bool) -> Result<Self, Box<dyn Error>> {
        let json = serde_json::to_vec(&work.config)?;
        let config = Config::from_json(&json, "config.json".as_ref())?;
        let training = if work.masked { Training::MaskedLanguage } else { Training::Classification };
        let parameters = Parameters::random(&config, training, 0.02, 1);
        let settings = TrainingSettings { recompute, ..TrainingSettings::new(training) };
        let table = parameters.table().clone();
        let factors = layer_factors(&table, &settings, 1.0);
        let optimizer = AdamW::new(&table, AdamWSettings::default(), factors);
        let gradients = Gradients::new(&parameters);
        let network = TrainingNetwork::new(config, parameters, settings);
        Ok(Self { work, network, optimizer, gradients, step: 0 })
    }

    /// One update; gives its seconds and loss.
    fn step(&mut self, number: usize) -> (f64, f64) {
        let given = &self.work.batches[number % self.work.batches.len()];
        let start = Instant::now();
        let texts: Vec<&[u32]> = given.texts.iter().map(Vec::as_slice).collect();
        let masked = self.work.masked;
        let batch = if masked { Batch::masked(&texts, &given.hidden) } else { Batch::new(&texts) };
        let dropout = Dropout { hidden: 0.1, attention: 0.1, classifier: 0.1 };
        let noise = Noise { dropout, seed: 1, step: self.step };
        let mut logits = self.network.forward(&batch, Some(&noise));
        let (loss, gradient) = if masked {
            let loss = masked_language_loss(&mut logits, &given.hidden_ids.concat());
            (loss, logits)
        } else {
            let loss = BinaryLoss::Plain.of(&logits, &targets(given, self.work.labels), self.work.labels);
            (loss.value, loss.gradient)
        };
        self.gradients.clear();
        self.network.backward(&gradient, &mut self.gradients);
        let gradient_factor = clip_factor(self.gradients.norm(), 1.0);
        let update = Update { rate: self.work.rate, gradient_factor };
        self.network.step(&mut self.optimizer, &self.gradients, update);
        self.step += 1;
        (start.elapsed().as_secs_f64(), loss)
    }
}

fn targets(given: &Given, labels: usize) -> Vec<f32> {
    let mut targets = vec![0.0; given.texts.len() * labels];
    for (row, on) in targets.chunks_exact_mut(labels).zip(&given.labels) {
        on.iter().for_each(|&label| row[label] = 1.0);
    }
    targets
}

fn main() -> Result<(), Box<dyn Error>> {
    let given: Vec<String> = std::env::args().skip(1).collect();
    let (work, threads, recompute) = match given.as_slice() {
        [work, threads] => (work, threads, false),
        [work, threads, flag] if flag == "--recompute" => (work, threads, true),
        _ => return Err("usage: training_steps WORK THREADS [--recompute]".into()),
    };
    rayon::ThreadPoolBuilder::new().num_threads(threads.parse()?).build_global()?;
    let mut run = Run::new(serde_json::from_slice(&fs::read(work)?)?, recompute)?;
    println!("{}", serde_json::json!({ "parameters": run.network.parameters().count() }));
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let Some(["steps", first, count]) = line.split(' ').collect::<Vec<_>>().first_chunk::<3>().copied()
        else {
            return Err("a command is `steps FIRST COUNT`".into());
        };
        let (first, count): (usize, usize) = (first.parse()?, count.trim().parse()?);
        let steps: Vec<(f64, f64)> = (first..first + count).map(|number| run.step(number)).collect();
        let seconds: Vec<f64> = steps.iter().map(|step| step.0).collect();
        let loss = steps.last().map(|step| step.1);
        println!("{}", serde_json::json!({ "seconds": seconds, "loss": loss }));
    }
    Ok(())
}
