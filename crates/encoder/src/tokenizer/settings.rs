//! `tokenizer_config.json`, `special_tokens_map.json`, `added_tokens.json`, as transformers reads them.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value};
use tokenizers::AddedToken;

use crate::config::{Architecture, Config};
use crate::error::EncoderError;
use crate::repository::files::Files;

/// Longest of these files that is read.
const MOST_BYTES: u64 = 64 << 20;

/// The tokenizer classes that differ in what they set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// `RobertaTokenizer`.
    Roberta,
    /// `XLMRobertaTokenizer`.
    XlmRoberta,
    /// `CamembertTokenizer`.
    Camembert,
    /// `BertTokenizer`, and those of DistilBERT and ELECTRA, which are the same.
    Bert,
    /// `DebertaV2Tokenizer`.
    DebertaV2,
    /// `PreTrainedTokenizerFast` and all others: `tokenizer.json` as it is.
    Generic,
}

/// A special token.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Special {
    /// The class's own, which no file mentions.
    Default(String),
    /// A bare text of a file.
    Bare(String),
    /// One of a file with its rules.
    Ruled(AddedToken),
}

impl Special {
    pub(super) fn content(&self) -> &str {
        match self {
            Self::Default(content) | Self::Bare(content) => content,
            Self::Ruled(token) => &token.content,
        }
    }

    pub(super) fn is_default(&self) -> bool {
        matches!(self, Self::Default(_))
    }
}

/// Roles of special tokens, in transformers' order.
const ROLES: [&str; 7] =
    ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];

/// Settings of the small files.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) family: Family,
    pub(super) add_prefix_space: bool,
    pub(super) do_lower_case: bool,
    pub(super) strip_accents: Option<bool>,
    pub(super) tokenize_chinese_chars: bool,
    pub(super) split_special_tokens: bool,
    /// The side that too long texts lose, where `tokenizer_config.json` says it.
    pub(super) truncate_left: Option<bool>,
    /// `model_max_length`, where it is one.
    pub(super) max_tokens: Option<usize>,
    /// By role; the additional ones follow without a role.
    roles: BTreeMap<&'static str, Special>,
    additional: Vec<Special>,
    /// True if the rules of added tokens stand in `tokenizer_config.json`, so that those of
    /// `tokenizer.json` say nothing about special tokens.
    pub(super) has_decoder: bool,
    /// Added tokens by their index.
    pub(super) added: BTreeMap<u32, AddedToken>,
}

impl Settings {
    pub(super) fn read(files: Files<'_>, config: &Config) -> Result<Self, EncoderError> {
        let name = "tokenizer_config.json";
        let file = files.path(name);
        let own = object(files, name)?.unwrap_or_default();
        let family = family(&own, config);
        let flag = |key: &str, default| own.get(key).and_then(Value::as_bool).unwrap_or(default);
        let mut settings = Self {
            family,
            add_prefix_space: flag("add_prefix_space", false),
            do_lower_case: flag("do_lower_case", true),
            strip_accents: own.get("strip_accents").and_then(Value::as_bool),
            tokenize_chinese_chars: flag("tokenize_chinese_chars", true),
            split_special_tokens: flag("split_special_tokens", false),
            truncate_left: own.get("truncation_side").and_then(Value::as_str).map(|side| side == "left"),
            max_tokens: own.get("model_max_length").or_else(|| own.get("max_len")).and_then(length),
            roles: defaults(family),
            additional: Vec::new(),
            has_decoder: own.contains_key("added_tokens_decoder"),
            added: BTreeMap::new(),
        };
        settings.take_specials(&own);
        match own.get("added_tokens_decoder") {
            Some(decoder) => settings.added = added_tokens(decoder, &file)?,
            // The older pair of files counts only where the newer table is absent.
            None => settings.take_older_files(files)?,
        }
        Ok(settings)
    }

    fn take_older_files(&mut self, files: Files<'_>) -> Result<(), EncoderError> {
        if let Some(map) = object(files, "special_tokens_map.json")? {
            self.take_specials(&map);
        }
        let name = "added_tokens.json";
        let file = files.path(name);
        for (content, index) in object(files, name)?.unwrap_or_default() {
            let index = index.as_u64().and_then(|index| u32::try_from(index).ok()).ok_or_else(|| {
                damaged(&file, format!("the index of `{}` is not a token id", content.escape_debug()))
            })?;
            let special = self.specials().any(|special| special.content() == content);
            self.added.insert(index, AddedToken::from(content, special).normalized(!special));
        }
        Ok(())
    }

    /// Special tokens that a file sets, unsets (null) or leaves.
    fn take_specials(&mut self, map: &Map<String, Value>) {
        for role in ROLES {
            match map.get(role) {
                None => {}
                Some(value) => match special(value) {
                    Some(special) => drop(self.roles.insert(role, special)),
                    None => drop(self.roles.remove(role)),
                },
            }
        }
        for value in map.get("additional_special_tokens").and_then(Value::as_array).into_iter().flatten() {
            self.additional.extend(special(value).filter(|special| !self.additional.contains(special)));
        }
    }

    /// The token of a role.
    pub(super) fn role(&self, role: &str) -> Option<&str> {
        self.roles.get(role).map(Special::content)
    }

    /// All special tokens, in transformers' order.
    pub(super) fn specials(&self) -> impl Iterator<Item = &Special> {
        ROLES.iter().filter_map(|role| self.roles.get(role)).chain(&self.additional)
    }

    /// True if a token fills the role of the mask.
    pub(super) fn is_mask(&self, content: &str) -> bool {
        self.role("mask_token") == Some(content)
    }
}

/// The class by name, as `AutoTokenizer` looks for it.
fn family(own: &Map<String, Value>, config: &Config) -> Family {
    let class = own.get("tokenizer_class").and_then(Value::as_str).or(config.tokenizer_class.as_deref());
    let Some(class) = class else {
        return match config.architecture {
            Architecture::Roberta => Family::Roberta,
            Architecture::XlmRoberta => Family::XlmRoberta,
            Architecture::Camembert => Family::Camembert,
            Architecture::Bert | Architecture::DistilBert | Architecture::Electra => Family::Bert,
            Architecture::ModernBert => Family::Generic,
            Architecture::DebertaV2 => Family::DebertaV2,
        };
    };
    match class.strip_suffix("Fast").unwrap_or(class) {
        "RobertaTokenizer" => Family::Roberta,
        "XLMRobertaTokenizer" => Family::XlmRoberta,
        "CamembertTokenizer" => Family::Camembert,
        "DebertaV2Tokenizer" => Family::DebertaV2,
        "BertTokenizer" | "DistilBertTokenizer" | "ElectraTokenizer" => Family::Bert,
        _ => Family::Generic,
    }
}

fn defaults(family: Family) -> BTreeMap<&'static str, Special> {
    let tokens: &[&str] = match family {
        Family::Roberta | Family::XlmRoberta | Family::Camembert => {
            &["<s>", "</s>", "<unk>", "</s>", "<pad>", "<s>", "<mask>"]
        }
        Family::Bert => &["", "", "[UNK]", "[SEP]", "[PAD]", "[CLS]", "[MASK]"],
        Family::DebertaV2 => &["[CLS]", "[SEP]", "[UNK]", "[SEP]", "[PAD]", "[CLS]", "[MASK]"],
        Family::Generic => &[],
    };
    let pairs = ROLES.into_iter().zip(tokens).filter(|(_, token)| !token.is_empty());
    pairs.map(|(role, token)| (role, Special::Default((*token).to_owned()))).collect()
}

/// A special token as files write it: a text, or an object with its rules.
fn special(value: &Value) -> Option<Special> {
    match value {
        Value::String(content) => Some(Special::Bare(content.clone())),
        Value::Object(map) => ruled(map, true).map(Special::Ruled),
        _ => None,
    }
}

/// An added token with its rules; those that are absent are off, except that Python normalises what
/// is not said to be special.
fn ruled(map: &Map<String, Value>, special_default: bool) -> Option<AddedToken> {
    let flag = |key: &str, default| map.get(key).and_then(Value::as_bool).unwrap_or(default);
    let special = flag("special", special_default);
    let token = AddedToken::from(map.get("content")?.as_str()?, special)
        .single_word(flag("single_word", false))
        .lstrip(flag("lstrip", false))
        .rstrip(flag("rstrip", false))
        .normalized(flag("normalized", !special));
    Some(token)
}

fn added_tokens(decoder: &Value, file: &Path) -> Result<BTreeMap<u32, AddedToken>, EncoderError> {
    let wrong = |index: &str| {
        damaged(file, format!("entry \"{}\" of `added_tokens_decoder` is not a token", index.escape_debug()))
    };
    let map = decoder
        .as_object()
        .ok_or_else(|| damaged(file, "`added_tokens_decoder` is not an object".to_owned()))?;
    let entry = |(index, token): (&String, &Value)| {
        let id = index.parse().ok()?;
        Some((id, ruled(token.as_object()?, false)?))
    };
    map.iter().map(|pair| entry(pair).ok_or_else(|| wrong(pair.0))).collect()
}

/// A length in tokens, unless it is the huge number that stands for none.
fn length(value: &Value) -> Option<usize> {
    const NONE: f64 = 1e15;
    let length = value.as_f64().filter(|length| *length >= 1.0 && *length < NONE)?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within 1 and 1e15")]
    Some(length as usize)
}

/// A JSON object of a file that may be absent.
pub(super) fn object(files: Files<'_>, name: &str) -> Result<Option<Map<String, Value>>, EncoderError> {
    let Some(bytes) = files.bytes(name, MOST_BYTES)? else { return Ok(None) };
    serde_json::from_slice(&bytes)
        .map(Some)
        .map_err(|error| damaged(&files.path(name), format!("is not a JSON object: {error}")))
}

pub(super) fn damaged(file: &Path, problem: String) -> EncoderError {
    let fix = "download the file again, or remove it if the checkpoint works without it".to_owned();
    EncoderError::Tokenizer { file: file.to_owned(), problem, fix }
}

/// An error of the tokenizers crate, for a folder whose files it does not accept.
pub(super) fn unusable(folder: &Path, error: &tokenizers::Error) -> EncoderError {
    EncoderError::Tokenizer {
        file: folder.to_owned(),
        problem: format!("the tokenizer cannot be used: {error}"),
        fix: "use the tokenizer files that were published with the weights".to_owned(),
    }
}
