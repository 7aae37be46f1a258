//! Tables: a stream of Arrow's in, the stream of their answers out.
//!
//! One thread reads the table and cuts it into parts, some answer them, and whoever reads the answers gets them in the
//! order of the rows. Memory is bounded by the channels' lengths and the size of a part, not by the table.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread;

use arrow_array::ffi_stream::RecordBatchStreamReader;
use arrow_array::{RecordBatch, RecordBatchReader};
use arrow_schema::{ArrowError, SchemaRef};
use pyo3::prelude::*;
use pyo3::types::{PyAny, PyCapsule};
use vulnlens::Input;
use vulnlens::records::RECORD_BYTES;
use vulnlens::report::RecordKey;
use vulnlens::stream::{WorkerStopped, shown};
use vulnlens_corpus::Problem;

use crate::answering::Asked;
use crate::capsule;
use crate::columns::{Answered, Form};
use crate::errors::{Class, exception};
use crate::rows::{self, Places};
use crate::texts::year;

/// Rows that are answered at once, and handed over as one batch.
const ROWS: usize = 1024;
/// Distinct texts whose answers are kept, where equal texts are answered once; then they are forgotten, so that memory
/// stays bounded.
const KEPT: usize = 1 << 16;

/// The answers to a table, to be read once.
#[pyclass(frozen, module = "vulnlens._native")]
pub(crate) struct Table {
    job: Mutex<Option<Job>>,
    counts: Arc<Counts>,
}

/// The rows that were read so far, and the texts that the model answered for them.
#[derive(Default)]
struct Counts {
    rows: AtomicU64,
    texts: AtomicU64,
}

/// The work on a table.
struct Job {
    counts: Arc<Counts>,
    asked: Arc<Asked>,
    batches: RecordBatchStreamReader,
    places: Places,
    form: Arc<Form>,
    is_distinct: bool,
}

impl Table {
    /// The answers to the table in a capsule, whose columns of texts, ids and dates are named.
    pub(crate) fn new(
        asked: Arc<Asked>,
        stream: &Bound<'_, PyCapsule>,
        columns: (&str, Option<&str>, Option<&str>),
        is_distinct: bool,
    ) -> PyResult<Self> {
        let batches = capsule::reader(stream)?;
        let places = Places::new(&batches.schema(), columns)?;
        let (options, run) = (&asked.options, asked.classifier().run(&asked.options));
        let form = Arc::new(Form::new(&run, options.tasks, places.id.is_some(), options.severity));
        let counts = Arc::<Counts>::default();
        let job = Job { counts: Arc::clone(&counts), asked, batches, places, form, is_distinct };
        Ok(Self { job: Mutex::new(Some(job)), counts })
    }
}

#[pymethods]
impl Table {
    /// The number of rows that were read so far, and that of the texts that the model answered for them.
    #[getter]
    fn counts(&self) -> (u64, u64) {
        (self.counts.rows.load(Ordering::Relaxed), self.counts.texts.load(Ordering::Relaxed))
    }

    /// The answers as a stream of Arrow's.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        // The interface allows to pay no heed to a schema that is asked for.
        drop(requested_schema);
        let job = self.job.try_lock().ok().and_then(|mut job| job.take());
        let gone = || {
            let hint = "ask `classify_table` once more";
            exception(Class::Argument, "the answers were read already", Some(hint))
        };
        let job = job.ok_or_else(gone)?;
        capsule::capsule(
            py,
            Box::new(Answers { schema: Arc::clone(&job.form.schema), state: State::New(Box::new(job)) }),
        )
    }
}

/// The batches of answers.
struct Answers {
    schema: SchemaRef,
    state: State,
}

/// The state of answering: threads are started for the first batch alone, as some readers only look at the schema.
enum State {
    New(Box<Job>),
    AtWork(Receiver<Receiver<Batch>>),
    Ended,
}

type Batch = Result<RecordBatch, ArrowError>;

impl Answers {
    fn next_batch(&mut self) -> Option<Batch> {
        if let State::New(_) = self.state {
            let State::New(job) = std::mem::replace(&mut self.state, State::Ended) else { return None };
            self.state = State::AtWork(job.begin());
        }
        let State::AtWork(answers) = &self.state else { return None };
        let stopped = || Err(ArrowError::ComputeError(WorkerStopped.to_string()));
        let batch = answers.recv().ok().map(|answer| answer.recv().unwrap_or_else(|_| stopped()));
        if !matches!(batch, Some(Ok(_))) {
            self.state = State::Ended;
        }
        batch
    }
}

impl Iterator for Answers {
    type Item = Batch;

    fn next(&mut self) -> Option<Batch> {
        // A reader may hold the interpreter while it waits, and the table may be one that needs it.
        let mut this = Some(self);
        let mut next = || this.take().and_then(Self::next_batch);
        match Python::try_attach(|py| py.detach(&mut next)) {
            Some(batch) => batch,
            None => next(),
        }
    }
}

impl RecordBatchReader for Answers {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}

/// Some rows, the number of the first, and the way of their answers.
type Part = (RecordBatch, i64, SyncSender<Batch>);

impl Job {
    /// Begins to answer; returns the batches in the order of the rows.
    fn begin(self) -> Receiver<Receiver<Batch>> {
        let threads = self.asked.threads();
        let waiting = threads.saturating_mul(2);
        let (order, answers) = sync_channel(waiting);
        let (parts, queue) = sync_channel::<Part>(waiting);
        let batches = self.batches;
        thread::spawn(move || read(batches, &order, &parts));
        let work = Arc::new(Work {
            counts: self.counts,
            asked: self.asked,
            places: self.places,
            form: self.form,
            kept: self.is_distinct.then(Mutex::default),
        });
        let queue = Arc::new(Mutex::new(queue));
        for _ in 0..threads {
            let (work, queue) = (Arc::clone(&work), Arc::clone(&queue));
            thread::spawn(move || work.all(&queue));
        }
        answers
    }
}

/// Reads the table and hands it on in parts, until it ends or nobody wants more.
fn read(batches: RecordBatchStreamReader, order: &SyncSender<Receiver<Batch>>, parts: &SyncSender<Part>) {
    let mut first = 0;
    for batch in batches {
        let batch = match batch {
            Ok(batch) => batch,
            Err(error) => {
                let (sender, receiver) = sync_channel(1);
                // Nobody wants to know where nobody reads.
                let _ = sender.send(Err(error)).map(|()| order.send(receiver));
                return;
            }
        };
        for start in (0..batch.num_rows()).step_by(ROWS) {
            let part = batch.slice(start, ROWS.min(batch.num_rows() - start));
            let rows = part.num_rows() as i64;
            let (sender, receiver) = sync_channel(1);
            if order.send(receiver).is_err() || parts.send((part, first, sender)).is_err() {
                return;
            }
            first += rows;
        }
    }
}

/// The answers of texts as of years that came before.
type Kept = HashMap<(String, Option<u16>), Answered>;

/// The work of a thread that answers.
struct Work {
    counts: Arc<Counts>,
    asked: Arc<Asked>,
    places: Places,
    form: Arc<Form>,
    kept: Option<Mutex<Kept>>,
}

impl Work {
    /// Answers part after part.
    fn all(&self, queue: &Mutex<Receiver<Part>>) {
        loop {
            let Ok(Ok((rows, first, answer))) = queue.lock().map(|queue| queue.recv()) else { return };
            if answer.send(self.batch(&rows, first)).is_err() {
                return;
            }
        }
    }

    fn batch(&self, rows: &RecordBatch, first: i64) -> Batch {
        let column = |place| rows.columns().get(place);
        let texts = column(self.places.text).map(rows::texts).unwrap_or_default();
        let ids = self.places.id.and_then(column).map(rows::texts).unwrap_or_default();
        let dates = self.places.published.and_then(column).map(rows::years).unwrap_or_default();
        let asked: Vec<Result<(&str, Option<u16>), String>> = texts
            .iter()
            .enumerate()
            .map(|(row, text)| {
                let id = ids.get(row).and_then(|id| id.as_deref());
                let year = dates.get(row).copied().flatten().or_else(|| year(id, None));
                readable(text.as_deref()).map(|text| (shown(text), year))
            })
            .collect();
        let answers = match &self.kept {
            Some(kept) => self.distinct(&asked, kept),
            None => self.each(&asked),
        };
        self.counts.rows.fetch_add(texts.len() as u64, Ordering::Relaxed);
        let ids = if self.places.id.is_some() { ids } else { vec![None::<Cow<'_, str>>; texts.len()] };
        self.form.batch(first, ids, &answers.map_err(ArrowError::ComputeError)?)
    }

    /// The answer to each text that can be read.
    fn each(&self, asked: &[Result<(&str, Option<u16>), String>]) -> Result<Vec<Answered>, String> {
        let inputs: Vec<Input<'_>> =
            asked.iter().flatten().map(|(text, year)| Input::text(text).year(*year)).collect();
        let keys = inputs.iter().map(|_| RecordKey::default());
        self.counts.texts.fetch_add(inputs.len() as u64, Ordering::Relaxed);
        let answers = self.asked.at_work(|| self.asked.answers(&inputs, keys.collect::<Vec<_>>()))?;
        let mut answers = answers.into_iter();
        let missing = || WorkerStopped.to_string();
        let answered = |asked: &Result<_, String>| match asked {
            Ok(_) => answers.next().map(Arc::new).ok_or_else(missing),
            Err(problem) => Err(problem.clone()),
        };
        Ok(asked.iter().map(answered).collect())
    }

    /// As [`each`](Self::each), with equal texts as of the same year answered once.
    fn distinct(
        &self,
        asked: &[Result<(&str, Option<u16>), String>],
        kept: &Mutex<Kept>,
    ) -> Result<Vec<Answered>, String> {
        // A thread that panicked left the answers whole.
        let lock = || kept.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut found: HashMap<(&str, Option<u16>), Answered> = HashMap::new();
        let mut new = vec![];
        {
            let kept = lock();
            for &(text, year) in asked.iter().flatten() {
                if found.contains_key(&(text, year)) {
                    continue;
                }
                let known = kept.get(&(text.to_owned(), year)).cloned();
                if known.is_none() {
                    new.push(Ok((text, year)));
                }
                found.insert((text, year), known.unwrap_or_else(|| Err(String::new())));
            }
        }
        let answers = self.each(&new)?;
        let mut kept = lock();
        for (&(text, year), answer) in new.iter().flatten().zip(answers) {
            if kept.len() >= KEPT {
                kept.clear();
            }
            kept.insert((text.to_owned(), year), answer.clone());
            found.insert((text, year), answer);
        }
        drop(kept);
        let answered = |asked: &Result<(&str, Option<u16>), String>| match asked {
            Ok(key) => found.get(key).cloned().unwrap_or_else(|| Err(WorkerStopped.to_string())),
            Err(problem) => Err(problem.clone()),
        };
        Ok(asked.iter().map(answered).collect())
    }
}

/// A text that can be answered, or the problem with it.
fn readable(text: Option<&str>) -> Result<&str, String> {
    match text {
        None => Err(Problem::Blank.to_string()),
        Some(text) if text.trim().is_empty() => Err(Problem::Blank.to_string()),
        Some(text) if text.len() > RECORD_BYTES => Err(Problem::TooLong(RECORD_BYTES as u64).to_string()),
        Some(text) => Ok(text),
    }
}
