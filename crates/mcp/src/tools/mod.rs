//! The tools, by kind: each takes arguments and returns its result as JSON.

mod classify;
mod common;
mod kb;
mod review;

use crate::arguments::Arguments;
use crate::error::ToolError;
use crate::limits::Limits;
use crate::models::Models;

/// The work of a tool.
pub(crate) type Call = fn(&dyn Models, &Limits, Arguments) -> Result<String, ToolError>;

/// The work of the tool called `name`.
pub(crate) fn call(name: &str) -> Option<Call> {
    Some(match name {
        "classify" => classify::classify,
        "explain" => classify::explain,
        "review_mapping" => review::review_mapping,
        "kb_show" => kb::show,
        "kb_path" => kb::path,
        _ => return None,
    })
}
