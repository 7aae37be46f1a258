//! One entry a CVE out of what all sources say of it, whatever order their records arrive in.
//!
//! Every field is settled by the source's place in the list and the record's place in the source alone, so that
//! sources can be read side by side and the result stays the same.

use std::collections::{BTreeMap, HashMap, HashSet};

use vulnlens_taxonomy::{CveId, CweId};

use crate::date::Date;
use crate::groups::GroupId;
use crate::record::{LabelSource, SourceRecord};

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
    labels: [First<SetId>; LabelSource::ALL.len()],
}

/// All CVEs.
#[derive(Default)]
pub(super) struct Index {
    entries: HashMap<CveId, Entry>,
    sets: CweSets,
    /// What each source had, to tell what comes again in it.
    seen: HashSet<(CveId, u16)>,
}

/// The labels of a CVE that count, with all who gave each.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Effective {
    pub(super) cwes: Vec<CweId>,
    pub(super) sources: Vec<String>,
}

impl Index {
    /// Whether a text from `place` would be kept, as far as is known now.
    pub(super) fn wants_text(&self, id: CveId, place: Place) -> bool {
        let held = self.entries.get(&id).and_then(|entry| entry.text.as_ref());
        held.is_none_or(|(first, _)| place < *first)
    }

    /// Takes in a record whose text, if wanted, lies at `span`. Says whether its source had the CVE before.
    pub(super) fn add(&mut self, record: &SourceRecord, place: Place, span: Option<Span>) -> bool {
        let entry = self.entries.entry(record.id).or_default();
        entry.rejected |= record.rejected;
        take_first(&mut entry.text, place, span);
        take_first(&mut entry.published, place, record.published);
        entry.modified = entry.modified.max(record.modified);
        for (held, source) in entry.labels.iter_mut().zip(LabelSource::ALL) {
            let given = record.labels.iter().filter(|label| label.source == source).map(|label| label.cwe);
            let mut set: Vec<CweId> = given.collect();
            set.sort_unstable();
            let set = (!set.is_empty()).then(|| self.sets.id(set));
            take_first(held, place, set);
        }
        !self.seen.insert((record.id, place.source))
    }

    /// The CVEs by rising id.
    pub(super) fn sorted(&self) -> Vec<(CveId, &Entry)> {
        let mut entries: Vec<_> = self.entries.iter().map(|(id, entry)| (*id, entry)).collect();
        entries.sort_unstable_by_key(|(id, _)| *id);
        entries
    }

    /// The weaknesses that count: NVD's if it gives any, else the CNA's, else those of a plain table; the ADPs' are
    /// added to them.
    pub(super) fn effective(&self, entry: &Entry) -> Effective {
        let sets = entry.labels.map(|held| held.map_or(&[][..], |(_, set)| self.sets.get(set)));
        let [nvd, cna, adp, given] = sets;
        let base = [nvd, cna, given].into_iter().find(|set| !set.is_empty()).unwrap_or_default();
        let mut by_id: BTreeMap<CweId, Vec<&str>> =
            base.iter().chain(adp).map(|cwe| (*cwe, Vec::new())).collect();
        for (set, source) in sets.into_iter().zip(LabelSource::ALL) {
            for cwe in set {
                if let Some(names) = by_id.get_mut(cwe) {
                    names.push(source.name());
                }
            }
        }
        let sources = by_id.values().map(|names| names.join("+")).collect();
        Effective { cwes: by_id.into_keys().collect(), sources }
    }
}

impl Entry {
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
    use crate::record::Label;

    fn record(labels: &[(LabelSource, u32)]) -> SourceRecord {
        let labels = labels.iter().map(|(source, cwe)| Label { source: *source, cwe: CweId(*cwe) }).collect();
        SourceRecord { labels, ..SourceRecord::new(CveId::new(2020, 1234)) }
    }

    #[test]
    fn the_labels_that_count_are_nvds_else_the_cnas_else_the_tables_and_the_adps_added() {
        use LabelSource::{Adp, Cna, Given, Nvd};
        type Given2<'a> = &'a [(LabelSource, u32)];
        let cases: [(Given2<'_>, &[(u32, &str)]); 6] = [
            (&[(Nvd, 79), (Cna, 80), (Given, 81)], &[(79, "nvd")]),
            (&[(Cna, 80), (Given, 81)], &[(80, "cna")]),
            (&[(Given, 81), (Given, 5)], &[(5, "given"), (81, "given")]),
            (&[(Nvd, 79), (Adp, 79), (Adp, 20)], &[(20, "adp"), (79, "nvd+adp")]),
            (&[(Adp, 20), (Given, 20), (Given, 79)], &[(20, "adp+given"), (79, "given")]),
            (&[(Nvd, 79), (Cna, 79), (Given, 79)], &[(79, "nvd+cna+given")]),
        ];
        for (given, want) in cases {
            let mut index = Index::default();
            // Each label in a record of its own, the last first: the order of arrival must not matter.
            for (number, label) in given.iter().enumerate().rev() {
                let place = Place { source: label.0 as u16, record: number as u32 };
                let all: Vec<_> = given.iter().copied().filter(|other| other.0 == label.0).collect();
                index.add(&record(&all), place, None);
            }
            let entry = &index.entries[&CveId::new(2020, 1234)];
            let effective = index.effective(entry);
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
