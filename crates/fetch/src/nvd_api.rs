//! NVD's API 2.0: what changed in windows of at most 120 days, page by page, within its limit on requests.
//!
//! The windows are read from the oldest on. A record that changes meanwhile moves to a later window, which is still to
//! be read, and leaves the one that is read: the rest of that window then moves up, which its total tells, and it is
//! read anew. So no record is lost.

use std::collections::VecDeque;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use vulnlens_files::{FileError, WholeFile, read_if_there, sha256_hex};

use crate::client::Client;
use crate::clock::{after, written};
use crate::error::FetchError;
use crate::fetched::FetchedFile;
use crate::hosts::Address;
use crate::precedence::PAGE;
use crate::store::{Store, remove};
use crate::summary::Summary;

/// Most days between the ends of a window, by NVD's rules.
const WINDOW_SECONDS: i64 = 120 * 24 * 3600;
/// Seconds before the last window's end that the next one begins at: NVD's servers need not agree on the second.
const OVERLAP_SECONDS: i64 = 3600;
/// The beginning of the first window: no record changed before.
const BEGINNING: &str = "1999-01-01T00:00:00Z";
/// Records on a page, the most that NVD gives.
const PAGE_RECORDS: u64 = 2000;
/// Most bytes of a page; one has some ten million.
const MOST_PAGE_BYTES: u64 = 256 << 20;
/// Times that a window is read anew because it changed.
const ATTEMPTS: u32 = 5;
/// The file that says how far a window has been read.
const WINDOW: &str = ".nvd-api.window.json";
/// Most bytes of that file.
const MOST_WINDOW_BYTES: u64 = 4096;

/// The key to NVD's API, which allows more requests. `Debug` hides it.
#[derive(Clone)]
pub struct NvdKey(String);

impl NvdKey {
    /// The key in `text`; none where it is blank, or cannot stand in a header.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        let is_key = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        is_key.then(|| Self(text.to_owned()))
    }
}

impl std::fmt::Debug for NvdKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("NvdKey(…)")
    }
}

/// The limit on requests: so many in 30 seconds that roll.
#[derive(Debug)]
pub(crate) struct Pace {
    most: usize,
    /// The times of the last requests.
    made: VecDeque<Timestamp>,
}

impl Pace {
    const SPAN: Duration = Duration::from_secs(30);

    /// The limit with a key, or without one.
    pub(crate) const fn new(has_key: bool) -> Self {
        Self { most: if has_key { 50 } else { 5 }, made: VecDeque::new() }
    }

    /// Waits until one more request is within the limit.
    fn keep(&mut self, client: &Client<'_>) {
        let mut now = client.clock.now();
        while self.made.len() >= self.most {
            let oldest = self.made.pop_front().unwrap_or(now);
            let gone = Duration::try_from(now.duration_since(oldest)).unwrap_or_default();
            if let Some(wait) = Self::SPAN.checked_sub(gone).filter(|wait| !wait.is_zero()) {
                client.progress.waiting("NVD's limit on requests is reached", wait);
                client.clock.wait(wait);
                now = client.clock.now();
            }
        }
        self.made.push_back(now);
    }
}

/// A window of time that is being read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Window {
    from: String,
    until: String,
    /// The number of its records, once a page has said it.
    total: Option<u64>,
    /// Records on the pages that are there.
    done: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageOfRecords {
    start_index: u64,
    total_results: u64,
    vulnerabilities: Vec<IgnoredAny>,
}

/// NVD's API, as it is asked.
pub(crate) struct Api<'a> {
    client: &'a Client<'a>,
    key: Option<&'a NvdKey>,
    pace: Pace,
}

impl<'a> Api<'a> {
    pub(crate) const fn new(client: &'a Client<'a>, key: Option<&'a NvdKey>) -> Self {
        Self { client, key, pace: Pace::new(key.is_some()) }
    }

    /// Fetches what changed since the folder was last brought up to date; in a new folder since `since`, or ever.
    pub(crate) fn run(
        &mut self,
        store: &mut Store,
        since: Option<Timestamp>,
        summary: &mut Summary,
    ) -> Result<(), FetchError> {
        let now = after(self.client.clock.now(), 0);
        let through = store.fetched().api_through.clone();
        // A window that was begun is read to its own end, for the pages of another end are others.
        let mut begun = read_window(store)?.filter(|window| {
            through.as_ref().is_none_or(|through| window.from <= *through && *through < window.until)
        });
        let beginning = || since.or_else(|| BEGINNING.parse().ok()).unwrap_or(Timestamp::UNIX_EPOCH);
        let through = through.and_then(|time| time.parse().ok());
        let mut from = through.map_or_else(beginning, |through: Timestamp| after(through, -OVERLAP_SECONDS));
        while from < now {
            let until = after(from, WINDOW_SECONDS).min(now);
            let fresh = Window { from: written(from), until: written(until), total: None, done: 0 };
            let window = self.window(store, begun.take().unwrap_or(fresh), summary)?;
            store.put_api_through(window.until.clone())?;
            remove(&window_path(store))?;
            let until = window.until.parse().unwrap_or(until);
            // A window has a length, or there would be no end.
            from = if until > from { until } else { now };
        }
        Ok(())
    }

    /// Fetches the pages of a window.
    fn window(
        &mut self,
        store: &mut Store,
        mut window: Window,
        summary: &mut Summary,
    ) -> Result<Window, FetchError> {
        for _ in 0..ATTEMPTS {
            if self.pages(store, &mut window, summary)? {
                return Ok(window);
            }
            self.client.progress.note("records changed while they were read; the window is read anew");
            (window.total, window.done) = (None, 0);
        }
        let address = self.client.hosts.get(Address::NvdApi).to_owned();
        Err(FetchError::Unsteady { address, window: format!("{} to {}", window.from, window.until) })
    }

    /// Fetches the pages that are missing; false if the window changed meanwhile.
    fn pages(
        &mut self,
        store: &mut Store,
        window: &mut Window,
        summary: &mut Summary,
    ) -> Result<bool, FetchError> {
        while window.total.is_none_or(|total| window.done < total) {
            let (url, body, page) = self.page(window)?;
            let count = page.vulnerabilities.len() as u64;
            if window.total.is_some_and(|total| total != page.total_results) {
                return Ok(false);
            }
            window.total = Some(page.total_results);
            let end = window.done.saturating_add(count);
            if page.start_index != window.done || end > page.total_results {
                return Err(FetchError::malformed(url, "gives other records than were asked for"));
            }
            if count == 0 && page.total_results > window.done {
                return Err(FetchError::malformed(url, "gives no records where there should be more"));
            }
            if count > 0 {
                let file = self.save(store, window, &url, &body)?;
                summary.count(&file.name, Some(&file));
                store.put(file, |_, _| false)?;
            }
            window.done = end;
            let span = format!("{} to {}", day(&window.from), day(&window.until));
            self.client.progress.records(&span, window.done, page.total_results);
            let json = serde_json::to_vec(&window).unwrap_or_default();
            WholeFile::write(&window_path(store), json)?;
        }
        Ok(true)
    }

    fn page(&mut self, window: &Window) -> Result<(String, Vec<u8>, PageOfRecords), FetchError> {
        let (client, key) = (self.client, self.key);
        let url = format!(
            "{}?lastModStartDate={}&lastModEndDate={}&resultsPerPage={PAGE_RECORDS}&startIndex={}",
            client.hosts.get(Address::NvdApi),
            parameter(&window.from),
            parameter(&window.until),
            window.done
        );
        let secret = key.map(|key| ("apikey", key.0.as_str()));
        let body = client.patiently(|| {
            self.pace.keep(client);
            client.body(&url, &[], secret, MOST_PAGE_BYTES)
        })?;
        let page = serde_json::from_slice(&body)
            .map_err(|error| FetchError::malformed(&url, format!("is not a page of records: {error}")))?;
        Ok((url, body, page))
    }

    fn save(
        &self,
        store: &Store,
        window: &Window,
        url: &str,
        body: &[u8],
    ) -> Result<FetchedFile, FetchError> {
        let [from, until] = [&window.from, &window.until].map(|time| time.replace([':', '-'], ""));
        let name = format!("{PAGE}{from}-{until}-{:07}.json.gz", window.done);
        let path = store.folder().join(&name);
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        let packed = encoder.write_all(body).and_then(|()| encoder.finish());
        let packed = packed.map_err(FileError::write(&path))?;
        WholeFile::write(&path, &packed)?;
        Ok(FetchedFile {
            name,
            url: url.to_owned(),
            fetched: written(self.client.clock.now()),
            bytes: packed.len() as u64,
            sha256: sha256_hex(&packed),
            content_sha256: None,
            etag: None,
            last_modified: None,
        })
    }
}

/// The end of the window that a page called `name` is of, as its name writes it.
pub(crate) fn page_until(name: &str) -> Option<&str> {
    name.strip_prefix(PAGE)?.split('-').nth(1)
}

/// A time as [`page_until`] writes it.
pub(crate) fn in_name(time: Timestamp) -> String {
    written(time).replace([':', '-'], "")
}

/// A time as a parameter, with milliseconds.
fn parameter(time: &str) -> String {
    format!("{}.000Z", time.trim_end_matches('Z'))
}

fn day(time: &str) -> &str {
    time.split('T').next().unwrap_or_default()
}

fn window_path(store: &Store) -> PathBuf {
    store.folder().join(WINDOW)
}

/// The window that was begun; none where there is none, or one that nobody can read.
fn read_window(store: &Store) -> Result<Option<Window>, FetchError> {
    let bytes = read_if_there(&window_path(store), MOST_WINDOW_BYTES)?;
    Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
}
