//! Compressed outputs: the ending of a name asks for the compression, that before it for the format.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use flate2::write::GzEncoder;
use vulnlens_files::WholeFile;
use zstd::stream::write::Encoder as ZstdEncoder;

/// A compression of outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Packing {
    Gzip,
    Zstd,
}

impl Packing {
    /// The compression that the name of a file asks for.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        match ending(path)?.as_str() {
            "gz" => Some(Self::Gzip),
            "zst" => Some(Self::Zstd),
            _ => None,
        }
    }
}

/// The ending of a file's name in small letters.
pub(crate) fn ending(path: &Path) -> Option<String> {
    Some(path.extension()?.to_string_lossy().to_ascii_lowercase())
}

/// The name of the file that `path` unpacks to.
pub(crate) fn unpacked(path: &Path) -> PathBuf {
    if Packing::of(path).is_some() { path.with_extension("") } else { path.to_owned() }
}

/// A file that is compressed as its name asks for.
pub(crate) struct PackedFile {
    sink: Sink,
    /// The bytes that do not fill a block yet.
    block: Vec<u8>,
}

enum Sink {
    Plain(WholeFile),
    Gzip(GzEncoder<WholeFile>),
    Zstd(ZstdEncoder<'static, WholeFile>),
}

/// Bytes that are compressed at once. What comes out depends on that, and must not on the pieces that come in: these
/// change with the number of threads.
const BLOCK: usize = 64 << 10;

impl PackedFile {
    /// The file as it is.
    pub(crate) fn plain(file: WholeFile) -> Self {
        Self { sink: Sink::Plain(file), block: Vec::new() }
    }

    /// The file, compressed by `packing`. The same bytes give the same file: it states neither a name nor a time.
    pub(crate) fn new(file: WholeFile, packing: Packing) -> io::Result<Self> {
        let sink = match packing {
            Packing::Gzip => Sink::Gzip(GzEncoder::new(file, flate2::Compression::default())),
            Packing::Zstd => {
                let mut encoder = ZstdEncoder::new(file, zstd::DEFAULT_COMPRESSION_LEVEL)?;
                encoder.include_checksum(true)?;
                Sink::Zstd(encoder)
            }
        };
        Ok(Self { sink, block: Vec::with_capacity(BLOCK) })
    }

    /// The path that was asked for.
    pub(crate) fn path(&self) -> &Path {
        match &self.sink {
            Sink::Plain(file) => file.path(),
            Sink::Gzip(encoder) => encoder.get_ref().path(),
            Sink::Zstd(encoder) => encoder.get_ref().path(),
        }
    }

    /// Ends the compression.
    pub(crate) fn into_file(mut self) -> io::Result<WholeFile> {
        self.write_block()?;
        match self.sink {
            Sink::Plain(file) => Ok(file),
            Sink::Gzip(encoder) => encoder.finish(),
            Sink::Zstd(encoder) => encoder.finish(),
        }
    }

    fn write_block(&mut self) -> io::Result<()> {
        self.sink.writer().write_all(&self.block)?;
        self.block.clear();
        Ok(())
    }
}

impl Sink {
    fn writer(&mut self) -> &mut dyn Write {
        match self {
            Self::Plain(file) => file,
            Self::Gzip(encoder) => encoder,
            Self::Zstd(encoder) => encoder,
        }
    }
}

impl Write for PackedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Sink::Plain(file) = &mut self.sink {
            return file.write(bytes);
        }
        let (taken, _) = bytes.split_at(bytes.len().min(BLOCK.saturating_sub(self.block.len())));
        self.block.extend_from_slice(taken);
        if self.block.len() >= BLOCK {
            self.write_block()?;
        }
        Ok(taken.len())
    }

    /// Does nothing to a compressed file: its bytes must not depend on when it was flushed.
    fn flush(&mut self) -> io::Result<()> {
        if let Sink::Plain(file) = &mut self.sink { file.flush() } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Read as _;

    use super::*;

    #[test]
    fn the_bytes_do_not_depend_on_the_pieces_that_they_come_in() {
        let folder = tempfile::tempdir().unwrap();
        let text: String = (0..40_000u32).map(|number| format!("{{\"n\":{}}}\n", number % 977)).collect();
        for (name, packing) in [("x.gz", Packing::Gzip), ("x.zst", Packing::Zstd)] {
            let path = folder.path().join(name);
            assert_eq!(Packing::of(&path), Some(packing));
            let packed = |piece: usize| {
                let mut file = PackedFile::new(WholeFile::create(&path).unwrap(), packing).unwrap();
                text.as_bytes().chunks(piece).for_each(|part| file.write_all(part).unwrap());
                file.into_file().unwrap().finish().unwrap();
                fs::read(&path).unwrap()
            };
            let whole = packed(text.len());
            assert!(whole.len() < text.len() / 4);
            for piece in [7, 1000, 99_991] {
                assert!(packed(piece) == whole, "{name} in pieces of {piece}");
            }
            let mut back = String::new();
            match packing {
                Packing::Gzip => flate2::read::GzDecoder::new(&whole[..]).read_to_string(&mut back).unwrap(),
                Packing::Zstd => zstd::Decoder::new(&whole[..]).unwrap().read_to_string(&mut back).unwrap(),
            };
            assert!(back == text);
        }
    }

    #[test]
    fn case_does_not_matter_and_the_format_stands_before_the_compression() {
        assert_eq!(Packing::of(Path::new("A.JSONL.GZ")), Some(Packing::Gzip));
        assert_eq!(Packing::of(Path::new("a.gz.jsonl")), None);
        assert_eq!(unpacked(Path::new("d/a.csv.Zst")), Path::new("d/a.csv"));
        assert_eq!(unpacked(Path::new("a.csv")), Path::new("a.csv"));
    }
}
