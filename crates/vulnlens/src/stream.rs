//! Many records: one thread reads, some classify, the caller writes, all at once and in the order of the input. A pipe
//! that stays open is answered record by record: nothing waits long for more to come.
//!
//! Memory is bounded by the channels' lengths and a chunk's size, not by the input. A prediction depends on its record
//! alone, so the output is the same, byte for byte, for any number of threads.
//!
//! ```
//! use vulnlens::report::{Format, Setup};
//! use vulnlens::{Answerer, Options, TextRecord, stream};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let classifier = vulnlens::embedded();
//! let options = Options::default().top_k(1);
//! let setup = Setup::new(classifier.run(&options), classifier.knowledge_base().clone());
//! let mut out = Vec::new();
//! let (renderer, mut writer) = Format::JSON_LINES.open(&setup, &mut out)?;
//! let records = ["SQL injection in login.php", "Use after free in a browser"];
//! let records = records.map(|text| Ok::<_, std::convert::Infallible>(TextRecord::new(text.to_owned(), ())));
//! let job = stream::Job::new(Answerer::new(&classifier, &options, false), renderer, 2);
//! stream::classify(&job, records.into_iter(), |answered| writer.write(answered.piece, &mut out))?;
//! writer.finish(&mut out)?;
//! assert_eq!(out.iter().filter(|byte| **byte == b'\n').count(), 2);
//! # Ok(())
//! # }
//! ```

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use vulnlens_model::Input;
use vulnlens_report::{Piece, RecordKey, Renderer};
use vulnlens_taxonomy::Timestamp;

use crate::answerer::Answerer;

/// Records classified at once.
const CHUNK_RECORDS: usize = 256;
/// Bytes of text after which a chunk is closed whatever its records.
const CHUNK_BYTES: usize = 1 << 20;
/// How long a record waits for others that are classified with it.
const PATIENCE: Duration = Duration::from_millis(100);
/// Bytes of a text that are looked at; the model reads the first 2,000 words, which hardly ever need as many.
pub const TEXT_BYTES: usize = 64 << 10;
/// Ids that are remembered to tell when one comes again.
const IDS_REMEMBERED: usize = 1 << 20;

/// A record to classify, with whatever its reader knows of its place.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct TextRecord<P = ()> {
    /// The record's key.
    pub key: RecordKey,
    /// The description.
    pub text: String,
    /// The record's year, if it is known.
    pub year: Option<u16>,
    /// The beginning of the day of publication, if it is known.
    pub published: Option<Timestamp>,
    /// The record's place.
    pub place: P,
}

impl<P> TextRecord<P> {
    /// The text of a record at a place.
    #[must_use]
    pub fn new(text: String, place: P) -> Self {
        Self { key: RecordKey::default(), text, year: None, published: None, place }
    }

    /// The record with this key.
    #[must_use]
    pub fn key(self, key: RecordKey) -> Self {
        Self { key, ..self }
    }

    /// The record of this year.
    #[must_use]
    pub fn year(self, year: Option<u16>) -> Self {
        Self { year, ..self }
    }

    /// The record that was published on a day.
    #[must_use]
    pub fn published(self, published: Option<Timestamp>) -> Self {
        Self { published, ..self }
    }
}

/// The work on a stream of records.
pub struct Job {
    answerer: Answerer,
    renderer: Renderer,
    threads: usize,
}

impl Job {
    /// The work of `answerer` on so many threads. A network that shares a batch out over threads of its own is asked by
    /// one.
    #[must_use]
    pub fn new(answerer: Answerer, renderer: Renderer, threads: usize) -> Self {
        let computes_in_parallel = answerer.prepared().network().computes_in_parallel();
        Self { answerer, renderer, threads: if computes_in_parallel { 1 } else { threads.max(1) } }
    }
}

/// The end of a stream before its time.
#[derive(Debug)]
pub enum StreamError<W> {
    /// The answers could not be written.
    Write(W),
    /// A thread panicked.
    Stopped(WorkerStopped),
}

/// A thread that classifies panicked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a thread that classifies stopped; this is a fault of vulnlens")]
pub struct WorkerStopped;

impl<W: std::fmt::Display> std::fmt::Display for StreamError<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Write(error) => error.fmt(f),
            Self::Stopped(stopped) => stopped.fmt(f),
        }
    }
}

impl<W: std::error::Error> std::error::Error for StreamError<W> {}

/// Some records answered, and those among them that could not be.
#[derive(Debug)]
#[non_exhaustive]
pub struct Answered<P, E> {
    /// The answers, as far as the format renders them.
    pub piece: Piece,
    /// The number of records answered.
    pub count: u64,
    /// The number of texts that were longer than the model reads.
    pub cut: u64,
    /// The places of the records answered, in their order.
    pub places: Vec<P>,
    /// The errors in the place of records.
    pub errors: Vec<E>,
    /// Ids that stood in the input before, with the places where they stand again.
    pub repeated: Vec<(String, P)>,
}

/// Some records as they were read.
struct Chunk<P, E> {
    records: Vec<TextRecord<P>>,
    errors: Vec<E>,
    repeated: Vec<(String, P)>,
    bytes: usize,
}

impl<P, E> Default for Chunk<P, E> {
    fn default() -> Self {
        Self { records: vec![], errors: vec![], repeated: vec![], bytes: 0 }
    }
}

/// A chunk to classify, and where its answer goes.
type Task<P, E> = (Chunk<P, E>, SyncSender<Answered<P, E>>);

/// Classifies `records` and gives the answers to `write`, in the order of the input.
///
/// The threads may outlive the call, when `write` fails while the input is silent.
///
/// # Errors
/// [`StreamError::Write`] with the error of `write`, with which everything ends.
pub fn classify<P: Clone + Send + 'static, E: Send + 'static, W>(
    job: &Job,
    records: impl Iterator<Item = Result<TextRecord<P>, E>> + Send + 'static,
    mut write: impl FnMut(Answered<P, E>) -> Result<(), W>,
) -> Result<(), StreamError<W>> {
    let waiting = job.threads.saturating_mul(2);
    // Each chunk's answer comes through a channel of its own; these channels in the order of the input are the order
    // of the output.
    let (order, answers) = sync_channel::<Receiver<Answered<P, E>>>(waiting);
    let (tasks, queue) = sync_channel::<Task<P, E>>(waiting);
    let queue = Arc::new(Mutex::new(queue));
    let pending = Arc::new(Pending { state: Mutex::default(), ended: Condvar::new(), order, tasks });
    let watched = Arc::clone(&pending);
    thread::spawn(move || watch(&watched));
    thread::spawn(move || read(records, &pending));
    for _ in 0..job.threads {
        let (answerer, renderer) = (job.answerer.another(), job.renderer.clone());
        let queue = Arc::clone(&queue);
        thread::spawn(move || work(answerer, &renderer, &queue));
    }
    for answer in answers {
        write(answer.recv().map_err(|_| StreamError::Stopped(WorkerStopped))?).map_err(StreamError::Write)?;
    }
    Ok(())
}

/// The chunk that is being filled, which two threads may hand over: the one that reads when it is full, and one that
/// watches when its first record has waited long enough.
struct Pending<P, E> {
    state: Mutex<PendingState<P, E>>,
    ended: Condvar,
    order: SyncSender<Receiver<Answered<P, E>>>,
    tasks: SyncSender<Task<P, E>>,
}

struct PendingState<P, E> {
    chunk: Chunk<P, E>,
    /// When the chunk got its first record.
    begun: Option<Instant>,
    has_ended: bool,
}

impl<P, E> Default for PendingState<P, E> {
    fn default() -> Self {
        Self { chunk: Chunk::default(), begun: None, has_ended: false }
    }
}

/// Reads until the input ends or nobody wants more.
fn read<P: Clone, E>(records: impl Iterator<Item = Result<TextRecord<P>, E>>, pending: &Pending<P, E>) {
    let mut ids = Ids::default();
    for item in records {
        let Ok(mut state) = pending.state.lock() else { return };
        state.chunk.add(item, &mut ids);
        state.begun.get_or_insert_with(Instant::now);
        if state.has_ended || state.chunk.is_full() && !pending.hand_over(&mut state) {
            break;
        }
    }
    if let Ok(mut state) = pending.state.lock() {
        pending.hand_over(&mut state);
        state.has_ended = true;
    }
    pending.ended.notify_all();
}

/// Hands over what has waited long enough, until the input ends or nobody wants more.
fn watch<P, E>(pending: &Pending<P, E>) {
    let Ok(mut state) = pending.state.lock() else { return };
    while !state.has_ended {
        let Ok((waited, _)) = pending.ended.wait_timeout(state, PATIENCE) else { return };
        state = waited;
        let is_due = state.begun.is_some_and(|begun| begun.elapsed() >= PATIENCE);
        if is_due && !pending.hand_over(&mut state) {
            state.has_ended = true;
        }
    }
}

impl<P, E> Pending<P, E> {
    /// Whether somebody still wants the answers.
    fn hand_over(&self, state: &mut PendingState<P, E>) -> bool {
        state.begun = None;
        let chunk = std::mem::take(&mut state.chunk);
        if chunk.is_empty() {
            return true;
        }
        let (sender, receiver) = sync_channel(1);
        self.order.send(receiver).is_ok() && self.tasks.send((chunk, sender)).is_ok()
    }
}

impl<P: Clone, E> Chunk<P, E> {
    fn add(&mut self, item: Result<TextRecord<P>, E>, ids: &mut Ids) {
        match item {
            Err(error) => self.errors.push(error),
            Ok(mut record) => {
                if let Some(id) = record.key.id.as_ref().filter(|id| ids.is_repeated(id)) {
                    self.repeated.push((id.clone(), record.place.clone()));
                }
                shorten(&mut record.text);
                self.bytes = self.bytes.saturating_add(record.text.len());
                self.records.push(record);
            }
        }
    }
}

impl<P, E> Chunk<P, E> {
    fn is_empty(&self) -> bool {
        self.records.is_empty() && self.errors.is_empty()
    }

    fn is_full(&self) -> bool {
        self.records.len().saturating_add(self.errors.len()) >= CHUNK_RECORDS || self.bytes >= CHUNK_BYTES
    }
}

/// As much of a text as is looked at.
#[must_use]
pub fn shown(text: &str) -> &str {
    text.get(..text.floor_char_boundary(TEXT_BYTES)).unwrap_or(text)
}

/// Cuts what is not looked at off a long text, so that it takes no memory while it waits.
fn shorten(text: &mut String) {
    if text.len() > TEXT_BYTES {
        text.truncate(shown(text).len());
        text.shrink_to_fit();
    }
}

/// The ids seen so far, as far as they are remembered.
#[derive(Default)]
struct Ids(HashSet<u64>);

impl Ids {
    fn is_repeated(&mut self, id: &str) -> bool {
        let mut hasher = DefaultHasher::new();
        id.hash(&mut hasher);
        let hash = hasher.finish();
        if self.0.len() < IDS_REMEMBERED { !self.0.insert(hash) } else { self.0.contains(&hash) }
    }
}

/// Classifies chunk after chunk until there are none left, or nobody wants their answers.
fn work<P, E>(mut answerer: Answerer, renderer: &Renderer, queue: &Mutex<Receiver<Task<P, E>>>) {
    loop {
        // A poisoned queue means that another worker panicked while it waited, which it cannot.
        let Ok(Ok((chunk, answer))) = queue.lock().map(|queue| queue.recv()) else { return };
        let inputs: Vec<Input<'_>> =
            chunk.records.iter().map(|record| Input::text(&record.text).year(record.year)).collect();
        let keys = chunk.records.iter().map(|record| record.key.clone());
        let mut answers = answerer.answer(&inputs, keys);
        for (answer, record) in answers.iter_mut().zip(&chunk.records) {
            answer.published = record.published;
        }
        let cut = answerer.count_cut(&inputs);
        let count = answers.len() as u64;
        let piece = renderer.render(answers);
        let places = chunk.records.into_iter().map(|record| record.place).collect();
        let (errors, repeated) = (chunk.errors, chunk.repeated);
        if answer.send(Answered { piece, count, cut, places, errors, repeated }).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let mut text = "x".repeat(TEXT_BYTES - 1) + "é and more";
        shorten(&mut text);
        assert_eq!(text.len(), TEXT_BYTES - 1);
        let mut short = "short".to_owned();
        shorten(&mut short);
        assert_eq!(short, "short");
    }

    #[test]
    fn an_id_is_repeated_from_the_second_time_on() {
        let mut ids = Ids::default();
        let seen = ["a", "b", "a", "a"].map(|id| ids.is_repeated(id));
        assert_eq!(seen, [false, false, true, true]);
    }
}
