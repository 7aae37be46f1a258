//! Unpacking gzip: one member after another, within limits, and other bytes after the last told from a cut.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::GzDecoder;

use crate::limits::Limits;

/// The first byte of every member.
const MAGIC: u8 = 0x1F;

/// Other bytes follow the last member.
#[derive(Debug, thiserror::Error)]
#[error("other bytes follow the gzip data")]
pub(crate) struct TrailingBytes;

/// What the members of a gzip file unpack to; fails once that is more than the limits allow.
pub(crate) struct Unpacked<R> {
    member: Member<R>,
    limits: Limits,
    count: u64,
    last: u8,
}

type Packed<R> = BufReader<Counted<R>>;

/// Where in the file the reader is.
enum Member<R> {
    Within(Box<GzDecoder<Packed<R>>>),
    /// Behind the last member; whether other bytes follow it.
    Behind {
        packed: u64,
        trailing: bool,
    },
}

impl<R: Read> Unpacked<R> {
    pub(crate) fn new(packed: R, limits: &Limits) -> Self {
        let packed = BufReader::new(Counted { inner: packed, count: 0 });
        let member = Member::Within(Box::new(GzDecoder::new(packed)));
        Self { member, limits: *limits, count: 0, last: b'\n' }
    }

    fn packed(&self) -> u64 {
        match &self.member {
            Member::Within(decoder) => decoder.get_ref().get_ref().count,
            Member::Behind { packed, .. } => *packed,
        }
    }

    /// Goes on to the member behind the one that ended, if there is one.
    fn next_member(&mut self) -> io::Result<()> {
        let Member::Within(decoder) = &mut self.member else { return Ok(()) };
        let next = decoder.get_mut().fill_buf()?.first().copied();
        let packed = decoder.get_ref().get_ref().count;
        let behind = Member::Behind { packed, trailing: next.is_some() };
        let ended = std::mem::replace(&mut self.member, behind);
        if let (Member::Within(decoder), Some(MAGIC)) = (ended, next) {
            self.member = Member::Within(Box::new(GzDecoder::new(decoder.into_inner())));
        }
        Ok(())
    }
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            match &mut self.member {
                Member::Behind { trailing: false, .. } => return Ok(0),
                Member::Behind { .. } if self.last == b'\n' => return Err(io::Error::other(TrailingBytes)),
                Member::Behind { .. } => {
                    // The last line is whole, and a failure in its middle would lose it.
                    self.last = b'\n';
                    return b"\n".as_slice().read(buffer);
                }
                Member::Within(decoder) => match decoder.read(buffer)? {
                    0 => self.next_member()?,
                    length => {
                        self.last = buffer.get(length.saturating_sub(1)).copied().unwrap_or_default();
                        self.count = self.count.saturating_add(length as u64);
                        self.limits.check(self.packed(), self.count)?;
                        return Ok(length);
                    }
                },
            }
        }
    }
}

/// Counts the bytes read through it.
struct Counted<R> {
    inner: R,
    count: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.count = self.count.saturating_add(length as u64);
        Ok(length)
    }
}
