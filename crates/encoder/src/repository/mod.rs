//! Checkpoints as they lie on disk: a folder, folders of a hierarchy, or one packed file.

pub(crate) mod files;
pub(crate) mod layout;
pub(crate) mod package;
pub(crate) mod revision;
