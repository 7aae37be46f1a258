//! The types of number that a checkpoint's tensors hold.

use std::fmt;

/// Type of a tensor's elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dtype {
    /// One byte, zero or one.
    Bool,
    /// 8 bits, unsigned.
    U8,
    /// 8 bits, signed.
    I8,
    /// 16 bits, signed.
    I16,
    /// 16 bits, unsigned.
    U16,
    /// IEEE 754 half precision.
    F16,
    /// The upper half of an `F32`.
    Bf16,
    /// 32 bits, signed.
    I32,
    /// 32 bits, unsigned.
    U32,
    /// IEEE 754 single precision.
    F32,
    /// IEEE 754 double precision.
    F64,
    /// 64 bits, signed.
    I64,
    /// 64 bits, unsigned.
    U64,
}

impl Dtype {
    /// Bytes of one element.
    #[must_use]
    pub fn bytes(self) -> usize {
        match self {
            Self::Bool | Self::U8 | Self::I8 => 1,
            Self::I16 | Self::U16 | Self::F16 | Self::Bf16 => 2,
            Self::I32 | Self::U32 | Self::F32 => 4,
            Self::F64 | Self::I64 | Self::U64 => 8,
        }
    }

    /// The safetensors name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Bool => "BOOL",
            Self::U8 => "U8",
            Self::I8 => "I8",
            Self::I16 => "I16",
            Self::U16 => "U16",
            Self::F16 => "F16",
            Self::Bf16 => "BF16",
            Self::I32 => "I32",
            Self::U32 => "U32",
            Self::F32 => "F32",
            Self::F64 => "F64",
            Self::I64 => "I64",
            Self::U64 => "U64",
        }
    }

    /// The type of that safetensors name; `None` for those that no encoder checkpoint uses (complex
    /// numbers, floats of 8 bits or fewer).
    pub(crate) fn from_safetensors(dtype: safetensors::Dtype) -> Option<Self> {
        use safetensors::Dtype as Theirs;
        Some(match dtype {
            Theirs::BOOL => Self::Bool,
            Theirs::U8 => Self::U8,
            Theirs::I8 => Self::I8,
            Theirs::I16 => Self::I16,
            Theirs::U16 => Self::U16,
            Theirs::F16 => Self::F16,
            Theirs::BF16 => Self::Bf16,
            Theirs::I32 => Self::I32,
            Theirs::U32 => Self::U32,
            Theirs::F32 => Self::F32,
            Theirs::F64 => Self::F64,
            Theirs::I64 => Self::I64,
            Theirs::U64 => Self::U64,
            _ => return None,
        })
    }

    /// The type of a PyTorch storage class, as `torch.<name>`.
    pub(crate) fn from_torch_storage(class: &str) -> Option<Self> {
        Some(match class {
            "BoolStorage" => Self::Bool,
            "ByteStorage" => Self::U8,
            "CharStorage" => Self::I8,
            "ShortStorage" => Self::I16,
            "HalfStorage" => Self::F16,
            "BFloat16Storage" => Self::Bf16,
            "IntStorage" => Self::I32,
            "FloatStorage" => Self::F32,
            "DoubleStorage" => Self::F64,
            "LongStorage" => Self::I64,
            _ => return None,
        })
    }
}

impl fmt::Display for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
