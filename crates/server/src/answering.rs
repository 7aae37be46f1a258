//! Models at work: answerers that are made ready once for each set of options, and texts that are answered together.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;
use vulnlens::report::{Answer, JsonLines, RecordKey, Records as _, Setup};
use vulnlens::stream::shown;
use vulnlens::{Answerer, Classifier, Input, Options, TextRecord};

use crate::error::ApiError;

/// Sets of options that are kept ready for a model.
const KEPT: usize = 32;
/// Answerers that are kept for each of them: about as many as there are threads.
const IDLE: usize = 64;
/// Texts, and bytes of them, that are answered together at most; a request with more is answered by itself.
const GATHERED: usize = 64;
const GATHERED_BYTES: usize = 256 << 10;

/// A text to answer.
#[derive(Debug, Clone)]
pub(crate) struct Text {
    pub(crate) key: RecordKey,
    pub(crate) text: String,
    pub(crate) year: Option<u16>,
}

impl From<TextRecord> for Text {
    fn from(TextRecord { key, text, year, .. }: TextRecord) -> Self {
        Self { key, text, year }
    }
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
    /// Record output, with the names of all labels written once.
    lines: JsonLines,
}

impl Ready {
    /// Another answerer, for a stream of records.
    pub(crate) fn answerer(&self) -> Answerer {
        self.first.another()
    }

    /// Answers as JSON Lines.
    pub(crate) fn lines(&self, answers: &[Answer]) -> Vec<u8> {
        let mut out = Vec::new();
        answers.iter().for_each(|answer| self.lines.push(answer, &mut out));
        out
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

/// A model that is served.
pub(crate) struct Served {
    pub(crate) classifier: Classifier,
    ready: Mutex<Vec<Arc<Ready>>>,
    /// The way to the threads that answer the texts of several requests together: that is much faster than one by one.
    waiting: Mutex<Sender<Waiting>>,
}

/// A request's texts on their way to be answered together with others.
struct Waiting {
    ready: Arc<Ready>,
    texts: Vec<Text>,
    answers: oneshot::Sender<Vec<Answer>>,
}

impl Served {
    /// The model, to compute on so many threads. One that shares its work out over threads of its own gets two, so that
    /// the texts of some requests are computed while others come and go.
    pub(crate) fn new(classifier: Classifier, threads: usize) -> Self {
        let (waiting, receiver) = channel();
        let receiver = Arc::new(Mutex::new(receiver));
        let threads = if classifier.network().computes_in_parallel() { 2 } else { threads.max(1) };
        for _ in 0..threads {
            let receiver = Arc::clone(&receiver);
            std::thread::spawn(move || gather(&receiver));
        }
        Self { classifier, ready: Mutex::default(), waiting: Mutex::new(waiting) }
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
        let lines = JsonLines::new(&setup);
        let made = Arc::new(Ready { question, first, idle: Mutex::default(), setup, lines });
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
        let (answers, answered) = oneshot::channel();
        let waiting = Waiting { ready: Arc::clone(ready), texts, answers };
        // Where no thread is left, what waits is dropped, which the receiver notices.
        let _ = lock(&self.waiting).send(waiting);
        let stopped =
            |_| ApiError::backend("the thread that classifies has stopped; this is a fault of vulnlens");
        answered.await.map_err(stopped)
    }
}

/// Answers what comes: what came while the threads were at work is answered together, so that nothing waits for company.
fn gather(waiting: &Mutex<Receiver<Waiting>>) {
    let mut next = None;
    while let Some(together) = gathered(waiting, &mut next) {
        let Some(ready) = together.first().map(|first| Arc::clone(&first.ready)) else { return };
        let mut texts = Vec::new();
        let mut requests = Vec::with_capacity(together.len());
        for Waiting { texts: of_request, answers, .. } in together {
            requests.push((of_request.len(), answers));
            texts.extend(of_request);
        }
        let mut answers = ready.answer(&texts).into_iter();
        for (count, to) in requests {
            // A client that went away does not want them.
            let _ = to.send(answers.by_ref().take(count).collect());
        }
    }
}

/// The request that waits longest, and those behind it that are answered together with it; `next` keeps one that is not.
fn gathered(waiting: &Mutex<Receiver<Waiting>>, next: &mut Option<Waiting>) -> Option<Vec<Waiting>> {
    if let Some(first) = next.take() {
        // The lock may be held by a thread that waits for a request: this one is there already.
        let queue = waiting.try_lock().ok();
        return Some(together(first, queue.as_deref(), next));
    }
    let queue = lock(waiting);
    let first = queue.recv().ok()?;
    Some(together(first, Some(&queue), next))
}

/// A request, and those in the queue that have the same options, as many as are answered together.
fn together(first: Waiting, queue: Option<&Receiver<Waiting>>, next: &mut Option<Waiting>) -> Vec<Waiting> {
    let size = |request: &Waiting| request.texts.iter().map(|text| text.text.len()).sum::<usize>();
    let (mut texts, mut bytes) = (first.texts.len(), size(&first));
    let ready = Arc::clone(&first.ready);
    let mut together = vec![first];
    while texts < GATHERED && bytes < GATHERED_BYTES {
        let Some(request) = queue.and_then(|queue| queue.try_recv().ok()) else { break };
        if !Arc::ptr_eq(&request.ready, &ready) {
            *next = Some(request);
            break;
        }
        texts += request.texts.len();
        bytes += size(&request);
        together.push(request);
    }
    together
}

/// The lock's content, also after a panic: what it guards are buffers and lists that are whole between calls.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
