//! Ids of techniques as people write them in tables.

use vulnlens_taxonomy::TechniqueId;

/// Misspelt ids of the CTID's table of CVEs, with the ids that are meant: a digit or a letter stands twice, or the
/// first 0 of an id of ICS is missing.
const MISSPELT: [(&str, &str); 7] = [
    ("T11190", "T1190"),
    ("TT1565", "T1565"),
    ("T828", "T0828"),
    ("T842", "T0842"),
    ("T855", "T0855"),
    ("T873", "T0873"),
    ("T880", "T0880"),
];

/// The ids in a cell, which stand between semicolons, commas and blanks.
pub(super) fn ids(cell: &str) -> impl Iterator<Item = &str> {
    cell.split(|c: char| matches!(c, ';' | ',') || c.is_whitespace()).filter(|id| !id.is_empty())
}

/// The id that is meant, if there is one: misspelt ones are mended, and a full stop at the end is not part of an id.
pub(super) fn technique(written: &str) -> Option<TechniqueId> {
    let id = written.trim_end_matches('.');
    let mended = MISSPELT.iter().find(|(misspelt, _)| *misspelt == id);
    mended.map_or(id, |(_, meant)| meant).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_a_cell_are_read_as_they_are_meant() {
        let cell = "T1190. T11190; TT1565;T880,  T1036.001.;T12;T1190 ";
        let read = ids(cell).map(|id| technique(id).map_or_else(|| format!("{id}?"), |id| id.to_string()));
        let want = ["T1190", "T1190", "T1565", "T0880", "T1036.001", "T12?", "T1190"];
        assert_eq!(read.collect::<Vec<_>>(), want);
        assert_eq!(ids(" ; ").count(), 0);
    }
}
