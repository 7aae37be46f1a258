//! `tokenizer.json`, or a tokenizer made from the files that came before it, as transformers
//! converts its slow tokenizers.

use std::collections::BTreeSet;
use std::path::Path;

use tokenizers::models::bpe::{BPE, Vocab};
use tokenizers::models::wordpiece::WordPiece;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::processors::roberta::RobertaProcessing;
use tokenizers::processors::template::TemplateProcessing;
use tokenizers::{ModelWrapper, Tokenizer};

use super::notice::Notice;
use super::settings::{Family, Settings, damaged, unusable};
use crate::error::EncoderError;
use crate::repository::files::Files;

/// Longest `tokenizer.json` that is read: XLM-RoBERTa's has 17 MB.
const MOST_JSON: u64 = 256 << 20;
/// Longest vocabulary or list of merges.
const MOST_VOCABULARY: u64 = 64 << 20;

const BPE_FILES: &str = "vocab.json and merges.txt";
const WORDPIECE_FILE: &str = "vocab.txt";
const SENTENCE_PIECE_FILES: [&str; 2] = ["sentencepiece.bpe.model", "spm.model"];

/// The tokenizer, and a notice if it was rebuilt.
pub(super) fn open(
    files: Files<'_>,
    settings: &Settings,
) -> Result<(Tokenizer, Option<Notice>), EncoderError> {
    let file = files.path("tokenizer.json");
    let reason = match files.bytes("tokenizer.json", MOST_JSON) {
        Ok(None) => "is missing".to_owned(),
        Ok(Some(json)) => match Tokenizer::from_bytes(&json) {
            Ok(tokenizer) => return Ok((tokenizer, None)),
            Err(error) => format!("does not load ({error})"),
        },
        // Its pointer does no harm where the older files are there.
        Err(error @ EncoderError::Pointer { .. }) => {
            let reason = "is a pointer of Git LFS (run `git lfs pull`)";
            let notice = |from| Notice::TokenizerRebuilt { file, reason: reason.to_owned(), from };
            return match rebuilt(files, settings)? {
                Some((tokenizer, from)) => Ok((tokenizer, Some(notice(from)))),
                None => Err(error),
            };
        }
        Err(error) => return Err(error),
    };
    if let Some((tokenizer, from)) = rebuilt(files, settings)? {
        return Ok((tokenizer, Some(Notice::TokenizerRebuilt { file, reason, from })));
    }
    match SENTENCE_PIECE_FILES.into_iter().find(|name| files.has(name)) {
        Some(name) => Err(EncoderError::Tokenizer {
            file,
            problem: format!("{reason}, and {name} alone is not read"),
            fix: "make it once with Python: `AutoTokenizer.from_pretrained(folder).save_pretrained(folder)`"
                .to_owned(),
        }),
        None => Err(EncoderError::FileMissing {
            folder: files.place().to_owned(),
            expected: format!(
                "usable tokenizer (tokenizer.json {reason}; {BPE_FILES}, {WORDPIECE_FILE} are missing)"
            ),
            fix: "download the tokenizer's files of the checkpoint".to_owned(),
        }),
    }
}

/// A tokenizer of the older files, those of the checkpoint's own class first.
fn rebuilt(files: Files<'_>, settings: &Settings) -> Result<Option<(Tokenizer, &'static str)>, EncoderError> {
    let word_piece =
        || Ok::<_, EncoderError>(word_piece(files, settings)?.map(|made| (made, WORDPIECE_FILE)));
    let byte_pairs = || Ok::<_, EncoderError>(byte_pairs(files, settings)?.map(|made| (made, BPE_FILES)));
    match settings.family {
        Family::Roberta => byte_pairs(),
        Family::Bert => word_piece(),
        Family::XlmRoberta | Family::Camembert | Family::DebertaV2 => Ok(None),
        Family::Generic => Ok(byte_pairs()?.or(word_piece()?)),
    }
}

fn byte_pairs(files: Files<'_>, settings: &Settings) -> Result<Option<Tokenizer>, EncoderError> {
    let (vocabulary, merges) = (files.path("vocab.json"), files.path("merges.txt"));
    let read = |name| files.bytes(name, MOST_VOCABULARY);
    let (Some(words), Some(pairs)) = (read("vocab.json")?, read("merges.txt")?) else {
        return Ok(None);
    };
    let words: std::collections::HashMap<String, u32> = serde_json::from_slice(&words)
        .map_err(|error| damaged(&vocabulary, format!("is not an object of tokens and ids: {error}")))?;
    let model = BPE::builder()
        .vocab_and_merges(words.into_iter().collect::<Vocab>(), merge_pairs(&text(pairs, &merges)?, &merges)?)
        .continuing_subword_prefix(String::new())
        .end_of_word_suffix(String::new())
        .build()
        .map_err(|error| damaged(&merges, format!("does not fit vocab.json: {error}")))?;
    let mut tokenizer = Tokenizer::new(ModelWrapper::BPE(model));
    tokenizer.with_pre_tokenizer(Some(ByteLevel::new(settings.add_prefix_space, true, true)));
    Ok(Some(tokenizer))
}

/// The merges as transformers reads them: all lines but the first, which names the version, and what
/// follows the last line's end; a repeated pair keeps its first rank.
fn merge_pairs(text: &str, file: &Path) -> Result<Vec<(String, String)>, EncoderError> {
    let lines: Vec<&str> = text.split('\n').collect();
    let mut seen = BTreeSet::new();
    let mut pairs = Vec::new();
    for (number, line) in lines.iter().enumerate().take(lines.len().saturating_sub(1)).skip(1) {
        let mut words = line.split_whitespace();
        let (Some(left), Some(right), None) = (words.next(), words.next(), words.next()) else {
            return Err(damaged(file, format!("line {} is not a pair of tokens", number + 1)));
        };
        if seen.insert((left, right)) {
            pairs.push((left.to_owned(), right.to_owned()));
        }
    }
    Ok(pairs)
}

fn word_piece(files: Files<'_>, settings: &Settings) -> Result<Option<Tokenizer>, EncoderError> {
    let (folder, file) = (files.place(), files.path("vocab.txt"));
    let Some(words) = files.bytes("vocab.txt", MOST_VOCABULARY)? else { return Ok(None) };
    let unknown = settings.role("unk_token").unwrap_or("[UNK]").to_owned();
    let model = WordPiece::builder()
        .vocab(words_by_line(&text(words, &file)?))
        .unk_token(unknown)
        .build()
        .map_err(|error| damaged(&file, format!("makes no WordPiece vocabulary: {error}")))?;
    let mut tokenizer = Tokenizer::new(ModelWrapper::WordPiece(model));
    tokenizer.with_normalizer(Some(settings.normalizer(true))).map_err(|error| unusable(folder, &error))?;
    tokenizer.with_pre_tokenizer(Some(BertPreTokenizer));
    Ok(Some(tokenizer))
}

/// Words by their line. Python's text files know three line ends; a repeated word keeps its last line.
fn words_by_line(text: &str) -> Vocab {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let lines = text.strip_suffix('\n').unwrap_or(&text);
    if text.is_empty() {
        return Vocab::default();
    }
    (0_u32..).zip(lines.split('\n')).map(|(id, word)| (word.to_owned(), id)).collect()
}

/// Puts the special tokens around texts of a rebuilt tokenizer; their ids are known by now.
pub(super) fn frame(
    tokenizer: &mut Tokenizer,
    settings: &Settings,
    folder: &Path,
) -> Result<(), EncoderError> {
    let with_id = |role: &str| {
        let token = settings.role(role)?.to_owned();
        let id = tokenizer.token_to_id(&token)?;
        Some((token, id))
    };
    let missing =
        || damaged(folder, "the tokenizer's files name no token to begin and to end a text".to_owned());
    let cls = with_id("cls_token").ok_or_else(missing)?;
    let sep = with_id("sep_token").ok_or_else(missing)?;
    if matches!(tokenizer.get_model(), ModelWrapper::BPE(_)) {
        let around = RobertaProcessing::new(sep, cls).add_prefix_space(settings.add_prefix_space);
        tokenizer.with_post_processor(Some(around));
        return Ok(());
    }
    let single = vec![format!("{}:0", cls.0), "$A:0".to_owned(), format!("{}:0", sep.0)];
    let around = TemplateProcessing::builder()
        .try_single(single)
        .map_err(|problem| damaged(folder, format!("special tokens cannot be placed: {problem}")))?
        .special_tokens(vec![cls, sep])
        .build()
        .map_err(|problem| damaged(folder, format!("special tokens cannot be placed: {problem}")))?;
    tokenizer.with_post_processor(Some(around));
    Ok(())
}

fn text(bytes: Vec<u8>, file: &Path) -> Result<String, EncoderError> {
    String::from_utf8(bytes).map_err(|error| damaged(file, format!("is not UTF-8: {error}")))
}
