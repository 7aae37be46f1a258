//! The order in which the files of a folder count.

use std::cmp::Reverse;

/// The beginning of the names of pages of NVD's API.
pub(crate) const PAGE: &str = "nvd-api-";

/// The place of a file among the others of its folder: changes before what they change, the newest first.
pub(crate) fn precedence(name: &str) -> (u8, Reverse<String>, String) {
    let is_change = name.contains("modified") || name.contains("delta");
    let newest_first = |rank| (rank, Reverse(name.to_owned()), String::new());
    match (is_change, name.starts_with(PAGE)) {
        (true, _) => newest_first(0),
        (_, true) => newest_first(1),
        _ => (2, Reverse(String::new()), name.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_count_first_and_the_newest_among_them() {
        let mut names = [
            "nvdcve-2.0-2003.json.gz",
            "nvd-api-20240101T000000Z-20240201T000000Z-0000000.json.gz",
            "nvdcve-2.0-modified.json.gz",
            "nvdcve-2.0-2002.json.gz",
            "nvd-api-20240201T000000Z-20240301T000000Z-0000000.json.gz",
        ];
        names.sort_by_cached_key(|name| precedence(name));
        let order = [
            "nvdcve-2.0-modified",
            "nvd-api-20240201",
            "nvd-api-20240101",
            "nvdcve-2.0-2002",
            "nvdcve-2.0-2003",
        ];
        assert!(names.iter().zip(order).all(|(name, begins)| name.starts_with(begins)), "{names:?}");
    }
}
