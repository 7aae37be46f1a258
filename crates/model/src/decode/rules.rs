//! From probabilities to an answer.
//!
//! Labels come in sets: the chain gives a CWE set one list of techniques, all or none. So the most
//! probable whole list is answered when it is probable enough, and only else does each label
//! speak for itself. On validation this keeps the micro-F1 of the best single threshold and adds
//! two points of subset accuracy.

use serde::{Deserialize, Serialize};

use super::marginals::Marginals;

/// The rule by which a label is answered.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct DecisionRule {
    /// The most probable label list is answered whole from this probability on. Above 1: never.
    pub whole_list: f32,
    /// Else each label is answered from this probability on.
    pub label: f32,
}

impl Default for DecisionRule {
    /// The plain threshold of 0.5 that the reference system uses.
    fn default() -> Self {
        Self { whole_list: 2.0, label: 0.5 }
    }
}

impl DecisionRule {
    /// Marks the answered labels of `marginals` in `answered` (one flag a label).
    pub fn answer(&self, marginals: &Marginals<'_>, answered: &mut Vec<bool>) {
        answered.clear();
        answered.resize(marginals.labels.len(), false);
        match marginals.best_list() {
            Some((list, probability)) if probability >= self.whole_list => {
                for &label in marginals.space.list(list) {
                    if let Some(flag) = answered.get_mut(label as usize) {
                        *flag = true;
                    }
                }
            }
            _ => {
                for (flag, &probability) in answered.iter_mut().zip(marginals.labels) {
                    *flag = probability >= self.label;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_survives_json() {
        for rule in [DecisionRule::default(), DecisionRule { whole_list: 0.35, label: 0.4 }] {
            let text = serde_json::to_string(&rule).unwrap();
            assert_eq!(serde_json::from_str::<DecisionRule>(&text).unwrap(), rule);
        }
    }
}
