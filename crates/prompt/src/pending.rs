//! Requests under way: the same one is not sent twice at once, so that one reply answers all equal texts.

use std::collections::HashSet;
use std::sync::{Condvar, Mutex};

/// The keys of requests under way.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    keys: Mutex<HashSet<String>>,
    ended: Condvar,
}

/// A request that is under way until it is dropped.
pub(crate) struct UnderWay<'a> {
    pending: &'a Pending,
    key: &'a str,
}

impl Pending {
    /// Begins a request, when no other one with this key is under way.
    pub(crate) fn begin<'a>(&'a self, key: &'a str) -> UnderWay<'a> {
        // Nothing can panic under the lock; without it requests go unchecked.
        if let Ok(keys) = self.keys.lock()
            && let Ok(mut keys) = self.ended.wait_while(keys, |keys| keys.contains(key))
        {
            keys.insert(key.to_owned());
        }
        UnderWay { pending: self, key }
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        if let Ok(mut keys) = self.pending.keys.lock() {
            keys.remove(self.key);
        }
        self.pending.ended.notify_all();
    }
}
