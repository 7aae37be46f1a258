//! Work on many texts: parts in parallel, results in order, until somebody presses Ctrl-C.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use pyo3::prelude::*;

use crate::errors::{Class, exception};

/// The time between two looks for a signal.
const LOOK: Duration = Duration::from_millis(50);

/// The results of `work` on parts of so many items, in the order of the items. Called while other Python threads may
/// run.
pub(crate) fn mapped<T: Sync, R: Send>(
    items: &[T],
    at_once: usize,
    threads: usize,
    work: impl Fn(&[T]) -> R + Sync,
) -> PyResult<Vec<R>> {
    let parts: Vec<&[T]> = items.chunks(at_once.max(1)).collect();
    if threads <= 1 || parts.len() <= 1 {
        let result = |part: &&[T]| signals().map(|()| work(part));
        return parts.iter().map(result).collect();
    }
    let (next, is_ended) = (AtomicUsize::new(0), AtomicBool::new(false));
    let mut results: Vec<Option<R>> = parts.iter().map(|_| None).collect();
    let (sender, receiver) = channel();
    let outcome = std::thread::scope(|scope| {
        for _ in 0..threads.min(parts.len()) {
            let (sender, parts, next, is_ended, work) = (sender.clone(), &parts, &next, &is_ended, &work);
            scope.spawn(move || {
                while !is_ended.load(Ordering::Relaxed) {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(part) = parts.get(number) else { return };
                    if sender.send((number, work(part))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        let mut looked = Instant::now();
        loop {
            match receiver.recv_timeout(LOOK) {
                Ok((number, result)) => {
                    if let Some(place) = results.get_mut(number) {
                        *place = Some(result);
                    }
                }
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
                Err(RecvTimeoutError::Timeout) => {}
            }
            if looked.elapsed() >= LOOK {
                looked = Instant::now();
                if let Err(error) = signals() {
                    is_ended.store(true, Ordering::Relaxed);
                    return Err(error);
                }
            }
        }
    });
    outcome?;
    let stopped =
        || exception(Class::Fault, "a thread that classifies stopped; this is a fault of vulnlens", None);
    results.into_iter().collect::<Option<Vec<R>>>().ok_or_else(stopped)
}

/// Lets Python handle the signals that came: Ctrl-C is an error.
fn signals() -> PyResult<()> {
    Python::attach(|py| py.check_signals())
}
