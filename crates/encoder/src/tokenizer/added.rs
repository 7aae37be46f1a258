//! Tokens that the small files add to the tokenizer, in the order and with the rules of transformers'
//! `PreTrainedTokenizerFast`.

use std::collections::BTreeMap;
use std::path::Path;

use tokenizers::{AddedToken, Tokenizer};

use super::settings::{Family, Settings, Special};
use crate::error::EncoderError;

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
        let of_tokenizer = known.get(content).filter(|_| !settings.has_decoder);
        let rules = settings.added.values().find(named).or(of_tokenizer).filter(|_| !special.is_default());
        match (rules, special) {
            (Some(rules), _) => new.push(rules.clone()),
            (None, Special::Ruled(token)) => new.push(token.clone()),
            (None, _) => {
                // The classes give the mask its rule anew; any other bare token yields to what is known.
                let mask = mask(content, settings);
                let unknown =
                    !known.contains_key(content) && !new.iter().any(|token| token.content == content);
                new.extend(mask.or_else(|| unknown.then(|| AddedToken::from(content, true))));
            }
        }
    }
    for token in &mut new {
        token.special |= is_special(&token.content);
    }
    tokenizer.add_tokens(new).map(drop).map_err(|error| super::unusable(folder, &error))
}

/// The mask of the RoBERTa classes, which takes the space before it.
fn mask(content: &str, settings: &Settings) -> Option<AddedToken> {
    let mask = AddedToken::from(content, true).lstrip(true);
    match settings.family {
        _ if !settings.is_mask(content) => None,
        Family::Roberta | Family::Camembert => Some(mask),
        Family::XlmRoberta => Some(mask.normalized(true)),
        _ => None,
    }
}
