//! Ids that are made of names: the same name gives the same id, so that what is imported twice is there once.

use std::fmt;

use sha1::{Digest, Sha1};

/// The namespace that RFC 9562 gives for names of domains.
const DOMAINS: Uuid = Uuid(*b"\x6b\xa7\xb8\x10\x9d\xad\x11\xd1\x80\xb4\x00\xc0\x4f\xd4\x30\xc8");
/// The name of our own namespace in that one.
const OWN: &str = "vulnlens";

/// A UUID of version 5.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Uuid([u8; 16]);

impl Uuid {
    /// The id of a thing: its kind and the names that make it what it is. No name runs into the next.
    pub(crate) fn of(kind: &str, names: &[&str]) -> Self {
        let mut name = kind.to_owned();
        for part in names {
            name += &format!(":{}:{part}", part.len());
        }
        DOMAINS.v5(OWN).v5(&name)
    }

    fn v5(self, name: &str) -> Self {
        let hash = Sha1::new().chain_update(self.0).chain_update(name).finalize();
        let mut bytes = [0; 16];
        bytes.iter_mut().zip(hash).for_each(|(byte, hashed)| *byte = hashed);
        // The bits of the version and of the variant.
        let [.., version, _, variant, _, _, _, _, _, _, _] = &mut bytes;
        *version = *version & 0x0F | 0x50;
        *variant = *variant & 0x3F | 0x80;
        Self(bytes)
    }

    /// The id as a number.
    pub(crate) fn number(self) -> u128 {
        u128::from_be_bytes(self.0)
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = format!("{:032x}", self.number());
        let mut rest = digits.as_str();
        for (number, length) in [8, 4, 4, 4, 12].into_iter().enumerate() {
            let (part, behind) = rest.split_at_checked(length).unwrap_or((rest, ""));
            f.write_str(if number > 0 { "-" } else { "" })?;
            f.write_str(part)?;
            rest = behind;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_those_of_version_5() {
        // As Python's `uuid.uuid5(uuid.NAMESPACE_DNS, "python.org")` gives it.
        assert_eq!(DOMAINS.v5("python.org").to_string(), "886313e1-3b8a-5372-9b90-0c9aee199e5d");
    }

    #[test]
    fn names_do_not_run_into_each_other() {
        assert_ne!(Uuid::of("kind", &["a", "b"]), Uuid::of("kind", &["a:1:b"]));
        assert_ne!(Uuid::of("kind", &["ab", ""]), Uuid::of("kind", &["a", "b"]));
    }
}
