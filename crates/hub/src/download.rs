//! One file's bytes into its blob: aside first, resumed where a download was cut, checked, then renamed.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use ureq::Body;
use ureq::http::{Response, StatusCode};
use vulnlens_files::hex;

use crate::client::Client;
use crate::error::{Disk, HubError};
use crate::id::{Commit, HubId};
use crate::metadata::Metadata;
use crate::progress::Progress;

/// Times that a cut connection is taken up again at once, if it brought anything.
const RETRIES: usize = 4;
const BUFFER_BYTES: usize = 256 << 10;

/// A download: the file, and its destination.
#[derive(Clone, Copy)]
pub(crate) struct Download<'a> {
    pub(crate) client: &'a Client,
    pub(crate) id: &'a HubId,
    pub(crate) commit: &'a Commit,
    pub(crate) file: &'a str,
    pub(crate) metadata: &'a Metadata,
    pub(crate) blob: &'a Path,
    pub(crate) progress: &'a dyn Progress,
}

impl Download<'_> {
    /// Downloads the blob unless it is there; returns how many bytes came over the network. The caller holds
    /// the lock.
    pub(crate) fn run(self) -> Result<u64, HubError> {
        if self.is_there() {
            return Ok(0);
        }
        crate::cache::create_parent(self.blob)?;
        let mut part = Part::open(self)?;
        let resumed = part.done;
        let fetched = match part.complete() {
            // What an earlier run left may not be of this file: once more from the beginning.
            Err(HubError::Checksum { .. }) if resumed > 0 => {
                part = Part::open(self)?;
                part.complete()?
            }
            result => result?,
        };
        part.publish()?;
        Ok(fetched)
    }

    /// True if the blob is there with the right length.
    fn is_there(self) -> bool {
        self.blob.metadata().is_ok_and(|blob| blob.is_file() && blob.len() == self.metadata.size)
    }

    fn interrupted(self, done: u64, reason: &impl ToString) -> HubError {
        let reason = reason.to_string().into();
        HubError::Interrupted { file: self.file.into(), done, total: self.metadata.size, reason }
    }
}

/// A blob that is not whole yet: `<blob>.incomplete`, as huggingface_hub names it.
struct Part<'a> {
    download: Download<'a>,
    path: PathBuf,
    out: File,
    done: u64,
    fetched: u64,
    hash: Sha256,
}

impl<'a> Part<'a> {
    /// Takes up what is there, if it can be checked at the end; else begins anew.
    fn open(download: Download<'a>) -> Result<Self, HubError> {
        let mut path = download.blob.as_os_str().to_owned();
        path.push(".incomplete");
        let path = PathBuf::from(path);
        let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let out = open.map_err(|error| Disk::new("create", &path, error))?;
        let mut part = Self { download, path, out, done: 0, fetched: 0, hash: Sha256::new() };
        let length = part.out.metadata().map_err(|error| part.disk("read", error))?.len();
        if download.metadata.etag.sha256().is_some() && length <= download.metadata.size {
            part.take_up().map_err(|error| part.disk("read", error))?;
        } else {
            part.restart()?;
        }
        Ok(part)
    }

    /// Hashes what is there, which is no longer than the file is to be.
    fn take_up(&mut self) -> std::io::Result<()> {
        let mut buffer = vec![0; BUFFER_BYTES];
        loop {
            let read = self.out.read(&mut buffer)?;
            if read == 0 {
                return Ok(());
            }
            self.hash.update(buffer.get(..read).unwrap_or_default());
            self.done += read as u64;
        }
    }

    /// Fetches the rest and checks the whole; returns how many bytes came over the network.
    fn complete(&mut self) -> Result<u64, HubError> {
        let mut retries = RETRIES;
        self.report();
        while self.done < self.download.metadata.size {
            let before = self.done;
            let result = self.fetch_rest();
            match result {
                Err(HubError::Interrupted { .. }) if self.done > before && retries > 0 => retries -= 1,
                result => result?,
            }
        }
        self.check()?;
        Ok(self.fetched)
    }

    fn fetch_rest(&mut self) -> Result<(), HubError> {
        let Download { client, id, commit, file, metadata, .. } = self.download;
        let mut answer = client.bytes(id, commit, file, self.done)?;
        if answer.status() != StatusCode::PARTIAL_CONTENT {
            if answer.body().content_length().is_some_and(|length| length != metadata.size) {
                return Err(HubError::not_a_hub(
                    client.endpoint(),
                    "a file of another length than it announced",
                ));
            }
            self.restart()?;
        } else if !starts_at(&answer, self.done) {
            return Err(HubError::not_a_hub(client.endpoint(), "a part of a file that was not asked for"));
        }
        let mut body = answer.body_mut().with_config().limit(u64::MAX).reader();
        let mut buffer = vec![0; BUFFER_BYTES];
        while self.done < metadata.size {
            let read = match body.read(&mut buffer) {
                Ok(0) => {
                    return Err(self.download.interrupted(self.done, &"the server closed the connection"));
                }
                Ok(read) => read,
                Err(error) => return Err(self.download.interrupted(self.done, &error)),
            };
            self.append(buffer.get(..read).unwrap_or_default())?;
        }
        Ok(())
    }

    /// Adds bytes, no more than the file is to have.
    fn append(&mut self, bytes: &[u8]) -> Result<(), HubError> {
        let room = usize::try_from(self.download.metadata.size - self.done).unwrap_or(usize::MAX);
        let Some(bytes) = bytes.get(..bytes.len().min(room)) else { return Ok(()) };
        self.out.write_all(bytes).map_err(|error| self.disk("write", error))?;
        self.hash.update(bytes);
        self.done += bytes.len() as u64;
        self.fetched += bytes.len() as u64;
        self.report();
        Ok(())
    }

    fn restart(&mut self) -> Result<(), HubError> {
        let emptied = self.out.set_len(0).and_then(|()| self.out.seek(SeekFrom::Start(0)));
        emptied.map_err(|error| self.disk("write", error))?;
        self.hash = Sha256::new();
        self.done = 0;
        Ok(())
    }

    /// Compares the SHA-256 where the hub gives one; a damaged part is deleted.
    fn check(&mut self) -> Result<(), HubError> {
        let Some(expected) = self.download.metadata.etag.sha256() else { return Ok(()) };
        let found = hex(&std::mem::take(&mut self.hash).finalize());
        if found == expected {
            return Ok(());
        }
        self.restart()?;
        let _ = std::fs::remove_file(&self.path);
        let (id, file) = (Box::new(self.download.id.clone()), self.download.file.into());
        Err(HubError::Checksum { id, file, expected: expected.into(), found: found.into() })
    }

    /// Gives the part its name, once its bytes are on disk.
    fn publish(self) -> Result<(), HubError> {
        self.out.sync_all().map_err(|error| self.disk("write", error))?;
        let Self { download, path, out, .. } = self;
        drop(out);
        std::fs::rename(&path, download.blob).map_err(|error| Disk::new("write", download.blob, error).into())
    }

    fn report(&self) {
        self.download.progress.advance(self.download.file, self.done, self.download.metadata.size);
    }

    fn disk(&self, action: &'static str, error: std::io::Error) -> HubError {
        Disk::new(action, &self.path, error).into()
    }
}

/// True if a partial answer begins at byte `from`, by its `Content-Range: bytes 5-9/10`.
fn starts_at(answer: &Response<Body>, from: u64) -> bool {
    let range = || answer.headers().get("content-range")?.to_str().ok()?.strip_prefix("bytes ");
    range().and_then(|range| range.split_once('-')).is_some_and(|(start, _)| start.trim().parse() == Ok(from))
}
