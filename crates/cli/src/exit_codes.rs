//! The exit codes: scripts rely on them, so a code never changes its meaning.
//!
//! | code | meaning |
//! |---|---|
//! | 0 | all was done; also when the reader of the output went away |
//! | 1 | failed: the output could not be written, or a fault of vulnlens itself |
//! | 2 | bad arguments |
//! | 3 | no input, or one that cannot be read; nothing found |
//! | 4 | some records failed, the rest were done |
//! | 5 | a model, a knowledge base or a data set is not available |
//! | 6 | a record has one of the verdicts that `review --fail-on` names |
//! | 7 | a finding is one that `enrich --fail-on` names |
//! | 129, 130, 143 | ended by SIGHUP, Ctrl-C or SIGTERM, as shells report it; unfinished files were removed, a training has kept its checkpoint |

/// All was done.
pub(crate) const OK: u8 = 0;
/// The output could not be written, or a fault of vulnlens itself.
pub(crate) const FAILED: u8 = 1;
/// The arguments make no sense.
pub(crate) const BAD_ARGUMENTS: u8 = 2;
/// There is no input, or it cannot be read; or nothing was found of what was asked for.
pub(crate) const NO_INPUT: u8 = 3;
/// Some records failed, the rest were done.
pub(crate) const SOME_RECORDS_FAILED: u8 = 4;
/// A model, a knowledge base or a data set is not available.
pub(crate) const NOT_AVAILABLE: u8 = 5;
/// A record has one of the verdicts of `review --fail-on`.
pub(crate) const VERDICT_FOUND: u8 = 6;
/// A finding is one that `enrich --fail-on` names.
pub(crate) const NOT_FILLED: u8 = 7;
/// Added to the number of the signal that ended the process, as shells do.
pub(crate) const BY_SIGNAL: u8 = 128;
