//! Tests of tokenizers, on vocabularies made up here.

use std::fmt::Write;
use std::path::Path;

use proptest::prelude::*;
use serde_json::json;
use tempfile::TempDir;

use super::*;

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        std::fs::write(folder.path().join(name), content).unwrap();
    }
    folder
}

fn config(model_type: &str, vocabulary: usize) -> Config {
    let json = json!({"model_type": model_type, "vocab_size": vocabulary, "max_position_embeddings": 40});
    Config::from_json(json.to_string().as_bytes(), Path::new("config.json")).unwrap()
}

/// Bytes as byte-level BPE writes them: those of ASCII, and the space as Ġ.
fn bytes_as_signs() -> Vec<String> {
    let mut signs: Vec<String> = (33_u8..127).map(|byte| char::from(byte).to_string()).collect();
    signs.extend(["Ġ", "Ċ", "Ã", "©", "Ģ"].map(str::to_owned));
    signs
}

/// RoBERTa's kind of vocabulary: special tokens, bytes, and a few merges.
fn byte_level() -> (String, String, usize) {
    let merges = ["Ġ o", "v e", "ve r", "o ver", "Ġo ver", "f l", "fl o", "flo w"];
    let mut tokens: Vec<String> = ["<s>", "<pad>", "</s>", "<unk>"].map(str::to_owned).to_vec();
    tokens.extend(bytes_as_signs());
    tokens.extend(merges.iter().map(|pair| pair.replace(' ', "")));
    tokens.push("<mask>".to_owned());
    let vocabulary: serde_json::Map<_, _> =
        tokens.iter().enumerate().map(|(id, t)| (t.clone(), json!(id))).collect();
    (
        serde_json::to_string(&vocabulary).unwrap(),
        format!("#version: 0.2\n{}\n", merges.join("\n")),
        tokens.len(),
    )
}

fn roberta(more: &[(&str, &str)]) -> (Tokenizer, Option<Notice>) {
    let (vocabulary, merges, size) = byte_level();
    let mut files = vec![("vocab.json", vocabulary.as_str()), ("merges.txt", merges.as_str())];
    files.extend_from_slice(more);
    Tokenizer::open(folder(&files).path(), &config("roberta", size)).unwrap()
}

const WORDS: &str = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nheap\nover\n##flow\nHeap\n漢\ncafe\ncafé\n##s\n";

fn bert(more: &[(&str, &str)]) -> Tokenizer {
    let mut files = vec![("vocab.txt", WORDS)];
    files.extend_from_slice(more);
    Tokenizer::open(folder(&files).path(), &config("bert", 14)).unwrap().0
}

fn shown(tokenizer: &Tokenizer, text: &str) -> String {
    let token = |id| tokenizer.inner.id_to_token(id).unwrap();
    tokenizer.encode(text, usize::MAX).into_iter().map(token).collect::<Vec<_>>().join(" ")
}

#[test]
fn byte_level_bpe_is_rebuilt_and_the_user_is_told() {
    let (tokenizer, notice) = roberta(&[("tokenizer.json", "version https://git-lfs.github.com/spec/v1\n")]);
    let notice = notice.unwrap().to_string();
    assert!(
        notice.contains("tokenizer.json is a pointer of Git LFS (")
            && notice.ends_with("vocab.json and merges.txt"),
        "{notice}"
    );
    let Some(Notice::TokenizerRebuilt { reason, .. }) = roberta(&[]).1 else { panic!("a notice") };
    assert_eq!(reason, "is missing");
    for (text, expected) in [
        ("", "<s> </s>"),
        (" overflow", "<s> Ġover flow </s>"),
        ("overflow", "<s> over flow </s>"),
        ("over</s>over", "<s> over </s> over </s>"),
        ("x  <mask> over", "<s> x <mask> Ġover </s>"),
        ("é", "<s> Ã © </s>"),
        ("x\0y", "<s> x y </s>"),
    ] {
        assert_eq!(shown(&tokenizer, text), expected, "{text:?}");
    }
    let prefixed = roberta(&[("tokenizer_config.json", r#"{"add_prefix_space": true}"#)]).0;
    assert_eq!(shown(&prefixed, "overflow"), "<s> Ġover flow </s>");
}

#[test]
fn word_pieces_are_rebuilt_with_the_normaliser_of_the_settings() {
    for (settings, text, expected) in [
        ("{}", "Heap OVERFLOW", "[CLS] heap over ##flow [SEP]"),
        ("{}", "café 漢漢 heaps", "[CLS] cafe 漢 漢 heap ##s [SEP]"),
        ("{}", "heap [SEP] [sep]\u{0}over", "[CLS] heap [SEP] [UNK] [UNK] [UNK] over [SEP]"),
        ("{}", "\u{200b}", "[CLS] [SEP]"),
        (r#"{"do_lower_case": false}"#, "Heap heap CAFE", "[CLS] Heap heap [UNK] [SEP]"),
        (r#"{"do_lower_case": false}"#, "café", "[CLS] café [SEP]"),
        (r#"{"strip_accents": false}"#, "CAFÉ", "[CLS] café [SEP]"),
        (r#"{"tokenize_chinese_chars": false}"#, "漢漢", "[CLS] [UNK] [SEP]"),
        (r#"{"cls_token": "heap"}"#, "over", "heap over [SEP]"),
    ] {
        assert_eq!(
            shown(&bert(&[("tokenizer_config.json", settings)]), text),
            expected,
            "{settings} {text:?}"
        );
    }
}

#[test]
fn tokenizer_json_is_overridden_as_transformers_classes_do() {
    // A cased tokenizer.json, saved after truncation and padding were on.
    let mut saved = bert(&[("tokenizer_config.json", r#"{"do_lower_case": false}"#)]).inner;
    saved
        .with_truncation(Some(tokenizers::TruncationParams { max_length: 3, ..Default::default() }))
        .unwrap();
    saved.with_padding(Some(tokenizers::PaddingParams::default()));
    let json = saved.to_string(false).unwrap();
    for (settings, expected) in [
        ("{}", "[CLS] heap over heap [SEP]"),
        (r#"{"do_lower_case": false}"#, "[CLS] Heap over heap [SEP]"),
        (r#"{"tokenizer_class": "PreTrainedTokenizerFast"}"#, "[CLS] Heap over heap [SEP]"),
    ] {
        let files = [("tokenizer.json", json.as_str()), ("tokenizer_config.json", settings)];
        let (tokenizer, notice) = Tokenizer::open(folder(&files).path(), &config("bert", 14)).unwrap();
        assert_eq!(notice, None);
        assert_eq!(shown(&tokenizer, "Heap over heap"), expected, "{settings}");
    }
}

#[test]
fn added_tokens_get_the_ids_of_their_files() {
    let newer = r#"{"added_tokens_decoder": {"13": {"content": "CVE", "normalized": false}, "2": {"content": "[CLS]", "special": true}}}"#;
    for files in [&[("added_tokens.json", r#"{"CVE": 13}"#)][..], &[("tokenizer_config.json", newer)]] {
        let tokenizer = bert(files);
        assert_eq!(tokenizer.encode("heap CVE over", 99), [2, 5, 13, 6, 3], "{files:?}");
    }
}

#[test]
fn the_smaller_limit_counts_and_the_named_end_is_cut() {
    let settings = r#"{"model_max_length": 5}"#;
    let long = "heap over ".repeat(30);
    assert_eq!(bert(&[("tokenizer_config.json", settings)]).encode(&long, 99), [2, 5, 6, 5, 3]);
    for none in ["{}", r#"{"model_max_length": 1000000000000000019884624838656}"#] {
        let tokenizer = bert(&[("tokenizer_config.json", none)]);
        assert_eq!((tokenizer.max_tokens(), tokenizer.encode(&long, usize::MAX).len()), (40, 40));
        assert_eq!(tokenizer.encode(&long, 4), [2, 5, 6, 3]);
        assert_eq!(tokenizer.encode(&long, 0), [2, 3]);
    }
    let left = bert(&[("tokenizer_config.json", r#"{"truncation_side": "left"}"#)]);
    assert_eq!(left.encode("heap heap over", 4), [2, 5, 6, 3]);
}

#[test]
fn windows_overlap_and_cover_the_text() {
    let tokenizer = bert(&[]);
    assert_eq!(tokenizer.encode_windows("", 9, 2), [[2, 3]]);
    assert_eq!(tokenizer.encode_windows("heap over", 4, 1), [[2, 5, 6, 3]]);
    let windows = tokenizer.encode_windows("heap over heap heap over", 5, 1);
    assert_eq!(windows, [[2, 5, 6, 5, 3], [2, 5, 5, 6, 3]]);
    // An overlap as long as a window still moves on.
    assert_eq!(tokenizer.encode_windows("heap over heap", 4, 9), [[2, 5, 6, 3], [2, 6, 5, 3]]);
}

#[test]
fn very_long_texts_have_the_tokens_of_the_whole() {
    let mut text = String::new();
    for i in 0..40_000 {
        write!(
            text,
            "over{} é  flow\u{301}\n{}",
            if i % 7 == 0 { " <mask>" } else { "" },
            "x".repeat(i % 11)
        )
        .unwrap();
    }
    let (bytes, _) = roberta(&[]);
    let whole = bytes.inner.encode_fast(text.as_str(), false).unwrap();
    assert_eq!(bytes.content(&text, usize::MAX), whole.get_ids());
    assert_eq!(bytes.encode(&text, 38)[1..37], whole.get_ids()[..36]);
    let words = bert(&[]);
    let whole = words.inner.encode_fast(text.as_str(), false).unwrap();
    assert_eq!(words.content(&text, usize::MAX), whole.get_ids());
}

#[test]
fn what_does_not_make_a_tokenizer_is_refused() {
    let (vocabulary, merges, size) = byte_level();
    for (kind, tokens, files, expected) in [
        ("bert", 14, &[][..], "there is no usable tokenizer"),
        ("bert", 12, &[("vocab.txt", WORDS)], "gives `##s` the id 12, but the model has only 12 tokens"),
        ("bert", 14, &[("vocab.txt", "heap\n")], "cannot be used"),
        ("bert", 14, &[("vocab.txt", WORDS), ("tokenizer_config.json", "[]")], "is not a JSON object"),
        ("bert", 14, &[("vocab.txt", WORDS), ("added_tokens.json", r#"{"x": -1}"#)], "the index of `x`"),
        (
            "bert",
            14,
            &[("vocab.txt", WORDS), ("tokenizer_config.json", r#"{"added_tokens_decoder": {"x": {}}}"#)],
            "entry \"x\"",
        ),
        (
            "bert",
            14,
            &[("vocab.txt", WORDS), ("tokenizer_config.json", r#"{"cls_token": null}"#)],
            "no token to begin",
        ),
        ("roberta", size, &[("vocab.json", &vocabulary)], "there is no usable tokenizer"),
        (
            "roberta",
            size,
            &[("vocab.json", "[]"), ("merges.txt", &merges)],
            "not an object of tokens and ids",
        ),
        (
            "roberta",
            size,
            &[("vocab.json", &vocabulary), ("merges.txt", "#v\nabc\n")],
            "line 2 is not a pair",
        ),
        (
            "roberta",
            size,
            &[("vocab.json", &vocabulary), ("merges.txt", "#v\nq q\n")],
            "does not fit vocab.json",
        ),
        ("xlm-roberta", 9, &[("sentencepiece.bpe.model", "")], "sentencepiece.bpe.model alone is not read"),
        ("bert", 14, &[("tokenizer.json", "{")], "tokenizer.json does not load"),
    ] {
        let found = Tokenizer::open(folder(files).path(), &config(kind, tokens)).unwrap_err().to_string();
        assert!(found.contains(expected), "{files:?}: {found}");
    }
}

proptest! {
    #[test]
    fn any_text_fits_and_is_framed(text: String, most in 2..50_usize) {
        for tokenizer in [bert(&[]), roberta(&[]).0] {
            let ids = tokenizer.encode(&text, most);
            prop_assert!(ids.len() <= most.min(40) && ids.len() >= 2);
            prop_assert!(ids.starts_with(tokenizer.prefix()) && ids.ends_with(tokenizer.suffix()));
            let windows = tokenizer.encode_windows(&text, most.max(3), 1);
            prop_assert!(most < 3 || windows[0] == tokenizer.encode(&text, most));
        }
    }
}
