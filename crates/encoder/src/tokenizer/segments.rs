//! Very long texts in pieces that can be tokenised by themselves.
//!
//! Every supported tokenizer first cuts a text into words and then each word into tokens, without
//! looking at other words. Normalisation looks at one sign and its combining marks. So a text may be
//! cut before a single space between two visible signs: byte-level BPE and SentencePiece give the
//! space to the word after it, WordPiece drops it.

use tokenizers::{PreTokenizerWrapper, Tokenizer};

/// Bytes of a piece before a place to cut is looked for. Nearly all texts are shorter than this and
/// are not cut at all.
const PIECE: usize = 64 << 10;

/// Bytes after which a piece is cut anywhere: BPE's memory for one word grows with its length.
const MOST: usize = 256 << 10;

/// True if the tokenizer keeps to words, and none of its added tokens reaches across them.
pub(super) fn separable(tokenizer: &Tokenizer) -> bool {
    // Runs of spaces, which some vocabularies have as tokens, never match the single space of a cut.
    let is_run = |content: &str| content.len() > 1 && content.bytes().all(|byte| byte == b' ');
    let across = |token: &tokenizers::AddedToken| {
        token.rstrip || token.content.contains(char::is_whitespace) && !is_run(&token.content)
    };
    tokenizer.get_pre_tokenizer().is_some_and(by_words)
        && !tokenizer.get_added_tokens_decoder().values().any(across)
}

fn by_words(pre_tokenizer: &PreTokenizerWrapper) -> bool {
    match pre_tokenizer {
        PreTokenizerWrapper::BertPreTokenizer(_)
        | PreTokenizerWrapper::Whitespace(_)
        | PreTokenizerWrapper::WhitespaceSplit(_) => true,
        PreTokenizerWrapper::ByteLevel(bytes) => bytes.use_regex,
        PreTokenizerWrapper::Metaspace(space) => space.split,
        PreTokenizerWrapper::Sequence(steps) => steps.as_ref().first().is_some_and(by_words),
        _ => false,
    }
}

/// The text in pieces; joined they are the text. A short one is one piece, also when empty.
pub(super) fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        match cut(text).and_then(|at| text.split_at_checked(at)) {
            Some((piece, after)) => {
                rest = Some(after);
                Some(piece)
            }
            None => rest.take(),
        }
    })
}

/// The end of a text's first piece; `None` when the text is short enough.
fn cut(text: &str) -> Option<usize> {
    if text.len() <= PIECE {
        return None;
    }
    let bytes = text.as_bytes();
    let most = text.floor_char_boundary(MOST);
    let place = (PIECE..most).find(|&at| {
        // A space is one byte and no part of another sign, so both of its sides are boundaries.
        bytes.get(at) == Some(&b' ')
            && text.get(..at).and_then(|before| before.chars().next_back()).is_some_and(is_visible)
            && text.get(at + 1..).and_then(|after| after.chars().next()).is_some_and(is_visible)
    });
    place.or((text.len() > most).then_some(most))
}

fn is_visible(sign: char) -> bool {
    sign.is_alphanumeric() || sign.is_ascii_graphic()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_texts_are_one_piece() {
        for text in ["", "a b", &"word ".repeat(1000)] {
            assert_eq!(pieces(text).collect::<Vec<_>>(), [text]);
        }
    }

    #[test]
    fn long_texts_are_cut_before_a_space_between_words() {
        let text = "the  quick\n brown fox ".repeat(20_000);
        let pieces: Vec<&str> = pieces(&text).collect();
        assert_eq!(pieces.concat(), text);
        assert!(pieces.len() > 4, "{}", pieces.len());
        for piece in &pieces[1..] {
            assert!(
                piece.starts_with(" fox") || piece.starts_with(" quick") || piece.starts_with(" the"),
                "{}",
                &piece[..9]
            );
            assert!(!piece.starts_with("  "));
        }
    }

    #[test]
    fn endless_words_are_cut_at_a_sign_boundary() {
        for text in ["é".repeat(400_000), " ".repeat(700_000), "漢\u{301}".repeat(200_001)] {
            let pieces: Vec<&str> = pieces(&text).collect();
            assert_eq!(pieces.concat(), text);
            assert!(pieces.iter().all(|piece| piece.len() <= MOST));
        }
    }
}
