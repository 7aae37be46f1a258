//! Arrow's C stream interface in Python's capsules: the one place where pointers of others are followed.

use arrow_array::RecordBatchReader;
use arrow_array::ffi_stream::{FFI_ArrowArrayStream, RecordBatchStreamReader};
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

use crate::errors::{Class, exception};

/// The name of capsules that hold a stream, as Arrow's PyCapsule interface has it.
const NAME: &std::ffi::CStr = c"arrow_array_stream";

/// Takes the stream out of a capsule; the schema has been read.
pub(crate) fn reader(capsule: &Bound<'_, PyCapsule>) -> PyResult<RecordBatchStreamReader> {
    let pointer = capsule.pointer_checked(Some(NAME))?.cast::<FFI_ArrowArrayStream>();
    #[expect(unsafe_code, reason = "Arrow's C stream interface hands over pointers")]
    // SAFETY: by Arrow's PyCapsule interface, a capsule of this name, which was checked, holds a pointer to a stream
    // that lives as long as the capsule, and whoever takes it moves the content out. The capsule is borrowed for the
    // call, and no Python code runs in between.
    let stream = unsafe { FFI_ArrowArrayStream::from_raw(pointer.as_ptr()) };
    let unreadable = |error: &dyn std::fmt::Display| {
        exception(Class::Input, &format!("the table cannot be read: {error}"), None)
    };
    capsule.py().detach(|| RecordBatchStreamReader::try_new(stream)).map_err(|error| unreadable(&error))
}

/// A stream in a capsule.
pub(crate) fn capsule<'py>(
    py: Python<'py>,
    batches: Box<dyn RecordBatchReader + Send>,
) -> PyResult<Bound<'py, PyCapsule>> {
    PyCapsule::new_with_value(py, FFI_ArrowArrayStream::new(batches), NAME)
}
