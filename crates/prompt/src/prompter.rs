//! One record asked about: candidates, prompt, reply, answer.

use vulnlens::TextRecord;
use vulnlens::stream::shown;
use vulnlens_files::{revision, sha256_hex};
use vulnlens_model::{Classifier, Input, Prediction, Prepared, Run};
use vulnlens_report::{Answer, Generated, GeneratedStatus};
use vulnlens_taxonomy::CveId;

use crate::answers::{Accepted, reordered, stated};
use crate::asker::{Asker, NoReply, Way};
use crate::candidates::{Candidates, is_known, one_line};
use crate::counts::Counts;
use crate::error::PromptError;
use crate::maker::{Maker, Parts, options};
use crate::pending::Pending;
use crate::reply::Stated;
use crate::request::RequestSettings;
use crate::settings::Settings;

/// Refused ids that an answer names.
const REFUSED_NAMED: usize = 10;
/// The longest refused id that an answer names, in characters.
const LONGEST_REFUSED: usize = 40;

/// Asks a text-generation model about texts. Threads share it.
pub struct Prompter {
    settings: Settings,
    maker: Maker,
    asker: Asker,
    /// The classifier's own answers, where these may stand.
    own: Option<Prepared>,
}

/// The answer to a record, with all that happened on the way.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Prompted<P> {
    /// The answer; a failure stands in it.
    pub answer: Answer,
    /// The record's place.
    pub place: P,
    /// The counts.
    pub counts: Counts,
    /// True if the endpoint was asked and gave no reply at all.
    pub(crate) is_silent: bool,
}

impl<P> Prompted<P> {
    /// The reason why the model gave no answer.
    #[must_use]
    pub fn failure(&self) -> Option<&str> {
        self.answer.generated.as_ref()?.failure.as_deref()
    }
}

impl Prompter {
    /// A prompter whose candidates are labels of `classifier`.
    ///
    /// # Errors
    /// A setting makes no sense, or the candidates alone are more than a prompt may have.
    pub fn new(
        classifier: &Classifier,
        settings: Settings,
        parts: Parts,
        way: Way,
    ) -> Result<Self, PromptError> {
        settings.check()?;
        if way.client.is_none() && way.cache.is_none() {
            let problem = "the cache alone is to answer, and there is none; name its folder by `--cache`";
            return Err(PromptError::Setting { setting: "--offline", problem: problem.to_owned() });
        }
        let request = RequestSettings {
            model: settings.model.clone(),
            seed: settings.seed,
            max_tokens: settings.max_tokens,
            style: settings.style,
            confidence: settings.confidence,
            max_labels: settings.max_labels,
        };
        Ok(Self {
            maker: Maker::new(classifier, &settings, parts)?,
            asker: Asker { request, way, pending: Pending::default() },
            own: settings.unsure_below.map(|_| classifier.prepare(&options(&settings))),
            settings,
        })
    }

    /// The facts that all answers have in common. The revision names everything that a reply depends on, but for the
    /// weights of the model and the texts of the examples.
    #[must_use]
    pub fn run(&self) -> Run {
        let (prepared, Parts { template, definitions, .. }) = (self.maker.prepared(), self.maker.parts());
        let (settings, source) = (&self.settings, self.candidates_of());
        let all = format!("{settings:?} {} {source} {definitions:?}", template.sha256());
        let mut run = prepared.classifier().run(prepared.options());
        run.model = match self.own {
            Some(_) => format!("{}+{}", prepared.network().name(), settings.model),
            None => settings.model.clone(),
        };
        revision(&sha256_hex(all)).clone_into(&mut run.model_revision);
        run
    }

    /// The classifier of the candidates, by name and revision.
    fn candidates_of(&self) -> String {
        let network = self.maker.prepared().network();
        format!("{} {}", network.name(), network.revision())
    }

    /// The answer to a record.
    ///
    /// # Errors
    /// Those that no record is to blame for.
    pub fn answer<P>(&self, record: TextRecord<P>) -> Result<Prompted<P>, PromptError> {
        let TextRecord { key, text, year, published, place, .. } = record;
        let cve = key.id.as_deref().and_then(|id| id.parse().ok());
        let input = Input::text(shown(&text)).year(year);
        let candidates = self.maker.candidates(input);
        let own = self.own.as_ref().map(|own| own.predict(input));
        let mut generated = Generated::new(GeneratedStatus::NotAsked, self.settings.model.clone());
        self.maker.parts().template.sha256().clone_into(&mut generated.template);
        generated.candidates_of = self.candidates_of();
        generated.candidates = candidates.0.len() as u64;
        generated.changed = own.as_ref().map(|_| false);
        let (mut counts, mut is_silent) = (Counts::default(), false);
        let prediction = if candidates.0.is_empty() || self.is_sure(&candidates) {
            own.unwrap_or_else(|| stated(self.settings.task, &[]))
        } else {
            match self.ask(input.text, cve, &candidates, &mut generated, &mut counts) {
                Ok(accepted) => self.prediction(own, &accepted, &mut generated),
                Err(NoReply::Fatal(error)) => return Err(error),
                Err(no_reply) => {
                    is_silent = matches!(no_reply, NoReply::Silent(_));
                    generated.status = GeneratedStatus::Failed;
                    generated.failure = Some(no_reply.reason());
                    own.unwrap_or_default()
                }
            }
        };
        let answer = Answer::new(key, prediction).published(published).with_generated(generated);
        Ok(Prompted { answer, place, counts, is_silent })
    }

    /// True if the classifier's own answer stands.
    fn is_sure(&self, candidates: &Candidates) -> bool {
        let best = candidates.0.iter().map(|candidate| candidate.score).fold(0.0, f32::max);
        self.settings.unsure_below.is_some_and(|least| best >= least)
    }

    /// The candidates that the model states about a text.
    fn ask(
        &self,
        text: &str,
        cve: Option<CveId>,
        candidates: &Candidates,
        generated: &mut Generated,
        counts: &mut Counts,
    ) -> Result<Vec<Accepted>, NoReply> {
        let prompt = self.maker.prompt(text, cve, candidates, counts).map_err(NoReply::Malformed)?;
        generated.examples = prompt.examples as u64;
        let stated = self.asker.ask(&prompt.text, candidates, counts)?;
        let accept = |stated: Stated| self.accepted(stated, candidates, generated, counts);
        Ok(stated.into_iter().filter_map(accept).collect())
    }

    /// A stated label, if it is a candidate; counted and named, if it is not.
    fn accepted(
        &self,
        Stated { id, confidence }: Stated,
        candidates: &Candidates,
        generated: &mut Generated,
        counts: &mut Counts,
    ) -> Option<Accepted> {
        if let Some(candidate) = candidates.find(&id) {
            return Some(Accepted { id: candidate.id, confidence, probability: candidate.score });
        }
        let kb = self.maker.prepared().knowledge_base();
        let is_known = is_known(&id, self.settings.task, kb);
        let count = if is_known { &mut counts.refused_other_ids } else { &mut counts.refused_unknown_ids };
        *count = count.saturating_add(1);
        if generated.refused.len() < REFUSED_NAMED {
            generated.refused.push(one_line(&id, LONGEST_REFUSED));
        }
        None
    }

    /// The prediction that follows from the accepted labels.
    fn prediction(
        &self,
        own: Option<Prediction>,
        accepted: &[Accepted],
        generated: &mut Generated,
    ) -> Prediction {
        generated.status = GeneratedStatus::Answered;
        let Some(own) = own else { return stated(self.settings.task, accepted) };
        let (prediction, is_changed) = reordered(own, self.settings.task, accepted);
        generated.changed = Some(is_changed);
        prediction
    }
}
