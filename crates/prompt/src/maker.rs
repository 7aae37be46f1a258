//! Prompts: the template, filled with the candidates and examples of a text, and no longer than allowed.

use vulnlens_model::{Classifier, Input, Options, Prepared, TopK};
use vulnlens_taxonomy::CveId;

use crate::candidates::{Candidates, Definitions};
use crate::counts::Counts;
use crate::error::PromptError;
use crate::settings::{Selection, Settings};
use crate::shots::{Asked, Shots};
use crate::template::{Placeholder, Template, Values};

/// The parts that a prompt is made of.
#[derive(Default)]
pub struct Parts {
    /// The template.
    pub template: Template,
    /// The definitions of the candidates, as far as there are any.
    pub definitions: Definitions,
    /// The texts that may become examples.
    pub shots: Option<Shots>,
}

/// Makes prompts.
pub(crate) struct Maker {
    parts: Parts,
    settings: Settings,
    /// The classifier whose labels are the candidates.
    prepared: Prepared,
}

/// A prompt about a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Prompt {
    pub(crate) text: String,
    /// The number of its examples.
    pub(crate) examples: usize,
}

impl Maker {
    /// A maker of prompts whose candidates are labels of `classifier`.
    ///
    /// # Errors
    /// The candidates alone are more than a prompt may have.
    pub(crate) fn new(
        classifier: &Classifier,
        settings: &Settings,
        parts: Parts,
    ) -> Result<Self, PromptError> {
        let top_k = match settings.selection {
            Selection::Best(number) => TopK::Best(number),
            Selection::All => TopK::All,
        };
        let options = options(settings).top_k(top_k).threshold(0.0);
        let maker = Self { parts, settings: settings.clone(), prepared: classifier.prepare(&options) };
        // Any text that names a weakness shows how much room the candidates take.
        let candidates = maker.candidates(Input::text("SQL injection in a web application"));
        let (chars, most) = (maker.filled("", &candidates, &[]).chars().count(), settings.max_prompt_chars);
        if chars >= most { Err(PromptError::TooLong { chars, most }) } else { Ok(maker) }
    }

    /// The classifier, made ready.
    pub(crate) fn prepared(&self) -> &Prepared {
        &self.prepared
    }

    /// The parts of prompts.
    pub(crate) fn parts(&self) -> &Parts {
        &self.parts
    }

    /// The labels that may be answered for a text.
    pub(crate) fn candidates(&self, input: Input<'_>) -> Candidates {
        let candidates = Candidates::of(&self.prepared.predict(input), self.settings.task);
        if self.settings.selection == Selection::All { candidates.by_id() } else { candidates }
    }

    /// The prompt about a text.
    ///
    /// # Errors
    /// There is no room for any of the text, in words.
    pub(crate) fn prompt(
        &self,
        text: &str,
        cve: Option<CveId>,
        candidates: &Candidates,
        counts: &mut Counts,
    ) -> Result<Prompt, String> {
        let mut examples = self.examples(text, cve, candidates);
        let (most, length) = (self.settings.max_prompt_chars, text.chars().count());
        loop {
            let filled = self.filled(text, candidates, &examples);
            let over = filled.chars().count().saturating_sub(most);
            if over == 0 {
                return Ok(Prompt { text: filled, examples: examples.len() });
            }
            if examples.pop().is_some() {
                counts.left_out_examples = counts.left_out_examples.saturating_add(1);
                continue;
            }
            if over >= length {
                return Err(format!("the prompt is longer than {most} characters without any of the text"));
            }
            counts.cut_texts = counts.cut_texts.saturating_add(1);
            let cut: String = text.chars().take(length.saturating_sub(over)).collect();
            return Ok(Prompt { text: self.filled(&cut, candidates, &[]), examples: 0 });
        }
    }

    fn filled(&self, text: &str, candidates: &Candidates, examples: &[String]) -> String {
        let Parts { template, definitions, .. } = &self.parts;
        let (list, definitions) =
            (candidates.list(self.prepared.knowledge_base()), candidates.definitions(definitions));
        let examples = examples.join("\n\n");
        template.fill(Values { text, candidates: &list, definitions: &definitions, examples: &examples })
    }

    fn examples(&self, text: &str, cve: Option<CveId>, candidates: &Candidates) -> Vec<String> {
        let Parts { template, shots, .. } = &self.parts;
        let Some(shots) = shots.as_ref().filter(|_| template.has(Placeholder::Examples)) else {
            return vec![];
        };
        let Settings { task, shots: most, max_labels, .. } = self.settings;
        let asked = Asked { task, kb: self.prepared.knowledge_base(), candidates, most, max_labels };
        shots.of(self.prepared.network(), text, cve, &asked)
    }
}

/// The options of the classifier's answers.
pub(crate) fn options(settings: &Settings) -> Options {
    Options::default().tasks(settings.task).labels(settings.labels)
}

#[cfg(test)]
mod tests {
    use vulnlens_model::Task;

    use super::*;
    use crate::shots::Shot;

    fn maker(max_prompt_chars: usize) -> Result<Maker, PromptError> {
        let classifier = vulnlens::embedded();
        let mut settings = Settings { max_prompt_chars, ..Settings::new("tiny", Task::Cwe) };
        (settings.selection, settings.shots) = (Selection::Best(2), 2);
        let shot = |number: u32, text: &str| Shot {
            cve: Some(CveId::new(2020, number)),
            cwes: vec![vulnlens::CweId(89)],
            text: text.to_owned(),
        };
        let shots =
            vec![shot(1, "SQL injection in a.php"), shot(2, "SQL injection in b.php in the parameter c")];
        let template = "{candidates}\n{examples}\n{text}";
        let template = Template::parse(template, std::path::Path::new("t")).unwrap();
        let shots = Some(Shots::new(&**classifier.network(), shots));
        Maker::new(&classifier, &settings, Parts { template, shots, ..Parts::default() })
    }

    #[test]
    fn a_prompt_that_is_too_long_loses_examples_first_and_then_text() {
        let text = "SQL injection in login.php via the id parameter, told at such a length that its end can be cut off";
        let mut before = None;
        for (most, examples, is_cut) in [(2_000, 2, false), (500, 2, false), (360, 1, false), (200, 0, true)]
        {
            let maker = maker(most).unwrap();
            let mut counts = Counts::default();
            let candidates = maker.candidates(Input::text(text));
            let prompt = maker.prompt(text, None, &candidates, &mut counts).unwrap();
            assert!(prompt.text.chars().count() <= most, "{most}: {}", prompt.text);
            let found = (prompt.examples, counts.cut_texts == 1, counts.left_out_examples);
            assert_eq!(found, (examples, is_cut, 2 - examples as u64), "{most}: {}", prompt.text);
            assert!(before.is_none_or(|before| before >= prompt.text.len()));
            before = Some(prompt.text.len());
        }
        assert!(matches!(maker(100), Err(PromptError::TooLong { most: 100, .. })));
    }

    #[test]
    fn all_labels_come_by_their_ids() {
        let classifier = vulnlens::embedded();
        let mut settings = Settings::new("tiny", Task::Cwe);
        settings.selection = Selection::All;
        let error = Maker::new(&classifier, &settings, Parts::default()).err().unwrap();
        assert!(error.to_string().contains("--max-prompt-chars allows 32000"), "{error}");
        settings.max_prompt_chars = 200_000;
        let maker = Maker::new(&classifier, &settings, Parts::default()).unwrap();
        let candidates = maker.candidates(Input::text("Use after free"));
        assert!(candidates.0.len() > 100 && candidates.0.is_sorted_by_key(|candidate| candidate.id));
        assert_eq!(maker.candidates(Input::text("SQL injection")).0.len(), candidates.0.len());
    }
}
