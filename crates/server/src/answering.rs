//! Models at work: answerers that are made ready once for each set of options, and texts that are answered together.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;
use vulnlens::report::{Answer, RecordKey, Setup};
use vulnlens::{Answerer, Classifier, Input, Options};

use crate::error::ApiError;

/// Sets of options that are kept ready for a model.
const KEPT: usize = 32;
/// Answerers that are kept for each of them: about as many as there are threads.
const IDLE: usize = 64;
/// Texts that are answered at once on the thread that serves the request: they take less than a millisecond.
const AT_ONCE: usize = 8;
/// Texts, and bytes of them, that an encoder answers together at most.
const GATHERED: usize = 64;
const GATHERED_BYTES: usize = 256 << 10;

/// A text to answer.
#[derive(Debug, Clone)]
pub(crate) struct Text {
    pub(crate) key: RecordKey,
    pub(crate) text: String,
    pub(crate) year: Option<u16>,
}

/// The options of answers.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Question {
    options: Options,
    needs_assigned: bool,
    has_evidence: bool,
}

/// A model made ready for some options, with the facts that its answers have in common.
pub(crate) struct Ready {
    question: Question,
    first: Answerer,
    idle: Mutex<Vec<Answerer>>,
    pub(crate) setup: Setup,
}

impl Ready {
    /// Another answerer, for a stream of records.
    pub(crate) fn answerer(&self) -> Answerer {
        self.first.another()
    }

    fn answer(&self, texts: &[Text]) -> Vec<Answer> {
        let taken = lock(&self.idle).pop();
        let mut answerer = taken.unwrap_or_else(|| self.first.another());
        let inputs: Vec<Input<'_>> =
            texts.iter().map(|text| Input::text(shown(&text.text)).year(text.year)).collect();
        let answers = answerer.answer(&inputs, texts.iter().map(|text| text.key.clone()));
        let mut idle = lock(&self.idle);
        if idle.len() < IDLE {
            idle.push(answerer);
        }
        answers
    }
}

/// As much of a text as is looked at.
fn shown(text: &str) -> &str {
    text.get(..text.floor_char_boundary(vulnlens::stream::TEXT_BYTES)).unwrap_or(text)
}

/// A model that is served.
pub(crate) struct Served {
    pub(crate) classifier: Classifier,
    ready: Mutex<Vec<Arc<Ready>>>,
    /// Where texts of a model go that answers several together faster than one by one.
    gatherer: Option<Mutex<Sender<Waiting>>>,
}

/// A request's texts on their way to be answered together with others.
struct Waiting {
    ready: Arc<Ready>,
    texts: Vec<Text>,
    answers: oneshot::Sender<Vec<Answer>>,
}

impl Served {
    /// The model; of one that computes on threads of its own, the texts of several requests are answered together.
    pub(crate) fn new(classifier: Classifier) -> Self {
        let gathers = classifier.network().computes_in_parallel();
        let gatherer = gathers.then(|| {
            let (sender, receiver) = channel();
            std::thread::spawn(move || gather(&receiver));
            Mutex::new(sender)
        });
        Self { classifier, ready: Mutex::default(), gatherer }
    }

    /// The model made ready for options.
    pub(crate) fn ready(&self, options: &Options, needs_assigned: bool, has_evidence: bool) -> Arc<Ready> {
        let question = Question { options: *options, needs_assigned, has_evidence };
        let mut all = lock(&self.ready);
        if let Some(place) = all.iter().position(|ready| ready.question == question) {
            // The ones that were asked for last stand last.
            let found = all.remove(place);
            all.push(Arc::clone(&found));
            return found;
        }
        let first = Answerer::new(&self.classifier, options, needs_assigned);
        let first = if has_evidence { first.explaining() } else { first };
        let kb = Arc::clone(self.classifier.knowledge_base());
        let setup = Setup::new(self.classifier.run(options), kb);
        let made = Arc::new(Ready { question, first, idle: Mutex::default(), setup });
        if all.len() >= KEPT {
            all.remove(0);
        }
        all.push(Arc::clone(&made));
        made
    }

    /// Answers texts.
    ///
    /// # Errors
    /// The thread that computes has stopped.
    pub(crate) async fn answer(&self, ready: &Arc<Ready>, texts: Vec<Text>) -> Result<Vec<Answer>, ApiError> {
        let stopped =
            |_| ApiError::backend("the thread that classifies has stopped; this is a fault of vulnlens");
        if let Some(gatherer) = &self.gatherer {
            let (answers, answered) = oneshot::channel();
            let waiting = Waiting { ready: Arc::clone(ready), texts, answers };
            // A gatherer that is gone drops what waits, which the receiver notices.
            let _ = lock(gatherer).send(waiting);
            return answered.await.map_err(stopped);
        }
        if texts.len() <= AT_ONCE && !ready.question.has_evidence {
            return Ok(ready.answer(&texts));
        }
        let ready = Arc::clone(ready);
        let answered = tokio::task::spawn_blocking(move || ready.answer(&texts)).await;
        answered
            .map_err(|_| ApiError::backend("a thread that classifies panicked; this is a fault of vulnlens"))
    }
}

/// Answers what comes: what came while the model was at work is answered together, so that nothing waits for company.
fn gather(waiting: &Receiver<Waiting>) {
    let mut next = waiting.recv().ok();
    while let Some(first) = next.take() {
        let ready = Arc::clone(&first.ready);
        let mut together = vec![first];
        let size = |requests: &[Waiting]| -> (usize, usize) {
            let texts = || requests.iter().flat_map(|request| &request.texts);
            (texts().count(), texts().map(|text| text.text.len()).sum())
        };
        while let Ok(request) = waiting.try_recv() {
            let (texts, bytes) = size(&together);
            let has_room = texts < GATHERED && bytes < GATHERED_BYTES;
            if !has_room || !Arc::ptr_eq(&request.ready, &ready) {
                next = Some(request);
                break;
            }
            together.push(request);
        }
        let texts: Vec<Text> = together.iter().flat_map(|request| request.texts.clone()).collect();
        let mut answers = ready.answer(&texts).into_iter();
        for Waiting { texts, answers: to, .. } in together {
            // A client that went away does not want them.
            let _ = to.send(answers.by_ref().take(texts.len()).collect());
        }
        if next.is_none() {
            next = waiting.recv().ok();
        }
    }
}

/// The lock's content, also after a panic: what it guards are buffers and lists that are whole between calls.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
