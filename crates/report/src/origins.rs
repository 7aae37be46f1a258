//! Origins of derived labels, in words: the weaknesses that they follow from, and groups of equal distance from these.

use vulnlens_model::{Prediction, Said, ScoredLabel, Via};
use vulnlens_taxonomy::CweId;

use crate::glyphs::Glyphs;

/// The origin of labels that follow from weaknesses, in a line.
pub(crate) fn origin<L>(prediction: &Prediction, labels: &[ScoredLabel<L>]) -> String {
    let from = match (prediction.said, &prediction.family) {
        (Some(Said::Weaknesses), _) => listed(&answered(prediction, labels)),
        (_, Some(family)) => format!("the family {}", family.label),
        _ => return "no weakness is sure: derived from the likeliest".to_owned(),
    };
    format!("derived from {from} through MITRE's catalogues")
}

/// The weaknesses that are answered; where they are not listed, those that the ways begin at.
fn answered<L>(prediction: &Prediction, labels: &[ScoredLabel<L>]) -> Vec<CweId> {
    let cwes = prediction.cwe.iter().flat_map(|cwe| &cwe.labels);
    let answered: Vec<CweId> = cwes.filter(|scored| scored.predicted).map(|scored| scored.label).collect();
    if answered.is_empty() { distinct(labels, |via| via.weakness) } else { answered }
}

/// Labels of a list that stand at the same distance from the weaknesses that they follow from.
pub(crate) struct Group<'a, L> {
    /// The labels.
    pub(crate) labels: &'a [ScoredLabel<L>],
    /// The heading; none where the labels are in no order of distance.
    pub(crate) heading: Option<String>,
    /// The part of a label's way that the heading does not name.
    rest: Rest,
}

/// The part of a way that stands at the end of a label's line.
#[derive(Clone, Copy)]
enum Rest {
    All,
    FromAncestor,
    Pattern,
}

/// The groups of labels that follow from weaknesses, in the order of the list.
pub(crate) fn groups<L>(said: Option<Said>, labels: &[ScoredLabel<L>]) -> Vec<Group<'_, L>> {
    if !matches!(said, Some(Said::Weaknesses | Said::Family)) {
        return vec![Group { labels, heading: None, rest: Rest::All }];
    }
    let distance = |scored: &ScoredLabel<L>| scored.via.map(|via| via.distance);
    let runs = labels.chunk_by(|a, b| distance(a) == distance(b));
    runs.map(|labels| {
        let weaknesses = distinct(labels, |via| via.weakness);
        let ancestors = distinct(labels, |via| via.ancestor);
        let heading = match (labels.first().and_then(distance), &weaknesses[..], &ancestors[..]) {
            (None, ..) => "from weaknesses that are not answered".to_owned(),
            (Some(0), [only], _) => format!("linked to {only} itself"),
            (Some(0), several, _) => format!("linked to {} themselves", listed(several)),
            (Some(_), of, [only]) => format!("inherited from {only}, an ancestor of {}", listed(of)),
            (Some(_), of, several) => {
                format!("inherited from {}, ancestors of {}", listed(several), listed(of))
            }
        };
        let rest = if ancestors.len() > 1 { Rest::FromAncestor } else { Rest::Pattern };
        Group { labels, heading: Some(heading), rest }
    })
    .collect()
}

impl<L> Group<'_, L> {
    /// The words at the end of a label's line; empty where the heading says all.
    pub(crate) fn beside(&self, scored: &ScoredLabel<L>, glyphs: Glyphs) -> String {
        let Some(via) = scored.via else { return String::new() };
        let (word, entries): (_, Vec<String>) = match self.rest {
            Rest::All => ("from", via.entries().collect()),
            Rest::FromAncestor => ("through", Via { weakness: via.ancestor, ..via }.entries().collect()),
            Rest::Pattern => ("through", via.pattern.map(|id| id.to_string()).into_iter().collect()),
        };
        if entries.is_empty() { String::new() } else { format!("{word} {}", glyphs.joined(entries)) }
    }
}

/// An id of each way, in the order of the labels and each once.
fn distinct<L>(labels: &[ScoredLabel<L>], id: impl Fn(Via) -> CweId) -> Vec<CweId> {
    let mut ids = Vec::new();
    for id in labels.iter().filter_map(|scored| scored.via).map(id) {
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    ids
}

/// Ids as prose: `CWE-79, CWE-89 and CWE-352`.
fn listed(ids: &[CweId]) -> String {
    let ids: Vec<String> = ids.iter().map(CweId::to_string).collect();
    match ids.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => ids.concat(),
    }
}

#[cfg(test)]
mod tests {
    use vulnlens_taxonomy::CapecId;

    use super::*;

    fn label(name: char, way: Option<(u32, u32, u8)>) -> ScoredLabel<char> {
        let mut scored = ScoredLabel::new(name, 0.5, false);
        scored.via = way.map(|(weakness, ancestor, distance)| Via {
            weakness: CweId(weakness),
            ancestor: CweId(ancestor),
            pattern: Some(CapecId(7)),
            distance,
        });
        scored
    }

    #[test]
    fn groups_have_the_order_of_the_list_and_name_their_ways_once() {
        let labels = [
            label('a', Some((89, 89, 0))),
            label('b', Some((79, 79, 0))),
            label('c', Some((89, 943, 1))),
            label('d', Some((89, 943, 1))),
            label('e', None),
        ];
        let groups = groups(Some(Said::Weaknesses), &labels);
        let lines: Vec<String> = groups
            .iter()
            .flat_map(|group| {
                let rows = group.labels.iter().map(|scored| {
                    format!("{} {}", scored.label, group.beside(scored, Glyphs::Ascii)).trim_end().to_owned()
                });
                group.heading.iter().cloned().chain(rows).collect::<Vec<_>>()
            })
            .collect();
        let want = [
            "linked to CWE-89 and CWE-79 themselves",
            "a through CWE-89 > CAPEC-7",
            "b through CWE-79 > CAPEC-7",
            "inherited from CWE-943, an ancestor of CWE-89",
            "c through CAPEC-7",
            "d through CAPEC-7",
            "from weaknesses that are not answered",
            "e",
        ];
        assert_eq!(lines, want);
    }

    #[test]
    fn where_no_weakness_is_sure_each_label_has_its_whole_way() {
        let labels = [label('a', Some((89, 943, 1))), label('b', Some((79, 79, 0)))];
        let groups = groups(Some(Said::Unsure), &labels);
        assert_eq!((groups.len(), &groups[0].heading), (1, &None));
        assert_eq!(groups[0].beside(&labels[0], Glyphs::Ascii), "from CWE-89 > CWE-943 > CAPEC-7");
    }
}
