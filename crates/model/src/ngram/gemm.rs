//! The one matrix product that scoring and fitting need, on the `matrixmultiply` crate.
//!
//! The `unsafe` here: `sgemm` takes pointers and strides. A general product
//! is where nearly all the time of a fit goes, and a plain loop measured six times slower.

#![expect(unsafe_code, reason = "matrixmultiply takes raw pointers; the bounds are asserted beside the call")]

/// A matrix of `f32` over a slice: `rows × columns`, row-major, read as it is or transposed.
#[derive(Clone, Copy)]
pub struct Matrix<'a> {
    data: &'a [f32],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a> Matrix<'a> {
    /// `data` as `rows × columns`, row-major. A slice that is too short is a caller's error, caught
    /// by [`product`].
    #[must_use]
    pub fn new(data: &'a [f32], rows: usize, columns: usize) -> Self {
        Self { data, rows, columns, row_stride: columns, column_stride: 1 }
    }

    /// The same numbers read as `columns × rows`.
    #[must_use]
    pub fn transposed(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }
}

/// `out = a · b`, overwriting `out` (row-major, `a.rows × b.columns`).
///
/// Every element is summed over the inner dimension in an order that depends on that dimension
/// alone, so a row's result does not depend on the other rows of the batch.
///
/// # Panics
/// When the shapes do not fit each other or the slices are shorter than their shapes: shapes come
/// from a checked model, never from the text that is classified.
pub fn product(a: Matrix<'_>, b: Matrix<'_>, out: &mut [f32]) {
    assert_eq!(a.columns, b.rows, "the inner dimensions of a product agree");
    assert!(a.data.len() >= a.rows * a.columns, "the left matrix is as long as its shape");
    assert!(b.data.len() >= b.rows * b.columns, "the right matrix is as long as its shape");
    assert!(out.len() >= a.rows * b.columns, "the result has room for its shape");
    // SAFETY: `Matrix` can only be made dense (row-major, or that transposed), so the greatest
    // offset that a shape reaches is rows · columns − 1, which the assertions above put inside each
    // slice; `out` is borrowed mutably, so it overlaps neither operand.
    unsafe {
        matrixmultiply::sgemm(
            a.rows,
            a.columns,
            b.columns,
            1.0,
            a.data.as_ptr(),
            a.row_stride as isize,
            a.column_stride as isize,
            b.data.as_ptr(),
            b.row_stride as isize,
            b.column_stride as isize,
            0.0,
            out.as_mut_ptr(),
            b.columns as isize,
            1,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn naive(a: &[f32], b: &[f32], m: usize, k: usize, n: usize) -> Vec<f32> {
        let at = |i: usize| (0..k).map(|t| a[i / n * k + t] * b[t * n + i % n]).sum();
        (0..m * n).map(at).collect()
    }

    #[test]
    fn agrees_with_the_definition_straight_and_transposed() {
        let (m, k, n) = (5, 7, 9);
        let a: Vec<f32> = (0..m * k).map(|i| (i % 11) as f32 - 5.0).collect();
        let b: Vec<f32> = (0..k * n).map(|i| (i % 13) as f32 - 6.0).collect();
        let expected = naive(&a, &b, m, k, n);
        let mut out = vec![f32::NAN; m * n];
        product(Matrix::new(&a, m, k), Matrix::new(&b, k, n), &mut out);
        assert_eq!(out, expected);

        let b_transposed: Vec<f32> = (0..n * k).map(|i| b[i % k * n + i / k]).collect();
        product(Matrix::new(&a, m, k), Matrix::new(&b_transposed, n, k).transposed(), &mut out);
        assert_eq!(out, expected);
    }

    #[test]
    fn a_row_does_not_depend_on_its_neighbours() {
        let (m, k, n) = (37, 128, 301);
        let a: Vec<f32> = (0..m * k).map(|i| ((i * 7919) % 1000) as f32 / 999.0 - 0.5).collect();
        let b: Vec<f32> = (0..k * n).map(|i| ((i * 104_729) % 1000) as f32 / 999.0 - 0.5).collect();
        let mut all = vec![0.0; m * n];
        product(Matrix::new(&a, m, k), Matrix::new(&b, k, n), &mut all);
        for row in [0, 1, 17, 36] {
            let mut one = vec![0.0; n];
            product(Matrix::new(&a[row * k..], 1, k), Matrix::new(&b, k, n), &mut one);
            assert_eq!(one, all[row * n..][..n], "row {row}");
        }
    }

    #[test]
    #[should_panic(expected = "inner dimensions")]
    fn refuses_shapes_that_do_not_fit() {
        product(Matrix::new(&[0.0; 6], 2, 3), Matrix::new(&[0.0; 8], 4, 2), &mut [0.0; 4]);
    }
}
