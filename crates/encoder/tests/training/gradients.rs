//! The gradient of every parameter.

use std::collections::BTreeSet;
use std::fmt::Write;

use vulnlens_encoder::Weights;
use vulnlens_encoder::kernels::Isa;
use vulnlens_encoder::training::{Gradients, Parameters, TensorSpec, Training, TrainingSettings};

use crate::fixture::{Case, case, config, folder, recorded};

/// Tolerance, as a share of a tensor's greatest gradient.
const RELATIVE: f32 = 1e-4;
const ABSOLUTE: f32 = 1e-7;

#[test]
fn gradients_of_all_parameters_are_those_of_pytorch() {
    let mut report = String::new();
    for case in recorded::<Case>("cases.json") {
        for isa in Isa::available() {
            let mut network = case.network(TrainingSettings { isa, ..case.settings() });
            let (loss, gradients) = case.run(&mut network, None);
            if (loss - case.loss).abs() > 1e-5 * case.loss {
                let name = isa.name();
                writeln!(report, "{}, {name}: loss {loss}, expected {}", case.file, case.loss).unwrap();
            }
            compare(&case, &gradients, &mut report);
        }
    }
    assert!(report.is_empty(), "\n{report}");
}

/// Writes a line for each tensor that is too far off.
fn compare(case: &Case, gradients: &Gradients, report: &mut String) {
    let recorded = case.recorded();
    for (tensor, found) in gradients.iter() {
        let shape = recorded.shape(&tensor.name).unwrap_or_else(|| panic!("{}: {}", case.file, tensor.name));
        let expected = spread(case, tensor, &recorded.f32(&tensor.name, shape).unwrap());
        let greatest = expected.iter().fold(0.0_f32, |greatest, x| greatest.max(x.abs()));
        let distances = found.iter().zip(&expected).map(|(a, b)| (a - b).abs());
        let distance =
            distances.fold(0.0_f32, |worst, distance| if distance <= worst { worst } else { distance });
        if distance.is_nan() || distance > RELATIVE * greatest + ABSOLUTE {
            writeln!(report, "{}: {}: off by {distance:e} of {greatest:e}", case.file, tensor.name).unwrap();
        }
    }
}

/// All rows of a tensor of which only some are recorded; the others are zero.
fn spread(case: &Case, tensor: &TensorSpec, recorded: &[f32]) -> Vec<f32> {
    if recorded.len() == tensor.numbers() {
        return recorded.to_vec();
    }
    let width = recorded.len() / case.rows.len();
    let mut all = vec![0.0; tensor.numbers()];
    for (row, numbers) in case.rows.iter().zip(recorded.chunks_exact(width)) {
        all[row * width..][..width].copy_from_slice(numbers);
    }
    all
}

#[test]
fn every_recorded_gradient_is_of_a_parameter() {
    for case in recorded::<Case>("cases.json") {
        let network = case.network(case.settings());
        let known: BTreeSet<_> = network.parameters().iter().map(|(tensor, _)| tensor.name.clone()).collect();
        let recorded = case.recorded();
        let names = recorded.names().filter(|name| !name.starts_with("value:"));
        assert_eq!(names.map(str::to_owned).collect::<BTreeSet<_>>(), known, "{}", case.file);
    }
}

#[test]
fn gradients_of_parts_of_a_batch_add_up() {
    let case = case("roberta", "bce");
    let mut network = case.network(case.settings());
    let (_, whole) = case.run(&mut network, None);
    let mut parts = Gradients::new(network.parameters());
    parts.clear();
    let labels = network.config().labels.len();
    for (texts, targets) in case.texts.chunks(3).zip(case.targets.chunks(3 * labels)) {
        let part = Case { texts: texts.to_vec(), targets: targets.to_vec(), ..self::case("roberta", "bce") };
        let logits = network.forward(&part.batch(), None);
        let (_, mut gradient) = part.loss(logits);
        let share = texts.len() as f32 / case.texts.len() as f32;
        gradient.iter_mut().for_each(|number| *number *= share);
        network.backward(&gradient, &mut parts);
    }
    for ((tensor, whole), (_, parts)) in whole.iter().zip(parts.iter()) {
        let greatest = whole.iter().fold(0.0_f32, |greatest, x| greatest.max(x.abs()));
        for (a, b) in whole.iter().zip(parts) {
            assert!((a - b).abs() <= 1e-5 * greatest + 1e-7, "{}: {a} {b}", tensor.name);
        }
    }
}

#[test]
fn what_is_frozen_has_no_gradient_and_changes_none() {
    for (checkpoint, objective) in
        [("roberta", "bce"), ("electra", "softmax"), ("bert", "mlm"), ("modernbert", "bce")]
    {
        let case = case(checkpoint, objective);
        let (_, all) = case.run(&mut case.network(case.settings()), None);
        for frozen_layers in [0, 1, 2] {
            let settings = TrainingSettings { frozen_layers: Some(frozen_layers), ..case.settings() };
            let (_, gradients) = case.run(&mut case.network(settings), None);
            for ((tensor, all), (_, found)) in all.iter().zip(gradients.iter()) {
                if settings.is_trained(tensor) {
                    assert_eq!(found, all, "{}", tensor.name);
                } else {
                    assert!(found.iter().all(|&number| number == 0.0), "{}", tensor.name);
                }
            }
        }
    }
}

#[test]
fn a_batch_without_anything_to_predict_has_no_gradients() {
    let mut case = case("bert", "mlm");
    case.classes.clear();
    for (texts, places) in
        [(case.texts.clone(), vec![Vec::new(); case.texts.len()]), (Vec::new(), Vec::new())]
    {
        (case.texts, case.places) = (texts, places);
        let (loss, gradients) = case.run(&mut case.network(case.settings()), None);
        assert_eq!(loss, 0.0);
        assert!(gradients.iter().all(|(_, numbers)| numbers.iter().all(|&number| number == 0.0)));
    }
}

#[test]
fn an_architecture_that_is_not_trained_is_refused_by_name() {
    let (config, weights) = (config("deberta"), Weights::open(&folder().join("deberta")).unwrap());
    let refused = Parameters::load(&config, Training::Classification, &weights, 0.02, 1).unwrap_err();
    assert!(refused.to_string().contains("`deberta-v2`, which is run but not trained"), "{refused}");
}
