//! `pytorch_model.bin` as PyTorch writes it since version 1.6: a zip archive of uncompressed entries,
//! `data.pkl` describing the tensors and one entry a storage.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use zip::{CompressionMethod, ZipArchive};

use super::entry::{Contents, Entry};
use super::pickle::{self, TensorView};
use crate::error::{DOWNLOAD_AGAIN, EncoderError};

/// The fix for a file of the older form.
pub(super) const CONVERT: &str = "convert it once with Python: \
    `from safetensors.torch import save_file; import torch; \
    save_file({k: v.contiguous().clone() for k, v in torch.load('pytorch_model.bin', weights_only=True).items()}, \
    'model.safetensors')`";

/// The tensors of an archive that is `length` bytes long.
pub(super) fn read(file: &File, path: &Path, length: u64, index: usize) -> Result<Contents, EncoderError> {
    let mut archive = Archive::open(file, path, length)?;
    archive.check_byte_order()?;
    let description = archive.read("data.pkl", pickle::MOST_BYTES)?;
    let tensors = pickle::read(&description).map_err(|refusal| refusal.of(path))?;
    let mut contents = Contents::default();
    for (name, view) in tensors {
        let entry = archive.entry(&name, view, index)?;
        contents.entries.push((name, entry));
    }
    Ok(contents)
}

struct Archive<'a> {
    zip: ZipArchive<BufReader<&'a File>>,
    path: &'a Path,
    length: u64,
    /// The folder that all entries are in, with its slash.
    folder: String,
}

/// The place of an uncompressed entry in the file.
struct Place {
    start: u64,
    len: u64,
}

impl<'a> Archive<'a> {
    fn open(file: &'a File, path: &'a Path, length: u64) -> Result<Self, EncoderError> {
        let damaged =
            |error| EncoderError::format(path, format!("is a damaged archive: {error}"), DOWNLOAD_AGAIN);
        let zip = ZipArchive::new(BufReader::new(file)).map_err(damaged)?;
        let folder = zip.file_names().find_map(|name| {
            let name = name.ok()?;
            let folder = name.strip_suffix("data.pkl")?;
            (folder.is_empty() || (folder.find('/') == Some(folder.len() - 1))).then(|| folder.to_owned())
        });
        match folder {
            Some(folder) => Ok(Self { zip, path, length, folder }),
            None => {
                let problem = "is a zip archive without data.pkl, so not PyTorch weights";
                Err(EncoderError::format(path, problem, DOWNLOAD_AGAIN))
            }
        }
    }

    fn fail(&self, problem: String) -> EncoderError {
        EncoderError::format(self.path, problem, DOWNLOAD_AGAIN)
    }

    /// The place of an entry; `None` when there is none of that name.
    fn place(&mut self, name: &str) -> Result<Option<Place>, EncoderError> {
        let name = format!("{}{name}", self.folder);
        let Some(number) = self.zip.index_for_name(&name) else { return Ok(None) };
        let found = self.zip.by_index_raw(number).map(|entry| {
            let plain = entry.compression() == CompressionMethod::Stored && !entry.encrypted();
            (plain && entry.size() == entry.compressed_size(), entry.data_start(), entry.size())
        });
        let shown = name.escape_debug();
        match found {
            Err(error) => Err(self.fail(format!("archive entry `{shown}` is damaged: {error}"))),
            Ok((false, ..)) => {
                Err(self.fail(format!("archive entry `{shown}` is compressed, which PyTorch never does")))
            }
            Ok((true, Some(start), len)) if start.checked_add(len).is_some_and(|end| end <= self.length) => {
                Ok(Some(Place { start, len }))
            }
            Ok(_) => Err(self.fail(format!("archive entry `{shown}` reaches beyond the end of the file"))),
        }
    }

    /// An entry's bytes.
    fn read(&mut self, name: &str, most: u64) -> Result<Vec<u8>, EncoderError> {
        let place =
            self.place(name)?.ok_or_else(|| self.fail(format!("archive entry `{name}` is missing")))?;
        if place.len > most {
            return Err(
                self.fail(format!("archive entry `{name}` has {} bytes, expected at most {most}", place.len))
            );
        }
        let number = self.zip.index_for_name(&format!("{}{name}", self.folder)).unwrap_or(usize::MAX);
        let mut bytes = Vec::new();
        let entry = self.zip.by_index_raw(number);
        let mut entry = entry.map_err(|error| damaged_entry(self.path, name, &error.to_string()))?;
        entry.read_to_end(&mut bytes).map_err(EncoderError::io(self.path))?;
        Ok(bytes)
    }

    /// Files from big-endian machines say so; older ones say nothing and are little-endian.
    fn check_byte_order(&mut self) -> Result<(), EncoderError> {
        if self.place("byteorder")?.is_none() {
            return Ok(());
        }
        match self.read("byteorder", 64)?.trim_ascii() {
            b"little" => Ok(()),
            other => {
                let problem = format!("its numbers are in `{}`-endian order", other.escape_ascii());
                Err(EncoderError::format(
                    self.path,
                    problem,
                    "save it as safetensors on the machine it comes from",
                ))
            }
        }
    }

    /// A tensor's place in the file.
    fn entry(&mut self, name: &str, view: TensorView, index: usize) -> Result<Entry, EncoderError> {
        let TensorView { storage, offset, shape, strides, span } = view;
        let wrong =
            |problem: String| damaged_entry(self.path, &storage.key, &format!("tensor `{name}`: {problem}"));
        if storage.key.contains(['/', '\\']) {
            return Err(wrong("the name of its storage is a path".to_owned()));
        }
        let place = self.place(&format!("data/{}", storage.key))?;
        let place = place.ok_or_else(|| {
            damaged_entry(self.path, &storage.key, &format!("tensor `{name}` needs it, it is missing"))
        })?;
        let bytes = storage.dtype.bytes();
        let announced = storage.len.checked_mul(bytes).map(|len| len as u64);
        if announced != Some(place.len) {
            let problem = format!("tensor `{name}` expects {} elements of {}", storage.len, storage.dtype);
            return Err(damaged_entry(
                self.path,
                &storage.key,
                &format!("{problem}, the entry has {} bytes", place.len),
            ));
        }
        // Within the storage, whose bytes were just found to be no more than the file's.
        let (start, len) = (offset * bytes, span * bytes);
        Ok(Entry {
            file: index,
            dtype: storage.dtype,
            shape,
            strides,
            offset: place.start + start as u64,
            len,
        })
    }
}

fn damaged_entry(path: &Path, entry: &str, problem: &str) -> EncoderError {
    let problem = format!("archive entry `{}`: {problem}", entry.escape_debug());
    EncoderError::format(path, problem, DOWNLOAD_AGAIN)
}
