//! The ground floor: files are read, unpacked and written here, and errors get their kind.
//!
//! - [`WholeFile`] and [`WholeFolder`] appear under their name when they are complete; [`remove_unfinished`] removes
//!   what a signal interrupts.
//! - [`read_at_most`] and [`Bounded`] bound what a file may make its reader hold. With the feature `unpack`,
//!   [`Packing`], [`unpacked`] and [`each_entry`] read gzip, xz, Zstandard and zip within the same bounds.
//! - With the feature `sealed`, [`sealed`] writes and verifies safetensors files with a checksum over all their bytes.
//! - [`Classified`] gives every public error of the workspace one of five kinds; exit codes follow from them.
//!
//! Nothing here prints, reads the environment or installs a signal handler.

mod bounded;
mod error;
#[cfg(feature = "unpack")]
mod gzip;
mod hash;
mod kind;
pub mod names;
#[cfg(feature = "unpack")]
mod packing;
mod read;
#[cfg(feature = "sealed")]
pub mod sealed;
#[cfg(feature = "sealed")]
mod tensors;
mod unfinished;
#[cfg(feature = "unpack")]
mod unpacked;
mod whole_file;
mod whole_folder;

pub use bounded::{Bounded, Counted, PackedSize, TooMuch, UnpackLimits};
pub use error::FileError;
#[cfg(feature = "unpack")]
pub use gzip::{Gunzip, TrailingBytes};
pub use hash::{REVISION_DIGITS, hex, revision, sha256_hex, sha256_of};
pub use kind::{Classified, ErrorKind};
#[cfg(feature = "unpack")]
pub use packing::Packing;
pub use read::{copy_at_most, read_at_most, read_bounded, read_if_there};
#[cfg(feature = "sealed")]
pub use tensors::write_tensors;
pub use unfinished::{UNFINISHED_PREFIX, remove_unfinished};
#[cfg(feature = "unpack")]
pub use unpacked::{each_entry, entry_names, unpacked};
pub use whole_file::{WholeFile, folder_of};
pub use whole_folder::WholeFolder;
