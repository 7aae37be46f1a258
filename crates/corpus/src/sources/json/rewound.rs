//! A reader that takes bytes back.

use std::io::{self, BufRead, Read};

/// A reader that lends bytes that were given back to it before it goes on.
pub(super) struct Rewound<R> {
    held: Vec<u8>,
    at: usize,
    /// The failure that ended `inner`; it is told when what is held was read.
    error: Option<io::Error>,
    inner: R,
}

impl<R> Rewound<R> {
    pub(super) fn new(inner: R) -> Self {
        Self { held: Vec::new(), at: 0, error: None, inner }
    }

    /// Takes back the bytes that were read last.
    pub(super) fn rewind(&mut self, mut bytes: Vec<u8>) {
        bytes.extend_from_slice(self.held.get(self.at..).unwrap_or_default());
        (self.held, self.at) = (bytes, 0);
    }
}

impl<R> Rewound<R> {
    /// Takes back a failure as well.
    pub(super) fn fail_later(&mut self, error: io::Error) {
        self.error = Some(error);
    }
}

impl<R: BufRead> Read for Rewound<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.fill_buf()?.read(buffer)?;
        self.consume(length);
        Ok(length)
    }
}

impl<R: BufRead> BufRead for Rewound<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        match self.held.get(self.at..) {
            Some(rest) if !rest.is_empty() => Ok(rest),
            _ => match self.error.take() {
                Some(error) => Err(error),
                None => self.inner.fill_buf(),
            },
        }
    }

    fn consume(&mut self, length: usize) {
        if self.at < self.held.len() {
            self.at = self.at.saturating_add(length);
            if self.at >= self.held.len() {
                // A long document is held but once.
                (self.held, self.at) = (Vec::new(), 0);
            }
        } else {
            self.inner.consume(length);
        }
    }
}
