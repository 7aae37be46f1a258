//! Work on a pool of threads.

use crate::failure::{Failure, Kind};

/// Runs `work` on a pool of so many threads.
pub(crate) fn on_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> Result<T, Failure> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|error| Failure::new(Kind::Failed, format!("no threads: {error}")))?;
    Ok(pool.install(work))
}
