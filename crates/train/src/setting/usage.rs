//! The use of a setting: its bounds, and its name outside.

/// An end of a setting's bounds.
#[derive(Debug, Clone, Copy)]
enum End {
    None,
    Included(f64),
    Excluded(f64),
}

/// The use of a setting: bounds, and what it is called outside.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Use {
    pub(crate) value_name: &'static str,
    pub(crate) argument: Option<&'static str>,
    pub(crate) excludes: Option<&'static str>,
    low: End,
    high: End,
    is_even: bool,
    pub(crate) is_recorded: bool,
    pub(crate) is_searchable: bool,
}

impl Use {
    /// A setting without bounds whose values are called `value_name` in help texts.
    pub(crate) const fn of(value_name: &'static str) -> Self {
        Self {
            value_name,
            argument: None,
            excludes: None,
            low: End::None,
            high: End::None,
            is_even: false,
            is_recorded: true,
            is_searchable: false,
        }
    }

    /// From `low` on.
    pub(crate) const fn at_least(self, low: f64) -> Self {
        Self { low: End::Included(low), ..self }
    }

    /// From `low` to `high`, both included.
    pub(crate) const fn within(self, low: f64, high: f64) -> Self {
        Self { low: End::Included(low), high: End::Included(high), ..self }
    }

    /// Above `low`, which is excluded.
    pub(crate) const fn above(self, low: f64) -> Self {
        Self { low: End::Excluded(low), ..self }
    }

    /// Up to `high`, which is included.
    pub(crate) const fn at_most(self, high: f64) -> Self {
        Self { high: End::Included(high), ..self }
    }

    /// Below `high`, which is excluded.
    pub(crate) const fn below(self, high: f64) -> Self {
        Self { high: End::Excluded(high), ..self }
    }

    /// Even numbers alone.
    pub(crate) const fn even(self) -> Self {
        Self { is_even: true, ..self }
    }

    /// The argument has another name than the field.
    pub(crate) const fn called(self, argument: &'static str) -> Self {
        Self { argument: Some(argument), ..self }
    }

    /// The argument excludes that of another field.
    pub(crate) const fn instead_of(self, field: &'static str) -> Self {
        Self { excludes: Some(field), ..self }
    }

    /// The result does not depend on it, so it is not recorded.
    pub(crate) const fn without_effect(self) -> Self {
        Self { is_recorded: false, ..self }
    }

    /// A search may vary it.
    pub(crate) const fn searchable(self) -> Self {
        Self { is_searchable: true, ..self }
    }

    /// True when a number is within the bounds.
    pub(crate) fn allows(&self, number: f64) -> bool {
        let Self { low, high, is_even, .. } = *self;
        // Of a number that is none, every comparison is false.
        let reaches = match low {
            End::None => !number.is_nan(),
            End::Included(low) => number >= low,
            End::Excluded(low) => number > low,
        };
        let stays = match high {
            End::None => true,
            End::Included(high) => number <= high,
            End::Excluded(high) => number < high,
        };
        reaches && stays && (!is_even || number % 2.0 == 0.0)
    }

    /// The words for what a number can be.
    pub(crate) fn expected(&self) -> String {
        let Self { low, high, is_even, .. } = *self;
        let what = if is_even { "an even number from " } else { "" };
        match (low, high) {
            (End::Included(low), End::Included(high)) => {
                format!("{what}{} to {}", written(low), written(high))
            }
            (End::None, End::None) => "a number".to_owned(),
            _ => {
                let low = match low {
                    End::None => None,
                    End::Included(low) => Some(format!("at least {}", written(low))),
                    End::Excluded(low) => Some(format!("above {}", written(low))),
                };
                let high = match high {
                    End::None => None,
                    End::Included(high) => Some(format!("at most {}", written(high))),
                    End::Excluded(high) => Some(format!("below {}", written(high))),
                };
                low.into_iter().chain(high).collect::<Vec<_>>().join(" and ")
            }
        }
    }
}

/// A bound, as people write it.
fn written(number: f64) -> String {
    if number >= 1e8 { format!("{number:e}") } else { number.to_string() }
}
