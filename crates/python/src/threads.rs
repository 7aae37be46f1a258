//! Threads of this process: a process that was forked makes its own.

use std::sync::{Arc, Mutex};

use pyo3::PyErr;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::errors::{Class, exception};

/// The most threads that are started: more are a slip of the finger, and take the machine down.
const MOST: usize = 1024;

/// The number of threads to compute on, and the pool for networks that share one batch out.
pub(crate) struct Threads {
    count: usize,
    pool: Mutex<Option<Pool>>,
}

/// A pool, and the process whose threads it has.
struct Pool {
    process: u32,
    pool: Arc<ThreadPool>,
}

impl Threads {
    /// So many threads; without a number, as many as the process may use.
    pub(crate) fn new(asked: Option<usize>) -> Result<Self, PyErr> {
        let count = match asked {
            None => std::thread::available_parallelism().map_or(1, usize::from).min(MOST),
            Some(count @ 1..=MOST) => count,
            Some(count) => {
                let message = format!("threads: {count} is not a number from 1 to {MOST}");
                return Err(exception(Class::Argument, &message, None));
            }
        };
        Ok(Self { count, pool: Mutex::default() })
    }

    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// The pool of this process.
    pub(crate) fn pool(&self) -> Result<Arc<ThreadPool>, String> {
        let made = || ThreadPoolBuilder::new().num_threads(self.count).build().map(Arc::new);
        let made = || made().map_err(|error| format!("no threads: {error}"));
        // A lock that another thread held when the process was forked is never released here.
        let Ok(mut kept) = self.pool.try_lock() else { return made() };
        let process = std::process::id();
        if let Some(kept) = kept.as_ref().filter(|kept| kept.process == process) {
            return Ok(Arc::clone(&kept.pool));
        }
        let pool = made()?;
        leave(kept.replace(Pool { process, pool: Arc::clone(&pool) }));
        Ok(pool)
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        let kept = self.pool.get_mut().ok().and_then(Option::take);
        leave(kept);
    }
}

/// Ends a pool, unless it is that of a process that was forked: its threads are not here, and to end it would take
/// locks that they may hold.
fn leave(pool: Option<Pool>) {
    if pool.as_ref().is_some_and(|pool| pool.process != std::process::id()) {
        std::mem::forget(pool);
    }
}
