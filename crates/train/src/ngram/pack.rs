//! From full precision to what a file holds: four bits a number of the embedding, eight of the
//! output weights.

use vulnlens_model::ngram::vocabulary::Vocabulary;
use vulnlens_model::ngram::{CODE_ZERO, Tensors, upper_half};

use super::network::Network;

/// The steps that four bits give on each side of zero.
const HALF_STEPS: f32 = 7.0;
/// Shares of a row's greatest magnitude that are tried as the end of its scale: cutting outliers
/// off often leaves the others with smaller errors.
const CUTS: [f32; 6] = [1.0, 0.9, 0.8, 0.7, 0.6, 0.5];

pub(crate) fn pack(network: &Network, vocabulary: &Vocabulary) -> Tensors {
    let d = network.shape.dimensions;
    let (mut embedding, mut embedding_scales) = (vec![], vec![]);
    for row in network.embedding.chunks_exact(d) {
        let scale = four_bit_scale(row);
        embedding_scales.push(upper_half(scale));
        pack_row(row, scale, &mut embedding);
    }
    let (mut output, mut output_scales) = (vec![], vec![]);
    for row in network.output.chunks_exact(d) {
        let scale = greatest(row) / 127.0;
        output_scales.push(scale);
        let inverse = if scale > 0.0 { 1.0 / scale } else { 0.0 };
        output.extend(row.iter().map(|x| (x * inverse).round().clamp(-127.0, 127.0) as i8));
    }
    Tensors {
        keys: vocabulary.keys().to_vec(),
        weights: vocabulary.weights().to_vec(),
        embedding,
        embedding_scales,
        hidden_bias: network.hidden_bias.values.clone(),
        year_hidden: network.year_hidden.values.clone(),
        output,
        output_scales,
        output_bias: network.output_bias.values.clone(),
        year_output: network.year_output.values.iter().map(|&x| upper_half(x)).collect(),
    }
}

fn greatest(row: &[f32]) -> f32 {
    row.iter().fold(0.0, |most, x| x.abs().max(most))
}

fn widen(half: u16) -> f32 {
    f32::from_bits(u32::from(half) << 16)
}

/// The scale of least squared error among the cuts, as the file will hold it.
fn four_bit_scale(row: &[f32]) -> f32 {
    let most = greatest(row);
    let error = |scale: f32| -> f32 {
        let inverse = if scale > 0.0 { 1.0 / scale } else { 0.0 };
        row.iter().map(|x| (x - scale * steps(*x, inverse)).powi(2)).sum()
    };
    let scales = CUTS.map(|cut| widen(upper_half(cut * most / HALF_STEPS)));
    let best = scales.into_iter().map(|scale| (error(scale), scale)).min_by(|a, b| a.0.total_cmp(&b.0));
    best.map_or(0.0, |(_, scale)| scale)
}

/// `x` in whole steps of the scale.
fn steps(x: f32, inverse_scale: f32) -> f32 {
    (x * inverse_scale).round().clamp(-HALF_STEPS, HALF_STEPS)
}

/// Appends a row: byte j holds column j in its lower half and column j + width/2 in its upper.
fn pack_row(row: &[f32], scale: f32, packed: &mut Vec<u8>) {
    let inverse = if scale > 0.0 { 1.0 / scale } else { 0.0 };
    let code = |x: f32| (steps(x, inverse) + f32::from(CODE_ZERO)) as u8;
    let (low, high) = row.split_at(row.len() / 2);
    packed.extend(low.iter().zip(high).map(|(&low, &high)| code(low) | code(high) << 4));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_bits_come_back_within_half_a_step() {
        let row: Vec<f32> = (0..16).map(|i| (i as f32 - 7.5) / 10.0).collect();
        let scale = four_bit_scale(&row);
        let mut packed = vec![];
        pack_row(&row, scale, &mut packed);
        for (column, &x) in row.iter().enumerate() {
            let byte = packed[column % 8];
            let code = if column < 8 { byte & 15 } else { byte >> 4 };
            let back = scale * (f32::from(code) - f32::from(CODE_ZERO));
            assert!((back - x).abs() <= 0.51 * scale.max(0.1), "{x} came back as {back}");
        }
    }

    #[test]
    fn a_row_of_zeros_stays_one() {
        let mut packed = vec![];
        pack_row(&[0.0; 4], four_bit_scale(&[0.0; 4]), &mut packed);
        assert_eq!(packed, [CODE_ZERO | CODE_ZERO << 4; 2]);
    }

    #[test]
    fn upper_halves_round_to_nearest() {
        for x in [0.0, 1.0, -1.0, 0.1, 3.25, -1e-7, 12345.678] {
            let back = widen(upper_half(x));
            assert!((back - x).abs() <= x.abs() / 256.0, "{x} came back as {back}");
        }
    }
}
