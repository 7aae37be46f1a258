//! The time of day, and waiting: given from outside, so that tests take no real time.

use std::time::Duration;

use jiff::Timestamp;

/// The time of day, and waiting.
pub trait Clock {
    /// The seconds since 1970, and the rest of a second.
    fn now(&self) -> Timestamp;

    /// Waits.
    fn wait(&self, time: Duration);
}

/// The clock of the system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn wait(&self, time: Duration) {
        std::thread::sleep(time);
    }
}

/// A time in the form `2026-11-29T10:00:00Z`, of which later ones sort behind earlier ones.
pub(crate) fn written(time: Timestamp) -> String {
    let seconds = Timestamp::from_second(time.as_second()).unwrap_or(Timestamp::UNIX_EPOCH);
    seconds.to_string()
}

/// The time `seconds` after `time`, or the end of time.
pub(crate) fn after(time: Timestamp, seconds: i64) -> Timestamp {
    let second = time.as_second().saturating_add(seconds);
    Timestamp::from_second(second).unwrap_or(if seconds < 0 { Timestamp::MIN } else { Timestamp::MAX })
}
