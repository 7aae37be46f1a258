//! Losses of single matrices of logits.

use serde::Deserialize;
use vulnlens_encoder::training::{BinaryLoss, Loss, MarginalLoss, softmax_loss};

use crate::fixture::recorded;

#[derive(Deserialize)]
struct Recorded {
    name: String,
    loss: f64,
    logits: Vec<f32>,
    targets: Vec<f32>,
    gradient: Vec<f64>,
}

fn loss(name: &str, logits: &[f32], targets: &[f32]) -> Loss {
    let asymmetric = |positive_focus, negative_focus, shift| BinaryLoss::Asymmetric {
        positive_focus,
        negative_focus,
        shift,
    };
    match name {
        "plain" => BinaryLoss::Plain.of(logits, targets, 5),
        "weighted" => BinaryLoss::Weighted(vec![1.0, 0.5, 4.0, 10.0, 2.5]).of(logits, targets, 5),
        "focal" => asymmetric(2.0, 2.0, 0.0).of(logits, targets, 5),
        "asymmetric" => asymmetric(1.0, 4.0, 0.05).of(logits, targets, 5),
        "softmax" => softmax_loss(logits, targets, 5),
        "softmax and marginals" => {
            let truth: Vec<usize> =
                targets.chunks(5).map(|row| row.iter().position(|&target| target == 1.0).unwrap()).collect();
            let mut loss = softmax_loss(logits, targets, 5);
            let labels_of = vec![vec![0], vec![0, 1], vec![], vec![1, 2], vec![2]];
            MarginalLoss::new(labels_of, 0.25).add_to(&mut loss, logits, &truth);
            loss
        }
        other => panic!("{other} is not known"),
    }
}

#[test]
fn losses_and_their_gradients_are_those_of_pytorch() {
    for Recorded { name, loss: value, logits, targets, gradient } in recorded("objectives.json") {
        let found = loss(&name, &logits, &targets);
        assert!((found.value - value).abs() < 1e-6 * value, "{name}: {} {value}", found.value);
        for (at, (found, expected)) in found.gradient.iter().zip(gradient).enumerate() {
            assert!((f64::from(*found) - expected).abs() < 1e-7, "{name}, {at}: {found} {expected}");
        }
    }
}
