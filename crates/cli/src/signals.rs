//! Signals that tell the process to end: unfinished files are removed first.
//!
//! Ctrl-C, SIGTERM and SIGHUP are waited for by a thread of its own, so that files can be removed; the process then ends
//! by the same signal, as its parent expects. A signal that the process was started to ignore (`nohup`, or `&` in a
//! script) stays ignored. Systems without signals end the process as they always do.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};

#[cfg(unix)]
pub(crate) use unix::watch;

/// Set by the first Ctrl-C or SIGTERM, where a command ends by itself.
static STOP: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// A flag that the first Ctrl-C or SIGTERM sets from now on, instead of ending the process; the second one ends it.
pub(crate) fn stop_flag() -> Arc<AtomicBool> {
    Arc::clone(STOP.get_or_init(Arc::default))
}

#[cfg(not(unix))]
pub(crate) fn watch() {}

#[cfg(unix)]
mod unix {
    use std::sync::atomic::Ordering;

    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;
    use signal_hook::low_level;

    use super::STOP;
    use crate::exit_codes;

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
        low_level::exit(exit_codes::BY_SIGNAL + signal);
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
