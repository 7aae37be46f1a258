//! Groups of records that share a text, and the fixed division into training, validation and test.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

/// `text` lower-cased, every run of white space one space, none at the ends; nothing else is changed.
///
/// Two records with the same folded text are the same to a model and must not stand on both sides of a split.
#[must_use]
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    let lower = text.to_lowercase();
    for word in lower.split_whitespace() {
        if !folded.is_empty() {
            folded.push(' ');
        }
        folded.push_str(word);
    }
    folded
}

/// The group of a text: the first 16 bytes of the SHA-256 of the seed in decimal, a line feed and the folded text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupId(pub [u8; 16]);

impl GroupId {
    /// The group of `text` under `seed`.
    #[must_use]
    pub fn of(text: &str, seed: u64) -> Self {
        let mut hash = Sha256::new();
        hash.update(format!("{seed}\n"));
        hash.update(fold(text));
        let digest: [u8; 32] = hash.finalize().into();
        let mut id = [0; 16];
        id.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
        Self(id)
    }

    /// The place of the group in [0, 1): its first 8 bytes, big-endian, over 2^64.
    #[must_use]
    pub fn fraction(self) -> f64 {
        let number = self.0.iter().take(8).fold(0u64, |number, byte| (number << 8) | u64::from(*byte));
        number as f64 / 2f64.powi(64)
    }
}

impl fmt::Display for GroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for GroupId {
    type Err = ParseGroupError;

    fn from_str(text: &str) -> Result<Self, ParseGroupError> {
        let mut id = [0; 16];
        let pairs = text.as_bytes().chunks_exact(2);
        if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(ParseGroupError);
        }
        for (to, pair) in id.iter_mut().zip(pairs) {
            let digits = std::str::from_utf8(pair).map_err(|_| ParseGroupError)?;
            *to = u8::from_str_radix(digits, 16).map_err(|_| ParseGroupError)?;
        }
        Ok(Self(id))
    }
}

/// A text that is not 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a group is 32 hexadecimal digits")]
pub struct ParseGroupError;

/// The part of a split that a text belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// Fitted on.
    Train,
    /// Settings, thresholds and temperature are chosen on it.
    Validation,
    /// Read once for each published model.
    Test,
}

impl Part {
    /// All parts, in order.
    pub const ALL: [Self; 3] = [Self::Train, Self::Validation, Self::Test];

    /// The parts that models are evaluated on.
    pub const EVALUATED: [Self; 2] = [Self::Validation, Self::Test];

    /// Its name in the data set, in files and in arguments.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }

    /// Its description in the help of an argument.
    #[must_use]
    pub fn help(self) -> &'static str {
        match self {
            Self::Train => "For fitting",
            Self::Validation => "For choosing settings",
            Self::Test => "For publishing, once",
        }
    }

    /// The part of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.name() == name)
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The division of records. The default is the division that published figures are measured on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SplitOptions {
    /// Seed of the groups, and by them of the random split.
    pub seed: u64,
    /// Share of the groups that the random split trains on.
    pub train: f64,
    /// Share of the groups that the random split validates on; the rest is its test.
    pub validation: f64,
    /// Last CVE year that the temporal split trains on.
    pub train_until: u16,
    /// Last CVE year that the temporal split validates on; later years are its test.
    pub validation_until: u16,
}

impl Default for SplitOptions {
    fn default() -> Self {
        Self { seed: 42, train: 0.6, validation: 0.2, train_until: 2023, validation_until: 2024 }
    }
}

impl SplitOptions {
    /// The part of a group in the random split.
    #[must_use]
    pub fn random(&self, group: GroupId) -> Part {
        match group.fraction() {
            fraction if fraction < self.train => Part::Train,
            fraction if fraction < self.train + self.validation => Part::Validation,
            _ => Part::Test,
        }
    }

    /// The part of a CVE year in the temporal split. A group whose members fall in several parts goes as a whole
    /// to the earliest of them: a text that was known in training is no test.
    #[must_use]
    pub fn temporal(&self, cve_year: u16) -> Part {
        if cve_year <= self.train_until {
            Part::Train
        } else if cve_year <= self.validation_until {
            Part::Validation
        } else {
            Part::Test
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_group_is_the_digest_of_seed_and_folded_text() {
        // printf '42\nbuffer overflow in x' | sha256sum
        let group = GroupId::of(" Buffer\tOverflow  in\u{a0}X\n", 42);
        assert_eq!(group.to_string(), "7a51be0f6c2a5b99f2428ba3bc880ee8");
        assert_eq!(group.to_string().parse(), Ok(group));
        assert_ne!(group, GroupId::of("buffer overflow in x", 43));
        assert_ne!(
            group,
            GroupId::of("buffer overflow in x 1.0", 42),
            "version numbers are left as they are"
        );
    }

    #[test]
    fn the_parts_begin_where_the_design_says() {
        let options = SplitOptions::default();
        let group = |first: u8| GroupId([first, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0, 0, 0, 0, 0, 0, 0]);
        // 0.6 × 256 = 153.6 and 0.8 × 256 = 204.8
        for (first, part) in [
            (0, Part::Train),
            (153, Part::Train),
            (154, Part::Validation),
            (204, Part::Validation),
            (205, Part::Test),
            (255, Part::Test),
        ] {
            assert_eq!(options.random(group(first)), part, "{first}");
        }
        for (year, part) in [
            (1999, Part::Train),
            (2023, Part::Train),
            (2024, Part::Validation),
            (2025, Part::Test),
            (2026, Part::Test),
        ] {
            assert_eq!(options.temporal(year), part, "{year}");
        }
    }

    proptest! {
        #[test]
        fn folding_twice_changes_nothing(text in "\\PC*") {
            let once = fold(&text);
            prop_assert_eq!(fold(&once), once);
        }

        #[test]
        fn any_text_is_a_group_or_an_error(text in "\\PC*") {
            if let Ok(group) = text.parse::<GroupId>() {
                prop_assert_eq!(group.to_string(), text.to_lowercase());
            }
        }
    }
}
