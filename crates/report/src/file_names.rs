//! Names of files that hold one record each.

use std::collections::{HashMap, HashSet};

use crate::answer::RecordKey;

/// Longest name, without its ending and number.
const LONGEST: usize = 100;

/// Names for files, each after its record and unlike those before, also where a file system ignores case.
///
/// A name is safe in any folder: of an id, ASCII letters, digits, `-`, `_` and dots within are kept.
///
/// ```
/// use vulnlens_report::{FileNames, RecordKey};
///
/// let mut names = FileNames::default();
/// assert_eq!(names.next(&RecordKey::of_id("CVE-2021-44228"), "json"), "CVE-2021-44228.json");
/// assert_eq!(names.next(&RecordKey::of_id("../x"), "json"), "_._x.json");
/// ```
#[derive(Debug, Default)]
pub struct FileNames {
    /// The names so far, in small letters.
    taken: HashSet<String>,
    /// The last number of names that came again.
    numbers: HashMap<String, u64>,
}

impl FileNames {
    /// The name of the next record's file.
    pub fn next(&mut self, record: &RecordKey, ending: &str) -> String {
        let stem = match record {
            RecordKey { id: Some(id), .. } => safe(id),
            RecordKey { line: Some(line), .. } => format!("line-{line}"),
            RecordKey { .. } => "record".to_owned(),
        };
        let mut name = stem.clone();
        while !self.taken.insert(name.to_ascii_lowercase()) {
            let number = self.numbers.entry(stem.to_ascii_lowercase()).or_insert(1);
            *number = number.saturating_add(1);
            name = format!("{stem}-{number}");
        }
        format!("{name}.{ending}")
    }
}

/// `id` as the name of a file, without its ending.
fn safe(id: &str) -> String {
    let kept = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' };
    let mut name: String = id.chars().take(LONGEST).map(kept).collect();
    if name.is_empty() || name.starts_with('.') {
        name.replace_range(..name.len().min(1), "_");
    }
    name
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_that_come_again_are_numbered() {
        let mut names = FileNames::default();
        let mut next = |id: &str| names.next(&RecordKey::of_id(id), "json");
        assert_eq!(next("a"), "a.json");
        assert_eq!(next("a-2"), "a-2.json");
        assert_eq!(next("a"), "a-3.json", "a-2 is taken");
        assert_eq!(next("A"), "A-4.json", "case does not count");
        let mut names = FileNames::default();
        assert_eq!(names.next(&RecordKey { id: None, line: Some(7) }, "json"), "line-7.json");
        assert_eq!(names.next(&RecordKey::default(), "json"), "record.json");
    }

    proptest! {
        #[test]
        fn no_id_leaves_the_folder(ids in prop::collection::vec(any::<String>(), 1..20)) {
            let mut names = FileNames::default();
            let mut seen = HashSet::new();
            for id in &ids {
                let name = names.next(&RecordKey::of_id(id), "json");
                prop_assert_eq!(std::path::Path::new(&name).components().count(), 1);
                prop_assert!(!name.starts_with('.') && !name.contains(['/', '\\', ':']) && name.len() < 130);
                prop_assert!(seen.insert(name.to_ascii_lowercase()), "{} stands for two records", name);
            }
        }
    }
}
