//! Room: the buffers of networks.

use crate::ngram::NgramRoom;

/// Buffers of networks; reused, they save allocations.
#[derive(Debug, Default)]
pub struct Room {
    pub(crate) ngram: NgramRoom,
}
