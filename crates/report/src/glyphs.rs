//! Signs of text for people, and the chain's paths in them.

use vulnlens_taxonomy::{ChainPath, CweId};

/// The signs that a terminal can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Glyphs {
    /// For terminals in a UTF-8 locale.
    #[default]
    Unicode,
    /// For all others.
    Ascii,
}

impl Glyphs {
    /// The sign of a predicted label.
    pub(crate) fn check(self) -> char {
        if self == Self::Unicode { '✓' } else { '*' }
    }

    /// The sign for text that is left out.
    pub(crate) fn ellipsis(self) -> &'static str {
        if self == Self::Unicode { "…" } else { "..." }
    }

    /// The words for rows that are left out, and the option of the command that shows them.
    pub(crate) fn more(self, count: usize) -> String {
        format!("{} {count} more (--top-k all)", self.ellipsis())
    }

    /// The sign between the steps of a path.
    pub(crate) fn step(self) -> &'static str {
        if self == Self::Unicode { " ▸ " } else { " > " }
    }

    /// A bar for `share` of the whole, `width` characters with the blanks after it; never empty unless the share is 0.
    pub(crate) fn bar(self, share: f32, width: usize) -> String {
        let filled = (f64::from(share).clamp(0.0, 1.0) * width as f64).round() as usize;
        let filled = filled.max(usize::from(share > 0.0)).min(width);
        let sign = if self == Self::Unicode { "█" } else { "#" };
        sign.repeat(filled) + &" ".repeat(width.saturating_sub(filled))
    }

    /// `text` in at most `width` characters.
    pub(crate) fn fit(self, text: &str, width: usize) -> String {
        if text.chars().count() <= width {
            return text.to_owned();
        }
        let Some(kept) = width.checked_sub(self.ellipsis().chars().count()) else {
            return text.chars().take(width).collect();
        };
        text.chars().take(kept).chain(self.ellipsis().chars()).collect()
    }

    /// Ids joined to a path, `CWE-79 ▸ CAPEC-63`.
    #[must_use]
    pub fn joined<T: ToString>(self, steps: impl IntoIterator<Item = T>) -> String {
        let steps: Vec<String> = steps.into_iter().map(|step| step.to_string()).collect();
        steps.join(self.step())
    }
}

/// A path of the chain, `CWE-79 ▸ CWE-74 ▸ CAPEC-267 ▸ T1027`.
#[must_use]
pub fn path_text(path: &ChainPath, glyphs: Glyphs) -> String {
    let cwes = path.cwe.iter().map(CweId::to_string);
    glyphs.joined(cwes.chain([path.capec.to_string(), path.technique.to_string()]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_and_texts_keep_their_width() {
        for glyphs in [Glyphs::Unicode, Glyphs::Ascii] {
            for share in [-1.0, 0.0, 0.001, 0.5, 1.0, 7.0, f32::NAN] {
                assert_eq!(glyphs.bar(share, 10).chars().count(), 10, "{share}");
            }
            assert_eq!(glyphs.fit("short", 5), "short");
            for width in [0, 1, 2, 3, 6] {
                assert_eq!(glyphs.fit("rather long", width).chars().count(), width);
            }
        }
        assert_eq!(Glyphs::Ascii.bar(0.001, 4), "#   ");
        assert_eq!(Glyphs::Ascii.bar(0.0, 4), "    ");
    }
}
