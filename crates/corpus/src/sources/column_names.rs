//! Names of columns and keys: one table for every format, in which case, blanks, `_` and `-` do not count.

use crate::sources::format::ColumnNames;

/// The meaning of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Column {
    Id,
    Text,
    Published,
    Modified,
    Cwes,
}

/// The names of each column without case, blanks and marks, the first one first where several hold something.
const NAMES: [(Column, &[&str]); 5] = [
    (
        Column::Id,
        &[
            "id",
            "cveid",
            "cve",
            "vulnid",
            "vulnerabilityid",
            "cvenumber",
            "cvename",
            "ghsaid",
            "advisoryid",
            "identifier",
            "vulnerability",
            "name",
        ],
    ),
    (
        Column::Text,
        &[
            "description",
            "text",
            "details",
            "summary",
            "synopsis",
            "overview",
            "desc",
            "vulnerabilitydescription",
            "cvedescription",
            "descriptions",
            "shortdescription",
            "fulldescription",
            "longdescription",
            "descriptiontext",
            "vulnerabilitytext",
            "abstract",
            "title",
        ],
    ),
    (
        Column::Published,
        &[
            "published",
            "publisheddate",
            "datepublished",
            "publishedat",
            "publicationdate",
            "publishdate",
            "pubdate",
            "datepublic",
            "disclosed",
            "disclosuredate",
            "disclosuretime",
            "publicationtime",
            "releasedate",
            "created",
            "createdat",
            "date",
            "year",
        ],
    ),
    (
        Column::Modified,
        &[
            "modified",
            "lastmodified",
            "lastmodifieddate",
            "modifieddate",
            "updated",
            "updatedat",
            "dateupdated",
        ],
    ),
    (Column::Cwes, &["cwes", "cweids", "cwe", "cweid", "weaknesses", "weakness", "cwelist", "cwecode"]),
];

/// The first rank of names of ids that may name anything else, too.
pub(crate) const FIRST_VAGUE_ID: u8 = 11;

/// Longest name that is looked for.
const LONGEST: usize = 32;

/// The rank of a name that the caller gave.
const NAMED: u8 = 0;

/// The last rank of a name that can mean nothing else: the others may stand over anything.
const PLAIN: u8 = 2;

/// Tests for the rank of a name that can mean nothing else: `id`, `description`, `text`, or one that the caller gave.
pub(crate) fn is_plain(column: Column, rank: u8) -> bool {
    rank <= if column == Column::Text { PLAIN } else { 1 }
}

/// The meaning of the column `name`, and its rank among the columns of that meaning: the lower one wins.
pub(crate) fn column_of(name: &str, named: &ColumnNames) -> Option<(Column, u8)> {
    let given = [(Column::Text, &named.text), (Column::Id, &named.id), (Column::Published, &named.date)];
    let mut given = given.into_iter().filter_map(|(column, name)| Some((column, name.as_deref()?)));
    if let Some((column, _)) = given.find(|(_, given)| given.eq_ignore_ascii_case(name)) {
        return Some((column, NAMED));
    }
    let is_given = |column| match column {
        Column::Text => named.text.is_some(),
        Column::Id => named.id.is_some(),
        Column::Published => named.date.is_some(),
        Column::Modified | Column::Cwes => false,
    };
    // What was asked for by name is not looked for elsewhere.
    usual(name).filter(|(column, _)| !is_given(*column))
}

/// The meaning of a usual name, and its rank.
pub(crate) fn usual(name: &str) -> Option<(Column, u8)> {
    let mut folded = [0u8; LONGEST];
    let mut length = 0;
    for byte in name.bytes().filter(|byte| !matches!(byte, b' ' | b'_' | b'-' | b'\t')) {
        *folded.get_mut(length)? = byte.to_ascii_lowercase();
        length = length.saturating_add(1);
    }
    let folded = folded.get(..length)?;
    let rank = |names: &[&str]| names.iter().position(|known| known.as_bytes() == folded);
    NAMES.iter().find_map(|(column, names)| {
        let rank = u8::try_from(rank(names)?).ok()?;
        Some((*column, rank.saturating_add(1)))
    })
}

/// Tests for a name under which a text stands, in a table that nothing else tells to be one: a word such as `name` may
/// be anything.
pub(crate) fn is_text(name: &str) -> bool {
    usual(name).is_some_and(|(column, _)| column == Column::Text)
        && !name.trim().eq_ignore_ascii_case("title")
}

/// Tests for a name under which weaknesses stand.
pub(crate) fn is_weakness(name: &str) -> bool {
    usual(name).is_some_and(|(column, _)| column == Column::Cwes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_known_in_any_spelling() {
        for (name, column) in [
            ("description", Some(Column::Text)),
            ("Synopsis", Some(Column::Text)),
            ("CVE ID", Some(Column::Id)),
            ("cveId", Some(Column::Id)),
            ("CVE-ID", Some(Column::Id)),
            ("vuln_id", Some(Column::Id)),
            ("Date Published", Some(Column::Published)),
            ("CWE_IDs", Some(Column::Cwes)),
            ("lastModified", Some(Column::Modified)),
            ("ident", None),
            ("", None),
            ("a very long name that no column is known by at all", None),
        ] {
            assert_eq!(usual(name).map(|(column, _)| column), column, "{name}");
        }
    }

    #[test]
    fn a_name_that_was_given_wins() {
        let named = ColumnNames::new(Some("Finding".to_owned()), None, Some("text".to_owned()));
        assert_eq!(column_of("finding", &named), Some((Column::Text, NAMED)));
        assert_eq!(column_of("text", &named), Some((Column::Published, NAMED)));
        assert_eq!(column_of("summary", &named), None);
        assert_eq!(column_of("ID", &named).map(|(column, _)| column), Some(Column::Id));
    }
}
