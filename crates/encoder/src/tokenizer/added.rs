//! Tokens that the small files add to the tokenizer, in the order and with the rules of transformers'
//! `PreTrainedTokenizerFast`.

use std::collections::BTreeMap;
use std::path::Path;

use tokenizers::{AddedToken, Tokenizer};

use super::settings::{Family, Settings, Special};
use crate::EncoderError;

/// Adds what is not yet known: added tokens by index, then special tokens by role. A token that the
/// vocabulary has keeps its id, others get the next free one, as the files' own indices say in every
/// checkpoint that transformers wrote.
pub(super) fn complete(
    tokenizer: &mut Tokenizer,
    settings: &Settings,
    folder: &Path,
) -> Result<(), EncoderError> {
    let known: BTreeMap<String, AddedToken> = tokenizer
        .get_added_tokens_decoder()
        .into_values()
        .map(|token| (token.content.clone(), token))
        .collect();
    let is_special = |content: &str| settings.specials().any(|special| special.content() == content);
    let mut new: Vec<AddedToken> =
        settings.added.values().filter(|token| known.get(&token.content) != Some(token)).cloned().collect();
    for special in settings.specials() {
        let content = special.content();
        let named = |token: &&AddedToken| token.content == content;
        let rules = settings.added.values().find(named).or(known.get(content));
        match (special, rules) {
            (_, Some(rules)) => new.push(rules.clone()),
            (Special::Ruled(token), None) => new.push(token.clone()),
            (Special::Bare(content), None) => new.push(bare(content, settings)),
        }
    }
    for token in &mut new {
        token.special |= is_special(&token.content);
    }
    tokenizer.add_tokens(new).map(drop).map_err(|error| super::unusable(folder, &error))
}

/// A special token without rules: matched as it is, except that the mask takes the space before it.
fn bare(content: &str, settings: &Settings) -> AddedToken {
    let mask = settings.is_mask(content);
    match settings.family {
        Family::Roberta if mask => AddedToken::from(content, true).lstrip(true),
        Family::XlmRoberta if mask => AddedToken::from(content, true).lstrip(true).normalized(true),
        _ => AddedToken::from(content, true),
    }
}
