//! Arguments of a pass through a head.

use super::noise::{Noise, Place};
use super::parameters::Parameters;

/// Arguments that both directions of a head take.
#[derive(Clone, Copy)]
pub(super) struct HeadPass<'a> {
    pub(super) parameters: &'a Parameters,
    pub(super) noise: Option<&'a Noise>,
    /// The place of each row.
    pub(super) places: &'a [Place],
}
