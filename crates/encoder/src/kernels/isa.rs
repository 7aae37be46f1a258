//! Levels of vector instructions.

use std::sync::OnceLock;

/// A level of vector instructions, from the plainest to the widest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Isa {
    /// Instructions that every machine of the architecture has.
    Portable,
    /// x86-64 with AVX2 and FMA.
    Avx2,
    /// x86-64 with AVX-512 (F, BW, VL, DQ).
    Avx512,
    /// The same with VNNI, which multiplies bytes.
    Avx512Vnni,
}

impl Isa {
    /// The widest level that this machine has.
    #[must_use]
    pub fn detected() -> Self {
        static DETECTED: OnceLock<Isa> = OnceLock::new();
        *DETECTED.get_or_init(detect)
    }

    /// The levels that this machine has, from the plainest on.
    #[must_use]
    pub fn available() -> Vec<Self> {
        let all = [Self::Portable, Self::Avx2, Self::Avx512, Self::Avx512Vnni];
        all.into_iter().filter(|&isa| isa <= Self::detected()).collect()
    }

    /// The level's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Avx2 => "AVX2",
            Self::Avx512 => "AVX-512",
            Self::Avx512Vnni => "AVX-512 VNNI",
        }
    }

    /// The level named so (`portable`, `avx2`, `avx512`, `avx512-vnni`), as far as this machine has it.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let plain = |text: &str| text.replace(['-', ' ', '_'], "").to_ascii_lowercase();
        Self::available().into_iter().find(|isa| plain(isa.name()) == plain(name))
    }

    /// Output columns of a panel of packed `f32` weights.
    pub(crate) fn panel(self) -> usize {
        match self {
            Self::Portable | Self::Avx2 => 16,
            Self::Avx512 | Self::Avx512Vnni => 32,
        }
    }

    /// Output columns of a panel of packed bytes.
    pub(crate) fn byte_panel(self) -> usize {
        if self == Self::Avx512Vnni { 32 } else { 16 }
    }

    /// The level for products of bytes: of AVX-512 only VNNI brings anything for them.
    pub(crate) fn of_bytes(self) -> Self {
        if self == Self::Avx512 { Self::Avx2 } else { self }
    }

    /// Rows that a tile of bytes has at most.
    pub(crate) fn byte_tile_rows(self) -> usize {
        match self {
            Self::Portable => 4,
            Self::Avx2 | Self::Avx512 => 6,
            Self::Avx512Vnni => 12,
        }
    }

    /// Rows that a tile of `f32` has at most.
    pub(crate) fn tile_rows(self) -> usize {
        match self {
            Self::Portable => 4,
            Self::Avx2 => 6,
            Self::Avx512 | Self::Avx512Vnni => 12,
        }
    }
}

#[cfg(target_arch = "x86_64")]
fn detect() -> Isa {
    let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
    let avx512 = avx2
        && is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512dq");
    match (avx512, avx2) {
        (true, _) if is_x86_feature_detected!("avx512vnni") => Isa::Avx512Vnni,
        (true, _) => Isa::Avx512,
        (false, true) => Isa::Avx2,
        (false, false) => Isa::Portable,
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn detect() -> Isa {
    Isa::Portable
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_found_by_name() {
        for isa in Isa::available() {
            assert_eq!(Isa::named(isa.name()), Some(isa));
        }
        assert_eq!(Isa::named("PORTABLE"), Some(Isa::Portable));
        assert_eq!(Isa::named("sse9"), None);
    }
}
