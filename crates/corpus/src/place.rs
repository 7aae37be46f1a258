//! Places of records in their input.

use std::fmt;
use std::sync::Arc;

/// The place of a record in its input; every number counts from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A line of a text file.
    Line(u64),
    /// A record of a JSON document.
    Item(u64),
    /// A row of a table.
    Row(u64),
    /// A place in a file of a folder or an archive.
    Entry(Box<Entry>),
    /// The input as a whole.
    Whole,
}

/// A place in a file of a folder or an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The file's path within the folder or archive.
    pub name: Arc<str>,
    /// The place in the file.
    pub place: Place,
}

impl Place {
    /// The place `place` in the file `name` of a folder or archive.
    pub(crate) fn within(name: &Arc<str>, place: Self) -> Self {
        Self::Entry(Box::new(Entry { name: Arc::clone(name), place }))
    }

    /// The number of the line, record or row.
    #[must_use]
    pub fn number(&self) -> Option<u64> {
        match self {
            Self::Line(number) | Self::Item(number) | Self::Row(number) => Some(*number),
            Self::Entry(entry) => entry.place.number(),
            Self::Whole => None,
        }
    }
}

impl Place {
    /// Tests for a place in a JSON document.
    pub(crate) fn is_in_document(&self) -> bool {
        match self {
            Self::Item(_) => true,
            Self::Entry(entry) => entry.place.is_in_document(),
            Self::Line(_) | Self::Row(_) | Self::Whole => false,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(number) => write!(f, ":{number}"),
            Self::Item(number) => write!(f, ": record {number}"),
            Self::Row(number) => write!(f, ": row {number}"),
            Self::Entry(entry) => write!(f, ": {}{}", entry.name, entry.place),
            Self::Whole => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_behind_the_name_of_its_file() {
        let within = Place::within(&"nvd/2020.json".into(), Place::Item(3));
        assert_eq!(format!("feeds.zip{within}"), "feeds.zip: nvd/2020.json: record 3");
        assert_eq!((within.number(), Place::Whole.number()), (Some(3), None));
        assert_eq!(format!("in.csv{}", Place::Line(7)), "in.csv:7");
    }
}
