//! From text to n-gram features: folding, words, and the hashed keys of what is counted.
//!
//! A text is lower-cased and cut into words (runs of letters, digits and `_`). Counted are its
//! words, its pairs of neighbouring words, and the four-byte pieces of each word with its ends
//! marked (`<xss>` gives `<xss`, `xss>`). A number counts as "a number of so many digits": the
//! digits of a version say nothing of a weakness. Each feature is known by a 32-bit hash.

use std::ops::Range;

/// Words beyond this many are not read: the longest description of the corpus has 696.
pub const MAX_WORDS: usize = 2_000;
/// Bytes of a word beyond this many are not read.
pub const MAX_WORD_BYTES: usize = 64;
/// Length in bytes of the pieces of a word.
const PIECE: usize = 4;

/// The piece of text that a feature stands for, for explanations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Feature {
    /// The word of this index.
    Word(u32),
    /// The number or the single letter of this index.
    Number(u32),
    /// The word of this index and the next.
    Pair(u32),
    /// A piece of the word of this index.
    Piece(u32),
}

/// A buffer that cuts texts into features; reused, it allocates nothing.
#[derive(Debug, Default)]
pub struct Cutter {
    /// One word, folded, between `<` and `>`.
    word: Vec<u8>,
    spans: Vec<Range<usize>>,
}

impl Cutter {
    /// Calls `each` with the key and the meaning of every feature of `text`, in text order.
    pub fn cut(&mut self, text: &str, mut each: impl FnMut(u32, Feature)) {
        self.spans.clear();
        let mut previous: Option<u64> = None;
        let mut words = Words { text, at: 0 };
        while let Some(span) = words.next_span() {
            let index = self.spans.len() as u32;
            let hash = self.fold(&text[span.clone()]);
            self.spans.push(span);
            // `<` and `>` stand around the word.
            let is_word = self.word.len() > 3 && !is_number(&self.word);
            each(key(hash), if is_word { Feature::Word(index) } else { Feature::Number(index) });
            if let Some(before) = previous {
                each(key(pair_hash(before, hash)), Feature::Pair(index - 1));
            }
            previous = Some(hash);
            if !is_number(&self.word) {
                for piece in self.word.array_windows::<PIECE>() {
                    each(key(piece_hash(*piece)), Feature::Piece(index));
                }
            }
            if self.spans.len() == MAX_WORDS {
                break;
            }
        }
    }

    /// The byte ranges of the words of the text that was cut last.
    #[must_use]
    pub fn spans(&self) -> &[Range<usize>] {
        &self.spans
    }

    /// Puts `<folded word>` into the buffer and gives the hash of the word.
    fn fold(&mut self, word: &str) -> u64 {
        self.word.clear();
        self.word.push(b'<');
        if word.is_ascii() {
            let kept = &word.as_bytes()[..word.len().min(MAX_WORD_BYTES)];
            self.word.extend(kept.iter().map(u8::to_ascii_lowercase));
        } else {
            let mut utf8 = [0; 4];
            for c in word.chars().flat_map(char::to_lowercase) {
                if self.word.len() > MAX_WORD_BYTES {
                    break;
                }
                self.word.extend_from_slice(c.encode_utf8(&mut utf8).as_bytes());
            }
        }
        self.word.push(b'>');
        let inner = &self.word[1..self.word.len() - 1];
        if is_number(&self.word) { number_hash(inner.len()) } else { word_hash(inner) }
    }
}

/// True when `<word>` is digits alone.
fn is_number(marked: &[u8]) -> bool {
    marked[1..marked.len() - 1].iter().all(u8::is_ascii_digit)
}

/// The words of a text as byte ranges.
struct Words<'a> {
    text: &'a str,
    at: usize,
}

/// What belongs to a word, for each ASCII byte.
const WORD_BYTE: [bool; 128] = {
    let mut table = [false; 128];
    let mut byte = 0u8;
    while byte < 128 {
        table[byte as usize] = byte.is_ascii_alphanumeric() || byte == b'_';
        byte += 1;
    }
    table
};

impl Words<'_> {
    /// A flag for the character at `at`, true where it belongs to a word, and its length in bytes.
    fn step(&self, at: usize) -> Option<(bool, usize)> {
        let byte = *self.text.as_bytes().get(at)?;
        if let Some(&word) = WORD_BYTE.get(usize::from(byte)) {
            return Some((word, 1));
        }
        let c = self.text[at..].chars().next()?;
        Some((c.is_alphanumeric(), c.len_utf8()))
    }

    fn next_span(&mut self) -> Option<Range<usize>> {
        let start = loop {
            match self.step(self.at)? {
                (true, _) => break self.at,
                (false, length) => self.at += length,
            }
        };
        while let Some((true, length)) = self.step(self.at) {
            self.at += length;
        }
        Some(start..self.at)
    }
}

/// The last mixing steps of SplitMix64: every bit of the input reaches every bit of the key.
fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

fn key(hash: u64) -> u32 {
    (hash >> 32) as u32
}

fn word_hash(word: &[u8]) -> u64 {
    let mut hash = 0xCBF2_9CE4_8422_2325u64;
    for &byte in word {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3);
    }
    mix(hash)
}

/// All numbers of five and more digits are one feature.
fn number_hash(digits: usize) -> u64 {
    mix(0x6E75_6D62_6572 ^ ((digits.min(5) as u64) << 56))
}

fn pair_hash(first: u64, second: u64) -> u64 {
    mix(first.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ second.rotate_left(17))
}

fn piece_hash(piece: [u8; PIECE]) -> u64 {
    mix(u64::from(u32::from_le_bytes(piece)) | 0x7069_6563 << 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn features(text: &str) -> Vec<(u32, Feature)> {
        let mut out = vec![];
        Cutter::default().cut(text, |key, feature| out.push((key, feature)));
        out
    }

    fn words(text: &str) -> Vec<&str> {
        let mut cutter = Cutter::default();
        cutter.cut(text, |_, _| {});
        cutter.spans().iter().map(|span| &text[span.clone()]).collect()
    }

    #[test]
    fn cuts_words_at_anything_but_letters_digits_and_underscores() {
        assert_eq!(
            words("SQL-Injection in  cat_id= (v1.2), über!"),
            ["SQL", "Injection", "in", "cat_id", "v1", "2", "über"]
        );
        assert!(words(" \t-–—\u{0}").is_empty());
    }

    #[test]
    fn case_does_not_matter_and_numbers_count_by_their_length() {
        assert_eq!(features("XSS in 10.42"), features("xss IN 77.10"));
        assert_ne!(features("v 1")[1].0, features("v 10")[1].0);
        assert_eq!(features("ÜBER"), features("über"));
    }

    #[test]
    fn a_word_gives_itself_its_pairs_and_its_pieces() {
        let kinds: Vec<Feature> = features("ab abc").into_iter().map(|f| f.1).collect();
        use Feature::{Pair, Piece, Word};
        assert_eq!(kinds, [Word(0), Piece(0), Word(1), Pair(0), Piece(1), Piece(1)]);
        assert_eq!(features("a b").len(), 3, "a word of one letter has no piece");
    }

    #[test]
    fn long_texts_and_long_words_are_cut_short() {
        assert_eq!(words(&"a ".repeat(10 * MAX_WORDS)).len(), MAX_WORDS);
        let long = "x".repeat(1_000_000);
        assert!(features(&long).len() < 2 * MAX_WORD_BYTES);
        assert_eq!(features(&long), features(&long[..MAX_WORD_BYTES]).to_vec());
    }

    proptest::proptest! {
        #[test]
        fn any_text_can_be_cut(text in "\\PC*") {
            let mut cutter = Cutter::default();
            cutter.cut(&text, |_, _| {});
            for span in cutter.spans() {
                proptest::prop_assert!(text.get(span.clone()).is_some_and(|word| !word.is_empty()));
            }
        }
    }
}
