//! Many records: some threads ask at once, and the answers come in the order of the input.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread;

use vulnlens::TextRecord;

use crate::error::PromptError;
use crate::prompter::{Prompted, Prompter};

/// Records in a row that may get no reply: with more, the endpoint is at fault and not the records.
const MOST_FAILURES: u64 = 5;

/// The end of a run before its time.
#[derive(Debug)]
pub enum RunError<W> {
    /// The answers could not be written.
    Write(W),
    /// The endpoint or the cache failed.
    Prompt(PromptError),
}

/// A record to ask about, and where its answer goes.
type Question<P> = (TextRecord<P>, SyncSender<Result<Prompted<P>, PromptError>>);

/// An item of the input on its way: an answer to come, or an error in the place of a record.
enum Coming<P, E> {
    Answer(Receiver<Result<Prompted<P>, PromptError>>),
    Error(E),
}

/// Asks about `records`, `concurrency` at once, and gives answers and errors to `write` in the order of the input.
///
/// The threads may outlive the call, when it ends before its time.
///
/// # Errors
/// [`RunError`], with which everything ends.
pub fn run<P: Send + 'static, E: Send + 'static, W>(
    prompter: &Arc<Prompter>,
    records: impl Iterator<Item = Result<TextRecord<P>, E>> + Send + 'static,
    concurrency: usize,
    mut write: impl FnMut(Result<Prompted<P>, E>) -> Result<(), W>,
) -> Result<(), RunError<W>> {
    let concurrency = concurrency.max(1);
    let (order, coming) = sync_channel::<Coming<P, E>>(concurrency.saturating_mul(2));
    let (questions, queue) = sync_channel::<Question<P>>(concurrency);
    let (queue, stop) = (Arc::new(Mutex::new(queue)), Arc::new(AtomicBool::new(false)));
    for _ in 0..concurrency {
        let (prompter, queue, stop) = (Arc::clone(prompter), Arc::clone(&queue), Arc::clone(&stop));
        thread::spawn(move || work(&prompter, &queue, &stop));
    }
    thread::spawn(move || read(records, &order, &questions));
    let mut failures = 0_u64;
    for item in coming {
        let answer = match item {
            Coming::Error(error) => {
                write(Err(error)).map_err(RunError::Write)?;
                continue;
            }
            Coming::Answer(answer) => answer,
        };
        let answered = answer.recv().map_err(|_| RunError::Prompt(PromptError::Stopped))?;
        let prompted = answered.map_err(RunError::Prompt)?;
        failures = if prompted.is_silent { failures.saturating_add(1) } else { 0 };
        if failures >= MOST_FAILURES {
            let reason = prompted.failure().unwrap_or_default().to_owned();
            return Err(RunError::Prompt(PromptError::GivenUp { failures, reason }));
        }
        write(Ok(prompted)).map_err(RunError::Write)?;
    }
    Ok(())
}

/// Reads until the input ends or nobody wants more.
fn read<P, E>(
    records: impl Iterator<Item = Result<TextRecord<P>, E>>,
    order: &SyncSender<Coming<P, E>>,
    questions: &SyncSender<Question<P>>,
) {
    for item in records {
        let is_wanted = match item {
            Err(error) => order.send(Coming::Error(error)).is_ok(),
            Ok(record) => {
                let (sender, answer) = sync_channel(1);
                order.send(Coming::Answer(answer)).is_ok() && questions.send((record, sender)).is_ok()
            }
        };
        if !is_wanted {
            return;
        }
    }
}

/// Asks question after question, until there are none left, nobody wants the answers, or one ends the run.
fn work<P>(prompter: &Prompter, queue: &Mutex<Receiver<Question<P>>>, stop: &AtomicBool) {
    loop {
        // A poisoned queue means that another worker panicked while it waited, which it cannot.
        let Ok(Ok((record, answer))) = queue.lock().map(|queue| queue.recv()) else { return };
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let answered = prompter.answer(record);
        if answered.is_err() {
            stop.store(true, Ordering::Relaxed);
        }
        if answer.send(answered).is_err() {
            return;
        }
    }
}
