//! Values to be inserted, written in the style of what is around them.

use super::style::Style;

/// A value to be inserted.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Json {
    Text(String),
    Whole(u32),
    /// A probability, with as many decimals as all outputs have.
    Score(f32),
    List(Vec<Self>),
    Object(Vec<(&'static str, Self)>),
    /// An object whose keys are data.
    Map(Vec<(String, Self)>),
}

impl Json {
    /// A text.
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A list of texts.
    pub(crate) fn texts<T: Into<String>>(texts: impl IntoIterator<Item = T>) -> Self {
        Self::List(texts.into_iter().map(Self::text).collect())
    }

    /// Appends the value as it is written within something of this style.
    pub(crate) fn write(&self, style: &Style, out: &mut String) {
        match self {
            Self::Text(text) => out.push_str(&quoted(text)),
            Self::Whole(number) => out.push_str(&number.to_string()),
            Self::Score(score) => out.push_str(&score_text(*score)),
            Self::List(items) => {
                let inner = style.within();
                inner.write_all(items.iter(), ('[', ']'), style, out, |item, out| item.write(&inner, out));
            }
            Self::Object(members) => write_members(members, style, out),
            Self::Map(members) => write_members(members, style, out),
        }
    }
}

fn write_members<K: AsRef<str>>(members: &[(K, Json)], style: &Style, out: &mut String) {
    let inner = style.within();
    inner.write_all(members.iter(), ('{', '}'), style, out, |(key, value), out| {
        inner.write_key(&quoted(key.as_ref()), out);
        value.write(&inner, out);
    });
}

/// A text in quotes.
pub(crate) fn quoted(text: &str) -> String {
    // A text always becomes JSON.
    serde_json::to_string(text).unwrap_or_default()
}

/// A probability with at most six decimals.
pub(crate) fn score_text(score: f32) -> String {
    let score = if score.is_nan() { 0.0 } else { f64::from(score) };
    let rounded = (score.clamp(0.0, 1.0) * 1e6).round() / 1e6;
    format!("{rounded:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_have_six_decimals_and_no_exponent() {
        for (score, text) in
            [(0.5, "0.5"), (1.0, "1.0"), (0.123_456_7, "0.123457"), (f32::NAN, "0.0"), (2.0, "1.0")]
        {
            assert_eq!(score_text(score), text);
        }
    }
}
