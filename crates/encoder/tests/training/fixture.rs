//! The recorded cases of `tests/fixtures/training`, and networks to run them.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use vulnlens_encoder::training::{
    Batch, BinaryLoss, Gradients, Noise, Parameters, Training, TrainingNetwork, TrainingSettings,
    masked_language_loss, softmax_loss,
};
use vulnlens_encoder::{Config, Weights};

/// A recorded loss with its gradients.
#[derive(Deserialize)]
pub(crate) struct Case {
    pub(crate) checkpoint: String,
    pub(crate) objective: String,
    pub(crate) file: String,
    /// The rows of the table of words that `file` has; all where none is named.
    pub(crate) rows: Vec<usize>,
    pub(crate) texts: Vec<Vec<u32>>,
    #[serde(default)]
    pub(crate) targets: Vec<f32>,
    #[serde(default)]
    pub(crate) places: Vec<Vec<usize>>,
    #[serde(default)]
    pub(crate) classes: Vec<u32>,
    pub(crate) loss: f64,
}

pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// One of the recorded lists.
pub(crate) fn recorded<T: DeserializeOwned>(name: &str) -> Vec<T> {
    serde_json::from_slice(&fs::read(folder().join("training").join(name)).unwrap()).unwrap()
}

/// A case by its checkpoint and objective.
pub(crate) fn case(checkpoint: &str, objective: &str) -> Case {
    let all = recorded::<Case>("cases.json");
    all.into_iter().find(|case| case.checkpoint == checkpoint && case.objective == objective).unwrap()
}

pub(crate) fn config(checkpoint: &str) -> Config {
    let file = folder().join(checkpoint).join("config.json");
    Config::from_json(&fs::read(&file).unwrap(), &file).unwrap()
}

/// A network that begins with a checkpoint's numbers.
pub(crate) fn network(checkpoint: &str, settings: TrainingSettings) -> TrainingNetwork {
    let (config, weights) = (config(checkpoint), Weights::open(&folder().join(checkpoint)).unwrap());
    let (parameters, _) = Parameters::load(&config, settings.training, &weights, 0.02, 1).unwrap();
    TrainingNetwork::new(config, parameters, settings)
}

impl Case {
    pub(crate) fn training(&self) -> Training {
        if self.objective == "mlm" { Training::MaskedLanguage } else { Training::Classification }
    }

    pub(crate) fn recorded(&self) -> Weights {
        Weights::open(&folder().join("training").join(&self.file)).unwrap()
    }

    pub(crate) fn settings(&self) -> TrainingSettings {
        TrainingSettings::new(self.training())
    }

    /// The case's network, with the head that the checkpoint lacks.
    pub(crate) fn network(&self, settings: TrainingSettings) -> TrainingNetwork {
        let mut network = network(&self.checkpoint, settings);
        let recorded = self.recorded();
        for name in recorded.names().filter_map(|name| name.strip_prefix("value:")) {
            let stored = format!("value:{name}");
            let shape = recorded.shape(&stored).unwrap();
            let values = recorded.f32(&stored, shape).unwrap();
            network.parameters_mut().get_mut(name).unwrap().copy_from_slice(&values);
        }
        network
    }

    pub(crate) fn batch(&self) -> Batch {
        let texts: Vec<&[u32]> = self.texts.iter().map(Vec::as_slice).collect();
        if self.objective == "mlm" { Batch::masked(&texts, &self.places) } else { Batch::new(&texts) }
    }

    /// The loss of logits, and its gradient in them.
    pub(crate) fn loss(&self, mut logits: Vec<f32>) -> (f64, Vec<f32>) {
        let loss = match self.objective.as_str() {
            "mlm" => return (masked_language_loss(&mut logits, &self.classes), logits),
            "bce" => BinaryLoss::Plain.of(&logits, &self.targets, logits.len() / self.texts.len()),
            _ => softmax_loss(&logits, &self.targets, logits.len() / self.texts.len()),
        };
        (loss.value, loss.gradient)
    }

    /// The loss and the gradients of all parameters.
    pub(crate) fn run(&self, network: &mut TrainingNetwork, noise: Option<&Noise>) -> (f64, Gradients) {
        let logits = network.forward(&self.batch(), noise);
        let (loss, gradient) = self.loss(logits);
        let mut gradients = Gradients::new(network.parameters());
        gradients.clear();
        network.backward(&gradient, &mut gradients);
        (loss, gradients)
    }
}
