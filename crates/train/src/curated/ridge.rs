//! Ridge regression over rows of one text and one project, in closed form.
//!
//! The product of two rows is K_text + K_dense (1 + a [same project]) + b [same project]; the solution is
//! A = (K + λ / w)⁻¹ (Y − μ), with w the weight of a row and μ the weighted means of the targets. Techniques that sources
//! of another kind name are true, those that they do not name unknown: these take the model's own scores as targets, over
//! some rounds.

use vulnlens_taxonomy::TechniqueId;

use super::kernel::{Blocks, Kernels, TEXT_OF_PROJECTS, YEARS_OF_PROJECTS};
use super::prepared::Prepared;

/// The share of a project's own weights of the dense features.
pub(super) const OWN: f64 = 0.5;
/// The same for what a project adds whatever the text.
pub(super) const OWN_BIAS: f64 = 0.5;
const LAMBDA: f64 = 10.0;
/// The same for the projects' indicators.
const LAMBDA_OF_PROJECTS: f64 = 1.0;
/// Weight of a row of another source.
const SEEN: f64 = 0.5;
const ROUNDS: usize = 3;
/// The least share of a project, as the model has it.
const LEAST_SHARE: f64 = 0.01;

/// A row of the regression with its coefficients.
pub(super) struct Row {
    pub(super) text: usize,
    /// The project; none for a row of the other sources.
    pub(super) project: Option<usize>,
    /// The row's coefficients, by output.
    pub(super) alphas: Vec<f64>,
}

/// A solved regression.
pub(super) struct Solved {
    pub(super) rows: Vec<Row>,
    /// Techniques, then indicators of projects.
    pub(super) outputs: usize,
    techniques: usize,
    /// Scores before any text is read, the same for every project, by output.
    pub(super) means: Vec<f64>,
    blocks: Blocks,
}

impl Solved {
    pub(super) fn is_technique(&self, output: usize) -> bool {
        output < self.techniques
    }

    pub(super) fn text_factor(&self, output: usize) -> f64 {
        if self.is_technique(output) { 1.0 } else { TEXT_OF_PROJECTS }
    }

    pub(super) fn dense_factor(&self, output: usize, feature: usize, kernels: &Kernels) -> f64 {
        if self.is_technique(output) || !kernels.is_year(feature) { 1.0 } else { YEARS_OF_PROJECTS }
    }

    /// The scores of a text, by technique.
    pub(super) fn scores(&self, prepared: &Prepared, text: usize) -> Vec<f64> {
        let projects = self.outputs - self.techniques;
        let mut by_project = vec![self.means.clone(); projects.max(1)];
        for row in &self.rows {
            let (words, dense) = prepared.kernels.products(text, row.text, self.blocks);
            let shares = prepared.kernels.of_projects(text, row.text);
            for (project, sums) in by_project.iter_mut().enumerate() {
                let same = f64::from(u8::from(self.blocks.projects && row.project == Some(project)));
                let product = words + dense * (1.0 + OWN * same) + OWN_BIAS * same;
                let (techniques, indicators) = sums.split_at_mut(self.techniques);
                let (of_techniques, of_indicators) = row.alphas.split_at(self.techniques);
                techniques.iter_mut().zip(of_techniques).for_each(|(sum, alpha)| *sum += product * alpha);
                indicators.iter_mut().zip(of_indicators).for_each(|(sum, alpha)| *sum += shares * alpha);
            }
        }
        let share =
            |project: usize| by_project[0].get(self.techniques + project).map_or(1.0, |s| s.max(LEAST_SHARE));
        let shares: Vec<f64> = (0..by_project.len()).map(share).collect();
        let total: f64 = shares.iter().sum();
        let mut scores = vec![0.0; self.techniques];
        for (sums, share) in by_project.iter().zip(&shares) {
            scores.iter_mut().zip(sums).for_each(|(score, sum)| *score += share / total * sum);
        }
        scores
    }
}

/// Solves the regression for the texts, over the techniques of `space`.
pub(super) fn solve(prepared: &Prepared, texts: &[usize], space: &[TechniqueId], blocks: Blocks) -> Solved {
    let projects = prepared.projects.len();
    let target = |techniques: &std::collections::BTreeSet<TechniqueId>| -> Vec<f64> {
        space.iter().map(|id| f64::from(u8::from(techniques.contains(id)))).collect()
    };
    let (mut rows, mut targets, mut weights) = (vec![], vec![], vec![]);
    for (project, name) in prepared.projects.iter().enumerate() {
        for &text in texts {
            let techniques = prepared.techniques(text, Some(name));
            if techniques.is_empty() {
                continue;
            }
            let parents = techniques.iter().filter(|id| id.parent() == **id).count();
            weights.push(1.0 / parents.max(1) as f64);
            targets.push(target(&techniques));
            rows.push(Row { text, project: Some(project), alphas: vec![] });
        }
    }
    let mapped = rows.len();
    let mean = weights.iter().sum::<f64>() / mapped.max(1) as f64;
    weights.iter_mut().for_each(|weight| *weight /= mean);
    let sum: f64 = weights.iter().sum();
    let mut means: Vec<f64> = (0..space.len())
        .map(|at| targets.iter().zip(&weights).map(|(row, w)| row[at] * w).sum::<f64>() / sum.max(1e-9))
        .collect();
    for &text in texts {
        let seen = target(&prepared.seen(text));
        if seen.iter().any(|target| *target > 0.0) {
            weights.push(SEEN);
            targets.push(seen);
            rows.push(Row { text, project: None, alphas: vec![] });
        }
    }
    let n = rows.len();
    let product = |a: &Row, b: &Row| {
        let (words, dense) = prepared.kernels.products(a.text, b.text, blocks);
        let same = f64::from(u8::from(blocks.projects && a.project == b.project));
        words + dense * (1.0 + OWN * same) + OWN_BIAS * same
    };
    let mut kernel = vec![0.0; n * n];
    for a in 0..n {
        for b in 0..=a {
            let value = product(&rows[a], &rows[b]);
            (kernel[a * n + b], kernel[b * n + a]) = (value, value);
        }
    }
    let mut regular = kernel.clone();
    (0..n).for_each(|at| regular[at * n + at] += LAMBDA / weights[at]);
    let factor = Cholesky::new(regular, n);
    let width = space.len();
    // Residuals of rows by output; those of unknown targets begin at 0.
    let residual = |row: usize, at: usize| {
        if row < mapped || targets[row][at] > 0.0 { targets[row][at] - means[at] } else { 0.0 }
    };
    let mut residuals: Vec<f64> =
        (0..n * width).map(|place| residual(place / width.max(1), place % width.max(1))).collect();
    let mut alphas = factor.solve(&residuals, width);
    for _ in 1..if mapped < n { ROUNDS } else { 1 } {
        for row in mapped..n {
            let mut own = vec![0.0; width];
            for other in 0..n {
                let product = kernel[row * n + other];
                let of_other = &alphas[other * width..][..width];
                own.iter_mut().zip(of_other).for_each(|(sum, alpha)| *sum += product * alpha);
            }
            let unknown = own.iter().enumerate().filter(|(at, _)| targets[row][*at] == 0.0);
            unknown.for_each(|(at, score)| residuals[row * width + at] = *score);
        }
        alphas = factor.solve(&residuals, width);
    }
    for (row, alphas) in rows.iter_mut().zip(alphas.chunks_exact(width.max(1))) {
        row.alphas = alphas.to_vec();
        row.alphas.resize(width + projects, 0.0);
    }
    if blocks.projects {
        let of_projects = shares_of_projects(prepared, &mut rows, width, projects);
        means.extend(of_projects);
    } else {
        rows.iter_mut().for_each(|row| row.alphas.truncate(width));
    }
    Solved { outputs: means.len(), techniques: width, rows, means, blocks }
}

/// Fits the indicators of projects, and gives their means. A text of several projects counts for each in equal parts.
fn shares_of_projects(prepared: &Prepared, rows: &mut [Row], first: usize, projects: usize) -> Vec<f64> {
    let mut texts: Vec<usize> = rows.iter().filter(|row| row.project.is_some()).map(|row| row.text).collect();
    texts.sort_unstable();
    texts.dedup();
    let n = texts.len();
    let mut targets = vec![0.0; n * projects];
    for (at, text) in texts.iter().enumerate() {
        let of: Vec<usize> =
            rows.iter().filter(|row| row.text == *text).filter_map(|row| row.project).collect();
        of.iter().for_each(|project| targets[at * projects + project] = 1.0 / of.len() as f64);
    }
    let means: Vec<f64> = (0..projects)
        .map(|project| targets.iter().skip(project).step_by(projects).sum::<f64>() / n.max(1) as f64)
        .collect();
    for row in targets.chunks_exact_mut(projects) {
        row.iter_mut().zip(&means).for_each(|(target, mean)| *target -= mean);
    }
    let mut kernel: Vec<f64> =
        texts.iter().flat_map(|a| texts.iter().map(|b| prepared.kernels.of_projects(*a, *b))).collect();
    (0..n).for_each(|at| kernel[at * n + at] += LAMBDA_OF_PROJECTS);
    let alphas = Cholesky::new(kernel, n).solve(&targets, projects);
    // Each text's coefficients stand in one of its rows.
    for (text, alphas) in texts.iter().zip(alphas.chunks_exact(projects)) {
        if let Some(row) = rows.iter_mut().find(|row| row.text == *text && row.project.is_some()) {
            row.alphas[first..].copy_from_slice(alphas);
        }
    }
    means
}

/// The Cholesky factor of a symmetric positive definite matrix.
struct Cholesky {
    lower: Vec<f64>,
    n: usize,
}

impl Cholesky {
    /// Factors a matrix row by row: each number needs products of rows that stand before it.
    fn new(mut matrix: Vec<f64>, n: usize) -> Self {
        for i in 0..n {
            for j in 0..=i {
                let (before, row_i) = matrix.split_at(i * n);
                let row_j = if j == i { &row_i[..j] } else { &before[j * n..][..j] };
                let dot: f64 = dot(&row_i[..j], row_j);
                let rest = row_i[j] - dot;
                let value = if j == i { rest.max(1e-12).sqrt() } else { rest / before[j * n + j] };
                matrix[i * n + j] = value;
            }
        }
        Self { lower: matrix, n }
    }

    /// Solves for `width` right-hand sides, given row by row.
    fn solve(&self, right: &[f64], width: usize) -> Vec<f64> {
        let n = self.n;
        let mut x = right.to_vec();
        for i in 0..n {
            let (before, rest) = x.split_at_mut(i * width);
            let row = &mut rest[..width];
            for (j, known) in before.chunks_exact(width.max(1)).enumerate() {
                let factor = self.lower[i * n + j];
                row.iter_mut().zip(known).for_each(|(value, known)| *value -= factor * known);
            }
            row.iter_mut().for_each(|value| *value /= self.lower[i * n + i]);
        }
        for i in (0..n).rev() {
            let (rest, after) = x.split_at_mut((i + 1) * width);
            let row = &mut rest[i * width..];
            for (j, known) in after.chunks_exact(width.max(1)).enumerate() {
                let factor = self.lower[(i + 1 + j) * n + i];
                row.iter_mut().zip(known).for_each(|(value, known)| *value -= factor * known);
            }
            row.iter_mut().for_each(|value| *value /= self.lower[i * n + i]);
        }
        x
    }
}

/// The product of two vectors, in eight sums that the compiler keeps side by side; the order is always the same.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 8];
    let (a_parts, a_rest) = a.as_chunks::<8>();
    let (b_parts, b_rest) = b.as_chunks::<8>();
    for (a, b) in a_parts.iter().zip(b_parts) {
        sums.iter_mut().zip(a.iter().zip(b)).for_each(|(sum, (a, b))| *sum += a * b);
    }
    sums.iter().sum::<f64>() + a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_factor_solves_its_matrix() {
        // A = [[4, 2, 0.6], [2, 5, 1], [0.6, 1, 3]]
        let matrix = vec![4.0, 2.0, 0.6, 2.0, 5.0, 1.0, 0.6, 1.0, 3.0];
        let want = [1.0, -2.0, 0.5, 3.0, -1.0, 0.25];
        let mut right = vec![0.0; 6];
        for i in 0..3 {
            for k in 0..3 {
                for side in 0..2 {
                    right[i * 2 + side] += matrix[i * 3 + k] * want[k * 2 + side];
                }
            }
        }
        let found = Cholesky::new(matrix, 3).solve(&right, 2);
        for (found, want) in found.iter().zip(want) {
            assert!((found - want).abs() < 1e-12, "{found} for {want}");
        }
    }
}
