//! The settings of a hierarchy, and the end of its training.

use serde_json::json;

use crate::encoder::classifier::ClassifierSettings;
use crate::encoder::folder::HierarchyForm;

/// A hierarchy to be trained.
#[derive(Debug, Clone)]
pub struct HierarchySettings {
    /// The settings of each network, and the labels at the lowest level: ATT&CK's are under tactics, CWE's under pillars, patterns under those without a parent.
    pub classifier: ClassifierSettings,
    /// Its form.
    pub form: HierarchyForm,
    /// Training texts that a parent must have for a part of its own. The master scores the labels of other parents
    /// itself, as it does where a parent has one label only.
    pub fewest_texts: u64,
    /// Levels, that of the labels included: 2 or 3. With three, a technique stands between a tactic and its sub-techniques, a
    /// class between a pillar and what lies below it, a pattern between one without a parent and what lies below it.
    pub levels: usize,
}

impl HierarchySettings {
    /// The default of `fewest_texts`.
    pub const FEWEST_TEXTS: u64 = 20;
    /// The default of `levels`.
    pub const LEVELS: usize = 2;

    pub(crate) fn words(&self) -> serde_json::Value {
        let mut words = json!({"hierarchy": self.form.name(), "fewest_texts": self.fewest_texts});
        if self.levels != Self::LEVELS {
            words["levels"] = json!(self.levels);
        }
        words
    }
}

/// The end of the training of a hierarchy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HierarchyEnding {
    /// The folder holds the hierarchy.
    Finished {
        /// Networks that it has.
        networks: usize,
    },
    /// It was asked to stop and can be resumed.
    Stopped {
        /// The network under way: its folder's name, or nothing if there is but one.
        network: String,
        /// Its updates that were made.
        step: u64,
        /// Its updates in all.
        steps: u64,
    },
}
