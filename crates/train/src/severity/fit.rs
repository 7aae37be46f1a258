//! A log-linear model of base vectors, fitted by stochastic gradients in one fixed order.
//!
//! One thread does all steps: they take a minute, and the same data give the same bits on any machine.

use vulnlens_model::severity::{SEVERITY_WIDTH, joint_logits};
use vulnlens_model::softmax::{softmax, temper};
use vulnlens_taxonomy::{BASE_METRICS, BaseVector};

use crate::random::Random;

/// A text as a list of features and values.
pub(super) type Sparse = Vec<(u32, f32)>;

/// A text with its vector.
pub(super) type Rated<'a> = (&'a [(u32, f32)], BaseVector);

/// Passes over the texts.
const EPOCHS: usize = 6;
/// The first step; it falls to nothing in equal parts.
const RATE: f32 = 0.03;
/// The penalty of squares of weights, at each step of a feature.
const PENALTY: f32 = 3e-4;

/// A fitted model.
pub(super) struct Fitted {
    /// Weights, `features × outputs`.
    pub(super) weights: Vec<f32>,
    pub(super) bias: Vec<f32>,
    /// The logit that each vector has beside those of its values.
    pub(super) joint: Vec<f32>,
}

/// Numbers with the sums of squares of their gradients.
#[derive(Clone)]
struct Adaptive<const N: usize> {
    values: [f32; N],
    squares: [f32; N],
}

impl<const N: usize> Adaptive<N> {
    const NEW: Self = Self { values: [0.0; N], squares: [0.0; N] };

    /// Makes a step against `factor ·` a gradient.
    fn step(&mut self, gradient: &[f32; N], factor: f32, rate: f32, penalty: f32) {
        for ((value, squares), gradient) in self.values.iter_mut().zip(&mut self.squares).zip(gradient) {
            let gradient = factor * gradient + penalty * *value;
            *squares += gradient * gradient;
            *value -= rate * gradient / (squares.sqrt() + 1e-6);
        }
    }
}

/// Steps between two changes of the joint logits.
const BATCH: usize = 64;

impl Fitted {
    /// The weights of a feature.
    pub(super) fn row(&self, feature: u32) -> &[f32] {
        let rest = self.weights.get(feature as usize * SEVERITY_WIDTH..).unwrap_or_default();
        rest.get(..SEVERITY_WIDTH).unwrap_or_default()
    }

    /// Fills in the probabilities of all vectors for a text.
    pub(super) fn probabilities(&self, text: &[(u32, f32)], temperature: f32, probabilities: &mut Vec<f32>) {
        let mut sums = self.bias.clone();
        for (feature, value) in text {
            sums.iter_mut().zip(self.row(*feature)).for_each(|(sum, weight)| *sum += value * weight);
        }
        joint_logits(&sums, &self.joint, probabilities);
        temper(probabilities, temperature);
    }

    /// The temperature, of some in equal ratios, with which the vectors of texts are likeliest.
    pub(super) fn temperature(&self, texts: &[Rated<'_>]) -> f32 {
        let likelihood = |temperature: f32| {
            let mut probabilities = Vec::new();
            let of_text = |(text, vector): &Rated<'_>| {
                self.probabilities(text, temperature, &mut probabilities);
                f64::from(probabilities.get(vector.number()).copied().unwrap_or(0.0).max(f32::MIN_POSITIVE))
                    .ln()
            };
            texts.iter().map(of_text).sum::<f64>()
        };
        let steps = (0..TEMPERATURES).map(|step| COLDEST * RATIO.powi(step));
        let tried = steps.map(|temperature| (temperature, likelihood(temperature)));
        tried.reduce(|best, other| if other.1 > best.1 { other } else { best }).map_or(1.0, |best| best.0)
    }
}

/// The temperatures that are tried: so many from the coldest on, each by this ratio hotter than the one before.
const TEMPERATURES: i32 = 40;
const COLDEST: f32 = 0.6;
const RATIO: f32 = 1.03;

/// Fits a model to texts and their vectors.
pub(super) fn fit(texts: &[Rated<'_>], features: usize) -> Fitted {
    let mut weights = vec![Adaptive::<SEVERITY_WIDTH>::NEW; features];
    let mut bias = Adaptive::<SEVERITY_WIDTH>::NEW;
    let marginals = Marginals::new();
    let cliques = Cliques::new();
    let mut tables = vec![Adaptive::<1>::NEW; cliques.width];
    let mut joint = cliques.joint(&tables);
    let mut order: Vec<usize> = (0..texts.len()).collect();
    let mut random = Random::new(0, 0);
    let steps = (EPOCHS * texts.len()) as f32;
    let mut done = 0usize;
    let (mut logits, mut sums, mut change) =
        (Vec::new(), [0.0f32; SEVERITY_WIDTH], vec![0.0f32; BaseVector::COUNT]);
    for _ in 0..EPOCHS {
        random.shuffle(&mut order);
        for (at, text) in order.iter().enumerate() {
            let (features, vector) = texts[*text];
            sums.copy_from_slice(&bias.values);
            for (feature, value) in features {
                let row = &weights[*feature as usize].values;
                sums.iter_mut().zip(row).for_each(|(sum, weight)| *sum += value * weight);
            }
            joint_logits(&sums, &joint, &mut logits);
            softmax(&mut logits);
            let mut gradient = marginals.of(&logits);
            for place in places(vector) {
                gradient[place] -= 1.0;
            }
            let rate = RATE * (1.0 - done as f32 / steps);
            done += 1;
            bias.step(&gradient, 1.0, rate, 0.0);
            for (feature, value) in features {
                weights[*feature as usize].step(&gradient, *value, rate, PENALTY);
            }
            change.iter_mut().zip(&logits).for_each(|(change, p)| *change += p);
            change[vector.number()] -= 1.0;
            if (at + 1) % BATCH == 0 {
                for (table, sum) in tables.iter_mut().zip(cliques.gradient(&change)) {
                    table.step(&[sum], 1.0 / BATCH as f32, rate, PENALTY);
                }
                joint = cliques.joint(&tables);
                change.fill(0.0);
            }
        }
    }
    let weights = weights.iter().flat_map(|row| row.values).collect();
    Fitted { weights, bias: bias.values.to_vec(), joint }
}

/// The outputs of a vector's values.
pub(super) fn places(vector: BaseVector) -> [usize; BASE_METRICS.len()] {
    let mut first = 0;
    let mut places = [0; BASE_METRICS.len()];
    for ((place, value), metric) in places.iter_mut().zip(vector.values()).zip(&BASE_METRICS) {
        *place = first + usize::from(value);
        first += metric.values.len();
    }
    places
}

/// The number of combinations of values of C, I and A, which change first.
const FAST: usize = 27;
/// The number of metrics before these.
const SLOW_METRICS: usize = BASE_METRICS.len() - 3;

/// The outputs of the values of all vectors.
struct Marginals(Vec<[usize; BASE_METRICS.len()]>);

impl Marginals {
    fn new() -> Self {
        Self(BaseVector::all().map(places).collect())
    }

    /// The probabilities of all values, given those of all vectors.
    fn of(&self, probabilities: &[f32]) -> [f32; SEVERITY_WIDTH] {
        let mut sums = [0.0; SEVERITY_WIDTH];
        let mut fast = [0.0f32; FAST];
        for (places, row) in self.0.iter().step_by(FAST).zip(probabilities.chunks_exact(FAST)) {
            let slow: f32 = row.iter().sum();
            fast.iter_mut().zip(row).for_each(|(sum, p)| *sum += p);
            places.iter().take(SLOW_METRICS).for_each(|place| sums[*place] += slow);
        }
        for (places, p) in self.0.iter().zip(fast) {
            places.iter().skip(SLOW_METRICS).for_each(|place| sums[*place] += p);
        }
        sums
    }
}

/// Sets of metrics whose values have a logit together: all pairs, three larger ones, and all.
struct Cliques {
    /// The place of each vector's logit in the table of each set.
    places: Vec<Vec<u16>>,
    width: usize,
}

/// The sets that are larger than a pair, by the places of their metrics: C, I and A; the scope with them; the way to an
/// attack; everything.
const LARGER: [&[usize]; 4] = [&[5, 6, 7], &[4, 5, 6, 7], &[0, 2, 3, 4], &[0, 1, 2, 3, 4, 5, 6, 7]];

impl Cliques {
    fn new() -> Self {
        let metrics = 0..BASE_METRICS.len();
        let pairs =
            metrics.clone().flat_map(|first| (first + 1..metrics.end).map(move |second| vec![first, second]));
        let (mut places, mut width) = (Vec::new(), 0);
        for clique in pairs.chain(LARGER.map(<[usize]>::to_vec)) {
            let sizes = clique.iter().map(|metric| BASE_METRICS[*metric].values.len());
            let place = |vector: BaseVector| {
                let values = clique.iter().map(|metric| usize::from(vector.values()[*metric]));
                sizes.clone().zip(values).fold(0, |place, (size, value)| place * size + value)
            };
            places.push(BaseVector::all().map(|vector| (width + place(vector)) as u16).collect());
            width += sizes.product::<usize>();
        }
        Self { places, width }
    }

    fn joint(&self, tables: &[Adaptive<1>]) -> Vec<f32> {
        let mut joint = vec![0.0; BaseVector::COUNT];
        for places in &self.places {
            joint
                .iter_mut()
                .zip(places)
                .for_each(|(sum, place)| *sum += tables[usize::from(*place)].values[0]);
        }
        joint
    }

    fn gradient(&self, change: &[f32]) -> Vec<f32> {
        let mut sums = vec![0.0; self.width];
        for places in &self.places {
            places.iter().zip(change).for_each(|(place, change)| sums[usize::from(*place)] += change);
        }
        sums
    }
}
