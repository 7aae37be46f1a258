//! Values of settings, and the types of their fields.

use std::fmt;

use vulnlens_encoder::training::Decay;

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
    pub(crate) fn to_json(self) -> serde_json::Value {
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
    pub(crate) fn number(self) -> Option<f64> {
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

impl SettingType for Decay {
    const KIND: Kind = Kind::Name(|| Self::ALL.map(|decay| (decay.name(), decay.help())).to_vec());

    fn value(self) -> Value {
        Value::Name(self.name())
    }

    fn of(value: Value) -> Option<Self> {
        Self::ALL.into_iter().find(|decay| Value::Name(decay.name()) == value)
    }
}
