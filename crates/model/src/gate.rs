//! The gate before every answer: texts that no model of vulnerabilities can read.

use vulnlens_text::{is_withdrawal_notice, normalise};

use crate::ngram::vocabulary::KnownWords;
use crate::said::Said;

/// The least share of a text's words that a model must know to answer. Nearly all descriptions of vulnerabilities
/// lie far above it, texts in other languages below.
const LEAST_KNOWN: f32 = 0.55;
/// Words from which on the share says something: a name or two make most of a shorter text.
const WORDS_THAT_TELL: u32 = 4;

/// The reason not to answer a text, if there is one. `known` tells how much of it the model knows, if it can tell.
pub(crate) fn refusal(text: &str, known: Option<KnownWords>) -> Option<Said> {
    if is_withdrawal_notice(text) {
        return Some(Said::Withdrawn);
    }
    let Some(KnownWords { words, known }) = known else {
        let has_words = normalise(text).split(|c: char| !c.is_alphanumeric()).any(is_word);
        return (!has_words).then_some(Said::NoText);
    };
    if words == 0 {
        return Some(Said::NoText);
    }
    // A text without a space between its words, as in Chinese, has few of them.
    let tells = words >= WORDS_THAT_TELL || (known == 0 && !text.is_ascii());
    (tells && (known as f32) < LEAST_KNOWN * words as f32).then_some(Said::UnknownWords)
}

fn is_word(word: &str) -> bool {
    word.chars().count() > 1 && word.chars().any(char::is_alphabetic)
}
