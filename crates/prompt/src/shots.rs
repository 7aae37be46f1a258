//! Examples in a prompt: the texts of a data set that are most like the one asked about.

use vulnlens::NearestRecords;
use vulnlens_model::{Network, Task};
use vulnlens_report::EntryId;
use vulnlens_taxonomy::{CveId, CweId, KnowledgeBase};

use crate::candidates::{Candidates, one_line};

/// The longest text of an example, in characters: a few words more would not make it clearer.
const LONGEST_TEXT: usize = 1_000;

/// A text with its weaknesses, as an example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shot {
    /// The CVE that the text is about.
    pub cve: Option<CveId>,
    /// The weaknesses that were assigned.
    pub cwes: Vec<CweId>,
    /// The text.
    pub text: String,
}

/// Texts that may become examples.
pub struct Shots {
    shots: Vec<Shot>,
    nearest: NearestRecords,
}

impl Shots {
    /// The texts, compared as `network` reads them; a network without features compares none.
    #[must_use]
    pub fn new(network: &dyn Network, shots: Vec<Shot>) -> Self {
        // The records are looked up by their places: their ids do not matter.
        let texts = shots.iter().map(|shot| shot.text.as_str());
        Self { nearest: NearestRecords::of_texts(network, texts), shots }
    }

    /// The examples for a text about a CVE: the most like it first, of those with a candidate among their labels. Never
    /// one about the same CVE, or with the same words.
    pub(crate) fn of(
        &self,
        network: &dyn Network,
        text: &str,
        cve: Option<CveId>,
        asked: &Asked<'_>,
    ) -> Vec<String> {
        let (own, mut examples, mut seen) = (words(text), vec![], vec![]);
        for (place, _) in self.nearest.places(network, text) {
            if examples.len() >= asked.most {
                break;
            }
            let Some(shot) = self.shots.get(place) else { continue };
            if cve.is_some() && shot.cve == cve {
                continue;
            }
            let labels = labels(shot, asked);
            let of_shot = words(&shot.text);
            if labels.is_empty() || of_shot == own || seen.contains(&of_shot) {
                continue;
            }
            examples.push(example(&shot.text, &labels));
            seen.push(of_shot);
        }
        examples
    }
}

/// The question that examples are for.
pub(crate) struct Asked<'a> {
    pub(crate) task: Task,
    pub(crate) kb: &'a KnowledgeBase,
    pub(crate) candidates: &'a Candidates,
    pub(crate) most: usize,
    /// The most labels of a reply, which an example does not pass.
    pub(crate) max_labels: usize,
}

/// The labels of an example that are among the candidates.
fn labels(shot: &Shot, asked: &Asked<'_>) -> Vec<String> {
    let ids: Vec<EntryId> = match asked.task {
        Task::Cwe => shot.cwes.iter().map(|id| EntryId::Cwe(*id)).collect(),
        Task::Capec => asked.kb.chain(&shot.cwes).capec.into_iter().map(EntryId::Capec).collect(),
        _ => {
            let techniques = asked.kb.chain(&shot.cwes).techniques;
            techniques.into_iter().map(|id| EntryId::Technique(asked.kb.current(id))).collect()
        }
    };
    // In the order of the candidates: the chain has none.
    let listed = asked.candidates.0.iter().filter(|candidate| ids.contains(&candidate.id));
    listed.take(asked.max_labels).map(|candidate| candidate.label.clone()).collect()
}

/// An example as it stands in the prompt.
fn example(text: &str, labels: &[String]) -> String {
    let labels: Vec<String> = labels.iter().map(|label| format!("{{\"id\": \"{label}\"}}")).collect();
    format!("Description: {}\nAnswer: {{\"labels\": [{}]}}", one_line(text, LONGEST_TEXT), labels.join(", "))
}

/// The letters and digits of a text, in lower case: what makes two texts the same.
fn words(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use vulnlens::{Input, Options};

    use super::*;

    #[test]
    fn examples_are_near_and_never_the_record_itself() {
        let classifier = vulnlens::embedded();
        let network = &**classifier.network();
        let shot = |number, cwe, text: &str| Shot {
            cve: Some(CveId::new(2020, number)),
            cwes: vec![CweId(cwe)],
            text: text.to_owned(),
        };
        let text = "SQL injection in login.php via the id parameter";
        let shots = Shots::new(
            network,
            vec![
                shot(1, 416, "Use after free in the renderer of a browser"),
                shot(2, 89, "SQL injection in login.php, via the id parameter."),
                shot(3, 89, "SQL injection in login.php via the id parameter of another CVE"),
                shot(4, 89, "SQL injection in search.php via the q parameter"),
                shot(5, 89, "SQL Injection in search.php via the q parameter!"),
            ],
        );
        let options = Options::default().tasks(Task::Cwe).top_k(5).threshold(0.0);
        let prediction = classifier.predict(Input::text(text), &options);
        let candidates = Candidates::of(&prediction, Task::Cwe);
        let kb = classifier.knowledge_base();
        let asked = Asked { task: Task::Cwe, kb, candidates: &candidates, most: 3, max_labels: 5 };
        // 2 has the same words, 3 is the record's own CVE, 5 says what 4 says; the answer of 1 is not in the list.
        let found = shots.of(network, text, Some(CveId::new(2020, 3)), &asked);
        let expected = "Description: SQL injection in search.php via the q parameter\nAnswer: {\"labels\": [{\"id\": \"CWE-89\"}]}";
        assert_eq!(found, [expected]);
    }
}
