//! `train tokenizer`: byte-level byte pairs (Sennrich et al., arXiv 1508.07909; Radford et al., 2019) of a corpus, in
//! the files that Hugging Face's RoBERTa tokenizers have.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};
use tokenizers::models::bpe::{BPE, BpeTrainer};
use tokenizers::normalizers::NormalizerWrapper;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::processors::roberta::RobertaProcessing;
use tokenizers::{AddedToken, TokenizerBuilder, TokenizerImpl};

use crate::error::TrainError;

/// RoBERTa's special tokens; their places are their ids.
pub const SPECIAL_TOKENS: [&str; 5] = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"];
/// Bytes, each of which is a token.
const BYTES: usize = 256;
/// Least tokens that a tokenizer can have.
pub const FEWEST_TOKENS: usize = SPECIAL_TOKENS.len() + BYTES;
/// Texts in which a pair must occur to become a token.
const FEWEST_OCCURRENCES: u64 = 2;

/// A tokenizer's files: names and contents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenizerFiles {
    /// Tokens that it has: at most as many as asked for.
    pub tokens: usize,
    /// The files, by name.
    pub files: Vec<(&'static str, String)>,
}

type Bytes = TokenizerImpl<BPE, NormalizerWrapper, ByteLevel, RobertaProcessing, ByteLevel>;

/// Trains a tokenizer of at most `size` tokens. The same texts give the same bytes on any number of threads.
///
/// Spaces are put before texts, so that a first word is the same token as anywhere else.
///
/// # Errors
/// When there is no text, or `size` leaves no room for the bytes.
pub fn train_tokenizer(texts: &[&str], size: usize) -> Result<TokenizerFiles, TrainError> {
    if !(FEWEST_TOKENS..=1 << 20).contains(&size) {
        let problem = format!("a tokenizer has {FEWEST_TOKENS} to 1048576 tokens, not {size}");
        return Err(TrainError::Setting(problem));
    }
    if texts.iter().all(|text| text.trim().is_empty()) {
        return Err(TrainError::NoTexts);
    }
    let failed = |error: tokenizers::Error| TrainError::Tokenizer(error.to_string());
    let mut tokenizer: Bytes = TokenizerBuilder::new()
        .with_model(BPE::default())
        .with_normalizer(None)
        .with_pre_tokenizer(Some(ByteLevel::new(true, true, true)))
        .with_post_processor(Some(frame()))
        .with_decoder(Some(ByteLevel::default()))
        .build()
        .map_err(failed)?;
    let mut trainer = BpeTrainer::builder()
        .vocab_size(size)
        .min_frequency(FEWEST_OCCURRENCES)
        .show_progress(false)
        .special_tokens(special_tokens())
        .initial_alphabet(ByteLevel::alphabet().into_iter().collect())
        .build();
    tokenizer.train(&mut trainer, texts.iter()).map_err(failed)?;
    files(&tokenizer)
}

fn special_tokens() -> Vec<AddedToken> {
    let token = |&content: &&str| AddedToken::from(content, true).lstrip(content == "<mask>");
    SPECIAL_TOKENS.iter().map(token).collect()
}

fn frame() -> RobertaProcessing {
    RobertaProcessing::new(("</s>".to_owned(), 2), ("<s>".to_owned(), 0)).add_prefix_space(true)
}

fn files(tokenizer: &Bytes) -> Result<TokenizerFiles, TrainError> {
    let broken = |error: &dyn std::fmt::Display| TrainError::Tokenizer(error.to_string());
    let text = tokenizer.to_string(true).map_err(|error| broken(&error))?;
    let whole: Value = serde_json::from_str(&text).map_err(|error| broken(&error))?;
    let vocabulary = vocabulary(&whole)?;
    let files = vec![
        ("merges.txt", merges(&whole)?),
        ("special_tokens_map.json", pretty(&roles())),
        ("tokenizer.json", text),
        ("tokenizer_config.json", pretty(&configuration())),
        ("vocab.json", vocabulary_file(&vocabulary)),
    ];
    Ok(TokenizerFiles { tokens: vocabulary.len(), files })
}

/// The tokens in the order of their ids.
fn vocabulary(whole: &Value) -> Result<Vec<String>, TrainError> {
    let broken = || TrainError::Tokenizer("its vocabulary is not numbered from 0".to_owned());
    let map = whole["model"]["vocab"].as_object().ok_or_else(broken)?;
    let mut tokens = vec![None; map.len()];
    for (token, id) in map {
        let id = id.as_u64().and_then(|id| usize::try_from(id).ok());
        *id.and_then(|id| tokens.get_mut(id)).ok_or_else(broken)? = Some(token.clone());
    }
    tokens.into_iter().collect::<Option<_>>().ok_or_else(broken)
}

/// One line, as Python's `json.dumps(…, ensure_ascii=False)` writes it, in the order of the ids.
fn vocabulary_file(tokens: &[String]) -> String {
    let entries: Vec<String> = tokens
        .iter()
        .enumerate()
        .map(|(id, token)| format!("{}: {id}", Value::from(token.as_str())))
        .collect();
    format!("{{{}}}", entries.join(", "))
}

fn merges(whole: &Value) -> Result<String, TrainError> {
    let broken = || TrainError::Tokenizer("its merges are not pairs".to_owned());
    let mut text = String::from("#version: 0.2\n");
    for merge in whole["model"]["merges"].as_array().ok_or_else(broken)? {
        match (merge[0].as_str(), merge[1].as_str()) {
            (Some(left), Some(right)) => _ = writeln!(text, "{left} {right}"),
            _ => return Err(broken()),
        }
    }
    Ok(text)
}

/// Roles of the special tokens.
fn roles() -> Map<String, Value> {
    let mut map = Map::new();
    for (role, token) in [
        ("bos_token", "<s>"),
        ("cls_token", "<s>"),
        ("eos_token", "</s>"),
        ("pad_token", "<pad>"),
        ("sep_token", "</s>"),
        ("unk_token", "<unk>"),
    ] {
        map.insert(role.to_owned(), token.into());
    }
    let mask = json!({
        "content": "<mask>", "lstrip": true, "normalized": false, "rstrip": false, "single_word": false,
    });
    map.insert("mask_token".to_owned(), mask);
    map
}

fn configuration() -> Map<String, Value> {
    let mut map = roles();
    map.insert("mask_token".to_owned(), "<mask>".into());
    let rules = |token: &str| {
        json!({
            "content": token, "lstrip": token == "<mask>", "normalized": false, "rstrip": false,
            "single_word": false, "special": true,
        })
    };
    let added: Map<String, Value> =
        SPECIAL_TOKENS.iter().enumerate().map(|(id, token)| (id.to_string(), rules(token))).collect();
    map.insert("added_tokens_decoder".to_owned(), added.into());
    for (key, value) in [
        ("add_prefix_space", Value::from(true)),
        ("clean_up_tokenization_spaces", false.into()),
        ("errors", "replace".into()),
        ("tokenizer_class", "RobertaTokenizer".into()),
        ("trim_offsets", true.into()),
    ] {
        map.insert(key.to_owned(), value);
    }
    map
}

pub(crate) fn pretty(map: &Map<String, Value>) -> String {
    format!("{:#}\n", Value::Object(map.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts() -> Vec<String> {
        let line = |i: usize| format!("SQL injection number {} in the {}th form, café №{i}", i % 7, i % 13);
        (0..400).map(line).collect()
    }

    fn trained(threads: usize) -> TokenizerFiles {
        let texts = texts();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| train_tokenizer(&texts, 320)).unwrap()
    }

    #[test]
    fn threads_do_not_change_a_byte() {
        let one = trained(1);
        assert!(one.tokens <= 320 && one.tokens > FEWEST_TOKENS, "{}", one.tokens);
        assert!([2, 3, 1].iter().all(|&threads| trained(threads) == one));
    }

    #[test]
    fn special_tokens_have_the_first_ids() {
        let files = trained(1).files;
        let of = |name: &str| files.iter().find(|file| file.0 == name).unwrap().1.as_str();
        assert!(
            of("vocab.json")
                .starts_with("{\"<s>\": 0, \"<pad>\": 1, \"</s>\": 2, \"<unk>\": 3, \"<mask>\": 4, ")
        );
        let vocabulary: Map<String, Value> = serde_json::from_str(of("vocab.json")).unwrap();
        let merges = of("merges.txt").lines().skip(1);
        assert!(merges.map(|line| line.replace(' ', "")).all(|token| vocabulary.contains_key(&token)));
        assert_eq!(of("merges.txt").lines().count() - 1, vocabulary.len() - FEWEST_TOKENS);
    }

    #[test]
    fn what_no_tokenizer_can_be_made_of_is_told() {
        assert!(train_tokenizer(&["text"], 100).unwrap_err().to_string().contains("261 to"));
        assert!(matches!(train_tokenizer(&[" ", ""], 300), Err(TrainError::NoTexts)));
    }
}
