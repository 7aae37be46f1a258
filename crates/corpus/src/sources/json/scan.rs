//! The way through a JSON value by strings and brackets alone, which stops at the arrays that are looked for.

/// The way through one value, whose first bracket was read.
pub(super) struct Scan<'a> {
    keys: &'a [&'static str],
    depth: u64,
    in_string: bool,
    escaped: bool,
    /// The last string of the object itself, as far as a key may be long.
    string: Vec<u8>,
    after_colon: bool,
}

/// The end of a step through a value.
pub(super) enum Step {
    /// The value ends.
    End,
    /// An array under one of the keys opens.
    Array(&'static str),
}

/// Longest key that is looked for.
const LONGEST_KEY: usize = 64;

impl<'a> Scan<'a> {
    pub(super) fn new(keys: &'a [&'static str]) -> Self {
        Self { keys, depth: 1, in_string: false, escaped: false, string: Vec::new(), after_colon: false }
    }

    /// Goes through `bytes`; says after how many of them the value ends or an array that is looked for opens.
    pub(super) fn advance(&mut self, bytes: &[u8]) -> Option<(usize, Step)> {
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            if self.in_string {
                at = self.advance_string(bytes, at);
                continue;
            }
            at = at.saturating_add(1);
            if self.after_colon {
                if matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
                    continue;
                }
                self.after_colon = false;
                if byte == b'['
                    && let Some(key) = self.found()
                {
                    return Some((at, Step::Array(key)));
                }
            }
            match byte {
                b'"' => {
                    self.in_string = true;
                    self.string.clear();
                }
                b':' => self.after_colon = self.depth == 1,
                b'{' | b'[' => self.depth = self.depth.saturating_add(1),
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        return Some((at, Step::End));
                    }
                }
                _ => {}
            }
        }
        None
    }

    /// Goes on into the array at whose opening [`advance`](Self::advance) stopped, as into any other.
    pub(super) fn enter(&mut self) {
        self.depth = self.depth.saturating_add(1);
    }

    /// The key that the last string is.
    fn found(&self) -> Option<&'static str> {
        self.keys.iter().copied().find(|key| key.as_bytes() == self.string)
    }

    /// Goes on within a string; says where in `bytes` it stands then.
    fn advance_string(&mut self, bytes: &[u8], at: usize) -> usize {
        if std::mem::take(&mut self.escaped) {
            return at.saturating_add(1);
        }
        let rest = bytes.get(at..).unwrap_or_default();
        let length = memchr::memchr2(b'"', b'\\', rest).unwrap_or(rest.len());
        if self.depth == 1 && self.string.len() < LONGEST_KEY {
            let part = rest.get(..length.min(LONGEST_KEY)).unwrap_or_default();
            self.string.extend_from_slice(part);
        }
        match rest.get(length) {
            Some(b'"') => self.in_string = false,
            Some(_) => {
                self.escaped = true;
                // An escape stands in none of the keys that are looked for.
                self.string.push(b'\\');
            }
            None => return bytes.len(),
        }
        at.saturating_add(length).saturating_add(1)
    }
}

/// Tests whether an array under one of `keys` opens in the object that `bytes` begin with.
pub(super) fn opens_array(bytes: &[u8], keys: &[&'static str]) -> bool {
    let object = bytes.trim_ascii_start().strip_prefix(b"{");
    object.is_some_and(|rest| matches!(Scan::new(keys).advance(rest), Some((_, Step::Array(_)))))
}
