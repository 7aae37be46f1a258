//! The times at which requests may be sent, shared by all threads.

use std::sync::Mutex;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The times at which requests may be sent.
#[derive(Debug)]
pub(crate) struct Pace {
    interval: Duration,
    next: Mutex<Option<Instant>>,
}

impl Pace {
    /// A pace of one request in each interval.
    pub(crate) fn new(interval: Duration) -> Self {
        Self { interval, next: Mutex::default() }
    }

    /// Waits for the time of the next request, and takes it.
    pub(crate) fn wait(&self) {
        let now = Instant::now();
        let at = {
            // Nothing can panic under the lock.
            let Ok(mut next) = self.next.lock() else { return };
            let at = next.map_or(now, |next| next.max(now));
            *next = at.checked_add(self.interval);
            at
        };
        sleep(at.saturating_duration_since(now));
    }

    /// Lets no request go before a time has passed.
    pub(crate) fn hold(&self, time: Duration) {
        let Ok(mut next) = self.next.lock() else { return };
        let until = Instant::now().checked_add(time);
        *next = (*next).max(until);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_keep_their_distance() {
        let (pace, begun) = (Pace::new(Duration::from_millis(20)), Instant::now());
        (0..4).for_each(|_| pace.wait());
        assert!(begun.elapsed() >= Duration::from_millis(60));
        pace.hold(Duration::from_millis(50));
        let held = Instant::now();
        pace.wait();
        assert!(held.elapsed() >= Duration::from_millis(45));
    }
}
