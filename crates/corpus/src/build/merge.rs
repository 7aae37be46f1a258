//! Merging: one entry a CVE from the records of all sources, whatever order they arrive in.
//!
//! Every field is settled by the source's place in the list and the record's place in the source alone, so that
//! sources can be read side by side and the result stays the same.

use std::collections::{BTreeMap, HashMap, HashSet};

use vulnlens_taxonomy::{CveId, CweId};

use crate::date::Date;
use crate::groups::GroupId;
use crate::record::{Assigner, Record};
use crate::record_id::RecordId;

/// Place of a record: of its source in the list of sources, then in the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) source: u16,
    pub(super) record: u32,
}

/// Where a text lies in the temporary file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) offset: u64,
    pub(super) length: u32,
    pub(super) group: GroupId,
}

/// A list of weaknesses, by its number in [`CweSets`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct SetId(u32);

/// The distinct lists of weaknesses; records share a few thousand of them.
#[derive(Default)]
struct CweSets {
    ids: HashMap<Vec<CweId>, SetId>,
    sets: Vec<Vec<CweId>>,
}

impl CweSets {
    fn id(&mut self, set: Vec<CweId>) -> SetId {
        if let Some(id) = self.ids.get(&set) {
            return *id;
        }
        let id = SetId(u32::try_from(self.sets.len()).unwrap_or(u32::MAX));
        self.sets.push(set.clone());
        self.ids.insert(set, id);
        id
    }

    fn get(&self, id: SetId) -> &[CweId] {
        usize::try_from(id.0).ok().and_then(|at| self.sets.get(at)).map_or(&[], Vec::as_slice)
    }
}

/// A value and the record that it is from; the first record in the order of the sources wins.
type First<T> = Option<(Place, T)>;

fn take_first<T>(held: &mut First<T>, place: Place, value: Option<T>) {
    if let Some(value) = value
        && held.as_ref().is_none_or(|(first, _)| place < *first)
    {
        *held = Some((place, value));
    }
}

/// What is known of one CVE.
#[derive(Default)]
pub(super) struct Entry {
    pub(super) rejected: bool,
    text: First<Span>,
    published: First<Date>,
    modified: Option<Date>,
    /// Other CVEs that a source says to be the same, sorted.
    pub(super) aliases: Vec<CveId>,
    /// The list of each assigner, by rank.
    labels: Vec<(Assigner, Place, SetId)>,
}

/// All CVEs.
#[derive(Default)]
pub(super) struct Index {
    entries: HashMap<CveId, Entry>,
    sets: CweSets,
    /// What each source had, to tell what comes again in it.
    seen: HashSet<(CveId, u16)>,
    /// CVEs of which a source says that the text does not tell the weakness.
    untold: HashSet<CveId>,
}

/// The labels of a CVE that count, with all who gave each.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Effective {
    pub(super) cwes: Vec<CweId>,
    pub(super) sources: Vec<String>,
}

impl Index {
    /// Tests whether a text from `place` would be kept, as far as is known now.
    pub(super) fn wants_text(&self, id: CveId, place: Place) -> bool {
        let held = self.entries.get(&id).and_then(|entry| entry.text.as_ref());
        held.is_none_or(|(first, _)| place < *first)
    }

    /// Takes in a record of `id` whose text, if wanted, lies at `span`. Tells whether its source had the CVE before.
    pub(super) fn add(&mut self, id: CveId, record: &Record, place: Place, span: Option<Span>) -> bool {
        let entry = self.entries.entry(id).or_default();
        entry.rejected |= record.withdrawn;
        take_first(&mut entry.text, place, span);
        take_first(&mut entry.published, place, record.dates.published.day());
        entry.modified = entry.modified.max(record.dates.modified);
        for alias in record.aliases.iter().filter_map(RecordId::cve).filter(|alias| *alias != id) {
            if let Err(at) = entry.aliases.binary_search(&alias) {
                entry.aliases.insert(at, alias);
            }
        }
        let mut assigners: Vec<_> = record.labels.iter().map(|label| label.assigner).collect();
        assigners.dedup();
        for assigner in assigners {
            let given = record.labels.iter().filter(|label| label.assigner == assigner);
            let mut set: Vec<CweId> = given.map(|label| label.cwe).collect();
            set.sort_unstable();
            entry.take_labels(assigner, place, self.sets.id(set));
        }
        self.note_untold(id, record, place)
    }

    /// Takes in nothing but the word of a record that its text does not tell the weakness. Tells whether its source had
    /// the CVE before.
    pub(super) fn note_untold(&mut self, id: CveId, record: &Record, place: Place) -> bool {
        // A record that has a weakness, too, tells it.
        if record.untold && record.labels.is_empty() && !record.withdrawn {
            self.untold.insert(id);
        }
        self.again(id, place)
    }

    /// Tells whether the source of `place` had the CVE before, and notes that it has it.
    pub(super) fn again(&mut self, id: CveId, place: Place) -> bool {
        !self.seen.insert((id, place.source))
    }

    /// The CVEs by rising id.
    pub(super) fn sorted(&self) -> Vec<(CveId, &Entry)> {
        let mut entries: Vec<_> = self.entries.iter().map(|(id, entry)| (*id, entry)).collect();
        entries.sort_unstable_by_key(|(id, _)| *id);
        entries
    }

    /// Tests whether a source says that the text of a CVE does not tell the weakness.
    pub(super) fn is_untold(&self, id: CveId) -> bool {
        self.untold.contains(&id)
    }

    /// The weaknesses that count: those of the first assigner by rank, and of all whose weaknesses are added to
    /// others'.
    pub(super) fn effective(&self, entry: &Entry) -> Effective {
        let base = entry.labels.iter().find(|(assigner, ..)| !assigner.added);
        let added = entry.labels.iter().filter(|(assigner, ..)| assigner.added);
        let counting = base.into_iter().chain(added).flat_map(|(.., set)| self.sets.get(*set));
        let mut by_id: BTreeMap<CweId, Vec<&str>> = counting.map(|cwe| (*cwe, Vec::new())).collect();
        for (assigner, _, set) in &entry.labels {
            for cwe in self.sets.get(*set) {
                if let Some(names) = by_id.get_mut(cwe) {
                    names.push(assigner.name);
                }
            }
        }
        let sources = by_id.values().map(|names| names.join("+")).collect();
        Effective { cwes: by_id.into_keys().collect(), sources }
    }
}

impl Entry {
    /// Keeps the list of `assigner` that is first in the order of the sources.
    fn take_labels(&mut self, assigner: Assigner, place: Place, set: SetId) {
        match self.labels.binary_search_by_key(&assigner, |(held, ..)| *held) {
            Err(at) => self.labels.insert(at, (assigner, place, set)),
            Ok(at) => {
                if let Some(held) = self.labels.get_mut(at).filter(|(_, first, _)| place < *first) {
                    *held = (assigner, place, set);
                }
            }
        }
    }

    /// Tests whether a source assigns a weakness.
    pub(super) fn is_labelled(&self) -> bool {
        !self.labels.is_empty()
    }

    pub(super) fn text(&self) -> Option<Span> {
        self.text.map(|(_, span)| span)
    }

    pub(super) fn published(&self) -> Option<Date> {
        self.published.map(|(_, date)| date)
    }

    pub(super) fn modified(&self) -> Option<Date> {
        self.modified
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Problem;
    use crate::record::Label;

    const NVD: Assigner = Assigner { rank: 1, name: "nvd", added: false };
    const CNA: Assigner = Assigner { rank: 2, name: "cna", added: false };
    const ADP: Assigner = Assigner { rank: 3, name: "adp", added: true };
    const GIVEN: Assigner = Assigner { rank: 4, name: "given", added: false };

    fn record(labels: &[(Assigner, u32)]) -> Record {
        let labels =
            labels.iter().map(|(assigner, cwe)| Label { assigner: *assigner, cwe: CweId(*cwe) }).collect();
        Record { labels, ..Record::new(None, Problem::Blank) }
    }

    #[test]
    fn the_labels_that_count_are_nvds_else_the_cnas_else_the_tables_and_the_adps_added() {
        type Given<'a> = &'a [(Assigner, u32)];
        let cases: [(Given<'_>, &[(u32, &str)]); 6] = [
            (&[(NVD, 79), (CNA, 80), (GIVEN, 81)], &[(79, "nvd")]),
            (&[(CNA, 80), (GIVEN, 81)], &[(80, "cna")]),
            (&[(GIVEN, 81), (GIVEN, 5)], &[(5, "given"), (81, "given")]),
            (&[(NVD, 79), (ADP, 79), (ADP, 20)], &[(20, "adp"), (79, "nvd+adp")]),
            (&[(ADP, 20), (GIVEN, 20), (GIVEN, 79)], &[(20, "adp+given"), (79, "given")]),
            (&[(NVD, 79), (CNA, 79), (GIVEN, 79)], &[(79, "nvd+cna+given")]),
        ];
        let id = CveId::new(2020, 1234);
        for (given, want) in cases {
            let mut index = Index::default();
            // Each label in a record of its own, the last first: the order of arrival must not matter.
            for (number, label) in given.iter().enumerate().rev() {
                let place = Place { source: label.0.rank.into(), record: number as u32 };
                let all: Vec<_> = given.iter().copied().filter(|other| other.0 == label.0).collect();
                index.add(id, &record(&all), place, None);
            }
            let effective = index.effective(&index.entries[&id]);
            let got: Vec<_> = effective
                .cwes
                .iter()
                .map(|cwe| cwe.0)
                .zip(effective.sources.iter().map(String::as_str))
                .collect();
            assert_eq!(got, want, "{given:?}");
        }
    }
}
