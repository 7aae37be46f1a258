//! A model made ready for some options, asked by any number of threads.

use std::sync::{Arc, Mutex};

use vulnlens::report::{Answer, JsonLines, RecordKey, Records as _, Setup};
use vulnlens::{Answerer, Classifier, Input, Options};

use crate::texts::Text;
use crate::threads::Threads;

/// A model made ready for some options.
pub(crate) struct Asked {
    pub(crate) options: Options,
    first: Answerer,
    idle: Mutex<Vec<Answerer>>,
    lines: JsonLines,
    threads: Arc<Threads>,
}

impl Asked {
    pub(crate) fn new(
        classifier: &Classifier,
        options: Options,
        has_evidence: bool,
        threads: Arc<Threads>,
    ) -> Self {
        let first = Answerer::new(classifier, &options, false);
        let first = if has_evidence { first.explaining() } else { first };
        let setup = Setup::new(classifier.run(&options), Arc::clone(classifier.knowledge_base()));
        Self { options, first, idle: Mutex::default(), lines: JsonLines::new(&setup), threads }
    }

    pub(crate) fn classifier(&self) -> &Classifier {
        self.first.prepared().classifier()
    }

    /// The number of threads that share texts out: one, where the network shares each batch out itself.
    pub(crate) fn threads(&self) -> usize {
        if self.computes_in_parallel() { 1 } else { self.threads.count() }
    }

    fn computes_in_parallel(&self) -> bool {
        self.first.prepared().network().computes_in_parallel()
    }

    /// Runs `work` where the network finds the threads of this process, if it computes on several.
    pub(crate) fn at_work<R: Send>(&self, work: impl FnOnce() -> R + Send) -> Result<R, String> {
        if self.computes_in_parallel() { Ok(self.threads.pool()?.install(work)) } else { Ok(work()) }
    }

    /// The answers to texts, one for each.
    pub(crate) fn answers(
        &self,
        inputs: &[Input<'_>],
        keys: impl IntoIterator<Item = RecordKey>,
    ) -> Vec<Answer> {
        // A lock that another thread held when the process was forked is never released here: nobody waits for it.
        let kept = self.idle.try_lock().ok().and_then(|mut idle| idle.pop());
        let mut answerer = kept.unwrap_or_else(|| self.first.another());
        let answers = answerer.answer(inputs, keys);
        if let Ok(mut idle) = self.idle.try_lock()
            && idle.len() < self.threads.count()
        {
            idle.push(answerer);
        }
        answers
    }

    /// The answers to texts as records of the output, without line ends.
    pub(crate) fn records(&self, texts: &[Text<'_>]) -> Vec<Vec<u8>> {
        let inputs: Vec<Input<'_>> =
            texts.iter().map(|text| Input::text(&text.text).year(text.year)).collect();
        let answers = self.answers(&inputs, texts.iter().map(|text| text.key.clone()));
        let record = |answer: &Answer| {
            let mut record = Vec::new();
            self.lines.push(answer, &mut record);
            record.truncate(record.trim_ascii_end().len());
            record
        };
        answers.iter().map(record).collect()
    }
}
