//! Base vectors of CVSS 3.x: eight metrics, their score and its band.
//!
//! The base metrics of 3.0 and 3.1 have the same values and meanings; a vector of either version is written as 3.1, and
//! scored as 3.1. The formula of the score is that of the crate `cvss`.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use cvss::v3::Vector;

/// A metric: its abbreviation and those of its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BaseMetric {
    /// The metric's abbreviation: `AV`.
    pub name: &'static str,
    /// The abbreviations of its values, in the order of the specification: `N`, `A`, `L`, `P`.
    pub values: &'static [&'static str],
}

/// The base metrics, in the order of a vector.
pub const BASE_METRICS: [BaseMetric; 8] = [
    BaseMetric { name: "AV", values: &["N", "A", "L", "P"] },
    BaseMetric { name: "AC", values: &["L", "H"] },
    BaseMetric { name: "PR", values: &["N", "L", "H"] },
    BaseMetric { name: "UI", values: &["N", "R"] },
    BaseMetric { name: "S", values: &["U", "C"] },
    BaseMetric { name: "C", values: &["H", "L", "N"] },
    BaseMetric { name: "I", values: &["H", "L", "N"] },
    BaseMetric { name: "A", values: &["H", "L", "N"] },
];

/// A base vector: a value of each metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BaseVector([u8; BASE_METRICS.len()]);

/// A band of scores, on the qualitative scale of CVSS 3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SeverityBand {
    /// Score 0.0.
    None,
    /// Scores 0.1 to 3.9.
    Low,
    /// Scores 4.0 to 6.9.
    Medium,
    /// Scores 7.0 to 8.9.
    High,
    /// Scores 9.0 to 10.0.
    Critical,
}

/// A text that is not a base vector of CVSS 3.x.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VectorError {
    /// A vector of another version, or something else.
    #[error("does not begin with CVSS:3.0/ or CVSS:3.1/")]
    Version,
    /// A metric that has no value, or one that it cannot have.
    #[error("needs {0} once, with one of its values")]
    Metric(&'static str),
}

impl BaseVector {
    /// The number of base vectors.
    pub const COUNT: usize = 2592;

    /// The vector with these values, each by its place in [`BaseMetric::values`]; `None` where a metric has fewer.
    #[must_use]
    pub fn new(values: [u8; BASE_METRICS.len()]) -> Option<Self> {
        let exist = values.iter().zip(&BASE_METRICS);
        exist.clone().all(|(value, metric)| usize::from(*value) < metric.values.len()).then_some(Self(values))
    }

    /// All vectors; the value of the last metric changes first.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..Self::COUNT).map(|number| {
            let mut rest = number;
            let mut values = [0; BASE_METRICS.len()];
            for (value, metric) in values.iter_mut().zip(&BASE_METRICS).rev() {
                *value = (rest % metric.values.len()) as u8;
                rest /= metric.values.len();
            }
            Self(values)
        })
    }

    /// The place of the value of each metric in [`BaseMetric::values`].
    #[must_use]
    pub fn values(self) -> [u8; BASE_METRICS.len()] {
        self.0
    }

    /// The place among [`all`](Self::all).
    #[must_use]
    pub fn number(self) -> usize {
        let digits = self.0.iter().zip(&BASE_METRICS);
        digits.fold(0, |number, (value, metric)| number * metric.values.len() + usize::from(*value))
    }

    /// The base score, 0.0 to 10.0.
    #[must_use]
    pub fn score(self) -> f64 {
        static SCORES: LazyLock<Vec<f64>> = LazyLock::new(|| BaseVector::all().map(score).collect());
        SCORES.get(self.number()).copied().unwrap_or_default()
    }

    /// The band of the score.
    #[must_use]
    pub fn band(self) -> SeverityBand {
        SeverityBand::of(self.score())
    }
}

fn score(vector: BaseVector) -> f64 {
    Vector::from_str(&vector.to_string()).map_or(0.0, |vector| vector.base_score().value())
}

impl fmt::Display for BaseVector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CVSS:3.1")?;
        for (value, metric) in self.0.iter().zip(&BASE_METRICS) {
            write!(f, "/{}:{}", metric.name, metric.values.get(usize::from(*value)).unwrap_or(&"X"))?;
        }
        Ok(())
    }
}

/// Metrics of the other groups are left out.
impl FromStr for BaseVector {
    type Err = VectorError;

    fn from_str(text: &str) -> Result<Self, VectorError> {
        let text = text.trim();
        let rest = text.strip_prefix("CVSS:3.0/").or_else(|| text.strip_prefix("CVSS:3.1/"));
        let rest = rest.ok_or(VectorError::Version)?;
        let mut values = [0; BASE_METRICS.len()];
        for (value, metric) in values.iter_mut().zip(&BASE_METRICS) {
            let given = rest.split('/').filter_map(|part| part.split_once(':'));
            let mut given = given.filter(|(name, _)| *name == metric.name).map(|(_, given)| given);
            let place = given.next().and_then(|given| metric.values.iter().position(|value| *value == given));
            match (place, given.next()) {
                (Some(place), None) => *value = place as u8,
                _ => return Err(VectorError::Metric(metric.name)),
            }
        }
        Ok(Self(values))
    }
}

impl SeverityBand {
    /// All bands, by rising score.
    pub const ALL: [Self; 5] = [Self::None, Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The band of a score.
    #[must_use]
    pub fn of(score: f64) -> Self {
        match score {
            score if score >= 9.0 => Self::Critical,
            score if score >= 7.0 => Self::High,
            score if score >= 4.0 => Self::Medium,
            score if score > 0.0 => Self::Low,
            _ => Self::None,
        }
    }

    /// Its name in files and answers.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::Low => "LOW",
            Self::Medium => "MEDIUM",
            Self::High => "HIGH",
            Self::Critical => "CRITICAL",
        }
    }
}

impl fmt::Display for SeverityBand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vector(text: &str) -> BaseVector {
        text.parse().unwrap()
    }

    /// Scores that FIRST's examples of CVSS 3.1 give.
    #[test]
    fn scores_are_those_of_published_examples() {
        for (text, score, band) in [
            ("CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N", 6.4, SeverityBand::Medium),
            ("CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N", 3.1, SeverityBand::Low),
            ("CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:H/I:H/A:H", 9.9, SeverityBand::Critical),
            ("CVSS:3.1/AV:L/AC:L/PR:H/UI:N/S:U/C:L/I:L/A:L", 4.2, SeverityBand::Medium),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", 7.5, SeverityBand::High),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", 10.0, SeverityBand::Critical),
            ("CVSS:3.1/AV:P/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", 0.0, SeverityBand::None),
            ("CVSS:3.0/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", 6.1, SeverityBand::Medium),
        ] {
            assert_eq!(
                ((vector(text).score() * 10.0).round() / 10.0, vector(text).band()),
                (score, band),
                "{text}"
            );
        }
    }

    #[test]
    fn every_vector_is_read_as_it_is_written() {
        assert_eq!(BaseVector::all().count(), BASE_METRICS.iter().map(|m| m.values.len()).product::<usize>());
        for (number, vector) in BaseVector::all().enumerate() {
            assert_eq!((vector.number(), vector.to_string().parse()), (number, Ok(vector)));
            assert_eq!(BaseVector::new(vector.values()), Some(vector));
        }
        assert_eq!(BaseVector::new([4, 0, 0, 0, 0, 0, 0, 0]), None);
    }

    #[test]
    fn other_groups_and_orders_are_read_and_other_versions_are_not() {
        let plain = vector("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N");
        assert_eq!(vector(" CVSS:3.0/A:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/AV:N/E:P/MAV:L "), plain);
        for (text, error) in [
            ("AV:N/AC:L/Au:N/C:P/I:P/A:P", VectorError::Version),
            ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", VectorError::Version),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N", VectorError::Metric("A")),
            ("CVSS:3.1/AV:N/AV:L/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", VectorError::Metric("AV")),
            ("CVSS:3.1/AV:N/AC:M/PR:N/UI:N/S:U/C:H/I:N/A:N", VectorError::Metric("AC")),
        ] {
            assert_eq!(text.parse::<BaseVector>(), Err(error), "{text}");
        }
    }
}
