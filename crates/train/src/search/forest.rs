//! A random forest of regression trees over the unit cube, and the functional analysis of its variance.
//!
//! A tree divides the cube into boxes with one value each. So the mean over all other coordinates, as a function of one
//! of them, is a step function that can be written down, and its variance against that of the whole tree is the share
//! of this coordinate: Hutter, Hoos and Leyton-Brown, *An Efficient Approach for Assessing Hyperparameter Importance*
//! (2014).

use crate::random::Random;

/// Trees of a forest.
pub(crate) const TREES: usize = 64;
/// Points that a box has at least: single ones are more noise than signal.
const FEWEST_POINTS: usize = 2;
/// The stream of the seed that forests are grown from; searches, batches and masks have others.
const FOREST: u64 = 1 << 61;
/// A variance below which values are alike.
const ALIKE: f64 = 1e-18;

/// Points of the unit cube with their values.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Points<'a> {
    /// A coordinate for each dimension, from 0 to 1.
    pub(crate) places: &'a [Vec<f64>],
    pub(crate) values: &'a [f64],
}

/// Regression trees, each grown on points that were drawn for it.
#[derive(Debug)]
pub(crate) struct Forest {
    dimensions: usize,
    trees: Vec<Tree>,
}

/// A tree, and the points that it was grown on.
#[derive(Debug)]
struct Tree {
    leaves: Vec<Leaf>,
    is_grown_on: Vec<bool>,
}

/// A box of the cube, and the mean of the points in it.
#[derive(Debug, Clone, PartialEq)]
struct Leaf {
    low: Vec<f64>,
    high: Vec<f64>,
    value: f64,
}

/// The share of a coordinate in the variance of the trees.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Share {
    pub(crate) mean: f64,
    /// The standard deviation over the trees.
    pub(crate) deviation: f64,
}

impl Forest {
    /// Grows a forest on points of so many dimensions.
    pub(crate) fn grow(dimensions: usize, points: Points<'_>, seed: u64) -> Self {
        let tree = |number: usize| {
            let mut random = Random::new(seed, FOREST | number as u64);
            let count = points.values.len();
            let drawn: Vec<usize> = (0..count).map(|_| random.below(count.max(1))).collect();
            let mut is_grown_on = vec![false; count];
            drawn.iter().for_each(|&point| is_grown_on[point] = true);
            let mut growing = Growing { dimensions, points, random, leaves: vec![] };
            growing.grow(drawn, (vec![0.0; dimensions], vec![1.0; dimensions]));
            Tree { leaves: growing.leaves, is_grown_on }
        };
        Self { dimensions, trees: (0..TREES).map(tree).collect() }
    }

    /// The share of each coordinate by itself; `None` where no tree has any variance.
    pub(crate) fn shares(&self) -> Option<Vec<Share>> {
        let of_trees: Vec<Vec<f64>> =
            self.trees.iter().filter_map(|tree| shares(&tree.leaves, self.dimensions)).collect();
        let count = of_trees.len() as f64;
        let share = |dimension: usize| {
            let of_dimension = || of_trees.iter().map(|shares| shares[dimension]);
            let mean = of_dimension().sum::<f64>() / count;
            let variance = of_dimension().map(|share| (share - mean).powi(2)).sum::<f64>() / count;
            Share { mean, deviation: variance.sqrt() }
        };
        (!of_trees.is_empty()).then(|| (0..self.dimensions).map(share).collect())
    }

    /// The share of the values' variance that trees explain of the points that they were not grown on.
    pub(crate) fn explained(&self, points: Points<'_>) -> f64 {
        let (mut errors, mut seen) = (0.0, vec![]);
        for (number, (place, value)) in points.places.iter().zip(points.values).enumerate() {
            let others = self.trees.iter().filter(|tree| !tree.is_grown_on[number]);
            let said: Vec<f64> = others.filter_map(|tree| tree.value(place)).collect();
            if !said.is_empty() {
                errors += (said.iter().sum::<f64>() / said.len() as f64 - value).powi(2);
                seen.push(*value);
            }
        }
        let mean = seen.iter().sum::<f64>() / seen.len().max(1) as f64;
        let variance: f64 = seen.iter().map(|value| (value - mean).powi(2)).sum();
        if variance > ALIKE { 1.0 - errors / variance } else { 0.0 }
    }
}

impl Tree {
    /// The value of the box that a point lies in.
    fn value(&self, place: &[f64]) -> Option<f64> {
        let has = |leaf: &&Leaf| {
            let mut bounds = place.iter().zip(leaf.low.iter().zip(&leaf.high));
            bounds.all(|(&at, (&low, &high))| low <= at && (at < high || high >= 1.0))
        };
        self.leaves.iter().find(has).map(|leaf| leaf.value)
    }
}

impl Leaf {
    fn volume(&self) -> f64 {
        self.low.iter().zip(&self.high).map(|(low, high)| high - low).product()
    }
}

/// A tree under way.
struct Growing<'a> {
    dimensions: usize,
    points: Points<'a>,
    random: Random,
    leaves: Vec<Leaf>,
}

/// A division of points by a coordinate.
struct Division {
    dimension: usize,
    /// The greatest coordinate of the points below, and the least of those above.
    between: (f64, f64),
    gain: f64,
}

impl Growing<'_> {
    /// Divides a box until its points are too few or alike.
    fn grow(&mut self, points: Vec<usize>, (low, high): (Vec<f64>, Vec<f64>)) {
        let Some(Division { dimension, between, .. }) = self.best(&points) else {
            let sum: f64 = points.iter().map(|&point| self.points.values[point]).sum();
            self.leaves.push(Leaf { low, high, value: sum / points.len().max(1) as f64 });
            return;
        };
        // Anywhere between the two: the mean of many trees is then smoother than one of middles.
        let along = f64::from(self.random.uniform());
        let at = between.0 + along * (between.1 - between.0);
        let places = self.points.places;
        let (below, above) =
            points.into_iter().partition::<Vec<usize>, _>(|&point| places[point][dimension] <= between.0);
        let (mut end, mut start) = (high.clone(), low.clone());
        (end[dimension], start[dimension]) = (at, at);
        self.grow(below, (low, end));
        self.grow(above, (start, high));
    }

    /// The division of the greatest gain, by some coordinates that are drawn; `None` where none has any.
    fn best(&mut self, points: &[usize]) -> Option<Division> {
        let mut dimensions: Vec<usize> = (0..self.dimensions).collect();
        self.random.shuffle(&mut dimensions);
        // Five of six, as the method's authors have it.
        let drawn = (self.dimensions * 5).div_ceil(6);
        let found = dimensions.into_iter().filter_map(|dimension| self.division(points, dimension));
        found.take(drawn).reduce(|best, next| if next.gain > best.gain { next } else { best })
    }

    /// The best division by one coordinate.
    fn division(&self, points: &[usize], dimension: usize) -> Option<Division> {
        let Points { places, values } = self.points;
        let mut sorted: Vec<(f64, f64)> =
            points.iter().map(|&point| (places[point][dimension], values[point])).collect();
        sorted.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let all: f64 = sorted.iter().map(|(_, value)| value).sum();
        let count = sorted.len() as f64;
        let (mut sum, mut best): (f64, Option<Division>) = (0.0, None);
        for (below, pair) in (1..).zip(sorted.windows(2)) {
            sum += pair[0].1;
            let above = sorted.len() - below;
            if pair[0].0 >= pair[1].0 || below < FEWEST_POINTS || above < FEWEST_POINTS {
                continue;
            }
            let (below, above) = (below as f64, above as f64);
            let gain = sum * sum / below + (all - sum).powi(2) / above - all * all / count;
            if gain > ALIKE && best.as_ref().is_none_or(|best| gain > best.gain) {
                best = Some(Division { dimension, between: (pair[0].0, pair[1].0), gain });
            }
        }
        best
    }
}

/// The share of each coordinate by itself in the variance of a tree; `None` where there is none.
fn shares(leaves: &[Leaf], dimensions: usize) -> Option<Vec<f64>> {
    let mean: f64 = leaves.iter().map(|leaf| leaf.volume() * leaf.value).sum();
    let whole: f64 = leaves.iter().map(|leaf| leaf.volume() * (leaf.value - mean).powi(2)).sum();
    let share = |dimension: usize| {
        let mut cuts: Vec<f64> =
            leaves.iter().flat_map(|leaf| [leaf.low[dimension], leaf.high[dimension]]).collect();
        cuts.sort_by(f64::total_cmp);
        cuts.dedup();
        let of_step = |step: &[f64]| {
            let crosses = |leaf: &&Leaf| leaf.low[dimension] <= step[0] && leaf.high[dimension] >= step[1];
            let width = |leaf: &Leaf| leaf.high[dimension] - leaf.low[dimension];
            let part = |leaf: &Leaf| leaf.value * leaf.volume() / width(leaf);
            let value: f64 = leaves.iter().filter(crosses).map(part).sum();
            (step[1] - step[0]) * (value - mean).powi(2)
        };
        cuts.windows(2).map(of_step).sum::<f64>() / whole
    };
    (whole > ALIKE).then(|| (0..dimensions).map(share).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf(low: [f64; 2], high: [f64; 2], value: f64) -> Leaf {
        Leaf { low: low.to_vec(), high: high.to_vec(), value }
    }

    #[test]
    fn a_tree_is_analysed_exactly() {
        // A step of 1 along the first coordinate, and half a step along the second above it: over the halves of the
        // first the means are 0 and 1.25, over those of the second 0.5 and 0.75; the whole has the variance 0.421875.
        let leaves = [
            leaf([0.0, 0.0], [0.5, 1.0], 0.0),
            leaf([0.5, 0.0], [1.0, 0.5], 1.0),
            leaf([0.5, 0.5], [1.0, 1.0], 1.5),
        ];
        let found = shares(&leaves, 2).unwrap();
        assert!((found[0] - 0.390_625 / 0.421_875).abs() < 1e-12, "{found:?}");
        assert!((found[1] - 0.015_625 / 0.421_875).abs() < 1e-12, "{found:?}");
        assert_eq!(shares(&[leaf([0.0, 0.0], [1.0, 1.0], 3.0)], 2), None);
    }

    /// The shares of three coordinates in a function, by so many points; and what the forest explains.
    fn of_function(count: usize, function: impl Fn(&[f64]) -> f64) -> (Vec<f64>, f64) {
        let mut random = Random::new(7, 0);
        let places: Vec<Vec<f64>> =
            (0..count).map(|_| (0..3).map(|_| f64::from(random.uniform())).collect()).collect();
        let values: Vec<f64> = places.iter().map(|place| function(place)).collect();
        let points = Points { places: &places, values: &values };
        let forest = Forest::grow(3, points, 3);
        let shares = forest.shares().unwrap().into_iter().map(|share| share.mean).collect();
        (shares, forest.explained(points))
    }

    #[test]
    fn shares_of_known_functions_are_found() {
        // The variances of 2x and y are as four to one, and z counts for nothing.
        let (found, explained) = of_function(400, |at| 2.0 * at[0] + at[1]);
        for (found, known) in found.iter().zip([0.8, 0.2, 0.0]) {
            assert!((found - known).abs() < 0.04, "{found} where {known} is right");
        }
        assert!(explained > 0.9, "{explained}");
        // A product of centred coordinates is nothing but their interaction.
        let (found, _) = of_function(800, |at| (at[0] - 0.5) * (at[1] - 0.5));
        assert!(found.iter().sum::<f64>() < 0.3, "{found:?}");
    }

    #[test]
    fn nothing_is_explained_of_chance() {
        let values = std::cell::RefCell::new(Random::new(11, 0));
        let (_, explained) = of_function(100, |_| f64::from(values.borrow_mut().uniform()));
        assert!(explained < 0.2, "{explained}");
    }

    #[test]
    fn alike_values_have_no_shares() {
        let places = vec![vec![0.1], vec![0.5], vec![0.9], vec![0.7]];
        let points = Points { places: &places, values: &[0.5; 4] };
        let forest = Forest::grow(1, points, 1);
        assert!(forest.shares().is_none());
        assert_eq!(forest.explained(points), 0.0);
    }
}
