//! The parts of a knowledge base that most questions never touch: decoded where they are asked for.

use std::borrow::Cow;
use std::fmt;
use std::io::{Read as _, Write as _};
use std::sync::OnceLock;

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::defences::D3fend;
use crate::descriptions::Descriptions;
use crate::entries::Atlas;

/// Most bytes that descriptions may unpack to; ours are two hundred thousand.
const LARGEST: u64 = 16 << 20;

/// ATLAS and D3FEND, and the days of the newest changes where a catalogue does not say that of its release.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Supplement {
    pub(crate) atlas: Option<Atlas>,
    pub(crate) d3fend: Option<D3fend>,
    pub(crate) capec_date: Option<String>,
    pub(crate) attack_date: Option<String>,
}

/// A part of a knowledge base with a form in bytes.
pub(crate) trait Section: Sized + Default {
    /// The form in bytes.
    fn encode(&self) -> Vec<u8>;

    /// The part of these bytes, or the reason why they are none.
    fn decode(bytes: &[u8]) -> Result<Self, String>;
}

/// A part that is kept in bytes until it is asked for.
#[derive(Clone)]
pub(crate) struct Lazy<T> {
    bytes: Cow<'static, [u8]>,
    value: OnceLock<T>,
}

impl<T: Section> Lazy<T> {
    pub(crate) fn new(value: T) -> Self {
        Self { bytes: Cow::Owned(value.encode()), value: OnceLock::from(value) }
    }

    /// The part of bytes that are known to be one: others would give an empty part.
    pub(crate) fn trusted(bytes: &'static [u8]) -> Self {
        Self { bytes: Cow::Borrowed(bytes), value: OnceLock::new() }
    }

    /// The part of any bytes.
    pub(crate) fn checked(bytes: &[u8]) -> Result<Self, String> {
        Ok(Self { bytes: Cow::Owned(bytes.to_vec()), value: OnceLock::from(T::decode(bytes)?) })
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn get(&self) -> &T {
        self.value.get_or_init(|| T::decode(&self.bytes).unwrap_or_default())
    }
}

impl<T> fmt::Debug for Lazy<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.bytes.len())
    }
}

impl<T> PartialEq for Lazy<T> {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl<T> Eq for Lazy<T> {}

impl Section for Supplement {
    fn encode(&self) -> Vec<u8> {
        packed(self)
    }

    fn decode(bytes: &[u8]) -> Result<Self, String> {
        let supplement: Self = unpacked(bytes)?;
        let atlas_in_order = supplement.atlas.as_ref().is_none_or(|atlas| {
            atlas.tactics.is_sorted_by(|a, b| a.id < b.id)
                && atlas.techniques.is_sorted_by(|a, b| a.id < b.id)
                && atlas.mitigations.is_sorted_by(|a, b| a.id < b.id)
        });
        let in_order = atlas_in_order && supplement.d3fend.as_ref().is_none_or(D3fend::is_in_order);
        in_order.then_some(supplement).ok_or_else(|| "ATLAS and D3FEND are not in id order".to_owned())
    }
}

impl Section for Descriptions {
    fn encode(&self) -> Vec<u8> {
        packed(self)
    }

    fn decode(bytes: &[u8]) -> Result<Self, String> {
        let descriptions: Self = unpacked(bytes)?;
        let in_order = descriptions.is_in_order();
        in_order.then_some(descriptions).ok_or_else(|| "the descriptions are not in id order".to_owned())
    }
}

/// Postcard's encoding, by deflate: names repeat each other's words.
#[expect(
    clippy::expect_used,
    reason = "postcard refuses only sequences of unknown length, and a vector takes every byte"
)]
fn packed<T: Serialize>(value: &T) -> Vec<u8> {
    let plain = postcard::to_stdvec(value).expect("every sequence knows its length");
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&plain).and_then(|()| encoder.finish()).expect("a vector takes every byte")
}

fn unpacked<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    let mut plain = Vec::new();
    let mut decoder = ZlibDecoder::new(bytes).take(LARGEST.saturating_add(1));
    decoder.read_to_end(&mut plain).map_err(|error| error.to_string())?;
    if plain.len() as u64 > LARGEST {
        return Err(format!("a section unpacks to more than {LARGEST} bytes"));
    }
    let (value, rest) = postcard::take_from_bytes(&plain).map_err(|error| error.to_string())?;
    if rest.is_empty() { Ok(value) } else { Err("a section has a rest".to_owned()) }
}
