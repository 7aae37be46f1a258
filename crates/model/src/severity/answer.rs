//! The severity of a text.

use serde::ser::{Serialize, SerializeMap, SerializeStruct, Serializer};
use vulnlens_taxonomy::{BASE_METRICS, BaseVector, SeverityBand};

use super::outputs::SEVERITY_WIDTH;
use crate::decimals::rounded;

/// The severity that a text implies: the most probable band, and of its vectors the most probable.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Severity {
    /// The vector.
    pub vector: BaseVector,
    /// The probability of its band.
    pub confidence: f32,
    /// The probabilities of the metrics' values.
    pub metrics: MetricProbabilities,
}

/// The probability of each value of each metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MetricProbabilities(pub(super) [f32; SEVERITY_WIDTH]);

impl MetricProbabilities {
    /// The probabilities that `of` gives to each value of each metric, by their names.
    pub fn new(mut of: impl FnMut(&'static str, &'static str) -> f32) -> Self {
        let values =
            BASE_METRICS.iter().flat_map(|metric| metric.values.iter().map(|value| (metric.name, *value)));
        let mut probabilities = [0.0; SEVERITY_WIDTH];
        probabilities.iter_mut().zip(values).for_each(|(p, (metric, value))| *p = of(metric, value));
        Self(probabilities)
    }

    /// The metrics by name, each with its values and their probabilities.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, impl Iterator<Item = (&'static str, f32)>)> {
        let mut rest = self.0.as_slice();
        BASE_METRICS.iter().map(move |metric| {
            let (own, others) = rest.split_at_checked(metric.values.len()).unwrap_or_default();
            rest = others;
            (metric.name, metric.values.iter().copied().zip(own.iter().copied()))
        })
    }
}

impl Severity {
    /// The severity with a vector, the probability of its band, and those of the metrics' values.
    #[must_use]
    pub fn new(vector: BaseVector, confidence: f32, metrics: MetricProbabilities) -> Self {
        Self { vector, confidence, metrics }
    }

    /// The severity of a distribution over all vectors, in the order of [`BaseVector::all`].
    #[must_use]
    pub fn of(probabilities: &[f32]) -> Option<Self> {
        let mut bands = [0.0f32; SeverityBand::ALL.len()];
        let mut metrics = [0.0f32; SEVERITY_WIDTH];
        for (vector, p) in BaseVector::all().zip(probabilities) {
            bands[vector.band() as usize] += p;
            let mut first = 0;
            for (value, metric) in vector.values().iter().zip(&BASE_METRICS) {
                metrics[first + usize::from(*value)] += p;
                first += metric.values.len();
            }
        }
        let band = SeverityBand::ALL
            .into_iter()
            .reduce(|best, band| if bands[band as usize] > bands[best as usize] { band } else { best })?;
        let of_band = BaseVector::all().zip(probabilities).filter(|(vector, _)| vector.band() == band);
        let (vector, _) = of_band.reduce(|best, other| if other.1 > best.1 { other } else { best })?;
        Some(Self { vector, confidence: bands[band as usize], metrics: MetricProbabilities(metrics) })
    }

    /// The score of the vector.
    #[must_use]
    pub fn score(&self) -> f64 {
        self.vector.score()
    }

    /// The band of the vector's score.
    #[must_use]
    pub fn band(&self) -> SeverityBand {
        self.vector.band()
    }
}

/// The value of the key `severity` of record output.
impl Serialize for Severity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut severity = serializer.serialize_struct("Severity", 5)?;
        severity.serialize_field("vector", &self.vector.to_string())?;
        severity.serialize_field("score", &self.score())?;
        severity.serialize_field("severity", self.band().name())?;
        severity.serialize_field("confidence", &rounded(self.confidence))?;
        severity.serialize_field("metrics", &self.metrics)?;
        severity.end()
    }
}

impl Serialize for MetricProbabilities {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Values(Vec<(&'static str, f32)>);
        impl Serialize for Values {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut map = serializer.serialize_map(Some(self.0.len()))?;
                for (value, probability) in &self.0 {
                    map.serialize_entry(value, &rounded(*probability))?;
                }
                map.end()
            }
        }
        let mut map = serializer.serialize_map(Some(BASE_METRICS.len()))?;
        for (metric, values) in self.iter() {
            map.serialize_entry(metric, &Values(values.collect()))?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vector_is_of_the_most_probable_band_though_another_vector_is_more_probable() {
        let vector = |text: &str| text.parse::<BaseVector>().unwrap();
        let critical = vector("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H");
        let high =
            ["CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H", "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H"];
        let [likelier, other] = high.map(vector);
        let mut probabilities = vec![0.0; BaseVector::COUNT];
        for (vector, p) in [(critical, 0.4), (likelier, 0.35), (other, 0.25)] {
            probabilities[vector.number()] = p;
        }
        let severity = Severity::of(&probabilities).unwrap();
        assert_eq!((severity.vector, severity.band()), (likelier, SeverityBand::High));
        assert!((severity.confidence - 0.6).abs() < 1e-6);
        let json = serde_json::to_value(&severity).unwrap();
        assert_eq!(json["metrics"]["PR"], serde_json::json!({ "N": 0.4, "L": 0.6, "H": 0.0 }));
        assert_eq!(json["metrics"]["AV"]["L"], 0.25);
        assert_eq!((&json["score"], &json["severity"]), (&8.8.into(), &"HIGH".into()));
        let of = |metric, value| json["metrics"][metric][value].as_f64().unwrap() as f32;
        let again = Severity::new(severity.vector, severity.confidence, MetricProbabilities::new(of));
        assert_eq!(serde_json::to_value(&again).unwrap(), json);
    }
}
