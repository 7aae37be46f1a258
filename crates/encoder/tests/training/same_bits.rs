//! Conditions that must not change a bit: threads, recomputation, the batch before.

use rayon::ThreadPoolBuilder;
use vulnlens_encoder::training::{
    AdamW, AdamWSettings, Dropout, Gradients, Noise, TrainingSettings, Update, clip_factor, layer_factors,
};

use crate::fixture::{Case, case, recorded};

pub(crate) const NOISE: Noise =
    Noise { dropout: Dropout { hidden: 0.1, attention: 0.2, classifier: 0.3 }, seed: 11, step: 5 };

/// Every bit of loss and gradients.
fn bits(loss: f64, gradients: &Gradients) -> Vec<u32> {
    let numbers = gradients.iter().flat_map(|(_, numbers)| numbers.iter().map(|number| number.to_bits()));
    numbers.chain([(loss as f32).to_bits()]).collect()
}

#[test]
fn the_number_of_threads_does_not_change_a_bit() {
    for case in recorded::<Case>("cases.json") {
        let mut network = case.network(case.settings());
        let mut of_threads = [1, 2, 3].map(|threads| {
            let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let (loss, gradients) = pool.install(|| case.run(&mut network, Some(&NOISE)));
            (bits(loss, &gradients), pool.install(|| gradients.norm().to_bits()))
        });
        let one = std::mem::take(&mut of_threads[0]);
        assert!(of_threads[1..].iter().all(|other| *other == one), "{}", case.file);
    }
}

#[test]
fn recomputation_does_not_change_a_bit() {
    for case in recorded::<Case>("cases.json") {
        let mut kept = case.network(case.settings());
        let mut anew = case.network(TrainingSettings { recompute: true, ..case.settings() });
        for _ in 0..2 {
            let (loss, gradients) = case.run(&mut kept, Some(&NOISE));
            let (loss_anew, gradients_anew) = case.run(&mut anew, Some(&NOISE));
            assert!(bits(loss, &gradients) == bits(loss_anew, &gradients_anew), "{}", case.file);
        }
    }
}

#[test]
fn batches_of_before_leave_nothing_behind() {
    let (long, mut short) = (case("bert", "bce"), case("bert", "bce"));
    short.texts.truncate(2);
    short.targets.truncate(14);
    let mut used = long.network(long.settings());
    long.run(&mut used, Some(&NOISE));
    let (loss, gradients) = short.run(&mut used, Some(&NOISE));
    let (fresh_loss, fresh) = short.run(&mut short.network(short.settings()), Some(&NOISE));
    assert!(bits(loss, &gradients) == bits(fresh_loss, &fresh));
}

#[test]
fn steps_of_any_number_of_threads_end_at_the_same_bits() {
    let ends = [1, 2, 3].map(|threads| {
        let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let case = case("roberta", "bce");
            let mut network = case.network(case.settings());
            let table = network.parameters().table().clone();
            let factors = layer_factors(&table, network.settings(), 0.9);
            let mut optimizer = AdamW::new(&table, AdamWSettings::default(), factors);
            for step in 0..5 {
                let (_, gradients) = case.run(&mut network, Some(&Noise { step, ..NOISE }));
                let gradient_factor = clip_factor(gradients.norm(), 0.5);
                network.step(&mut optimizer, &gradients, Update { rate: 1e-3, gradient_factor });
            }
            let parameters = network.into_parameters();
            parameters.iter().flat_map(|(_, x)| x.iter().map(|x| x.to_bits())).collect::<Vec<_>>()
        })
    });
    assert!(ends[1] == ends[0] && ends[2] == ends[0]);
}
