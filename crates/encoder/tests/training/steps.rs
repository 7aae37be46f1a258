//! A hundred steps of AdamW beside PyTorch.

use serde::Deserialize;
use vulnlens_encoder::training::{
    AdamW, AdamWSettings, Batch, BinaryLoss, Decay, Gradients, Moments, Schedule, Training, TrainingNetwork,
    TrainingSettings, Update, clip_factor, layer_factors,
};

use crate::fixture::{network, recorded};

#[derive(Deserialize)]
struct Run {
    checkpoint: String,
    schedule: String,
    rate: f64,
    decay: f64,
    clip: f64,
    warmup: u64,
    texts: Vec<Vec<u32>>,
    targets: Vec<f32>,
    together: usize,
    losses: Vec<f64>,
    norms: Vec<f64>,
}

impl Run {
    fn schedule(&self) -> Schedule {
        let decay = if self.schedule == "linear" { Decay::Linear } else { Decay::Cosine };
        Schedule { peak: self.rate, warmup: self.warmup, total: self.losses.len() as u64, decay }
    }

    /// One step; gives the loss and the gradient's norm.
    fn step(&self, network: &mut TrainingNetwork, optimizer: &mut AdamW, step: usize) -> (f64, f64) {
        let labels = network.config().labels.len();
        let chosen = (0..self.together).map(|i| (self.together * step + i) % self.texts.len());
        let texts: Vec<&[u32]> = chosen.clone().map(|text| self.texts[text].as_slice()).collect();
        let targets: Vec<f32> =
            chosen.flat_map(|text| self.targets[text * labels..][..labels].to_vec()).collect();
        let logits = network.forward(&Batch::new(&texts), None);
        let loss = BinaryLoss::Plain.of(&logits, &targets, labels);
        let mut gradients = Gradients::new(network.parameters());
        network.backward(&loss.gradient, &mut gradients);
        let norm = gradients.norm();
        let rate = self.schedule().rate(step as u64);
        network.step(optimizer, &gradients, Update { rate, gradient_factor: clip_factor(norm, self.clip) });
        (loss.value, norm)
    }
}

fn begin(run: &Run) -> (TrainingNetwork, AdamW) {
    let network = network(&run.checkpoint, TrainingSettings::new(Training::Classification));
    let table = network.parameters().table().clone();
    let factors = layer_factors(&table, network.settings(), 1.0);
    let optimizer =
        AdamW::new(&table, AdamWSettings { decay: run.decay, ..AdamWSettings::default() }, factors);
    (network, optimizer)
}

#[test]
fn a_hundred_steps_follow_pytorch() {
    for run in recorded::<Run>("steps.json") {
        let (mut network, mut optimizer) = begin(&run);
        for (step, (&loss, &norm)) in run.losses.iter().zip(&run.norms).enumerate() {
            let found = run.step(&mut network, &mut optimizer, step);
            let near = |found: f64, expected: f64, share: f64| (found - expected).abs() <= share * expected;
            assert!(
                near(found.0, loss, 1e-3),
                "{}, step {step}: loss {} and not {loss}",
                run.checkpoint,
                found.0
            );
            assert!(
                near(found.1, norm, 1e-2),
                "{}, step {step}: norm {} and not {norm}",
                run.checkpoint,
                found.1
            );
        }
    }
}

#[test]
fn saved_moments_go_on_to_the_same_bits() {
    let run = recorded::<Run>("steps.json").remove(0);
    let (mut whole, mut optimizer) = begin(&run);
    let (mut half, mut first) = begin(&run);
    (0..6).for_each(|step| {
        run.step(&mut whole, &mut optimizer, step);
    });
    (0..3).for_each(|step| {
        run.step(&mut half, &mut first, step);
    });
    let saved = first.moments().clone();
    let settings = TrainingSettings::new(Training::Classification);
    let mut half = TrainingNetwork::new(half.config().clone(), half.into_parameters(), settings);
    let (_, mut second) = begin(&run);
    second.resume(saved).unwrap();
    (3..6).for_each(|step| {
        run.step(&mut half, &mut second, step);
    });
    for ((tensor, a), (_, b)) in whole.parameters().iter().zip(half.parameters().iter()) {
        assert!(a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits()), "{}", tensor.name);
    }
    assert!(second.resume(Moments { steps: 1, first: Vec::new(), second: Vec::new() }).is_err());
}

#[test]
fn lower_layers_learn_slower_and_frozen_ones_stay() {
    let run = recorded::<Run>("steps.json").remove(0);
    let settings =
        TrainingSettings { frozen_layers: Some(1), ..TrainingSettings::new(Training::Classification) };
    let mut network = network(&run.checkpoint, settings);
    let start = network.parameters().clone();
    let table = start.table().clone();
    let factors = layer_factors(&table, &settings, 0.5);
    let name = |name: &str| factors[table.position(name).unwrap()];
    assert_eq!(name("classifier.dense.weight"), 1.0);
    assert_eq!(name("roberta.encoder.layer.1.output.dense.weight"), 0.5);
    assert_eq!(name("roberta.encoder.layer.0.output.dense.weight"), 0.0);
    assert_eq!(name("roberta.embeddings.word_embeddings.weight"), 0.0);
    let all = layer_factors(&table, &TrainingSettings::new(Training::Classification), 0.5);
    assert_eq!(all[table.position("roberta.embeddings.word_embeddings.weight").unwrap()], 0.125);
    let mut optimizer = AdamW::new(&table, AdamWSettings::default(), factors);
    (0..4).for_each(|step| {
        run.step(&mut network, &mut optimizer, step);
    });
    for ((tensor, before), (_, after)) in start.iter().zip(network.parameters().iter()) {
        assert_eq!(before != after, settings.is_trained(tensor), "{}", tensor.name);
    }
}
