//! A reader of the pickles that `torch.save` writes for a dictionary of tensors. It executes nothing.
//!
//! It knows the opcodes of protocol 2 that such a file needs and seven callables, each of which only
//! describes a tensor; anything else is an error that names it. Containers live in tables and values
//! are indices into them: nothing recurses, and every opcode adds at most one value.

mod machine;
mod refusal;
mod values;

pub(super) use self::values::TensorView;

use self::machine::Machine;
use self::refusal::Refusal;

/// Longest pickle that is read: a network of 1,000 tensors has some 200 kB.
pub(super) const MOST_BYTES: u64 = 8 << 20;

/// The tensors of a pickled state dictionary, in its order.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<(String, TensorView)>, Refusal> {
    Machine::new(bytes).run()
}

/// True if the bytes are the pickle of a dictionary of tensors: an entry for fuzzing.
#[doc(hidden)]
#[must_use]
pub fn reads_pickle(bytes: &[u8]) -> bool {
    read(bytes).is_ok()
}

#[cfg(test)]
mod tests;
