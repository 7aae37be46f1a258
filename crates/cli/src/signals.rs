//! Signals that tell the process to end: unfinished files are removed first.
//!
//! Ctrl-C, SIGTERM and SIGHUP are waited for by a thread of its own, so that files can be removed; the process then ends
//! by the same signal, as its parent expects. A signal that the process was started to ignore (`nohup`, or `&` in a
//! script) stays ignored. Systems without signals end the process as they always do.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};

use crate::exit_codes;

#[cfg(unix)]
pub(crate) use unix::watch;

/// Set by the first Ctrl-C or SIGTERM, where a command ends by itself.
static STOP: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// The number of the signal that set it: SIGINT's until another does.
static RECEIVED: AtomicU8 = AtomicU8::new(2);

/// A flag that the first Ctrl-C or SIGTERM sets from now on, instead of ending the process; the second one ends it.
pub(crate) fn stop_flag() -> Arc<AtomicBool> {
    Arc::clone(STOP.get_or_init(Arc::default))
}

/// The time between two looks at the flag.
#[cfg(any(feature = "mcp", feature = "server"))]
const LOOK: std::time::Duration = std::time::Duration::from_millis(50);

/// Ends when the flag is set, which the first Ctrl-C or SIGTERM does from now on.
#[cfg(any(feature = "mcp", feature = "server"))]
pub(crate) fn stopped() -> impl Future<Output = ()> {
    let stop = stop_flag();
    async move {
        while !stop.load(Ordering::Relaxed) {
            tokio::time::sleep(LOOK).await;
        }
    }
}

/// The exit code of a command that ended itself because of the flag.
pub(crate) fn exit_code() -> u8 {
    exit_codes::BY_SIGNAL.saturating_add(RECEIVED.load(Ordering::Relaxed))
}

#[cfg(not(unix))]
pub(crate) fn watch() {}

#[cfg(unix)]
mod unix {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;
    use signal_hook::low_level;

    use super::{Ordering, RECEIVED, STOP};

    /// Begins to wait for signals.
    pub(crate) fn watch() {
        let ignored = ignored();
        let watched = [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|signal| ignored & mask(*signal) == 0);
        // Without handlers, signals end the process as they end any other.
        let Ok(mut signals) = Signals::new(watched) else { return };
        let wait = move || signals.forever().for_each(receive);
        // Without a thread, which a machine that can do anything at all has, they are lost.
        let _ = std::thread::Builder::new().name("signals".to_owned()).spawn(wait);
    }

    fn receive(signal: i32) {
        RECEIVED.store(u8::try_from(signal).unwrap_or(u8::MAX), Ordering::Relaxed);
        let stop = STOP.get().filter(|_| signal != SIGHUP);
        if stop.is_none_or(|stop| stop.swap(true, Ordering::Relaxed)) {
            end(signal);
        }
    }

    fn end(signal: i32) {
        vulnlens_files::remove_unfinished();
        // The first process of a container is not ended by its own signals.
        if std::process::id() != 1 {
            let _ = low_level::emulate_default_handler(signal);
        }
        low_level::exit(i32::from(super::exit_code()));
    }

    fn mask(signal: i32) -> u64 {
        1 << (signal - 1)
    }

    /// The signals that the process ignores, one bit each. A system that does not say so may ignore SIGHUP.
    fn ignored() -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mask_of = |line: &str| u64::from_str_radix(line.strip_prefix("SigIgn:")?.trim(), 16).ok();
        status.lines().find_map(mask_of).unwrap_or(mask(SIGHUP))
    }
}
