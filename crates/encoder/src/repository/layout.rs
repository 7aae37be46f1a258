//! The content of a folder: one checkpoint, or a hierarchy of them.
//!
//! Hierarchical repositories are published in two forms, both with a whole checkpoint in each folder:
//! `master/` and `slave_<parent>/`; or `<prefix>_level_<n>_master/` and `<prefix>_level_<n>_slave_<parent>/`,
//! where level 0 has the master and each further level the slaves of the one above.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use vulnlens_files::names::{CONFIG, WEIGHT_FILES};

use crate::error::EncoderError;
use crate::weights::{adapter_alone, has_weights};

/// Most levels of a hierarchy.
const MOST_LEVELS: usize = 16;

/// The checkpoint or checkpoints at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Layout {
    /// One checkpoint.
    Single(PathBuf),
    /// Levels from the top: the first has one node, the master; the others have at least one slave.
    Hierarchy(Vec<Level>),
}

/// The checkpoints of one level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Level {
    /// In natural order of what they are named after: 2 before 10.
    pub nodes: Vec<Node>,
}

/// One checkpoint of a hierarchy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its folder.
    pub folder: PathBuf,
    /// The text after `slave_` in the folder's name: the label of the level above that it refines.
    /// `None` for the master.
    pub parent: Option<String>,
}

impl Layout {
    /// Looks at a folder, or at the folder of a `config.json` or weights file that is given. A `config.json` without
    /// weights beside the folders of a hierarchy does not make a checkpoint of it.
    ///
    /// # Errors
    /// [`EncoderError::Io`]; [`EncoderError::Layout`] when it is not a checkpoint and holds none in a
    /// known form, when a hierarchy lacks its master or a level, or has several masters or prefixes.
    pub fn of(path: &Path) -> Result<Self, EncoderError> {
        let data = std::fs::metadata(path).map_err(EncoderError::io(path))?;
        if data.is_file() {
            return of_file(path);
        }
        of_folder(path)
    }
}

/// A folder with weights is a checkpoint, whatever lies below it; without, it is what lies below it that counts.
fn of_folder(folder: &Path) -> Result<Layout, EncoderError> {
    let has_config = folder.join(CONFIG).is_file();
    if has_config && has_weights(folder) {
        return Ok(Layout::Single(folder.to_owned()));
    }
    let below = subfolders(folder)?;
    if let Some(hierarchy) = hierarchy(folder, &below)? {
        return Ok(hierarchy);
    }
    if let Some(newest) = below.iter().filter_map(|name| training_step(name)).max() {
        return Err(EncoderError::Layout {
            folder: folder.to_owned(),
            problem: "has no weights itself, only the checkpoints of a training run".to_owned(),
            fix: format!(
                "give one of them, such as the newest, {}",
                folder.join(step_name(newest)).display()
            ),
        });
    }
    match adapter_alone(folder) {
        Some(error) if !has_config => Err(error),
        _ if has_config => Ok(Layout::Single(folder.to_owned())),
        _ => Err(EncoderError::Layout {
            folder: folder.to_owned(),
            problem: "has no config.json, and no folders `master` and `slave_…` either".to_owned(),
            fix: "give the folder of a checkpoint, or of a hierarchy of them".to_owned(),
        }),
    }
}

/// The step of a folder `checkpoint-<step>`, as transformers' Trainer names them.
fn training_step(name: &str) -> Option<u64> {
    let step = name.strip_prefix("checkpoint-")?.parse().ok()?;
    (step_name(step) == name).then_some(step)
}

fn step_name(step: u64) -> String {
    format!("checkpoint-{step}")
}

/// The checkpoint that a file belongs to.
fn of_file(path: &Path) -> Result<Layout, EncoderError> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let folder = path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
    if (name == CONFIG || WEIGHT_FILES.contains(&name)) && folder.join(CONFIG).is_file() {
        return of_folder(folder);
    }
    let problem = "is not a file of a checkpoint's folder with a config.json".to_owned();
    let fix = format!("give the folder, or one of config.json, {} in it", WEIGHT_FILES.join(", "));
    Err(EncoderError::Layout { folder: path.to_owned(), problem, fix })
}

/// A sub-folder's name taken apart.
#[derive(Debug, PartialEq)]
struct Name<'a> {
    /// `None` in the form without levels.
    prefix: Option<&'a str>,
    level: usize,
    parent: Option<&'a str>,
}

impl<'a> Name<'a> {
    fn parse(name: &'a str) -> Option<Self> {
        let parent = |rest: &'a str| match rest.strip_prefix("slave_") {
            _ if rest == "master" => Some(None),
            Some(parent) if !parent.is_empty() => Some(Some(parent)),
            _ => None,
        };
        if let Some(parent) = parent(name) {
            return Some(Self { prefix: None, level: usize::from(parent.is_some()), parent });
        }
        let (prefix, rest) = name.split_once("_level_")?;
        let (level, rest) = rest.split_once('_')?;
        let level = level.parse().ok().filter(|level| *level < MOST_LEVELS)?;
        Some(Self { prefix: Some(prefix), level, parent: parent(rest)? })
    }
}

/// The hierarchy of sub-folders; `None` where none is named as a part of one.
fn hierarchy(folder: &Path, below: &[String]) -> Result<Option<Layout>, EncoderError> {
    let fail = |problem: String, fix: &str| EncoderError::Layout {
        folder: folder.to_owned(),
        problem,
        fix: fix.to_owned(),
    };
    let mut levels: BTreeMap<usize, Vec<Node>> = BTreeMap::new();
    let mut prefixes = std::collections::BTreeSet::new();
    for name in below {
        let Some(parsed) = Name::parse(name) else { continue };
        if parsed.parent.is_none() != (parsed.level == 0) {
            let problem = format!("`{name}` is a {} at level {}", role(parsed.parent), parsed.level);
            return Err(fail(
                problem,
                "level 0 has the master, further levels have slaves: rename the folder",
            ));
        }
        prefixes.insert(parsed.prefix.map(str::to_owned));
        let parent = parsed.parent.map(str::to_owned);
        levels.entry(parsed.level).or_default().push(Node { folder: folder.join(name), parent });
    }
    if levels.is_empty() {
        return Ok(None);
    }
    if prefixes.len() > 1 {
        let problem = format!("holds {} hierarchies, with names that begin differently", prefixes.len());
        return Err(fail(problem, "put each into a folder of its own"));
    }
    let masters = levels.get(&0).map_or(0, Vec::len);
    if masters != 1 || levels.keys().copied().ne(0..levels.len()) {
        let found: Vec<String> = levels.keys().map(usize::to_string).collect();
        let problem = format!("is an incomplete hierarchy: {masters} masters, levels {}", found.join(", "));
        return Err(fail(
            problem,
            "one master and every level from 0 on are needed: download the missing folders",
        ));
    }
    Ok(Some(Layout::Hierarchy(levels.into_values().map(level).collect())))
}

fn level(mut nodes: Vec<Node>) -> Level {
    nodes.sort_by(|a, b| {
        natural(a.parent.as_deref().unwrap_or_default(), b.parent.as_deref().unwrap_or_default())
    });
    Level { nodes }
}

fn role(parent: Option<&str>) -> &'static str {
    if parent.is_some() { "slave" } else { "master" }
}

/// Names of the folders in a folder that have a configuration, sorted. Links to folders count.
fn subfolders(folder: &Path) -> Result<Vec<String>, EncoderError> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(EncoderError::io(folder))? {
        let entry = entry.map_err(EncoderError::io(folder))?;
        if let Some(name) = entry.file_name().to_str().filter(|_| entry.path().join(CONFIG).is_file()) {
            names.push(name.to_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// Texts compared with their runs of digits as numbers; equal numbers by their writing.
fn natural(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (parts(a), parts(b));
    loop {
        let order = match (left.next(), right.next()) {
            (None, None) => return a.cmp(b),
            (left, right) => left.cmp(&right),
        };
        if order.is_ne() {
            return order;
        }
    }
}

/// A text as alternating words and numbers. Numbers compare by length without leading zeros, then by
/// digits, so that none is too long.
fn parts(text: &str) -> impl Iterator<Item = (bool, usize, &str)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let digits = rest.chars().next()?.is_ascii_digit();
        let end = rest.find(|sign: char| sign.is_ascii_digit() != digits).unwrap_or(rest.len());
        let (part, after) = rest.split_at_checked(end)?;
        rest = after;
        let part = if digits { part.trim_start_matches('0') } else { part };
        Some((!digits, if digits { part.len() } else { 0 }, part))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with empty checkpoints of these names.
    fn repository(names: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            std::fs::create_dir_all(folder.path().join(name)).unwrap();
            std::fs::write(folder.path().join(name).join("config.json"), "{}").unwrap();
        }
        folder
    }

    /// A folder's name and the label it refines.
    type Found = (String, Option<String>);

    /// Folder names and parents by level.
    fn levels(names: &[&str]) -> Result<Vec<Vec<Found>>, String> {
        let folder = repository(names);
        match Layout::of(folder.path()).map_err(|error| error.to_string())? {
            Layout::Single(_) => panic!("a hierarchy"),
            Layout::Hierarchy(levels) => Ok(levels
                .into_iter()
                .map(|level| level.nodes)
                .map(|nodes| {
                    nodes
                        .into_iter()
                        .map(|n| (n.folder.file_name().unwrap().to_str().unwrap().to_owned(), n.parent))
                        .collect()
                })
                .collect()),
        }
    }

    fn slave(folder: &str, parent: &str) -> Found {
        (folder.to_owned(), Some(parent.to_owned()))
    }

    #[test]
    fn a_checkpoint_is_found_by_its_folder_or_files() {
        let folder = repository(&["a"]);
        let a = folder.path().join("a");
        std::fs::write(a.join("model.safetensors"), "").unwrap();
        std::fs::write(a.join("readme.md"), "").unwrap();
        for path in [a.clone(), a.join("config.json"), a.join("model.safetensors")] {
            assert_eq!(Layout::of(&path).unwrap(), Layout::Single(a.clone()));
        }
        for path in [a.join("readme.md"), folder.path().to_owned()] {
            assert!(matches!(Layout::of(&path), Err(EncoderError::Layout { .. })), "{path:?}");
        }
        assert!(matches!(Layout::of(&a.join("absent")), Err(EncoderError::Io { .. })));
    }

    #[test]
    fn two_levels_without_a_prefix() {
        let found = levels(&["slave_10", "slave_2", "master", "assets", "slave_"]).unwrap();
        let expected =
            vec![vec![("master".to_owned(), None)], vec![slave("slave_2", "2"), slave("slave_10", "10")]];
        assert_eq!(found, expected);
    }

    #[test]
    fn three_levels_with_a_prefix() {
        let found = levels(&[
            "capec_level_2_slave_115",
            "capec_level_1_slave_1000",
            "capec_level_0_master",
            "capec_level_1_slave_152",
        ])
        .unwrap();
        let expected = vec![
            vec![("capec_level_0_master".to_owned(), None)],
            vec![slave("capec_level_1_slave_152", "152"), slave("capec_level_1_slave_1000", "1000")],
            vec![slave("capec_level_2_slave_115", "115")],
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn incomplete_or_mixed_hierarchies_are_refused() {
        for (names, expected) in [
            (&["slave_1"][..], "0 masters"),
            (&["x_level_0_master", "x_level_2_slave_1"], "levels 0, 2"),
            (&["x_level_0_master", "y_level_1_slave_1"], "2 hierarchies"),
            (&["x_level_0_master", "x_level_00_master"], "2 masters"),
            (&["x_level_1_master"], "a master at level 1"),
            (&["x_level_0_slave_7"], "a slave at level 0"),
            (&["x_level_99_master"], "has no config.json"),
        ] {
            let found = levels(names).unwrap_err();
            assert!(found.contains(expected), "{names:?}: {found}");
        }
    }

    #[test]
    fn numbers_in_names_are_compared_as_numbers() {
        let mut names =
            vec!["CAPEC-100", "b", "007", "CAPEC-20", "7", "99999999999999999999999", "8", "CAPEC-20a", ""];
        names.sort_by(|a, b| natural(a, b));
        assert_eq!(
            names,
            ["", "007", "7", "8", "99999999999999999999999", "CAPEC-20", "CAPEC-20a", "CAPEC-100", "b"]
        );
    }
}
