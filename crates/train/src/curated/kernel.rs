//! Products of texts, by blocks of features.

use std::collections::BTreeMap;

use rayon::prelude::*;
use vulnlens_model::curated::CuratedFeatures;

/// Blocks of features, and projects, that a fit uses: all of them, or fewer to see what each brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Blocks {
    pub(super) text: bool,
    pub(super) rules: bool,
    pub(super) cwes: bool,
    pub(super) years: bool,
    /// Weights of their own for projects, and the share of each project in a text.
    pub(super) projects: bool,
}

impl Default for Blocks {
    fn default() -> Self {
        Self { text: true, rules: true, cwes: true, years: true, projects: true }
    }
}

/// The weight of each block in the product of two texts, whose mean square in each block is 1.
const TEXT: f64 = 1.5;
const RULES: f64 = 1.0;
const CWES: f64 = 0.7;
const YEARS: f64 = 0.2;
/// Factors of these weights where the project of a text is told.
pub(super) const TEXT_OF_PROJECTS: f64 = 2.0 / TEXT;
pub(super) const YEARS_OF_PROJECTS: f64 = 2.0 / YEARS;
/// Fewest texts with a feature.
const FEWEST: usize = 3;

/// The products of all pairs of texts by blocks, with the factors of the features in them.
pub(super) struct Kernels {
    /// Rows of the vocabulary that are read, rising.
    pub(super) text_rows: Vec<u32>,
    /// Factor of products of the text's features.
    pub(super) text_scale: f64,
    /// Factor of products of each dense feature.
    pub(super) dense_scales: Vec<f64>,
    /// The number of rules, then weaknesses; years are the rest.
    pub(super) sizes: [usize; 2],
    texts: usize,
    /// Text, rules, weaknesses, years.
    blocks: [Vec<f32>; 4],
}

impl Kernels {
    pub(super) fn new(features: &[CuratedFeatures], rules: usize, cwes: usize) -> Self {
        let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
        features.iter().flat_map(|f| &f.text).for_each(|entry| *counts.entry(entry.row).or_default() += 1);
        let text_rows: Vec<u32> =
            counts.into_iter().filter(|(_, count)| *count >= FEWEST).map(|(row, _)| row).collect();
        let sparse: Vec<Vec<(usize, f32)>> = features
            .iter()
            .map(|f| {
                let known = |entry: &vulnlens_model::ngram::vocabulary::Entry| {
                    Some((text_rows.binary_search(&entry.row).ok()?, entry.value))
                };
                f.text.iter().filter_map(known).collect()
            })
            .collect();
        let width = features.first().map_or(0, |f| f.dense.len());
        let squares = |from: usize, to: usize| -> f64 {
            let all = features.iter().flat_map(|f| f.dense.get(from..to).unwrap_or_default());
            all.map(|value| f64::from(*value).powi(2)).sum::<f64>() / features.len().max(1) as f64
        };
        let text_squares: f64 =
            sparse.iter().flatten().map(|(_, value)| f64::from(*value).powi(2)).sum::<f64>();
        let text_scale = TEXT * features.len() as f64 / text_squares.max(1e-9);
        let per = |weight: f64, squares: f64| weight / squares.max(1e-9);
        let mut dense_scales = vec![per(RULES, squares(0, rules)); rules];
        dense_scales.extend(vec![per(CWES, squares(rules, rules + cwes)); cwes]);
        // Years are a kernel of their own size.
        dense_scales.extend(vec![YEARS; width.saturating_sub(rules + cwes)]);
        let texts = features.len();
        let dense = |from: usize, to: usize| -> Vec<f32> {
            let rows: Vec<&[f32]> =
                features.iter().map(|f| f.dense.get(from..to).unwrap_or_default()).collect();
            let factor = dense_scales.get(from).copied().unwrap_or_default() as f32;
            let row = |a: &&[f32]| -> Vec<f32> {
                rows.iter().map(|b| factor * a.iter().zip(*b).map(|(a, b)| a * b).sum::<f32>()).collect()
            };
            rows.par_iter().flat_map_iter(row).collect()
        };
        let text = || -> Vec<f32> {
            let row = |a: &Vec<(usize, f32)>| -> Vec<f32> {
                let mut spread = vec![0.0f32; text_rows.len()];
                a.iter().for_each(|(place, value)| spread[*place] = *value);
                let product = |b: &Vec<(usize, f32)>| {
                    b.iter().map(|(place, value)| spread[*place] * value).sum::<f32>()
                };
                sparse.iter().map(|b| text_scale as f32 * product(b)).collect()
            };
            sparse.par_iter().flat_map_iter(row).collect()
        };
        let blocks = [text(), dense(0, rules), dense(rules, rules + cwes), dense(rules + cwes, width)];
        Self { text_rows, text_scale, dense_scales, sizes: [rules, cwes], texts, blocks }
    }

    /// The products of two texts in the blocks: of the text alone, and of the dense features.
    pub(super) fn products(&self, a: usize, b: usize, of: Blocks) -> (f64, f64) {
        let [text, rules, cwes, years] = self.of(a, b);
        let kept = |used: bool, product: f64| if used { product } else { 0.0 };
        let dense = kept(of.rules, rules) + kept(of.cwes, cwes) + kept(of.years, years);
        (kept(of.text, text), dense)
    }

    /// The product by which the project of a text is told.
    pub(super) fn of_projects(&self, a: usize, b: usize) -> f64 {
        let [text, rules, cwes, years] = self.of(a, b);
        TEXT_OF_PROJECTS * text + rules + cwes + YEARS_OF_PROJECTS * years
    }

    fn of(&self, a: usize, b: usize) -> [f64; 4] {
        self.blocks.each_ref().map(|block| block.get(a * self.texts + b).map_or(0.0, |p| f64::from(*p)))
    }

    /// True for a dense feature that is a year.
    pub(super) fn is_year(&self, feature: usize) -> bool {
        feature >= self.sizes[0] + self.sizes[1]
    }
}
