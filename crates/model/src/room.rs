//! Room: the buffers of networks.

use crate::ngram::NgramRoom;
use crate::ngram::vocabulary::KnownWords;

/// Buffers of networks; reused, they save allocations.
#[derive(Debug, Default)]
pub struct Room {
    pub(crate) ngram: NgramRoom,
    /// How much of each text that was scored last is known, where an n-gram model scored it.
    pub(crate) known: Vec<KnownWords>,
}
