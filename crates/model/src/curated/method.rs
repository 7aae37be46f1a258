//! The published method by which analysts map vulnerabilities to techniques, as rules.
//!
//! Each rule holds of a text to a degree: as far as the text is of one of the rule's weaknesses, and wholly where it has
//! one of the rule's words or pairs of words. The head learns how much a rule says for each technique.

use vulnlens_taxonomy::{CweId, Role, TechniqueId};

use crate::ngram::text::{Cutter, Feature};

const TABLE: &str = include_str!("../../assets/method.tsv");

/// A rule of the method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Its name: a type of vulnerability, what an exploit gains, or how and where it is exploited.
    pub name: String,
    /// The weaknesses of which it holds, with their descendants.
    pub cwes: Vec<CweId>,
    /// The words, and pairs of neighbouring words, with which it holds.
    pub words: Vec<String>,
    /// The techniques that the method names for it.
    pub techniques: Vec<(TechniqueId, Role)>,
}

impl Rule {
    /// The feature keys of its words.
    pub(crate) fn keys(&self) -> Vec<u32> {
        let mut cutter = Cutter::default();
        let key = |words: &String| {
            let (mut single, mut pair) = (None, None);
            cutter.cut(words, |key, feature| match feature {
                Feature::Word(_) | Feature::Number(_) => single = Some(key),
                Feature::Pair(_) => pair = Some(key),
                Feature::Piece(_) => {}
            });
            pair.or(single)
        };
        self.words.iter().filter_map(key).collect()
    }
}

/// The rules, in the order of the table.
#[must_use]
pub fn rules() -> Vec<Rule> {
    let lines = TABLE.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines.filter_map(rule).collect()
}

fn rule(line: &str) -> Option<Rule> {
    let mut cells = line.split('\t');
    let [name, cwes, words, techniques] = [cells.next()?, cells.next()?, cells.next()?, cells.next()?];
    let list = |cell: &str| -> Vec<String> {
        cell.split(',').map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect()
    };
    let technique = |cell: &String| {
        let (id, role) = cell.split_once(' ')?;
        Some((id.parse().ok()?, Role::named(role)?))
    };
    Some(Rule {
        name: name.to_owned(),
        cwes: cwes
            .split_whitespace()
            .map(|id| id.parse::<u32>().map(CweId))
            .collect::<Result<_, _>>()
            .ok()?,
        words: list(words),
        techniques: list(techniques).iter().map(technique).collect::<Option<_>>()?,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_line_of_the_table_is_a_rule_with_conditions_and_techniques() {
        let rules = rules();
        let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
        assert_eq!(rules.len(), lines.count());
        let names: BTreeSet<&str> = rules.iter().map(|rule| rule.name.as_str()).collect();
        assert_eq!(names.len(), rules.len(), "a name stands twice");
        for rule in &rules {
            assert!(!rule.techniques.is_empty(), "{}", rule.name);
            assert!(!rule.cwes.is_empty() || !rule.words.is_empty(), "{}", rule.name);
            assert_eq!(rule.keys().len(), rule.words.len(), "{}", rule.name);
            let most = rule.words.iter().map(|words| words.split_whitespace().count()).max();
            assert!(most.is_none_or(|most| most <= 2), "{}: features are words and pairs", rule.name);
        }
    }
}
