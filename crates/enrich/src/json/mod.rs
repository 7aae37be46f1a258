//! JSON documents and the insertions into them: positions come from the values' own slices, nothing is written anew.

mod edits;
mod node;
mod object;
mod style;
mod value;

pub(crate) use edits::Edits;
pub(crate) use node::Node;
pub(crate) use object::{Object, Unfit, unfit};
pub(crate) use style::Style;
pub(crate) use value::{Json, score_text};
