//! From text to token ids, as transformers' `AutoTokenizer` gives them.

mod added;
mod notice;
mod rebuild;
mod segments;
mod settings;

use std::path::Path;

use tokenizers::normalizers::BertNormalizer;
use tokenizers::{NormalizerWrapper, PreTokenizerWrapper, TruncationDirection};

pub use self::notice::Notice;
use self::settings::{Family, Settings, unusable};
use crate::config::Config;
use crate::error::EncoderError;
use crate::repository::files::Files;

/// A checkpoint's tokenizer.
///
/// Padding and the length that `tokenizer.json` may ask for are ignored: nothing is padded, and the
/// limit is the model's. The side that too long texts lose is that of `tokenizer_config.json`, or otherwise that of
/// `tokenizer.json`.
#[derive(Debug)]
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    /// Special tokens before and after a text.
    prefix: Vec<u32>,
    suffix: Vec<u32>,
    /// The one token of a text without tokens, where no special token is added either.
    filler: u32,
    max_tokens: usize,
    /// True if too long texts lose their beginning rather than their end.
    cut_left: bool,
    /// True if very long texts can be tokenised piece by piece.
    separable: bool,
}

impl Tokenizer {
    /// Opens the tokenizer of a checkpoint's folder: `tokenizer.json`, or, when it is missing or does
    /// not load, `vocab.json` and `merges.txt` (byte-level BPE) or `vocab.txt` (WordPiece). The
    /// notice says when and why it was rebuilt.
    ///
    /// `tokenizer_config.json`, `special_tokens_map.json` and `added_tokens.json` count as they do
    /// for transformers 4.57, which lets them override parts of `tokenizer.json`.
    ///
    /// # Errors
    /// [`EncoderError::FileMissing`] and [`EncoderError::Tokenizer`]: no usable file, one that is
    /// damaged, token ids beyond the model's vocabulary; [`EncoderError::Io`].
    pub fn open(folder: &Path, config: &Config) -> Result<(Self, Option<Notice>), EncoderError> {
        Self::of(Files::Folder(folder), config)
    }

    pub(crate) fn of(files: Files<'_>, config: &Config) -> Result<(Self, Option<Notice>), EncoderError> {
        let folder = files.place();
        let settings = Settings::read(files, config)?;
        let (mut inner, notice) = rebuild::open(files, &settings)?;
        added::complete(&mut inner, &settings, folder)?;
        if notice.is_some() {
            rebuild::frame(&mut inner, &settings, folder)?;
        }
        override_parts(&mut inner, &settings).map_err(|error| unusable(folder, &error))?;
        let cuts_left =
            inner.get_truncation().is_some_and(|cut| matches!(cut.direction, TruncationDirection::Left));
        inner.with_padding(None);
        inner.with_truncation(None).map_err(|error| unusable(folder, &error))?;
        inner.set_encode_special_tokens(settings.split_special_tokens);
        check_ids(&inner, folder, config)?;
        let (prefix, suffix) = frame(&inner).map_err(|error| unusable(folder, &error))?;
        let tokenizer = Self {
            separable: segments::separable(&inner),
            prefix,
            suffix,
            filler: config.pad_token.unwrap_or(0),
            max_tokens: settings.max_tokens.unwrap_or(usize::MAX).min(config.max_tokens()),
            cut_left: settings.truncate_left.unwrap_or(cuts_left),
            inner,
        };
        Ok((tokenizer, notice))
    }

    /// The longest sequence, special tokens included: the smaller of the tokenizer's and the model's limit.
    #[must_use]
    pub fn max_tokens(&self) -> usize {
        self.max_tokens
    }

    /// The special tokens that are put before every text.
    #[must_use]
    pub fn prefix(&self) -> &[u32] {
        &self.prefix
    }

    /// The special tokens that are put after every text.
    #[must_use]
    pub fn suffix(&self) -> &[u32] {
        &self.suffix
    }

    /// A text's token ids with special tokens, cut to `max_tokens` (or to [`Tokenizer::max_tokens`],
    /// whichever is less). Never empty. All tokens are of type 0.
    ///
    /// Texts beyond 64 KiB are tokenised piece by piece, until enough tokens are known. They are cut
    /// between two words, where no supported tokenizer looks across, so the ids are those of the
    /// whole text. Only a "word" of more than 256 KiB is cut inside: that can change the ids beside
    /// the cut, and one that is unknown as a whole gives an unknown token for each of its pieces.
    #[must_use]
    pub fn encode(&self, text: &str, max_tokens: usize) -> Vec<u32> {
        let room = self.room(max_tokens);
        if self.cut_left {
            let ids = self.content(text, usize::MAX);
            return self.framed(ids.get(ids.len().saturating_sub(room)..).unwrap_or_default());
        }
        let ids = self.content(text, room);
        self.framed(ids.get(..room).unwrap_or(&ids))
    }

    /// A text's token ids in windows of up to `max_tokens`, special tokens included, of which each
    /// shares `overlap` tokens with the one before it. One window when the text fits.
    #[must_use]
    pub fn encode_windows(&self, text: &str, max_tokens: usize, overlap: usize) -> Vec<Vec<u32>> {
        let room = self.room(max_tokens).max(1);
        let step = room.saturating_sub(overlap).max(1);
        let ids = self.content(text, usize::MAX);
        let mut windows = Vec::new();
        let mut start = 0;
        loop {
            let end = (start + room).min(ids.len());
            windows.push(self.framed(ids.get(start..end).unwrap_or_default()));
            if end == ids.len() {
                return windows;
            }
            start += step;
        }
    }

    /// Tokens of text that fit beside the special ones.
    fn room(&self, max_tokens: usize) -> usize {
        max_tokens.min(self.max_tokens).saturating_sub(self.prefix.len() + self.suffix.len())
    }

    fn framed(&self, content: &[u32]) -> Vec<u32> {
        let ids = [&self.prefix, content, &self.suffix].concat();
        if ids.is_empty() { vec![self.filler] } else { ids }
    }

    /// A text's tokens without special ones: all, or at least the first `enough`.
    fn content(&self, text: &str, enough: usize) -> Vec<u32> {
        if !self.separable {
            return self.tokens(text);
        }
        let mut ids = Vec::new();
        for piece in segments::pieces(text) {
            ids.extend(self.tokens(piece));
            if ids.len() >= enough {
                break;
            }
        }
        ids
    }

    /// A piece's tokens. What can fail (a model without a token for the unknown) was tried at opening.
    fn tokens(&self, piece: &str) -> Vec<u32> {
        self.inner.encode_fast(piece, false).map(|encoding| encoding.get_ids().to_vec()).unwrap_or_default()
    }
}

/// Changes a loaded `tokenizer.json` by `tokenizer_config.json`, as transformers' fast classes do.
fn override_parts(inner: &mut tokenizers::Tokenizer, settings: &Settings) -> Result<(), tokenizers::Error> {
    if let Some(PreTokenizerWrapper::ByteLevel(bytes)) = inner.get_pre_tokenizer()
        && bytes.add_prefix_space != settings.add_prefix_space
    {
        let mut bytes = *bytes;
        bytes.add_prefix_space = settings.add_prefix_space;
        inner.with_pre_tokenizer(Some(bytes));
    }
    if settings.family == Family::Bert
        && let Some(NormalizerWrapper::BertNormalizer(found)) = inner.get_normalizer()
    {
        let wanted = settings.normalizer(found.clean_text);
        let differs = found.lowercase != wanted.lowercase
            || found.strip_accents != wanted.strip_accents
            || found.handle_chinese_chars != wanted.handle_chinese_chars;
        if differs {
            inner.with_normalizer(Some(wanted))?;
        }
    }
    Ok(())
}

impl Settings {
    fn normalizer(&self, clean_text: bool) -> BertNormalizer {
        BertNormalizer::new(clean_text, self.tokenize_chinese_chars, self.strip_accents, self.do_lower_case)
    }
}

/// The special tokens before and after a text, by what they are around one.
fn frame(inner: &tokenizers::Tokenizer) -> Result<(Vec<u32>, Vec<u32>), tokenizers::Error> {
    // A rare sign too: a model that has no token for the unknown fails here, not later.
    inner.encode_fast("\u{13000}\u{fffd}", false)?;
    for probe in ["a", "0", "the", "."] {
        let ids = inner.encode(probe, true)?;
        let special = ids.get_special_tokens_mask();
        let of = |range: Option<&[u32]>| range.unwrap_or_default().to_vec();
        if let Some(first) = special.iter().position(|mask| *mask == 0)
            && let Some(last) = special.iter().rposition(|mask| *mask == 0)
        {
            return Ok((of(ids.get_ids().get(..first)), of(ids.get_ids().get(last + 1..))));
        }
    }
    Err("it has no token for any of `a`, `0`, `the` and `.`".into())
}

/// Checks that the model has a row for every token.
fn check_ids(inner: &tokenizers::Tokenizer, folder: &Path, config: &Config) -> Result<(), EncoderError> {
    let vocabulary = inner.get_vocab(true);
    let greatest = vocabulary.into_iter().max_by(|a, b| (a.1, &a.0).cmp(&(b.1, &b.0)));
    match greatest.filter(|(_, id)| *id as usize >= config.vocabulary) {
        None => Ok(()),
        Some((token, id)) => Err(EncoderError::Tokenizer {
            file: folder.to_owned(),
            problem: format!(
                "the tokenizer gives `{}` the id {id}, but the model has only {} tokens (`vocab_size`)",
                token.escape_debug(),
                config.vocabulary
            ),
            fix: "use the tokenizer files that were published with the weights".to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests;
