//! The parts of SARIF that records are made of.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::markup::Markup;
use crate::sources::json_text::{IdList, List, Text, or_default};

/// A result.
#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub(super) struct Outcome<'a> {
    #[serde(borrow, default, rename = "ruleId")]
    pub(super) rule_id: Text<'a>,
    #[serde(default, rename = "ruleIndex")]
    pub(super) rule_index: Option<i64>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub(super) rule: RuleReference<'a>,
    #[serde(borrow, default)]
    pub(super) kind: Text<'a>,
    #[serde(borrow, default, rename = "baselineState")]
    pub(super) baseline: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub(super) message: Message<'a>,
    #[serde(borrow, default)]
    pub(super) taxa: List<Taxon<'a>>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub(super) properties: Properties<'a>,
}

/// A reference of a result to its rule.
#[derive(Deserialize, Default)]
#[serde(expecting = "an object")]
pub(super) struct RuleReference<'a> {
    #[serde(borrow, default)]
    pub(super) id: Text<'a>,
    #[serde(default)]
    pub(super) index: Option<i64>,
    #[serde(borrow, default, rename = "toolComponent", deserialize_with = "or_default")]
    pub(super) component: Component<'a>,
}

/// A reference to an extension or a taxonomy, by name or by its place in the run.
#[derive(Deserialize, Default)]
#[serde(expecting = "an object")]
pub(super) struct Component<'a> {
    #[serde(borrow, default)]
    pub(super) name: Text<'a>,
    #[serde(default)]
    pub(super) index: Option<i64>,
}

/// A message in words, or by the name of one of the rule's.
#[derive(Deserialize, Default)]
#[serde(expecting = "an object")]
pub(super) struct Message<'a> {
    #[serde(borrow, default)]
    text: Text<'a>,
    #[serde(borrow, default)]
    markdown: Text<'a>,
    #[serde(borrow, default)]
    pub(super) id: Text<'a>,
    #[serde(borrow, default)]
    pub(super) arguments: List<Text<'a>>,
}

impl Message<'_> {
    /// The plain text.
    pub(super) fn text(&self) -> String {
        let text = self.text.0.trim();
        if text.is_empty() { Markup::Markdown.strip(&self.markdown.0) } else { text.to_owned() }
    }
}

/// A reference to an entry of a taxonomy.
#[derive(Deserialize, Default)]
#[serde(expecting = "an object")]
pub(super) struct Taxon<'a> {
    #[serde(borrow, default)]
    pub(super) id: Text<'a>,
    #[serde(borrow, default, rename = "toolComponent", deserialize_with = "or_default")]
    pub(super) component: Component<'a>,
}

/// A relation of a rule to an entry of a taxonomy.
#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub(super) struct Relationship<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub(super) target: Taxon<'a>,
}

/// Properties that tools add on their own.
#[derive(Deserialize, Default)]
#[serde(expecting = "an object")]
pub(super) struct Properties<'a> {
    #[serde(borrow, default)]
    pub(super) tags: List<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) cwe: IdList<'a>,
    #[serde(borrow, default)]
    pub(super) cwes: IdList<'a>,
}

/// A rule.
#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub(super) struct Rule<'a> {
    /// The rule as it is written.
    #[serde(skip)]
    pub(super) bytes: &'a [u8],
    #[serde(borrow, default)]
    pub(super) id: Text<'a>,
    #[serde(borrow, default, rename = "fullDescription", deserialize_with = "or_default")]
    full: Message<'a>,
    #[serde(borrow, default, rename = "shortDescription", deserialize_with = "or_default")]
    short: Message<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    help: Message<'a>,
    #[serde(borrow, default, rename = "messageStrings", deserialize_with = "or_default")]
    pub(super) messages: BTreeMap<String, Message<'a>>,
    #[serde(borrow, default)]
    pub(super) relationships: List<Relationship<'a>>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub(super) properties: Properties<'a>,
}

impl Rule<'_> {
    /// The description. The help comes last: it is mostly about the remedy.
    pub(super) fn text(&self) -> String {
        let texts = [&self.full, &self.short, &self.help].map(Message::text);
        texts.into_iter().find(|text| !text.is_empty()).unwrap_or_default()
    }
}
