//! The closed list that a model may answer from: labels of the classifier, with names and definitions.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use vulnlens_model::{Labels, Prediction, ScoredLabel, Task};
use vulnlens_report::EntryId;
use vulnlens_taxonomy::KnowledgeBase;

/// The longest definition in a prompt, in characters: some of ATT&CK's fill a page.
const LONGEST_DEFINITION: usize = 400;

/// The definitions of catalogue entries, which a knowledge base does not keep.
#[derive(Debug, Clone, Default)]
pub struct Definitions(BTreeMap<EntryId, String>);

impl Definitions {
    /// The definitions of these entries, each on one line and not too long.
    pub fn new(definitions: impl IntoIterator<Item = (EntryId, String)>) -> Self {
        let definition =
            |(id, text): (EntryId, String)| (id, one_line(&without_marks(&text), LONGEST_DEFINITION));
        Self(definitions.into_iter().map(definition).collect())
    }

    /// The number of definitions.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True if there is no definition.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// `text` without the marks of code and the citations that ATT&CK's descriptions have.
fn without_marks(text: &str) -> String {
    let text = text.replace("<code>", "").replace("</code>", "");
    let mut parts = text.split("(Citation:");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |plain, part| plain + part.split_once(')').map_or("", |(_, rest)| rest))
}

/// `text` on one line, cut between words after so many characters.
pub(crate) fn one_line(text: &str, longest: usize) -> String {
    let (mut line, mut length) = (String::new(), 0_usize);
    for word in text.split_whitespace() {
        length = length.saturating_add(word.chars().count()).saturating_add(1);
        if length > longest {
            line += " …";
            break;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line += word;
    }
    line
}

/// A label that a model may answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Candidate {
    pub(crate) id: EntryId,
    /// The id as it is written.
    pub(crate) label: String,
    /// The probability by the classifier.
    pub(crate) score: f32,
}

/// The labels that a model may answer for one text.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Candidates(pub(crate) Vec<Candidate>);

impl Candidates {
    /// The labels that a prediction lists for a task, the most probable first.
    pub(crate) fn of(prediction: &Prediction, task: Task) -> Self {
        fn list<L: Copy + std::fmt::Display>(
            labels: Option<&Labels<L>>,
            id: fn(L) -> EntryId,
        ) -> Vec<Candidate> {
            let candidate = |scored: &ScoredLabel<L>| Candidate {
                id: id(scored.label),
                label: scored.label.to_string(),
                score: scored.score,
            };
            labels.map_or(&[][..], |labels| &labels.labels).iter().map(candidate).collect()
        }
        Self(match task {
            Task::Cwe => list(prediction.cwe.as_ref(), EntryId::Cwe),
            Task::Capec => list(prediction.capec.as_ref(), EntryId::Capec),
            _ => list(prediction.attack.as_ref(), EntryId::Technique),
        })
    }

    /// The same by rising id, so that all prompts begin alike.
    pub(crate) fn by_id(mut self) -> Self {
        self.0.sort_by_key(|candidate| candidate.id);
        self
    }

    /// The candidate with an id as it is written.
    pub(crate) fn find(&self, label: &str) -> Option<&Candidate> {
        self.0.iter().find(|candidate| candidate.label == label)
    }

    /// The ids and names, a line each.
    pub(crate) fn list(&self, kb: &KnowledgeBase) -> String {
        let mut lines = String::new();
        for candidate in &self.0 {
            // A string takes everything.
            let _ = writeln!(lines, "{}: {}", candidate.label, name(candidate.id, kb));
        }
        lines.truncate(lines.trim_end().len());
        lines
    }

    /// The definitions that there are, a line each.
    pub(crate) fn definitions(&self, definitions: &Definitions) -> String {
        let line = |candidate: &Candidate| {
            let definition = definitions.0.get(&candidate.id)?;
            Some(format!("{}: {definition}", candidate.label))
        };
        self.0.iter().filter_map(line).collect::<Vec<_>>().join("\n")
    }
}

/// The name of an entry; a sub-technique's follows its technique's.
fn name(id: EntryId, kb: &KnowledgeBase) -> String {
    match id {
        EntryId::Cwe(id) => kb.name_of_cwe(id).unwrap_or_default().to_owned(),
        EntryId::Capec(id) => kb.pattern(id).map(|pattern| pattern.name.clone()).unwrap_or_default(),
        EntryId::Technique(id) => {
            let Some(technique) = kb.technique(id) else { return String::new() };
            let parent = technique.parent.and_then(|parent| kb.technique(parent));
            parent.map_or_else(
                || technique.name.clone(),
                |parent| format!("{}: {}", parent.name, technique.name),
            )
        }
        EntryId::Tactic(id) => kb.tactic(id).map(|tactic| tactic.name.clone()).unwrap_or_default(),
        // No task answers entries of other catalogues.
        _ => String::new(),
    }
}

/// True if the catalogues have an entry with this id, of the kind that the task answers.
pub(crate) fn is_known(label: &str, task: Task, kb: &KnowledgeBase) -> bool {
    match (label.parse(), task) {
        (Ok(EntryId::Cwe(id)), Task::Cwe) => kb.name_of_cwe(id).is_some(),
        (Ok(EntryId::Capec(id)), Task::Capec) => kb.pattern(id).is_some(),
        (Ok(EntryId::Technique(id)), Task::Attack) => kb.technique(id).is_some(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use vulnlens_taxonomy::{CweId, TechniqueId};

    use super::*;

    #[test]
    fn candidates_have_names_and_the_definitions_that_there_are() {
        let kb = KnowledgeBase::embedded();
        let mut prediction = Prediction::default();
        let scored = [89, 79].map(|id| ScoredLabel::new(CweId(id), 0.5, false)).to_vec();
        prediction.cwe = Some(Labels::new(scored, 0.0));
        let candidates = Candidates::of(&prediction, Task::Cwe);
        assert!(
            candidates
                .list(&kb)
                .starts_with("CWE-89: Improper Neutralization of Special Elements used in an SQL")
        );
        assert_eq!(candidates.list(&kb).lines().count(), 2);
        let long = "word ".repeat(200);
        let definitions = Definitions::new([(EntryId::Cwe(CweId(79)), format!("Script\n of {long}"))]);
        let shown = candidates.definitions(&definitions);
        assert!(shown.starts_with("CWE-79: Script of word") && shown.ends_with("word …"), "{shown}");
        assert!(shown.chars().count() < LONGEST_DEFINITION + 20);
        assert_eq!(
            without_marks("Run <code>ls</code>.(Citation: A) Then (Citation: B)(Citation: C"),
            "Run ls. Then "
        );
        assert_eq!(candidates.clone().by_id().0[0].label, "CWE-79");
        let sub: TechniqueId = "T1562.003".parse().unwrap();
        assert!(name(EntryId::Technique(sub), &kb).contains(": "));
    }

    #[test]
    fn an_id_is_known_to_its_own_task_alone() {
        let kb = KnowledgeBase::embedded();
        for (label, task, known) in [
            ("CWE-79", Task::Cwe, true),
            ("CWE-79", Task::Capec, false),
            ("CAPEC-63", Task::Capec, true),
            ("T1027", Task::Attack, true),
            ("CWE-99999", Task::Cwe, false),
            ("Cross-site scripting", Task::Cwe, false),
        ] {
            assert_eq!(is_known(label, task, &kb), known, "{label}");
        }
    }
}
