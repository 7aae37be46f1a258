//! The contents of files: checked to be what they should be before a file gets its name.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use serde::de::IgnoredAny;
use sha2::{Digest as _, Sha256};
use vulnlens_files::{Gunzip, UnpackLimits, hex};
use zip::ZipArchive;

/// Bounds on what a file unpacks to: the longest, the CVE list's release, unpacks to three gigabytes.
const LIMITS: UnpackLimits = UnpackLimits { bytes: 64 << 30, ratio: 250, ratio_from: 256 << 20 };
/// Keys of a document's own that are remembered; the longest list of those that are fetched has a dozen.
const MOST_KEYS: usize = 1000;

/// The kind of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A JSON object with this key.
    Json(&'static str),
    /// The same, packed by gzip.
    GzipJson(&'static str),
    /// A zip archive with an entry whose name ends so.
    Zip(&'static str),
    Yaml,
    Turtle,
}

/// Reads the file at `path` to its end and checks that it is whole and of its kind; gives the checksum of what a gzip
/// file unpacks to. The inner error is what is wrong with the content.
pub(crate) fn check(path: &Path, kind: Kind) -> io::Result<Result<Option<String>, String>> {
    let file = File::open(path)?;
    Ok(match kind {
        Kind::Json(key) => json(BufReader::new(file), key).map(|()| None),
        Kind::GzipJson(key) => {
            let mut hashing = Hashing { reader: Gunzip::new(file, LIMITS), hash: Sha256::new() };
            json(BufReader::new(&mut hashing), key).map(|()| Some(hex(&hashing.hash.finalize())))
        }
        Kind::Zip(ending) => archive(file, ending).map(|()| None),
        Kind::Yaml => {
            text(file, |text| text.starts_with("---") || text.contains("\nid:") || text.starts_with("id:"))
                .and_then(|is_yaml| if is_yaml { Ok(None) } else { Err("is not YAML with an id".to_owned()) })
        }
        Kind::Turtle => text(file, |text| text.contains("@prefix") && text.trim_end().ends_with('.'))
            .and_then(|is_turtle| if is_turtle { Ok(None) } else { Err("is not whole Turtle".to_owned()) }),
    })
}

/// Checks a JSON object to its last byte.
fn json(mut reader: impl io::BufRead, key: &str) -> Result<(), String> {
    let head = reader.fill_buf().map_err(|error| format!("cannot be unpacked: {error}"))?;
    if head.trim_ascii_start().first() == Some(&b'<') {
        return Err("is a page of HTML, not JSON".to_owned());
    }
    let keys: Keys =
        serde_json::from_reader(reader).map_err(|error| format!("is not whole JSON: {error}"))?;
    if keys.0.contains_key(key) { Ok(()) } else { Err(format!("is JSON without the key `{key}`")) }
}

/// The keys of an object; what stands in them is read and not kept.
struct Keys(BTreeMap<String, ()>);

impl<'de> serde::Deserialize<'de> for Keys {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Keys;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Keys, A::Error> {
                let mut keys = BTreeMap::new();
                while let Some((key, IgnoredAny)) = map.next_entry::<String, IgnoredAny>()? {
                    if keys.len() < MOST_KEYS {
                        keys.insert(key, ());
                    }
                }
                Ok(Keys(keys))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

/// Checks each entry of an archive by its checksum.
fn archive(file: File, ending: &str) -> Result<(), String> {
    let damaged = |error: &dyn std::fmt::Display| format!("is not a whole zip archive: {error}");
    let packed = file.metadata().map_err(|error| damaged(&error))?.len();
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(|error| damaged(&error))?;
    let (mut unpacked, mut is_found) = (0u64, false);
    for number in 0..archive.len() {
        let mut entry = archive.by_index(number).map_err(|error| damaged(&error))?;
        is_found |= entry.name().is_ok_and(|name| name.ends_with(ending));
        let mut part = entry.by_ref().take(LIMITS.bytes);
        unpacked =
            unpacked.saturating_add(io::copy(&mut part, &mut io::sink()).map_err(|error| damaged(&error))?);
        LIMITS.check(packed, unpacked).map_err(|error| damaged(&error))?;
    }
    if is_found { Ok(()) } else { Err(format!("is an archive without an entry that ends in {ending}")) }
}

fn text(file: File, is_right: impl Fn(&str) -> bool) -> Result<bool, String> {
    let mut text = String::new();
    BufReader::new(file).read_to_string(&mut text).map_err(|error| format!("is not a text: {error}"))?;
    if text.trim_start().starts_with('<') && !text.trim_start().starts_with("<http") {
        return Err("is a page of HTML".to_owned());
    }
    Ok(is_right(&text) && text.ends_with('\n'))
}

/// Hashes what is read.
struct Hashing<R> {
    reader: R,
    hash: Sha256,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.reader.read(buffer)?;
        self.hash.update(buffer.get(..length).unwrap_or_default());
        Ok(length)
    }
}
