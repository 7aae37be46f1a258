//! Values of arguments that are one of a list.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

/// Parses one of `all`, by the names and descriptions that the library gives them.
pub(crate) fn one_of<T: Copy + Send + Sync + 'static>(
    all: &'static [T],
    name: fn(T) -> &'static str,
    help: fn(T) -> &'static str,
) -> impl TypedValueParser<Value = T> {
    let values = all.iter().map(|&value| PossibleValue::new(name(value)).help(help(value)));
    PossibleValuesParser::new(values).try_map(move |text| {
        // The parser before has refused what is none of them.
        all.iter().copied().find(|&value| name(value) == text).ok_or("not one of the possible values")
    })
}
