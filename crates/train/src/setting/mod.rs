//! Settings that are declared once.
//!
//! The macro `settings!` makes a struct, its defaults and a table of its settings from one declaration. Arguments, checks,
//! the records in files and the ranges of searches all follow from the table.

mod usage;
mod value;

use serde_json::Map;

pub(crate) use usage::Use;
pub(crate) use value::SettingType;
pub use value::{Kind, Value};

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
        value.number().is_none_or(|number| self.usage.allows(number))
    }

    /// The words for what it can be.
    fn expected(&self) -> String {
        match self.kind {
            Kind::Name(names) => {
                let names: Vec<&str> = names().into_iter().map(|(name, _)| name).collect();
                format!("one of {}", names.join(", "))
            }
            _ => self.usage.expected(),
        }
    }
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
