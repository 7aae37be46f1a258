//! Dropout as a whole: it is what the gradients say, it is gone in evaluation, and its expectation is right.

use vulnlens_encoder::Architecture;
use vulnlens_encoder::training::{Dropout, Noise};

use crate::fixture::{Case, case};
use crate::same_bits::NOISE;

/// The slope of the loss along the gradient of each tensor, by differences, against the gradient's own length.
fn check_slopes(case: &Case) {
    let mut network = case.network(case.settings());
    let (_, gradients) = case.run(&mut network, Some(&NOISE));
    let start = network.parameters().clone();
    for (tensor, gradient) in gradients.iter() {
        let squares: f64 = gradient.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
        // A key's bias adds the same to all scores of a query: its gradient is rounding alone.
        if squares.sqrt() < 1e-5 {
            continue;
        }
        let step = 4e-3 / squares.sqrt();
        let mut loss_at = |sign: f64| {
            let numbers = network.parameters_mut().get_mut(&tensor.name).unwrap();
            numbers.copy_from_slice(start.get(&tensor.name).unwrap());
            let pairs = numbers.iter_mut().zip(gradient);
            pairs.for_each(|(number, &x)| *number += (sign * step * f64::from(x)) as f32);
            let logits = network.forward(&case.batch(), Some(&NOISE));
            case.loss(logits).0
        };
        let slope = (loss_at(1.0) - loss_at(-1.0)) / (2.0 * step);
        loss_at(0.0);
        let distance = (slope - squares).abs();
        assert!(distance < 0.02 * squares + 2e-4, "{}: {}: {slope} {squares}", case.file, tensor.name);
    }
}

#[test]
fn gradients_with_dropout_are_slopes_of_the_loss_with_it() {
    for checkpoint in ["roberta", "bert", "distilbert", "electra", "modernbert"] {
        check_slopes(&case(checkpoint, "bce"));
    }
}

#[test]
fn losses_with_dropout_differ_by_step_and_seed_alone() {
    let case = case("roberta", "bce");
    let mut network = case.network(case.settings());
    let mut loss = |noise: Option<Noise>| case.loss(network.forward(&case.batch(), noise.as_ref())).0;
    let one = loss(Some(NOISE));
    assert_eq!(one, loss(Some(NOISE)));
    assert_ne!(one, loss(Some(Noise { step: 6, ..NOISE })));
    assert_ne!(one, loss(Some(Noise { seed: 12, ..NOISE })));
    assert_eq!(loss(None), loss(Some(Noise { dropout: Dropout::NONE, ..NOISE })));
}

#[test]
fn usual_rates_are_those_of_transformers() {
    assert_eq!(Dropout::usual(Architecture::Roberta).classifier, 0.1);
    assert_eq!(Dropout::usual(Architecture::DistilBert).classifier, 0.2);
    assert_eq!(Dropout::usual(Architecture::ModernBert), Dropout::NONE);
}

#[test]
fn rates_are_from_nothing_to_below_all() {
    let rates = |hidden| Dropout { hidden, ..Dropout::usual(Architecture::Roberta) };
    assert!(rates(0.0).is_valid() && rates(0.99).is_valid());
    assert!([1.0, 1.5, -0.1, f32::NAN].iter().all(|&rate| !rates(rate).is_valid()));
}
