//! Ctrl-C and SIGTERM: the first asks a run to end with a checkpoint, the second ends it at once.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::failure::{Failure, Kind};

/// The exit code of a command that a second signal ended: 128 and SIGINT's number.
const KILLED: i32 = 130;

/// A flag that either signal sets.
pub(crate) fn on_signal() -> Result<Arc<AtomicBool>, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // In this order: the second signal finds the flag set.
        let registered = flag::register_conditional_shutdown(signal, KILLED, Arc::clone(&stop))
            .and_then(|_| flag::register(signal, Arc::clone(&stop)));
        registered
            .map_err(|error| Failure::new(Kind::Failed, format!("signals cannot be caught: {error}")))?;
    }
    Ok(stop)
}
