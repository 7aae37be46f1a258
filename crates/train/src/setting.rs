//! Settings that are declared once.
//!
//! The macro `settings!` makes a struct, its defaults and a table of its settings from one declaration. Arguments, checks,
//! the records in files and the ranges of searches all follow from the table.

use std::fmt;

use serde_json::Map;

/// A value of a setting.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value {
    /// No value, of a setting that may lack one.
    Absent,
    /// Yes or no.
    Flag(bool),
    /// A whole number.
    Whole(u64),
    /// A number in single precision.
    Single(f32),
    /// A number in double precision.
    Double(f64),
    /// One of a list of names.
    Name(&'static str),
}

impl Value {
    /// The value in JSON.
    fn to_json(self) -> serde_json::Value {
        match self {
            Self::Absent => serde_json::Value::Null,
            Self::Flag(flag) => flag.into(),
            Self::Whole(number) => number.into(),
            Self::Single(number) => number.into(),
            Self::Double(number) => number.into(),
            Self::Name(name) => name.into(),
        }
    }

    /// The number, if it is one; one in single precision as it is written.
    fn number(self) -> Option<f64> {
        match self {
            Self::Whole(number) => Some(number as f64),
            Self::Single(number) => number.to_string().parse().ok(),
            Self::Double(number) => Some(number),
            Self::Absent | Self::Flag(_) | Self::Name(_) => None,
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => Ok(()),
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Whole(number) => write!(f, "{number}"),
            Self::Single(number) => write!(f, "{number}"),
            Self::Double(number) => write!(f, "{number}"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// The kind of values that a setting has.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// Yes or no; no by default.
    Flag,
    /// Whole numbers.
    Whole,
    /// Numbers in single precision.
    Single,
    /// Numbers in double precision.
    Double,
    /// Names, each with a description.
    Name(fn() -> Vec<(&'static str, &'static str)>),
}

/// A type of the fields of settings.
pub(crate) trait SettingType: Copy {
    /// Its kind of values.
    const KIND: Kind;

    /// This one as a value.
    fn value(self) -> Value;

    /// A value as one of this type; `None` where it cannot be.
    fn of(value: Value) -> Option<Self>;
}

macro_rules! whole {
    ($($type:ty),+) => {
        $(impl SettingType for $type {
            const KIND: Kind = Kind::Whole;

            fn value(self) -> Value {
                u64::try_from(self).map_or(Value::Absent, Value::Whole)
            }

            fn of(value: Value) -> Option<Self> {
                if let Value::Whole(number) = value { number.try_into().ok() } else { None }
            }
        })+
    };
}

whole!(u32, u64, usize);

macro_rules! plain {
    ($($type:ty: $variant:ident),+) => {
        $(impl SettingType for $type {
            const KIND: Kind = Kind::$variant;

            fn value(self) -> Value {
                Value::$variant(self)
            }

            fn of(value: Value) -> Option<Self> {
                if let Value::$variant(value) = value { Some(value) } else { None }
            }
        })+
    };
}

plain!(bool: Flag, f32: Single, f64: Double);

impl<T: SettingType> SettingType for Option<T> {
    const KIND: Kind = T::KIND;

    fn value(self) -> Value {
        self.map_or(Value::Absent, T::value)
    }

    fn of(value: Value) -> Option<Self> {
        if value == Value::Absent { Some(None) } else { T::of(value).map(Some) }
    }
}

impl SettingType for vulnlens_encoder::training::Decay {
    const KIND: Kind = Kind::Name(|| Self::ALL.map(|decay| (decay.name(), decay.help())).to_vec());

    fn value(self) -> Value {
        Value::Name(self.name())
    }

    fn of(value: Value) -> Option<Self> {
        Self::ALL.into_iter().find(|decay| Value::Name(decay.name()) == value)
    }
}

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
    value_name: &'static str,
    argument: Option<&'static str>,
    excludes: Option<&'static str>,
    low: End,
    high: End,
    is_even: bool,
    is_recorded: bool,
    is_searchable: bool,
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
}

/// A setting of `S`.
#[derive(Debug)]
pub struct Setting<S: 'static> {
    /// The field's name, which is also that in files.
    pub name: &'static str,
    /// Its kind of values.
    pub kind: Kind,
    pub(crate) help: &'static str,
    pub(crate) usage: Use,
    pub(crate) get: fn(&S) -> Value,
    /// `false` where the value is not one of the field's type.
    pub(crate) set: fn(&mut S, Value) -> bool,
}

impl<S> Setting<S> {
    /// The name of its argument, without dashes in front.
    #[must_use]
    pub fn argument(&self) -> String {
        self.usage.argument.map_or_else(|| self.name.replace('_', "-"), str::to_owned)
    }

    /// The name of its values in help texts.
    #[must_use]
    pub fn value_name(&self) -> &'static str {
        self.usage.value_name
    }

    /// The name of the setting that cannot be given together with this one.
    #[must_use]
    pub fn excludes(&self) -> Option<&'static str> {
        self.usage.excludes
    }

    /// Its description in the help of its argument.
    #[must_use]
    pub fn help(&self) -> String {
        let lines: Vec<&str> = self.help.lines().map(str::trim).collect();
        lines.join(" ")
    }

    /// True when a search may vary it.
    #[must_use]
    pub fn is_searchable(&self) -> bool {
        self.usage.is_searchable
    }

    /// Its value.
    #[must_use]
    pub fn get(&self, settings: &S) -> Value {
        (self.get)(settings)
    }

    /// Sets it, whatever its bounds: these are checked for all settings together.
    ///
    /// # Errors
    /// The words for what it can be, where the value is not of its type.
    pub fn set(&self, settings: &mut S, value: Value) -> Result<(), String> {
        if (self.set)(settings, value) { Ok(()) } else { Err(self.expected()) }
    }

    /// The words for what it must be, if it is out of its bounds.
    #[must_use]
    pub fn problem(&self, settings: &S) -> Option<String> {
        let is_fine = self.fits(self.get(settings));
        (!is_fine).then(|| format!("{} must be {}", self.argument(), self.expected()))
    }

    fn fits(&self, value: Value) -> bool {
        let Some(number) = value.number() else { return true };
        let Use { low, high, is_even, .. } = self.usage;
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

    /// The words for what it can be.
    fn expected(&self) -> String {
        if let Kind::Name(names) = self.kind {
            let names: Vec<&str> = names().into_iter().map(|(name, _)| name).collect();
            return format!("one of {}", names.join(", "));
        }
        let Use { low, high, is_even, .. } = self.usage;
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

/// Settings with a table.
pub trait Settings: Default + 'static {
    /// All settings that have an argument, in the order of the help.
    const TABLE: &'static [Setting<Self>];

    /// The setting that has this argument.
    #[must_use]
    fn named(argument: &str) -> Option<&'static Setting<Self>> {
        Self::TABLE.iter().find(|setting| setting.argument() == argument)
    }

    /// The first setting that is out of its bounds, in words.
    #[must_use]
    fn problem(&self) -> Option<String> {
        Self::TABLE.iter().find_map(|setting| setting.problem(self))
    }

    /// Names and values of the settings that the result depends on.
    #[must_use]
    fn recorded(&self) -> Vec<(&'static str, Value)> {
        let recorded = Self::TABLE.iter().filter(|setting| setting.usage.is_recorded);
        recorded.map(|setting| (setting.name, setting.get(self))).collect()
    }
}

/// Names and values in JSON.
pub(crate) fn to_json(settings: &impl Settings) -> Map<String, serde_json::Value> {
    settings.recorded().into_iter().map(|(name, value)| (name.to_owned(), value.to_json())).collect()
}

/// Declares a struct of settings: fields with types, defaults and uses. The documentation of a field is its help, too.
/// The seed has no row in the table: it is an argument of the whole command.
macro_rules! settings {
    (
        $(#[$about:meta])*
        pub struct $name:ident {
            $(#[$seed_about:meta])*
            seed: u64 = $seed:expr;
            $(
                $(#[doc = $help:literal])+
                $field:ident: $type:ty = $default:expr => $usage:expr;
            )+
        }
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq)]
        pub struct $name {
            $(#[$seed_about])*
            pub seed: u64,
            $($(#[doc = $help])+ pub $field: $type,)+
        }

        impl Default for $name {
            fn default() -> Self {
                Self { seed: $seed, $($field: $default,)+ }
            }
        }

        impl $crate::setting::Settings for $name {
            const TABLE: &'static [$crate::setting::Setting<Self>] = &[$(
                $crate::setting::Setting {
                    name: stringify!($field),
                    kind: <$type as $crate::setting::SettingType>::KIND,
                    help: concat!($($help, "\n"),+),
                    usage: $usage,
                    get: |settings| $crate::setting::SettingType::value(settings.$field),
                    set: |settings, value| {
                        let value = $crate::setting::SettingType::of(value);
                        if let Some(value) = value {
                            settings.$field = value;
                        }
                        value.is_some()
                    },
                },
            )+];
        }
    };
}

pub(crate) use settings;

#[cfg(test)]
#[expect(unreachable_pub, reason = "the macro makes public settings")]
mod tests {
    use super::*;

    settings! {
        /// Settings of a test
        pub struct Sample {
            /// Seed
            seed: u64 = 1;

            /// A help of
            /// two lines
            whole: u32 = 4 => Use::of("N").within(2.0, 8.0).even();

            /// A share
            share: f32 = 0.1 => Use::of("SHARE").at_least(0.0).below(0.95).called("part").searchable();

            /// A limit
            limit: Option<usize> = None => Use::of("N").at_least(1.0).without_effect();
        }
    }

    fn problem(sample: &Sample) -> String {
        sample.problem().unwrap_or_default()
    }

    #[test]
    fn bounds_are_told_by_the_name_of_the_argument() {
        assert_eq!(Sample::default().problem(), None);
        let with = |whole, share, limit| Sample { whole, share, limit, ..Sample::default() };
        assert_eq!(problem(&with(3, 0.1, None)), "whole must be an even number from 2 to 8");
        assert_eq!(problem(&with(4, 0.95, None)), "part must be at least 0 and below 0.95");
        assert_eq!(problem(&with(4, f32::NAN, None)), "part must be at least 0 and below 0.95");
        assert_eq!(problem(&with(4, 0.949, Some(0))), "limit must be at least 1");
    }

    #[test]
    fn a_table_reads_and_sets() {
        let mut sample = Sample::default();
        let names: Vec<String> = Sample::TABLE.iter().map(Setting::argument).collect();
        assert_eq!(names, ["whole", "part", "limit"]);
        let whole = Sample::named("whole").unwrap();
        assert_eq!((whole.help().as_str(), whole.get(&sample)), ("A help of two lines", Value::Whole(4)));
        whole.set(&mut sample, Value::Whole(6)).unwrap();
        assert!(whole.set(&mut sample, Value::Whole(1 << 40)).is_err(), "more than the type holds");
        Sample::named("limit").unwrap().set(&mut sample, Value::Whole(5)).unwrap();
        assert_eq!((sample.whole, sample.limit), (6, Some(5)));
        let json = serde_json::Value::Object(to_json(&sample));
        assert_eq!(
            json,
            serde_json::json!({"whole": 6, "share": 0.1_f32}),
            "what has no effect is not recorded"
        );
    }
}
