//! One file: aside first, resumed where a transfer was cut, checked, then renamed.
//!
//! `.NAME.part` holds the bytes and `.NAME.part.json` their address and the server's word for the state of the file
//! (ETag, time of change). That is written before the first byte, and a part is resumed only by a server that answers
//! for the same state; so the process may end at any byte.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use ureq::Body;
use ureq::http::{Response, StatusCode};
use vulnlens_files::{FileError, folder_of, read_if_there, sha256_of};

use crate::client::{Client, Patience, text_of};
use crate::clock::written;
use crate::content::check;
use crate::error::FetchError;
use crate::fetched::FetchedFile;
use crate::store::{Store, remove};
use crate::wanted::{Checksum, PART, Wanted};

const BUFFER_BYTES: usize = 256 << 10;
/// Most bytes of the description of a part.
const MOST_STATE_BYTES: u64 = 64 << 10;
/// Times that a file which arrives damaged is fetched anew.
const ATTEMPTS: u32 = 3;

/// The server's word for a state of a file.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
struct State {
    url: String,
    etag: Option<String>,
    last_modified: Option<String>,
    total: Option<u64>,
}

impl State {
    fn of(url: &str, answer: &Response<Body>) -> Self {
        let header = |name| text_of(answer.headers(), name).map(str::to_owned);
        let total = answer.body().content_length();
        Self { url: url.to_owned(), etag: header("etag"), last_modified: header("last-modified"), total }
    }

    /// The word by which a part of the file may be asked for: one that names the very bytes.
    fn validator(&self) -> Option<&str> {
        let is_strong = |etag: &&str| etag.starts_with('"');
        self.etag.as_deref().filter(is_strong).or(self.last_modified.as_deref())
    }

    /// True if a part of the file in the state `other` belongs to the file in this state.
    fn is_same(&self, other: &Self) -> bool {
        self.validator().is_some() && self.validator() == other.validator()
    }
}

/// Fetches a file into the folder of `store`; none if it is there and has not changed.
pub(crate) fn fetch(
    client: &Client<'_>,
    store: &Store,
    wanted: &Wanted,
) -> Result<Option<FetchedFile>, FetchError> {
    let held = store.intact(&wanted.name)?.filter(|file| file.url == wanted.url);
    if held.is_some_and(|held| wanted.checksum.as_ref().is_some_and(|sum| sum.is_of(held))) {
        return Ok(None);
    }
    // A checksum that differs says that the file has changed, whatever a server remembers.
    let held = held.filter(|_| wanted.checksum.is_none());
    let mut part = Part::open(client, store.folder(), wanted)?;
    let mut attempt = 1;
    loop {
        let Some(()) = part.complete(held)? else {
            part.discard()?;
            return Ok(None);
        };
        match part.verify() {
            Ok(file) => return part.publish(file).map(Some),
            // What an earlier run left may be at fault; and a file may be replaced while it is read.
            Err(error) if attempt < ATTEMPTS && is_of_content(&error) => {
                client.progress.note(&format!("{}: arrived damaged; it is fetched anew", wanted.name));
                part.discard()?;
                part = Part::open(client, store.folder(), wanted)?;
                attempt += 1;
            }
            Err(error) => {
                part.discard()?;
                return Err(error);
            }
        }
    }
}

fn is_of_content(error: &FetchError) -> bool {
    matches!(error, FetchError::Malformed { .. } | FetchError::Checksum { .. })
}

/// A file that is not whole yet.
struct Part<'a> {
    client: &'a Client<'a>,
    wanted: &'a Wanted,
    folder: &'a Path,
    path: PathBuf,
    out: File,
    done: u64,
    state: State,
}

impl<'a> Part<'a> {
    /// Takes up what is there of the same address.
    fn open(client: &'a Client<'a>, folder: &'a Path, wanted: &'a Wanted) -> Result<Self, FetchError> {
        let path = folder.join(format!(".{}{PART}", wanted.name));
        let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let mut out = open.map_err(FileError::write(&path))?;
        let state = read_state(&state_path(&path))?.filter(|state| state.url == wanted.url);
        let done = out.seek(SeekFrom::End(0)).map_err(FileError::write(&path))?;
        let mut part = Self { client, wanted, folder, path, out, done, state: State::default() };
        match state.filter(|state| state.validator().is_some()) {
            Some(state) if done <= wanted.limit && state.total.is_none_or(|total| done <= total) => {
                part.state = state;
            }
            _ => part.empty()?,
        }
        Ok(part)
    }

    /// Fetches what is missing; none where the server says that the file which is `held` has not changed.
    fn complete(&mut self, held: Option<&FetchedFile>) -> Result<Option<()>, FetchError> {
        let (mut patience, mut furthest) = (Patience::default(), self.done);
        loop {
            if self.done > 0 && self.state.total == Some(self.done) {
                return Ok(Some(()));
            }
            match self.fetch_rest(held) {
                Ok(outcome) => return Ok(outcome),
                Err(error) => {
                    let has_come_further = self.done > furthest;
                    furthest = furthest.max(self.done);
                    if has_come_further && matches!(error, FetchError::Cut { .. }) {
                        patience.renew();
                    } else {
                        patience.wait(error, self.client)?;
                    }
                }
            }
        }
    }

    /// Makes one request for what is missing.
    fn fetch_rest(&mut self, held: Option<&FetchedFile>) -> Result<Option<()>, FetchError> {
        let range = format!("bytes={}-", self.done);
        let headers: Vec<(&'static str, &str)> = match self.state.validator().filter(|_| self.done > 0) {
            Some(validator) => vec![("range", &range), ("if-range", validator)],
            None => {
                let etag = held.and_then(|held| held.etag.as_deref()).map(|etag| ("if-none-match", etag));
                let time = held.and_then(|held| held.last_modified.as_deref());
                let time = time.filter(|_| etag.is_none()).map(|time| ("if-modified-since", time));
                etag.into_iter().chain(time).collect()
            }
        };
        let mut answer = self.client.ask(&self.wanted.url, &headers, None)?;
        let now = State::of(&self.wanted.url, &answer);
        match answer.status() {
            StatusCode::NOT_MODIFIED if held.is_some() => return Ok(None),
            StatusCode::PARTIAL_CONTENT if self.continues(&answer, &now) => {}
            StatusCode::OK => self.begin(now)?,
            // A part that is not of this file, or a server that is confused: from the beginning, once each time.
            StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE if self.done > 0 => {
                self.empty()?;
                return self.fetch_rest(held);
            }
            status => return Err(FetchError::status(&self.wanted.url, status.as_u16())),
        }
        self.receive(&mut answer).map(Some)
    }

    /// True if a partial answer is the rest of the same state of the file.
    fn continues(&self, answer: &Response<Body>, now: &State) -> bool {
        let range =
            || text_of(answer.headers(), "content-range")?.trim().strip_prefix("bytes ")?.split_once('-');
        let Some((start, rest)) = range() else { return false };
        let total = rest.split_once('/').and_then(|(_, total)| total.trim().parse::<u64>().ok());
        let is_total = total.is_none() || self.state.total.is_none() || total == self.state.total;
        start.trim().parse() == Ok(self.done) && is_total && self.state.is_same(now)
    }

    /// Empties the part for the file in another state.
    fn begin(&mut self, state: State) -> Result<(), FetchError> {
        let too_long = state.total.is_some_and(|total| total > self.wanted.limit);
        if too_long {
            return Err(self.too_long());
        }
        self.empty()?;
        self.state = state;
        let (path, json) = (state_path(&self.path), serde_json::to_vec(&self.state).unwrap_or_default());
        // One that is cut cannot be read, and its part is empty: nothing is lost.
        Ok(fs::write(&path, json).map_err(FileError::write(&path))?)
    }

    fn empty(&mut self) -> Result<(), FetchError> {
        // The state goes first: a part without one is never resumed.
        remove(&state_path(&self.path))?;
        let emptied = self.out.set_len(0).and_then(|()| self.out.seek(SeekFrom::Start(0)));
        emptied.map_err(FileError::write(&self.path))?;
        (self.done, self.state) = (0, State::default());
        Ok(())
    }

    fn receive(&mut self, answer: &mut Response<Body>) -> Result<(), FetchError> {
        let mut body = answer.body_mut().with_config().limit(u64::MAX).reader();
        let mut buffer = vec![0; BUFFER_BYTES];
        self.report();
        loop {
            let read = body.read(&mut buffer).map_err(|error| self.cut(error.to_string()))?;
            if read == 0 {
                break;
            }
            if self.done.saturating_add(read as u64) > self.wanted.limit {
                self.empty()?;
                return Err(self.too_long());
            }
            let bytes = buffer.get(..read).unwrap_or_default();
            self.out.write_all(bytes).map_err(FileError::write(&self.path))?;
            self.done = self.done.saturating_add(read as u64);
            self.report();
        }
        match self.state.total {
            Some(total) if total > self.done => Err(self.cut("the server closed the connection".to_owned())),
            Some(total) if total < self.done => {
                self.empty()?;
                Err(FetchError::malformed(&self.wanted.url, "is longer than the server says"))
            }
            _ => {
                self.state.total = Some(self.done);
                Ok(())
            }
        }
    }

    /// Checks the whole: its kind, and the publisher's checksum.
    fn verify(&self) -> Result<FetchedFile, FetchError> {
        let read = FileError::read(&self.path);
        self.out.sync_all().map_err(FileError::write(&self.path))?;
        let sha256 = File::open(&self.path).and_then(sha256_of).map_err(&read)?;
        let mismatch = |expected: &str, found: &str| FetchError::Checksum {
            name: self.wanted.name.clone(),
            address: self.wanted.url.clone(),
            expected: expected.to_owned(),
            found: found.to_owned(),
        };
        if let Some(Checksum::File(expected)) =
            self.wanted.checksum.as_ref().filter(|sum| sum.expected() != sha256)
        {
            return Err(mismatch(expected, &sha256));
        }
        let malformed = |problem: String| FetchError::malformed(&self.wanted.url, problem);
        let content_sha256 = check(&self.path, self.wanted.kind).map_err(&read)?.map_err(malformed)?;
        if let Some(Checksum::Content(expected)) = &self.wanted.checksum {
            let found = content_sha256.as_deref().unwrap_or_default();
            if found != expected {
                return Err(mismatch(expected, found));
            }
        }
        Ok(FetchedFile {
            name: self.wanted.name.clone(),
            url: self.wanted.url.clone(),
            fetched: written(self.client.clock.now()),
            bytes: self.done,
            sha256,
            content_sha256,
            etag: self.state.etag.clone(),
            last_modified: self.state.last_modified.clone(),
        })
    }

    /// Gives the part its name. What is left of its state is of no use to a part that is not there.
    fn publish(self, file: FetchedFile) -> Result<FetchedFile, FetchError> {
        let Self { wanted, folder, path, out, .. } = self;
        drop(out);
        let target = folder.join(&wanted.name);
        fs::rename(&path, &target).map_err(FileError::write(&target))?;
        // So that the name is on the disk before the record is; some systems cannot.
        let _ = File::open(folder_of(&target)).and_then(|folder| folder.sync_all());
        remove(&state_path(&path))?;
        Ok(file)
    }

    fn discard(self) -> Result<(), FetchError> {
        remove(&state_path(&self.path))?;
        remove(&self.path)
    }

    fn report(&self) {
        self.client.progress.advance(&self.wanted.name, self.done, self.state.total);
    }

    fn cut(&self, reason: String) -> FetchError {
        FetchError::Cut { name: self.wanted.name.clone(), done: self.done, reason }
    }

    fn too_long(&self) -> FetchError {
        let (name, address) = (self.wanted.name.clone(), self.wanted.url.clone());
        FetchError::TooLong { name, address, limit: self.wanted.limit }
    }
}

fn state_path(part: &Path) -> PathBuf {
    part.with_added_extension("json")
}

/// The state of a part; none where there is none, or one that nobody can read.
fn read_state(path: &Path) -> Result<Option<State>, FetchError> {
    let bytes = read_if_there(path, MOST_STATE_BYTES)?;
    Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
}
