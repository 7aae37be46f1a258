//! Descriptions of techniques that a text can only be compared with: those of ATLAS, ICS and Mobile.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ids::{AtlasTechniqueId, TechniqueId};

/// Most bytes of a description that are kept: the weightiest words of a technique stand at its beginning.
const MOST: usize = 480;

/// The beginnings of descriptions, without the links and references of their Markdown; each list in id order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Descriptions {
    /// Those of techniques of ATLAS.
    pub atlas: Vec<(AtlasTechniqueId, String)>,
    /// Those of techniques of ATT&CK for ICS and Mobile that are in force.
    pub attack: Vec<(TechniqueId, String)>,
}

impl Descriptions {
    /// The descriptions of these techniques, cut.
    pub(crate) fn new(
        atlas: BTreeMap<AtlasTechniqueId, String>,
        attack: BTreeMap<TechniqueId, String>,
    ) -> Self {
        Self {
            atlas: atlas.into_iter().map(|(id, text)| (id, beginning(&text))).collect(),
            attack: attack.into_iter().map(|(id, text)| (id, beginning(&text))).collect(),
        }
    }

    pub(crate) fn is_in_order(&self) -> bool {
        self.atlas.is_sorted_by(|a, b| a.0 < b.0) && self.attack.is_sorted_by(|a, b| a.0 < b.0)
    }
}

/// The beginning of a description, of whole words.
fn beginning(text: &str) -> String {
    let text = plain_description(text);
    let mut kept = String::new();
    for word in text.split_whitespace() {
        if kept.len().saturating_add(word.len()) >= MOST {
            break;
        }
        if !kept.is_empty() {
            kept.push(' ');
        }
        kept.push_str(word);
    }
    kept
}

/// A description without the links and references of its Markdown.
#[must_use]
pub fn plain_description(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("(Citation:").into_iter().chain(rest.find("](")).min() {
        out += rest.get(..start).unwrap_or_default();
        rest = rest.get(start..).and_then(|rest| rest.split_once(')')).map_or("", |(_, after)| after);
    }
    (out + rest).replace(['[', ']'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_and_references_are_left_out() {
        let text = "Uses [PowerShell](https://attack.mitre.org/x) often.(Citation: A Report) And more";
        assert_eq!(plain_description(text), "Uses  PowerShell often. And more");
        assert_eq!(plain_description("plain (words) stay"), "plain (words) stay");
        assert_eq!(plain_description("broken ](https://"), "broken ");
    }

    #[test]
    fn a_long_description_is_cut_after_a_whole_word() {
        assert_eq!(beginning("Two \n words."), "Two words.");
        let cut = beginning(&"words and ".repeat(100));
        assert!(
            cut.len() < MOST && cut.len() > MOST - 10 && (cut.ends_with("words") || cut.ends_with("and")),
            "{cut}"
        );
        assert_eq!(beginning(&"é".repeat(MOST)), "");
    }
}
