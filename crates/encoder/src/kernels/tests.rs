//! Every instruction set against plain sums, and against itself in other batches and on other numbers of threads.

use super::*;
use crate::config::Activation;

/// Made-up numbers between −1 and 1.
fn numbers(count: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    std::iter::repeat_with(next).take(count).collect()
}

/// Rows, inner dimension, columns: whole tiles, ragged ones, single rows, odd widths.
const SHAPES: [(usize, usize, usize); 8] = [
    (1, 1, 1),
    (1, 64, 175),
    (3, 7, 5),
    (12, 32, 32),
    (13, 33, 33),
    (25, 96, 64),
    (50, 768, 100),
    (100, 20, 47),
];

fn on_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
}

fn product_of(
    isa: Isa,
    left: &[f32],
    shape: (usize, usize, usize),
    weights: &[f32],
    bias: &[f32],
) -> Vec<f32> {
    let (rows, inner, columns) = shape;
    let packed = PackedF32::new(isa, inner, &[weights]);
    let mut out = vec![f32::NAN; rows * columns];
    let after = After { bias: Some(bias), ..After::default() };
    product(
        Factors { left: Rows::new(left, inner, rows, inner), weights: &packed, after },
        &mut out,
        columns,
    );
    out
}

#[test]
fn products_are_right_on_every_instruction_set() {
    for isa in Isa::available() {
        for shape @ (rows, inner, columns) in SHAPES {
            let (left, weights) = (numbers(rows * inner, 1), numbers(columns * inner, 2));
            let bias = numbers(columns, 3);
            let out = product_of(isa, &left, shape, &weights, &bias);
            for (at, &found) in out.iter().enumerate() {
                let (row, column) = (at / columns, at % columns);
                let pairs = left[row * inner..][..inner].iter().zip(&weights[column * inner..][..inner]);
                let exact: f64 = pairs.map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
                let exact = exact + f64::from(bias[column]);
                assert!(
                    (f64::from(found) - exact).abs() < 1e-4,
                    "{isa:?} {shape:?} {row},{column}: {found} {exact}"
                );
            }
        }
    }
}

#[test]
fn a_row_is_the_same_bits_alone_and_in_any_batch_on_any_threads() {
    for isa in Isa::available() {
        let (rows, inner, columns) = (61, 96, 75);
        let (left, weights) = (numbers(rows * inner, 4), numbers(columns * inner, 5));
        let bias = numbers(columns, 6);
        let together = on_threads(1, || product_of(isa, &left, (rows, inner, columns), &weights, &bias));
        let threaded = on_threads(3, || product_of(isa, &left, (rows, inner, columns), &weights, &bias));
        assert_eq!(together, threaded, "{isa:?}");
        for (row, of_batch) in left.chunks_exact(inner).zip(together.chunks_exact(columns)) {
            assert_eq!(product_of(isa, row, (1, inner, columns), &weights, &bias), of_batch, "{isa:?}");
        }
    }
}

#[test]
fn stacked_parts_stand_side_by_side() {
    for isa in Isa::available() {
        let (inner, columns) = (24, 10);
        let (first, second) = (numbers(columns * inner, 7), numbers(columns * inner, 8));
        let left = numbers(2 * inner, 9);
        let together = [&first[..], &second[..]].concat();
        let stacked = PackedF32::new(isa, inner, &[&first, &second]);
        assert_eq!(stacked.columns(), 2 * columns);
        let expected = product_of(isa, &left, (2, inner, 2 * columns), &together, &vec![0.0; 2 * columns]);
        let mut out = vec![0.0; 2 * 2 * columns];
        let factors =
            Factors { left: Rows::new(&left, inner, 2, inner), weights: &stacked, after: After::default() };
        product_alone(factors, &mut out, 2 * columns);
        assert_eq!(out, expected);
    }
}

#[test]
fn parts_of_weights_give_the_bits_of_the_whole_where_they_are() {
    for isa in Isa::available() {
        let (inner, columns, rows) = (20, 80, 7);
        let (left, weights) = (numbers(rows * inner, 17), numbers(columns * inner, 18));
        let packed = PackedF32::new(isa, inner, &[&weights]);
        let whole = product_of(isa, &left, (rows, inner, columns), &weights, &vec![0.0; columns]);
        let rows_of = |left: &[f32], part: Part| {
            let count = part.columns.len();
            let mut out = vec![0.0; rows * count];
            let left = Rows::new(left, part.inner.len(), rows, part.inner.len());
            product_part(Factors { left, weights: &packed, after: After::default() }, part, &mut out, count);
            out
        };
        let some = rows_of(&left, Part { inner: 0..inner, columns: 32..71 });
        for (some, whole) in some.chunks_exact(39).zip(whole.chunks_exact(columns)) {
            assert_eq!(some, &whole[32..71], "{isa:?}");
        }
        let zero_outside = |at: usize| if (3..14).contains(&(at % inner)) { left[at] } else { 0.0 };
        let masked: Vec<f32> = (0..rows * inner).map(zero_outside).collect();
        let within: Vec<f32> = left.chunks_exact(inner).flat_map(|row| row[3..14].to_vec()).collect();
        let expected = rows_of(&masked, Part { inner: 0..inner, columns: 0..columns });
        assert_eq!(rows_of(&within, Part { inner: 3..14, columns: 0..columns }), expected, "{isa:?}");
    }
}

#[test]
fn rotations_turn_back() {
    for isa in Isa::available() {
        let row = numbers(3 * 10, 19);
        let angles = numbers(5, 20);
        let (cosines, sines) = (angles.iter().map(|x| x.cos()), angles.iter().map(|x| x.sin()));
        let table: Vec<f32> = cosines.chain(sines).collect();
        let mut turned = row.clone();
        rotate(isa, &mut turned, &table, 1.0);
        let (x, y) = (row[12], row[17]);
        assert!((turned[12] - (x * angles[2].cos() - y * angles[2].sin())).abs() < 1e-6, "{isa:?}");
        assert!((turned[17] - (y * angles[2].cos() + x * angles[2].sin())).abs() < 1e-6, "{isa:?}");
        rotate(isa, &mut turned, &table, -1.0);
        assert!(turned.iter().zip(&row).all(|(a, b)| (a - b).abs() < 1e-6), "{isa:?}");
    }
}

#[test]
fn matrices_packed_as_rows_and_as_columns_agree() {
    for isa in Isa::available() {
        let (inner, columns, rows) = (9, 21, 5);
        let weights = numbers(columns * inner, 10);
        let turned: Vec<f32> =
            (0..inner * columns).map(|at| weights[at % columns * inner + at / columns]).collect();
        let left = numbers(rows * inner, 11);
        let mut results = Vec::new();
        // Room that held something larger before must not show.
        let mut packed = PackedF32::with_room(isa, 40, 40);
        packed.fill_rows(&numbers(1600, 12), 40, 40, 40);
        for by_rows in [true, false] {
            if by_rows {
                packed.fill_rows(&weights, inner, columns, inner);
            } else {
                packed.fill_columns(&turned, columns, inner, columns);
            }
            let mut out = vec![0.0; rows * columns];
            let left = Rows::new(&left, inner, rows, inner);
            product_alone(Factors { left, weights: &packed, after: After::default() }, &mut out, columns);
            results.push(out);
        }
        assert_eq!(results[0], results[1]);
        assert_eq!(results[0], product_of(isa, &left, (rows, inner, columns), &weights, &vec![0.0; columns]));
    }
}

#[test]
fn integer_products_are_the_same_numbers_on_every_instruction_set() {
    for (rows, inner, columns) in SHAPES {
        let left = numbers(rows * inner, 13);
        let weights: Vec<i8> = numbers(columns * inner, 14)
            .iter()
            .map(|x| (x * f32::from(WEIGHT_LIMIT)).round() as i8)
            .collect();
        // The extremes, which would overflow sixteen bits with one bit more.
        let weights: Vec<i8> =
            weights.iter().enumerate().map(|(at, &w)| if at % 3 == 0 { WEIGHT_LIMIT } else { w }).collect();
        let scales = numbers(columns, 15);
        let mut results = Vec::new();
        for isa in Isa::available() {
            let packed = PackedI8::new(isa, inner, &[(&weights, &scales)]);
            let mut bytes = QuantizedRows::default();
            // Larger contents before must not show.
            bytes.fill(isa, Rows::new(&[3.0; 4096], 1024, 4, 1024));
            bytes.fill(isa, Rows::new(&left, inner, rows, inner));
            let mut out = vec![f32::NAN; rows * columns];
            quantized_product(&bytes, &packed, After::default(), &mut out, columns);
            results.push(out);
        }
        for (isa, out) in Isa::available().into_iter().zip(&results) {
            for (at, &found) in out.iter().enumerate() {
                let (row, column) = (at / columns, at % columns);
                let pairs = left[row * inner..][..inner].iter().zip(&weights[column * inner..][..inner]);
                let exact: f32 = pairs.map(|(a, b)| a * f32::from(*b) * scales[column]).sum();
                // Half a step of each activation, times its weight.
                let bound =
                    inner as f32 * 0.5 * (2.0 / 255.0) * f32::from(WEIGHT_LIMIT) * scales[column].abs()
                        + 1e-3;
                assert!((found - exact).abs() <= bound, "{isa:?} {at}: {found} {exact}");
            }
            // The last steps, in floating point, may differ by a rounding where one machine fuses.
            let first = &results[0];
            let close =
                out.iter().zip(first).all(|(a, b)| (a - b).abs() <= 1e-5 * (1.0 + a.abs().max(b.abs())));
            assert!(close, "{isa:?} differs from {:?}", Isa::Portable);
        }
    }
}

#[test]
fn activations_follow_the_bias() {
    for isa in Isa::available() {
        let packed = PackedF32::new(isa, 1, &[&[1.0; 40]]);
        let bias: Vec<f32> = (0..40).map(|i| i as f32 * 0.2 - 4.0).collect();
        for (activation, function) in [
            (Activation::Relu, (|x: f64| x.max(0.0)) as fn(f64) -> f64),
            (Activation::Silu, |x| x / (1.0 + (-x).exp())),
            (Activation::GeluTanh, |x| {
                0.5 * x * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x.powi(3))).tanh())
            }),
        ] {
            let mut out = vec![0.0; 40];
            let after = After { bias: Some(&bias), activation: Some(activation), ..After::default() };
            product(Factors { left: Rows::new(&[0.5], 1, 1, 1), weights: &packed, after }, &mut out, 40);
            for (found, bias) in out.iter().zip(&bias) {
                let exact = function(f64::from(bias + 0.5));
                assert!((f64::from(*found) - exact).abs() < 2e-6, "{isa:?} {activation:?}: {found} {exact}");
            }
        }
    }
}
