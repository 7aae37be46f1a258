//! The network while it is fitted: full precision, with its gradients.
//!
//! The output weights of a set are its own plus those of its atoms, the ids of the set and all
//! their ancestors: W(set) = w(set) + Σ u(atom). A rare set so starts from what its parents and its
//! relatives learnt, and the sum folds into plain output weights when the fit is done.

use vulnlens_model::ngram::INPUT_GAIN;
use vulnlens_model::ngram::gemm::{Matrix, product};
use vulnlens_model::ngram::vocabulary::Entry;
use vulnlens_model::softmax::softmax;

use super::adam::{Adam, AdamStep};
use super::settings::Settings;
use crate::random::Random;

/// Sizes of a network, and what each set is made of.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    pub(crate) features: usize,
    pub(crate) dimensions: usize,
    pub(crate) years: usize,
    /// For each set, its atoms.
    pub(crate) atoms_of_set: Vec<Vec<usize>>,
    pub(crate) atoms: usize,
}

/// The parameters and their optimizer states.
#[derive(Debug, Clone)]
pub(crate) struct Network {
    pub(crate) shape: Shape,
    /// `features × dimensions`.
    pub(crate) embedding: Vec<f32>,
    /// Row-wise Adagrad: the sum of mean squared gradients.
    embedding_squares: Vec<f32>,
    pub(crate) hidden_bias: Adam,
    /// `years × dimensions`.
    pub(crate) year_hidden: Adam,
    /// `sets × dimensions`, without the atoms' part.
    own_output: Adam,
    /// `atoms × dimensions`.
    atom_output: Adam,
    /// `sets × dimensions`: the sum of both.
    pub(crate) output: Vec<f32>,
    pub(crate) output_bias: Adam,
    /// `years × sets`.
    pub(crate) year_output: Adam,
}

/// Accumulators of Adagrad start here.
const SQUARES_START: f32 = 1e-6;

/// One text of a step.
pub(crate) struct Sample<'a> {
    pub(crate) entries: &'a [Entry],
    pub(crate) year: usize,
}

/// Buffers of a step.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    /// The entries that dropout left, end to end, with the end of each text's.
    kept: Vec<Entry>,
    ends: Vec<usize>,
    hidden: Vec<f32>,
    mask: Vec<f32>,
    /// Probabilities, then the gradient of the loss by the logits; `batch × sets`.
    pub(crate) logits: Vec<f32>,
    hidden_gradient: Vec<f32>,
    output_gradient: Vec<f32>,
    atom_gradient: Vec<f32>,
    row: Vec<f32>,
}

impl Network {
    /// Random embedding and output weights; the output bias starts at the sets' log frequencies.
    pub(crate) fn new(shape: Shape, set_counts: &[u64], random: &mut Random) -> Self {
        let (d, sets) = (shape.dimensions, shape.atoms_of_set.len());
        let range = 0.5 / (d as f32).sqrt();
        let bias = set_counts.iter().map(|&n| (1.0 + n as f32).ln() - 5.0).collect();
        let mut network = Self {
            embedding: random.fill(shape.features * d, range),
            embedding_squares: vec![SQUARES_START; shape.features],
            hidden_bias: Adam::new(vec![0.0; d]),
            year_hidden: Adam::new(vec![0.0; shape.years * d]),
            own_output: Adam::new(random.fill(sets * d, 0.035)),
            atom_output: Adam::new(random.fill(shape.atoms * d, 0.087)),
            output: vec![],
            output_bias: Adam::new(bias),
            year_output: Adam::new(vec![0.0; shape.years * sets]),
            shape,
        };
        network.fold_output();
        network
    }

    fn sets(&self) -> usize {
        self.shape.atoms_of_set.len()
    }

    /// Sums the output weights of sets from their own and their atoms'.
    fn fold_output(&mut self) {
        let d = self.shape.dimensions;
        self.output.clone_from(&self.own_output.values);
        for (row, atoms) in self.output.chunks_exact_mut(d).zip(&self.shape.atoms_of_set) {
            for &atom in atoms {
                add(row, &self.atom_output.values[atom * d..][..d]);
            }
        }
    }

    /// The hidden layer before its activation, added up in `hidden`.
    fn embed(&self, entries: &[Entry], year: usize, hidden: &mut [f32]) {
        let d = self.shape.dimensions;
        hidden.copy_from_slice(&self.hidden_bias.values);
        add(hidden, &self.year_hidden.values[year * d..][..d]);
        for entry in entries {
            let row = &self.embedding[entry.row as usize * d..][..d];
            add_scaled(hidden, row, INPUT_GAIN * entry.value);
        }
    }

    /// Probabilities of the sets for each sample, without dropout, into `out` (`samples × sets`).
    pub(crate) fn predict(&self, samples: &[Sample<'_>], hidden: &mut Vec<f32>, out: &mut Vec<f32>) {
        let (d, sets) = (self.shape.dimensions, self.sets());
        hidden.clear();
        hidden.resize(samples.len() * d, 0.0);
        out.clear();
        out.resize(samples.len() * sets, 0.0);
        for (sample, hidden) in samples.iter().zip(hidden.chunks_exact_mut(d)) {
            self.embed(sample.entries, sample.year, hidden);
            hidden.iter_mut().for_each(|x| *x = x.max(0.0));
        }
        self.probabilities(samples, hidden, out);
    }

    fn probabilities(&self, samples: &[Sample<'_>], hidden: &[f32], out: &mut [f32]) {
        let (d, sets) = (self.shape.dimensions, self.sets());
        let output = Matrix::new(&self.output, sets, d).transposed();
        product(Matrix::new(hidden, samples.len(), d), output, out);
        for (sample, row) in samples.iter().zip(out.chunks_exact_mut(sets)) {
            add(row, &self.output_bias.values);
            add(row, &self.year_output.values[sample.year * sets..][..sets]);
            softmax(row);
        }
    }

    /// Forward with dropout; leaves the probabilities in `buffers.logits`.
    pub(crate) fn forward(
        &self,
        samples: &[Sample<'_>],
        settings: &Settings,
        random: &mut Random,
        buffers: &mut Buffers,
    ) {
        let (d, sets) = (self.shape.dimensions, self.sets());
        let n = samples.len();
        buffers.kept.clear();
        buffers.ends.clear();
        buffers.hidden.resize(n * d, 0.0);
        buffers.mask.resize(n * d, 0.0);
        buffers.logits.resize(n * sets, 0.0);
        let scale = 1.0 / (1.0 - settings.feature_dropout);
        for (i, sample) in samples.iter().enumerate() {
            let start = buffers.kept.len();
            let kept = sample.entries.iter().filter(|_| random.uniform() >= settings.feature_dropout);
            buffers.kept.extend(kept.map(|e| Entry { value: e.value * scale, ..*e }));
            buffers.ends.push(buffers.kept.len());
            let hidden = &mut buffers.hidden[i * d..][..d];
            self.embed(&buffers.kept[start..], sample.year, hidden);
            let mask = &mut buffers.mask[i * d..][..d];
            activate(hidden, mask, settings.hidden_dropout, random);
        }
        self.probabilities(samples, &buffers.hidden, &mut buffers.logits);
    }

    /// Backward from the gradient in `buffers.logits` (already divided by the batch), and a step of
    /// every parameter.
    pub(crate) fn step(
        &mut self,
        samples: &[Sample<'_>],
        dense: AdamStep,
        embedding_rate: f32,
        buffers: &mut Buffers,
    ) {
        let (d, sets, n) = (self.shape.dimensions, self.sets(), samples.len());
        buffers.hidden_gradient.resize(n * d, 0.0);
        buffers.output_gradient.resize(sets * d, 0.0);
        let logits = Matrix::new(&buffers.logits, n, sets);
        product(logits, Matrix::new(&self.output, sets, d), &mut buffers.hidden_gradient);
        product(logits.transposed(), Matrix::new(&buffers.hidden, n, d), &mut buffers.output_gradient);
        for (gradient, mask) in buffers.hidden_gradient.iter_mut().zip(&buffers.mask) {
            *gradient *= mask;
        }
        self.step_embedding(embedding_rate, n, buffers);
        self.step_output(dense, buffers);
        self.step_bias(samples, dense, buffers);
    }

    fn step_embedding(&mut self, rate: f32, batch: usize, buffers: &Buffers) {
        let d = self.shape.dimensions;
        // The gradient is a mean over the batch; each text moves the rows by its own share of it.
        let batch = batch as f32;
        let mut start = 0;
        for (gradient, &end) in buffers.hidden_gradient.chunks_exact(d).zip(&buffers.ends) {
            let kept = &buffers.kept[start..end];
            start = end;
            let square = gradient.iter().map(|g| g * g).sum::<f32>() / d as f32;
            if square == 0.0 {
                continue;
            }
            for entry in kept {
                let row = entry.row as usize;
                let value = entry.value * batch;
                let squares = &mut self.embedding_squares[row];
                *squares += value * value * square;
                let factor = -rate * value / squares.sqrt();
                add_scaled(&mut self.embedding[row * d..][..d], gradient, factor);
            }
        }
    }

    fn step_output(&mut self, dense: AdamStep, buffers: &mut Buffers) {
        let d = self.shape.dimensions;
        let atom_gradient = &mut buffers.atom_gradient;
        atom_gradient.clear();
        atom_gradient.resize(self.shape.atoms * d, 0.0);
        for (row, atoms) in buffers.output_gradient.chunks_exact(d).zip(&self.shape.atoms_of_set) {
            for &atom in atoms {
                add(&mut atom_gradient[atom * d..][..d], row);
            }
        }
        self.own_output.step(&buffers.output_gradient, dense);
        self.atom_output.step(atom_gradient, dense);
        self.fold_output();
    }

    fn step_bias(&mut self, samples: &[Sample<'_>], dense: AdamStep, buffers: &mut Buffers) {
        let (d, sets) = (self.shape.dimensions, self.sets());
        let row = &mut buffers.row;
        let every = |_: &Sample<'_>| true;
        sum_rows(row, &buffers.logits, sets, samples, every);
        self.output_bias.step(row, dense);
        sum_rows(row, &buffers.hidden_gradient, d, samples, every);
        self.hidden_bias.step(row, dense);
        let mut years: Vec<usize> = samples.iter().map(|sample| sample.year).collect();
        years.sort_unstable();
        years.dedup();
        for year in years {
            let of_year = |sample: &Sample<'_>| sample.year == year;
            sum_rows(row, &buffers.hidden_gradient, d, samples, of_year);
            self.year_hidden.step_row(year, row, dense);
            sum_rows(row, &buffers.logits, sets, samples, of_year);
            self.year_output.step_row(year, row, dense);
        }
    }
}

/// ReLU and dropout; `mask` becomes the derivative of both.
fn activate(hidden: &mut [f32], mask: &mut [f32], dropout: f32, random: &mut Random) {
    let scale = 1.0 / (1.0 - dropout);
    for (x, mask) in hidden.iter_mut().zip(mask) {
        let kept = random.uniform() >= dropout;
        *mask = if kept && *x > 0.0 { scale } else { 0.0 };
        *x *= *mask;
    }
}

fn add(sum: &mut [f32], row: &[f32]) {
    for (sum, x) in sum.iter_mut().zip(row) {
        *sum += x;
    }
}

fn add_scaled(sum: &mut [f32], row: &[f32], factor: f32) {
    for (sum, x) in sum.iter_mut().zip(row) {
        *sum += factor * x;
    }
}

/// The sum of the rows whose sample is `wanted`.
fn sum_rows(
    sum: &mut Vec<f32>,
    rows: &[f32],
    width: usize,
    samples: &[Sample<'_>],
    wanted: impl Fn(&Sample<'_>) -> bool,
) {
    sum.clear();
    sum.resize(width, 0.0);
    for (row, sample) in rows.chunks_exact(width).zip(samples) {
        if wanted(sample) {
            add(sum, row);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTRIES: [Entry; 2] = [Entry { row: 0, value: 0.8 }, Entry { row: 2, value: 0.6 }];

    fn network() -> Network {
        let atoms_of_set = vec![vec![0], vec![0, 1], vec![2]];
        let shape = Shape { features: 3, dimensions: 4, years: 2, atoms_of_set, atoms: 3 };
        Network::new(shape, &[5, 3, 1], &mut Random::new(1, 0))
    }

    fn loss(network: &Network, target: usize) -> f32 {
        let samples = [Sample { entries: &ENTRIES, year: 1 }];
        let mut p = vec![];
        network.predict(&samples, &mut vec![], &mut p);
        -p[target].ln()
    }

    /// The analytic gradient of the loss by the hidden layer, through one step of a parameter that
    /// enters it directly, against central differences.
    #[test]
    fn gradients_agree_with_differences() {
        let settings = Settings { feature_dropout: 0.0, hidden_dropout: 0.0, ..Settings::default() };
        let samples = [Sample { entries: &ENTRIES, year: 1 }];
        let mut network = network();
        network.hidden_bias.values.fill(0.5);
        let mut buffers = Buffers::default();
        network.forward(&samples, &settings, &mut Random::new(1, 1), &mut buffers);
        buffers.logits[1] -= 1.0;
        let bias_gradient = buffers.logits.clone();
        let mut probe = network.clone();
        probe.step(&samples, AdamStep::new(0.0, 1), 0.0, &mut buffers);
        let difference = |change: &dyn Fn(&mut Network, f32)| {
            let (mut up, mut down) = (network.clone(), network.clone());
            change(&mut up, 1e-3);
            change(&mut down, -1e-3);
            (loss(&up, 1) - loss(&down, 1)) / 2e-3
        };
        for t in 0..4 {
            let numeric = difference(&|n, by| n.hidden_bias.values[t] += by);
            assert!((buffers.hidden_gradient[t] - numeric).abs() < 2e-3, "hidden {t}");
            let numeric = difference(&|n, by| n.output[4 + t] += by);
            assert!((buffers.output_gradient[4 + t] - numeric).abs() < 2e-3, "output {t}");
        }
        for (set, gradient) in bias_gradient.iter().enumerate() {
            let numeric = difference(&|n, by| n.output_bias.values[set] += by);
            assert!((gradient - numeric).abs() < 2e-3, "bias {set}");
        }
    }

    #[test]
    fn steps_lower_the_loss() {
        let settings = Settings { feature_dropout: 0.0, hidden_dropout: 0.0, ..Settings::default() };
        let samples = [Sample { entries: &ENTRIES, year: 1 }];
        let mut network = network();
        let before = loss(&network, 2);
        let mut buffers = Buffers::default();
        for step in 1..=50 {
            network.forward(&samples, &settings, &mut Random::new(1, 1), &mut buffers);
            buffers.logits[2] -= 1.0;
            network.step(&samples, AdamStep::new(0.01, step), 0.05, &mut buffers);
        }
        assert!(loss(&network, 2) < before / 4.0, "{} from {before}", loss(&network, 2));
    }
}
