//! Containers: folders and zip archives. They know nothing of what the files in them hold.

mod folder;
mod members;
mod zip;

pub(crate) use folder::{Folder, entries};
pub(crate) use members::{Member, MemberRecords};
pub(crate) use zip::Zip;
