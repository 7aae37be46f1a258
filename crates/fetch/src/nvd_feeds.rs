//! NVD's feeds in the schema 2.0: one for each year, one of what changed in the last eight days. A `.meta` file says
//! for each by a checksum whether it has changed.

use jiff::tz::TimeZone;

use crate::client::Client;
use crate::content::Kind;
use crate::download::fetch;
use crate::error::FetchError;
use crate::hosts::Address;
use crate::store::Store;
use crate::summary::Summary;
use crate::wanted::{Checksum, Wanted};

/// The key of a feed's array.
pub(crate) const RECORDS: &str = "vulnerabilities";
/// The feed of what changed in the last eight days.
pub(crate) const MODIFIED: &str = "modified";
/// The feed of the year 2002 holds the earlier years, too.
pub(crate) const FIRST_YEAR: u16 = 2002;
/// Most bytes of a feed; that of the longest year has thirty million.
const LIMIT: u64 = 1 << 30;
/// Most bytes of a `.meta` file; it has five lines.
const MOST_META_BYTES: u64 = 4096;
/// Times that a feed is asked for whose `.meta` file says another checksum: both may be replaced meanwhile.
const ATTEMPTS: usize = 3;

/// The file of a feed.
pub(crate) fn file_name(feed: &str) -> String {
    format!("nvdcve-2.0-{feed}.json.gz")
}

/// Fetches the feeds of all years, and that of the last days.
pub(crate) fn run(client: &Client<'_>, store: &mut Store, summary: &mut Summary) -> Result<(), FetchError> {
    let this_year = client.clock.now().to_zoned(TimeZone::UTC).year();
    let years = FIRST_YEAR..=u16::try_from(this_year).unwrap_or(FIRST_YEAR);
    for year in years.clone() {
        match feed(client, store, &year.to_string(), summary) {
            // In the first days of a year there may be no feed of it.
            Err(FetchError::Status { status: 404, .. }) if year == *years.end() => {
                client.progress.note(&format!("there is no feed of {year} yet"));
            }
            done => done?,
        }
    }
    modified(client, store, summary)
}

/// Fetches the feed of the last days.
pub(crate) fn modified(
    client: &Client<'_>,
    store: &mut Store,
    summary: &mut Summary,
) -> Result<(), FetchError> {
    feed(client, store, MODIFIED, summary)
}

fn feed(client: &Client<'_>, store: &mut Store, feed: &str, summary: &mut Summary) -> Result<(), FetchError> {
    let (base, name) = (client.hosts.get(Address::NvdFeeds), file_name(feed));
    let (url, meta) = (format!("{base}/{name}"), format!("{base}/nvdcve-2.0-{feed}.meta"));
    let mut attempt = 1;
    loop {
        let checksum = checksum(client, &meta)?;
        let kind = Kind::GzipJson(RECORDS);
        let wanted = Wanted { name: name.clone(), url: url.clone(), kind, limit: LIMIT, checksum };
        match fetch(client, store, &wanted) {
            Err(FetchError::Checksum { .. }) if attempt < ATTEMPTS => attempt += 1,
            file => {
                let file = file?;
                summary.count(&wanted.name, file.as_ref());
                return file.map_or(Ok(()), |file| store.put(file, |_, _| false));
            }
        }
    }
}

/// The checksum of a feed's content; none where a mirror has no `.meta` files.
fn checksum(client: &Client<'_>, url: &str) -> Result<Option<Checksum>, FetchError> {
    let meta = match client.patiently(|| client.body(url, &[], None, MOST_META_BYTES)) {
        Err(FetchError::Status { status: 404, .. }) => return Ok(None),
        meta => meta?,
    };
    let sum = read_meta(&String::from_utf8_lossy(&meta));
    let sum = sum.ok_or_else(|| FetchError::malformed(url, "has no line `sha256:` with a checksum"))?;
    Ok(Some(Checksum::Content(sum)))
}

/// The checksum in a `.meta` file, in lower-case digits.
fn read_meta(text: &str) -> Option<String> {
    let sum = text.lines().find_map(|line| line.trim().strip_prefix("sha256:"))?.trim();
    let is_sum = sum.len() == 64 && sum.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_sum.then(|| sum.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_read_of_its_line() {
        let sum = "AB".repeat(32);
        let meta =
            format!("lastModifiedDate:2026-11-28T03:00:02-05:00\r\nsize:1\r\ngzSize:1\r\nsha256:{sum}\r\n");
        assert_eq!(read_meta(&meta), Some("ab".repeat(32)));
        for bad in ["", "sha256:", "sha256:12", &format!("sha256:{}", "x".repeat(64)), "<html>"] {
            assert_eq!(read_meta(bad), None, "{bad}");
        }
    }
}
