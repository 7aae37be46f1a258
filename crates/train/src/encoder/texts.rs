//! Texts as networks read them.

use rayon::prelude::*;
use vulnlens_encoder::Tokenizer;
use vulnlens_evaluation::Example;
use vulnlens_text::{collapsed, normalise};

/// A text as a network reads it: normalised, and after its year, where the newest year that the network tells apart is given.
pub(crate) fn text(example: &Example, newest_year: Option<u16>) -> String {
    let text = collapsed(&normalise(&example.text));
    match newest_year {
        Some(newest) => format!("{} {text}", example.year.min(newest)),
        None => text,
    }
}

/// The token ids of some texts.
#[derive(Debug, Clone, Default)]
pub(crate) struct TokenLists {
    ids: Vec<u32>,
    /// Where each text begins, and at last where the last one ends.
    bounds: Vec<usize>,
    lengths: Vec<usize>,
    /// Texts that have more tokens than are read.
    cut: usize,
}

/// Texts that a thread works on at once.
const BLOCK: usize = 512;

impl TokenLists {
    /// The tokens of these examples' texts, after their years where the newest year is given.
    pub(crate) fn of_examples<'a>(
        examples: impl IntoIterator<Item = &'a Example>,
        (newest_year, most): (Option<u16>, usize),
        tokenizer: &Tokenizer,
    ) -> Self {
        let texts: Vec<String> = examples.into_iter().map(|example| text(example, newest_year)).collect();
        Self::new(&texts, tokenizer, most)
    }

    /// Cuts texts into tokens, special ones included; those after the first `most` are left out.
    pub(crate) fn new<T: AsRef<str> + Sync>(texts: &[T], tokenizer: &Tokenizer, most: usize) -> Self {
        let most = most.min(tokenizer.max_tokens());
        let encode = |text: &T| {
            let ids = tokenizer.encode(text.as_ref(), most);
            let is_cut = ids.len() == most && tokenizer.encode_windows(text.as_ref(), most, 0).len() > 1;
            (ids, is_cut)
        };
        let mut all = Self { bounds: vec![0], ..Self::default() };
        // Block by block, so that no text is in memory twice for long.
        for block in texts.chunks(BLOCK * 64) {
            let lists: Vec<(Vec<u32>, bool)> = block.par_iter().with_min_len(16).map(encode).collect();
            for (ids, is_cut) in lists {
                all.ids.extend_from_slice(&ids);
                all.bounds.push(all.ids.len());
                all.lengths.push(ids.len());
                all.cut += usize::from(is_cut);
            }
        }
        all
    }

    pub(crate) fn of(&self, text: usize) -> &[u32] {
        &self.ids[self.bounds[text]..self.bounds[text + 1]]
    }

    /// Tokens of each text.
    pub(crate) fn lengths(&self) -> &[usize] {
        &self.lengths
    }

    /// How many texts have more tokens than are read.
    pub(crate) fn cut(&self) -> usize {
        self.cut
    }
}
