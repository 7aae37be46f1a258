//! Many records: one thread reads, some classify, the caller writes, all at once and in the order of the input. A pipe
//! that stays open is answered record by record: nothing waits long for more to come.
//!
//! Memory is bounded by the channels' lengths and a chunk's size, not by the input. A prediction depends on its record
//! alone, so the output is the same, byte for byte, for any number of threads.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use vulnlens::Input;
use vulnlens::report::{Piece, RecordKey, Renderer};
use vulnlens_corpus::{Place, Record, RecordError, RecordId};

use crate::answerer::Answerer;
use crate::failure::{Failure, Kind};

/// Records classified at once.
const CHUNK_RECORDS: usize = 256;
/// Bytes of text after which a chunk is closed whatever its records.
const CHUNK_BYTES: usize = 1 << 20;
/// The time that a record waits for others that are classified with it.
const PATIENCE: Duration = Duration::from_millis(100);
/// Bytes of a text that are looked at; the model reads the first 2,000 words, which hardly ever need as many.
pub(crate) const TEXT_BYTES: usize = 64 << 10;
/// Ids that are remembered to tell when one comes again.
const IDS_REMEMBERED: usize = 1 << 20;

/// The work on a stream of records.
pub(crate) struct Job {
    pub(crate) answerer: Answerer,
    pub(crate) renderer: Renderer,
    pub(crate) threads: usize,
}

/// Some records answered, and those among them that could not be.
pub(crate) struct Answered {
    pub(crate) piece: Piece,
    pub(crate) count: u64,
    /// The number of texts that were longer than the model reads.
    pub(crate) cut: u64,
    pub(crate) errors: Vec<RecordError>,
    /// Ids that stood in the input before, with their places.
    pub(crate) repeated: Vec<(RecordId, Place)>,
}

/// Some records as they were read.
#[derive(Default)]
struct Chunk {
    records: Vec<Record>,
    errors: Vec<RecordError>,
    repeated: Vec<(RecordId, Place)>,
    bytes: usize,
}

/// A chunk to classify, and where its answer goes.
type Task = (Chunk, SyncSender<Answered>);

/// Classifies `inputs` and gives the answers to `write`, in the order of the input.
pub(crate) fn classify(
    job: &Job,
    inputs: impl Iterator<Item = Result<Record, RecordError>> + Send + 'static,
    mut write: impl FnMut(Answered) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let waiting = job.threads.saturating_mul(2);
    // Each chunk's answer comes through a channel of its own; these channels in the order of the input are the order
    // of the output.
    let (order, answers) = sync_channel::<Receiver<Answered>>(waiting);
    let (tasks, queue) = sync_channel::<Task>(waiting);
    let queue = Arc::new(Mutex::new(queue));
    let pending = Arc::new(Pending { state: Mutex::default(), ended: Condvar::new(), order, tasks });
    let watched = Arc::clone(&pending);
    thread::spawn(move || watch(&watched));
    thread::spawn(move || read(inputs, &pending));
    for _ in 0..job.threads {
        let (answerer, renderer) = (job.answerer.another(), job.renderer.clone());
        let queue = Arc::clone(&queue);
        thread::spawn(move || work(answerer, &renderer, &queue));
    }
    for answer in answers {
        let lost =
            |_| Failure::new(Kind::Failed, "a thread that classifies stopped; this is a fault of vulnlens");
        write(answer.recv().map_err(lost)?)?;
    }
    Ok(())
}

/// The chunk that is being filled, which two threads may hand over: the one that reads when it is full, and one that
/// watches when its first record has waited long enough.
struct Pending {
    state: Mutex<PendingState>,
    ended: Condvar,
    order: SyncSender<Receiver<Answered>>,
    tasks: SyncSender<Task>,
}

#[derive(Default)]
struct PendingState {
    chunk: Chunk,
    /// The time of the chunk's first record.
    begun: Option<Instant>,
    has_ended: bool,
}

/// Reads until the input ends or nobody wants more.
fn read(inputs: impl Iterator<Item = Result<Record, RecordError>>, pending: &Pending) {
    let mut ids = Ids::default();
    for item in inputs {
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
fn watch(pending: &Pending) {
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

impl Pending {
    /// True while somebody still reads the answers.
    fn hand_over(&self, state: &mut PendingState) -> bool {
        state.begun = None;
        let chunk = std::mem::take(&mut state.chunk);
        if chunk.is_empty() {
            return true;
        }
        let (sender, receiver) = sync_channel(1);
        self.order.send(receiver).is_ok() && self.tasks.send((chunk, sender)).is_ok()
    }
}

impl Chunk {
    fn add(&mut self, item: Result<Record, RecordError>, ids: &mut Ids) {
        match item {
            Err(error) => self.errors.push(error),
            Ok(mut record) => {
                if let Some(id) = record.id.as_ref().filter(|id| ids.is_repeated(id.as_str())) {
                    self.repeated.push((id.clone(), record.place.clone()));
                }
                if let Ok(text) = &mut record.text {
                    shorten(text);
                    self.bytes = self.bytes.saturating_add(text.len());
                }
                self.records.push(record);
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.records.is_empty() && self.errors.is_empty()
    }

    fn is_full(&self) -> bool {
        self.records.len().saturating_add(self.errors.len()) >= CHUNK_RECORDS || self.bytes >= CHUNK_BYTES
    }
}

/// Cuts what is not looked at off a long text, so that it takes no memory while it waits.
fn shorten(text: &mut String) {
    if text.len() > TEXT_BYTES {
        text.truncate(text.floor_char_boundary(TEXT_BYTES));
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

fn input(record: &Record) -> Input<'_> {
    Input::text(record.text.as_deref().unwrap_or_default()).year(record.year())
}

/// Classifies chunk after chunk until there are none left, or nobody wants their answers.
fn work(mut answerer: Answerer, renderer: &Renderer, queue: &Mutex<Receiver<Task>>) {
    loop {
        // A poisoned queue means that another worker panicked while it waited, which it cannot.
        let Ok(Ok((chunk, answer))) = queue.lock().map(|queue| queue.recv()) else { return };
        let inputs: Vec<Input<'_>> = chunk.records.iter().map(input).collect();
        let keys = chunk
            .records
            .iter()
            .map(|record| RecordKey { id: record.id.as_ref().map(RecordId::to_string), line: record.line() });
        let answers = answerer.answer(&inputs, keys);
        let cut = answerer.count_cut(&inputs);
        let count = answers.len() as u64;
        let piece = renderer.render(answers);
        let (errors, repeated) = (chunk.errors, chunk.repeated);
        if answer.send(Answered { piece, count, cut, errors, repeated }).is_err() {
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
