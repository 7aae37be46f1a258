//! Components of the data set: rows that must stand on one side of every split, and the parts that they take.

use std::collections::HashMap;

use vulnlens_taxonomy::{CveId, Outcome};

use crate::groups::{GroupId, Part, SplitOptions};
use crate::record_id;
use crate::text_kind::TextKind;

/// The facts of one row that decide where it belongs.
pub(crate) struct Member<'a> {
    pub(crate) kind: TextKind,
    pub(crate) outcome: Option<Outcome>,
    pub(crate) cve: Option<CveId>,
    pub(crate) aliases: &'a [CveId],
    pub(crate) published_year: Option<u16>,
    pub(crate) text: &'a str,
    pub(crate) group: GroupId,
}

/// The parts of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Parts {
    pub(crate) random: Part,
    pub(crate) temporal: Part,
}

/// Rows joined by what they share: their folded text, a CVE that they are about, or one that they name.
#[derive(Default)]
pub(crate) struct Components {
    /// The row above each, towards the first of its component.
    above: Vec<u32>,
    groups: Vec<GroupId>,
    facts: Vec<Facts>,
    by_group: HashMap<GroupId, u32>,
    by_cve: HashMap<CveId, u32>,
}

/// The facts of a component, held by its first row. A year is the earliest.
#[derive(Debug, Clone, Copy, Default)]
struct Facts {
    rows: u32,
    record_year: Option<u16>,
    cve_year: Option<u16>,
    named_year: Option<u16>,
    published_year: Option<u16>,
    /// Set where a row is a text without a vulnerability.
    has_negative: bool,
    /// Set where a row is of the catalogue.
    has_catalogue: bool,
    /// Set where a row's text does not tell its weakness.
    has_untold: bool,
}

impl Facts {
    fn of(member: &Member<'_>, named: &[CveId]) -> Self {
        let years = |ids: &[CveId]| ids.iter().map(|id| id.year()).min();
        let own = earliest(member.cve.map(CveId::year), years(member.aliases));
        Self {
            rows: 1,
            record_year: member.cve.map(CveId::year).filter(|_| member.kind == TextKind::Record),
            cve_year: own,
            named_year: years(named),
            published_year: member.published_year,
            has_negative: member.kind == TextKind::Negative,
            has_catalogue: member.kind == TextKind::Catalogue,
            has_untold: member.outcome == Some(Outcome::NotTold),
        }
    }

    fn joined(self, other: Self) -> Self {
        Self {
            rows: self.rows.saturating_add(other.rows),
            record_year: earliest(self.record_year, other.record_year),
            cve_year: earliest(self.cve_year, other.cve_year),
            named_year: earliest(self.named_year, other.named_year),
            published_year: earliest(self.published_year, other.published_year),
            has_negative: self.has_negative || other.has_negative,
            has_catalogue: self.has_catalogue || other.has_catalogue,
            has_untold: self.has_untold || other.has_untold,
        }
    }

    fn parts(self, random: Part, splits: &SplitOptions) -> Parts {
        let year = self.record_year.or(self.cve_year).or(self.named_year);
        let temporal = match year {
            // Feeds of some years alone say that a text does not tell: their years would tell it.
            Some(_) if self.rows == 1 && self.has_untold => random,
            Some(year) => splits.temporal(year),
            // The catalogue is timeless, and so is a text without a vulnerability; an advisory is as old as its date.
            None if self.has_catalogue => Part::Train,
            None if self.has_negative => random,
            None => self.published_year.map_or(Part::Train, |year| splits.temporal(year)),
        };
        Parts { random, temporal }
    }
}

fn earliest(one: Option<u16>, other: Option<u16>) -> Option<u16> {
    one.into_iter().chain(other).min()
}

impl Components {
    /// Takes in the next row: records first, by rising CVE id.
    pub(crate) fn add(&mut self, member: &Member<'_>) {
        let number = u32::try_from(self.above.len()).unwrap_or(u32::MAX);
        let named: Vec<CveId> = record_id::named(member.text).filter_map(|id| id.parse().ok()).collect();
        self.above.push(number);
        self.groups.push(member.group);
        self.facts.push(Facts::of(member, &named));
        let same_text = *self.by_group.entry(member.group).or_insert(number);
        self.join(number, same_text);
        for cve in member.cve.iter().chain(member.aliases).chain(&named) {
            let same_cve = *self.by_cve.entry(*cve).or_insert(number);
            self.join(number, same_cve);
        }
    }

    /// The parts of each row, in the order in which they were added.
    pub(crate) fn parts(mut self, splits: &SplitOptions) -> Vec<Parts> {
        let rows = u32::try_from(self.above.len()).unwrap_or(u32::MAX);
        let roots: Vec<u32> = (0..rows).map(|row| self.root(row)).collect();
        let part = |root: &u32| {
            let (group, facts) = (self.groups.get(at(*root)), self.facts.get(at(*root)));
            let random = group.map_or(Part::Train, |group| splits.random(*group));
            facts.map_or(Parts { random, temporal: Part::Train }, |facts| facts.parts(random, splits))
        };
        roots.iter().map(part).collect()
    }

    /// The first row of the component, which everything above `row` points to afterwards.
    fn root(&mut self, row: u32) -> u32 {
        let mut root = row;
        while let Some(above) = self.above.get(at(root)).filter(|above| **above != root) {
            root = *above;
        }
        let mut next = row;
        while let Some(above) = self.above.get_mut(at(next)).filter(|above| **above != root) {
            next = std::mem::replace(above, root);
        }
        root
    }

    /// Makes the components of two rows one, under the first row of both.
    fn join(&mut self, one: u32, other: u32) {
        let (one, other) = (self.root(one), self.root(other));
        if one == other {
            return;
        }
        let (first, second) = (one.min(other), one.max(other));
        if let Some(above) = self.above.get_mut(at(second)) {
            *above = first;
        }
        let joining = self.facts.get(at(second)).copied().unwrap_or_default();
        if let Some(facts) = self.facts.get_mut(at(first)) {
            *facts = facts.joined(joining);
        }
    }
}

fn at(row: u32) -> usize {
    row as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(kind: TextKind, cve: Option<CveId>, text: &str) -> Member<'_> {
        let group = GroupId::of(text, 42);
        Member { kind, outcome: None, cve, aliases: &[], published_year: None, text, group }
    }

    fn parts(rows: &[Member<'_>]) -> Vec<Parts> {
        let mut components = Components::default();
        rows.iter().for_each(|row| components.add(row));
        components.parts(&SplitOptions::default())
    }

    #[test]
    fn rows_that_share_a_text_or_a_cve_or_name_one_stand_together() {
        let [old, new, other] = [(2020, 1), (2025, 1), (2025, 2)].map(|(year, id)| CveId::new(year, id));
        let parts = parts(&[
            row(TextKind::Record, Some(old), "Flaw in A"),
            row(TextKind::Record, Some(new), "Flaw in B"),
            row(TextKind::Record, Some(other), "Flaw in C, not CVE-2025-0001"),
            row(TextKind::Style, Some(new), "B has a flaw"),
            row(TextKind::Negative, None, "flaw  in a"),
            row(TextKind::Style, Some(other), "C has a flaw, as had CVE-2020-0001"),
        ]);
        let first = parts[0];
        assert_eq!(first.temporal, Part::Train);
        assert!(parts.iter().all(|part| *part == first), "{parts:?}");
    }

    #[test]
    fn a_component_takes_the_part_of_its_first_record_and_its_earliest_year() {
        let splits = SplitOptions::default();
        let cve = CveId::new(2025, 7);
        let untold = Member {
            outcome: Some(Outcome::NotTold),
            ..row(TextKind::Record, Some(cve), "Unspecified flaw")
        };
        let advisory = Member { published_year: Some(2024), ..row(TextKind::Style, None, "An advisory") };
        let lone = parts(&[untold, advisory, row(TextKind::Catalogue, None, "A weakness"), {
            row(TextKind::Negative, None, "A ping utility")
        }]);
        let random = |text: &str| splits.random(GroupId::of(text, 42));
        assert_eq!(lone[0].temporal, random("Unspecified flaw"));
        assert_eq!((lone[1].temporal, lone[2].temporal), (Part::Validation, Part::Train));
        assert_eq!(lone[3].temporal, random("A ping utility"));

        let joined = parts(&[
            row(TextKind::Record, Some(cve), "A flaw"),
            row(TextKind::Catalogue, Some(CveId::new(2019, 1)), "Chain: as CVE-2025-0007"),
        ]);
        assert_eq!(joined[1], Parts { random: random("A flaw"), temporal: Part::Test }, "records decide");
    }
}
