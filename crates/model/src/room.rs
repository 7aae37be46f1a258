//! Room: the buffers of networks.

use crate::curated::CuratedText;
use crate::ngram::NgramRoom;
use crate::ngram::vocabulary::KnownWords;
use crate::severity::SeverityText;

/// Buffers of networks; reused, they save allocations.
#[derive(Debug, Default)]
pub struct Room {
    pub(crate) ngram: NgramRoom,
    /// How much of each text that was scored last is known, where an n-gram model scored it.
    pub(crate) known: Vec<KnownWords>,
    /// True when a head of curated techniques is asked, too.
    pub(crate) asks_curated: bool,
    /// True when it is asked for the techniques that it knows by their descriptions, too.
    pub(crate) asks_described: bool,
    /// The texts that were scored last as that head reads them.
    pub(crate) curated: Vec<CuratedText>,
    /// True when a head of severities is asked, too.
    pub(crate) asks_severity: bool,
    /// The texts that were scored last as that head reads them.
    pub(crate) severity: Vec<SeverityText>,
}
