//! The formats of objects: each object is read in the one that recognises it.

use serde::de::IgnoredAny;

use crate::error::BadRecord;
use crate::record::Record;
use crate::sources::format::{Context, Needs, ObjectFormat};
use crate::sources::object::Object;

/// The formats of objects, of which each object is read in the one that recognises it.
pub(super) struct Dispatch {
    formats: Vec<&'static dyn ObjectFormat>,
    /// The format of the last object, which is asked first: the objects of an input are mostly of one.
    last: Option<&'static dyn ObjectFormat>,
    pub(super) needs: Needs,
}

impl Dispatch {
    pub(super) fn new(context: &Context) -> Self {
        Self { formats: context.objects.clone(), last: None, needs: context.needs }
    }

    /// The keys of arrays that hold records.
    pub(super) fn keys(&self) -> Vec<&'static str> {
        self.formats.iter().flat_map(|format| format.arrays()).copied().collect()
    }

    /// The format that recognises `object`; a member of an array under `key` that none does is taken for one of the
    /// array's format, whose reader says what is wrong with it.
    pub(super) fn format_of(
        &mut self,
        object: &[u8],
        key: Option<&str>,
    ) -> Option<&'static dyn ObjectFormat> {
        let keys = Object::new(object);
        let mut asked = self.last.iter().chain(&self.formats);
        let found = asked.find(|format| format.recognises(&keys)).copied();
        self.last = found.or(self.last);
        let owns = |format: &&&dyn ObjectFormat| key.is_some_and(|key| format.arrays().contains(&key));
        found.or_else(|| self.formats.iter().find(owns).copied())
    }

    pub(super) fn read(&self, object: &[u8], format: &'static dyn ObjectFormat) -> Result<Record, BadRecord> {
        format.read(object, self.needs).map(|record| Record { format: format.name(), ..record })
    }
}

/// Tests for well-formed JSON.
pub(super) fn is_json(bytes: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(bytes).is_ok()
}
