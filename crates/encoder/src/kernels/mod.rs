//! The arithmetic that an encoder spends its time in: products by packed weights, and what happens to rows between them.
//!
//! Every kernel exists once as plain Rust that any machine runs (`lanes`, `portable`) and is compiled again for the
//! vector units that x86-64 may have; only the innermost tiles of products are written by vector instructions (`x86`).
//! `dispatch` chooses the copy for an [`Isa`].
//!
//! **The same bits.** An element of a product is one chain of multiply-adds along the inner dimension, in its order, in
//! one accumulator: neither the number of threads, nor the other rows of the batch, nor a row's place in its tile can
//! change it. Reductions over a row use sixteen accumulators that are added in a fixed order. What does change the last
//! bits is the machine: only some have a multiply-add that rounds once. The integer products are exact, so their sums
//! are the same on all.

mod aligned;
mod disjoint;
mod dispatch;
mod isa;
pub(crate) mod lanes;
mod packed;
mod portable;
mod product;
mod quantized;
mod rows;
#[cfg(test)]
mod tests;
mod tile;
#[cfg(target_arch = "x86_64")]
mod x86;

pub(crate) use dispatch::{Vectorized, vectorized};
pub use isa::Isa;
pub(crate) use packed::{PackedF32, PackedI8, WEIGHT_LIMIT};
#[cfg(any(test, feature = "training"))]
pub(crate) use product::product_alone;
pub(crate) use product::{After, Factors, Part, product, product_part};
pub(crate) use quantized::{QuantizedRows, quantized_product};
pub(crate) use rows::{
    Norm, add, add_normalize, add_normalize_to, gate, normalize, normalize_to, rotate, softmax, tanh_row,
};
pub(crate) use tile::Rows;
