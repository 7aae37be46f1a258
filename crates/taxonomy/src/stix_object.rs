//! The objects that MITRE publishes entries as in STIX: ids that other programs know them by.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::ids::{CapecId, TechniqueId};
use crate::json::JsonObject;
use crate::timestamp::Timestamp;

/// The `attack-pattern` that MITRE publishes a technique or an attack pattern as. Its id stays the same in all releases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StixObject {
    uuid: [u8; 16],
    /// The time of its first version.
    pub created: Timestamp,
}

impl StixObject {
    /// The id, as `attack-pattern--3f886f2a-874f-4333-b794-aa6075009b1c`.
    #[must_use]
    pub fn id(&self) -> String {
        let mut id = String::from("attack-pattern--");
        for (number, byte) in self.uuid.iter().enumerate() {
            if matches!(number, 4 | 6 | 8 | 10) {
                id.push('-');
            }
            // A string takes all that is written.
            let _ = write!(id, "{byte:02x}");
        }
        id
    }

    /// The object of a bundle; none where its id is not made of a UUID or the time of its creation cannot be read, as in
    /// reduced bundles.
    pub(crate) fn of(object: &JsonObject) -> Option<Self> {
        let id: String = object.optional("id").ok()??;
        let created: String = object.optional("created").ok()??;
        let digits = id.strip_prefix("attack-pattern--")?.replace('-', "");
        let mut uuid = [0; 16];
        let is_whole = digits.len() == 32 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        for (byte, at) in uuid.iter_mut().zip((0..32).step_by(2)) {
            *byte = u8::from_str_radix(digits.get(at..at + 2)?, 16).ok()?;
        }
        is_whole.then_some(Self { uuid, created: created.parse().ok()? })
    }
}

/// The objects of a knowledge base's entries, by rising id; of entries from files that are not STIX there are none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StixTable {
    pub(crate) techniques: Vec<(TechniqueId, StixObject)>,
    pub(crate) patterns: Vec<(CapecId, StixObject)>,
}

impl StixTable {
    /// True if look-ups find everything.
    pub(crate) fn is_in_order(&self) -> bool {
        self.techniques.is_sorted_by(|a, b| a.0 < b.0) && self.patterns.is_sorted_by(|a, b| a.0 < b.0)
    }
}

/// The object of an entry.
pub(crate) fn find<Id: Ord>(table: &[(Id, StixObject)], id: Id) -> Option<StixObject> {
    let at = table.binary_search_by(|(known, _)| known.cmp(&id)).ok()?;
    table.get(at).map(|(_, object)| *object)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Option<StixObject> {
        StixObject::of(&serde_json::from_str(json).unwrap())
    }

    #[test]
    fn an_object_has_its_id_and_its_time() {
        let id = "attack-pattern--3f886f2a-874f-4333-b794-aa6075009b1c";
        let object = read(&format!(r#"{{"id":"{id}","created":"2018-04-18T17:59:24.739Z"}}"#)).unwrap();
        assert_eq!(object.id(), id);
        assert_eq!(object.created.to_string(), "2018-04-18T17:59:24.739Z");
    }

    #[test]
    fn other_ids_and_times_are_passed_over() {
        let whole = "attack-pattern--3f886f2a-874f-4333-b794-aa6075009b1c";
        for (id, created) in [
            ("attack-pattern--a", "2018-04-18T17:59:24.739Z"),
            ("attack-pattern--éf886f2a-874f-4333-b794-aa6075009b1", "2018-04-18T17:59:24.739Z"),
            ("malware--3f886f2a-874f-4333-b794-aa6075009b1c", "2018-04-18T17:59:24.739Z"),
            (whole, "yesterday"),
        ] {
            assert_eq!(read(&format!(r#"{{"id":"{id}","created":"{created}"}}"#)), None, "{id}");
        }
        assert_eq!(read(&format!(r#"{{"id":"{whole}"}}"#)), None);
        assert_eq!(read(&format!(r#"{{"id":7,"created":"{whole}"}}"#)), None);
    }
}
