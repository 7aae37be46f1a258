//! The files of a repository that a text classifier needs.
//!
//! The rules are functions over names, used on what the hub lists ([`select`]) and on what a snapshot holds
//! ([`lacking`]), so that both agree on what a whole model is. Names come from outside: whatever is not exactly
//! of a known form, in the root or in a known kind of sub-folder, is never chosen.

use std::collections::{BTreeMap, BTreeSet};

use vulnlens_files::names::{
    ADAPTER_WEIGHTS, CONFIG, MERGES, SAFETENSORS, SENTENCE_PIECES, SMALL_FILES, TOKENIZER, VOCABULARY,
    WORD_PIECES,
};

/// Stem and extension of the weights, the preferred first.
const WEIGHTS: [(&str, &str); 2] = [("model", "safetensors"), ("pytorch_model", "bin")];
/// Endings of weights, read here or not: named when a repository has none of those that are read.
const WEIGHT_ENDINGS: [&str; 7] = [".bin", ".ckpt", ".gguf", ".h5", ".msgpack", ".onnx", ".safetensors"];
/// The end of an index of shards.
pub(crate) const INDEX: &str = ".index.json";

/// The part that a listing lacks to be a model.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Lack {
    /// `config.json` in this folder (empty: the root).
    Config(String),
    /// Weights in this folder; the names of other weights that it has.
    Weights(String, Vec<String>),
}

type Names<'a> = BTreeSet<&'a str>;

/// The names of the files to download, weights last.
pub(crate) fn select<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Vec<String>, Lack> {
    let folders = by_folder(names);
    let mut selected: Vec<(bool, String)> = Vec::new();
    for (&folder, files) in &folders {
        let weights = weights(files);
        let part_of_model = !folder.is_empty() || folders.len() == 1;
        match (&weights, files.contains(CONFIG)) {
            (None, true) if part_of_model => return Err(lack_of_weights(folder, files)),
            (Some(_), false) if part_of_model => return Err(Lack::Config(folder.to_owned())),
            _ => {}
        }
        let small = files.iter().filter(|file| is_small(file));
        selected.extend(small.map(|file| (false, path(folder, file))));
        selected.extend(weights.into_iter().flatten().map(|file| (true, path(folder, file))));
    }
    if !selected.iter().any(|(is_weights, _)| *is_weights) {
        return Err(lack_of_weights("", folders.get("").unwrap_or(&Names::new())));
    }
    selected.sort();
    Ok(selected.into_iter().map(|(_, name)| name).collect())
}

/// The files that a snapshot of `names` lacks: configuration, weights, the shards that `shards` reads from an
/// index, a tokenizer, the other half of a hierarchy. Empty when it is whole.
pub(crate) fn lacking(names: &[String], shards: impl Fn(&str) -> Vec<String>) -> Vec<String> {
    let selected = match select(names.iter().map(String::as_str)) {
        Ok(selected) => selected,
        Err(Lack::Config(folder)) => return vec![path(&folder, CONFIG)],
        Err(Lack::Weights(folder, _)) => return vec![path(&folder, SAFETENSORS)],
    };
    let folders = by_folder(names.iter().map(String::as_str));
    let mut lacking = Vec::new();
    for index in selected.iter().filter(|name| name.ends_with(INDEX)) {
        lacking.extend(shards(index).into_iter().filter(|shard| !names.contains(shard)));
    }
    let shared = folders.get("").is_some_and(has_tokenizer);
    let models = folders.iter().filter(|(_, files)| weights(files).is_some());
    let without = models.filter(|(_, files)| !shared && !has_tokenizer(files));
    lacking.extend(without.map(|(folder, _)| path(folder, TOKENIZER)));
    lacking.extend(other_half(&folders));
    lacking
}

/// `folder/file`, or `file` in the root.
pub(crate) fn path(folder: &str, file: &str) -> String {
    if folder.is_empty() { file.to_owned() } else { format!("{folder}/{file}") }
}

/// True if `name` is one component of a path, with characters that mean nothing on any system.
pub(crate) fn is_plain(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.+".contains(&byte);
    !name.is_empty()
        && name.len() <= 200
        && !name.starts_with('.')
        && !name.ends_with('.')
        && name.bytes().all(plain)
}

/// The known folders with the plain names in them; the root is the empty name and always there.
fn by_folder<'a>(names: impl IntoIterator<Item = &'a str>) -> BTreeMap<&'a str, Names<'a>> {
    let mut folders = BTreeMap::from([("", Names::new())]);
    for name in names {
        let (folder, file) = name.split_once('/').unwrap_or(("", name));
        if is_plain(file) && (folder.is_empty() || is_level(folder)) && !name.starts_with('/') {
            folders.entry(folder).or_default().insert(file);
        }
    }
    folders
}

/// True if a hierarchical repository keeps a model in a folder of this name: `master`, `slave_…`,
/// `…_level_…_master`, `…_level_…_slave_…`.
pub(crate) fn is_level(folder: &str) -> bool {
    let role = folder
        .split_once("_level_")
        .map_or(folder, |(_, rest)| rest.split_once('_').map_or("", |(_, role)| role));
    is_plain(folder) && (role == "master" || role.strip_prefix("slave_").is_some_and(|rest| !rest.is_empty()))
}

fn is_small(file: &str) -> bool {
    // An adapter beside a network changes its answers, so that both are needed.
    SMALL_FILES.contains(&file)
        || ADAPTER_WEIGHTS.contains(&file)
        || (file.starts_with("tokenizer") && file.ends_with(".json"))
}

/// The files of the weights to take from a folder.
fn weights<'a>(files: &Names<'a>) -> Option<Vec<&'a str>> {
    WEIGHTS.iter().find_map(|(stem, extension)| {
        let named = |name: String| files.get(name.as_str()).copied();
        if let Some(single) = named(format!("{stem}.{extension}")) {
            return Some(vec![single]);
        }
        let index = named(format!("{stem}.{extension}{INDEX}"))?;
        let shards = files.iter().copied().filter(|file| is_shard(file, stem, extension));
        Some(std::iter::once(index).chain(shards).collect())
    })
}

/// True if `file` is `stem-00001-of-00003.extension`.
fn is_shard(file: &str, stem: &str, extension: &str) -> bool {
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let middle = || file.strip_prefix(stem)?.strip_prefix('-')?.strip_suffix(extension)?.strip_suffix('.');
    middle().and_then(|middle| middle.split_once("-of-")).is_some_and(|(one, all)| number(one) && number(all))
}

fn has_tokenizer(files: &Names<'_>) -> bool {
    let has = |file| files.contains(file);
    has(TOKENIZER) || has(WORD_PIECES) || has(SENTENCE_PIECES) || (has(VOCABULARY) && has(MERGES))
}

/// A master without slaves, or slaves without a master, is a hierarchy of which some is not there yet.
fn other_half(folders: &BTreeMap<&str, Names<'_>>) -> Option<String> {
    let (masters, slaves): (Vec<&str>, Vec<&str>) =
        folders.keys().filter(|folder| !folder.is_empty()).partition(|folder| folder.ends_with("master"));
    match (masters.is_empty(), slaves.is_empty()) {
        (false, true) => Some("slave_*/".to_owned()),
        (true, false) => Some("master/".to_owned()),
        _ => None,
    }
}

fn lack_of_weights(folder: &str, files: &Names<'_>) -> Lack {
    let other = files.iter().filter(|file| WEIGHT_ENDINGS.iter().any(|ending| file.ends_with(ending)));
    Lack::Weights(folder.to_owned(), other.take(5).map(|&file| file.to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn selected(names: &str) -> Result<String, Lack> {
        select(names.split(' ')).map(|names| names.join(" "))
    }

    #[test]
    fn the_files_of_a_classifier_are_chosen() {
        let cases = [
            (
                "README.md config.json model.safetensors pytorch_model.bin vocab.json tokenizer_config.json",
                "config.json tokenizer_config.json vocab.json model.safetensors",
            ),
            (
                "README.md config.json hierarchy.json model.safetensors thresholds.json tokenizer.json vulnlens.json",
                "config.json hierarchy.json thresholds.json tokenizer.json vulnlens.json model.safetensors",
            ),
            (
                "adapter_config.json adapter_model.safetensors config.json model.safetensors tokenizer.json",
                "adapter_config.json adapter_model.safetensors config.json tokenizer.json model.safetensors",
            ),
            (
                "config.json pytorch_model.bin tf_model.h5 vocab.txt training_args.bin",
                "config.json vocab.txt pytorch_model.bin",
            ),
            (
                "config.json model.safetensors.index.json model-00001-of-00002.safetensors model-00002-of-00002.safetensors \
              model-x-of-00002.safetensors pytorch_model.bin",
                "config.json model-00001-of-00002.safetensors model-00002-of-00002.safetensors model.safetensors.index.json",
            ),
            (
                "config.json pytorch_model.bin.index.json pytorch_model-00001-of-00001.bin",
                "config.json pytorch_model-00001-of-00001.bin pytorch_model.bin.index.json",
            ),
            (
                "README.md master/config.json master/model.safetensors slave_1/config.json slave_1/pytorch_model.bin \
              slave_1/optimizer.pt checkpoint-5/config.json checkpoint-5/model.safetensors",
                "master/config.json slave_1/config.json master/model.safetensors slave_1/pytorch_model.bin",
            ),
            (
                "capec_level_0_master/config.json capec_level_0_master/model.safetensors capec_level_1_slave_3/config.json \
              capec_level_1_slave_3/model.safetensors config.json",
                "capec_level_0_master/config.json capec_level_1_slave_3/config.json config.json \
              capec_level_0_master/model.safetensors capec_level_1_slave_3/model.safetensors",
            ),
        ];
        for (names, expected) in cases {
            assert_eq!(selected(names).as_deref(), Ok(expected), "{names}");
        }
    }

    #[test]
    fn a_repository_without_a_model_says_what_it_lacks() {
        let root = String::new;
        assert_eq!(selected("model.safetensors"), Err(Lack::Config(root())));
        assert_eq!(
            selected("config.json tf_model.h5"),
            Err(Lack::Weights(root(), vec!["tf_model.h5".to_owned()]))
        );
        assert_eq!(selected("README.md"), Err(Lack::Weights(root(), vec![])));
        assert_eq!(
            selected("master/config.json master/model.safetensors slave_1/config.json"),
            Err(Lack::Weights("slave_1".to_owned(), vec![]))
        );
    }

    #[test]
    fn hostile_names_are_never_chosen() {
        let hostile = "../config.json /config.json slave_../config.json slave_1/../../config.json \
                       slave_\\..\\x/config.json C:config.json ./config.json master//config.json ..\\config.json";
        assert_eq!(
            selected(&format!("{hostile} config.json model.safetensors")),
            Ok("config.json model.safetensors".to_owned())
        );
        assert!(selected(hostile).is_err());
    }

    #[test]
    fn a_partial_snapshot_is_not_whole() {
        let none = |_: &str| Vec::new();
        let cases = [
            ("config.json model.safetensors tokenizer.json", ""),
            ("config.json model.safetensors vocab.json", "tokenizer.json"),
            ("config.json model.safetensors vocab.json merges.txt", ""),
            ("config.json tokenizer.json", "model.safetensors"),
            ("tokenizer.json model.safetensors", "config.json"),
            ("master/config.json master/model.safetensors vocab.txt", "slave_*/"),
            ("slave_1/config.json slave_1/model.safetensors", "slave_1/tokenizer.json master/"),
        ];
        for (names, expected) in cases {
            let names: Vec<String> = names.split(' ').map(str::to_owned).collect();
            assert_eq!(lacking(&names, none).join(" "), expected, "{names:?}");
        }
        let sharded = ["config.json", "vocab.txt", "model.safetensors.index.json"].map(str::to_owned);
        let shards = |_: &str| vec!["model-00001-of-00001.safetensors".to_owned()];
        assert_eq!(lacking(&sharded, shards), ["model-00001-of-00001.safetensors"]);
    }

    proptest! {
        #[test]
        fn every_chosen_name_stays_below_its_folder(names in prop::collection::vec("(slave_[./\\\\a]{0,3}/|master/|[./\\\\]{0,3})(config.json|model.safetensors|tokenizer[./]{0,3}json)", 0..8)) {
            for name in select(names.iter().map(String::as_str)).unwrap_or_default() {
                prop_assert!(name.split('/').count() <= 2 && name.split('/').all(is_plain), "{}", name);
            }
        }
    }
}
