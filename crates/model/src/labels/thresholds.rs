//! `thresholds.json`: from which score on each label is answered.

use std::collections::BTreeMap;

use vulnlens_files::{Classified, ErrorKind};

/// Why thresholds cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ThresholdsError {
    /// Not JSON of the right form.
    #[error("not thresholds: {0}; expected one number a label, as {{\"CWE-79\": 0.4}}")]
    Form(String),
    /// A label that the checkpoint does not have.
    #[error("the checkpoint has no label {0:?}; write labels as its id2label does")]
    Label(String),
    /// A number that no score is compared to.
    #[error("the threshold of {label:?} is {threshold}; expected a number from 0 to 1")]
    Range {
        /// The label.
        label: String,
        /// Its threshold.
        threshold: f32,
    },
}

impl Classified for ThresholdsError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Unavailable
    }
}

/// Reads a threshold for each of `labels`, in their order: a JSON object from labels, as they stand
/// in `id2label`, to numbers. Labels that it leaves out have `usual`.
///
/// # Errors
/// It is no such object, has a label that the checkpoint has not, or a number outside `0..=1`.
pub fn read_thresholds(json: &[u8], labels: &[String], usual: f32) -> Result<Vec<f32>, ThresholdsError> {
    let mut given: BTreeMap<String, f32> =
        serde_json::from_slice(json).map_err(|error| ThresholdsError::Form(error.to_string()))?;
    if let Some((label, &threshold)) = given.iter().find(|(_, threshold)| !(0.0..=1.0).contains(*threshold)) {
        return Err(ThresholdsError::Range { label: label.clone(), threshold });
    }
    let thresholds = labels.iter().map(|label| given.get(label).copied().unwrap_or(usual)).collect();
    given.retain(|label, _| !labels.contains(label));
    given.into_keys().next().map_or(Ok(thresholds), |label| Err(ThresholdsError::Label(label)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_are_read_by_label() {
        let labels = ["CWE-79", "CWE-89", "CWE-79"].map(str::to_owned);
        let read = |json: &str| read_thresholds(json.as_bytes(), &labels, 0.5);
        assert_eq!(read(r#"{"CWE-79": 0.25}"#).unwrap(), [0.25, 0.5, 0.25]);
        assert_eq!(read("{}").unwrap(), [0.5; 3]);
        for (json, problem) in [
            (r#"{"CWE-80": 0.25}"#, "no label \"CWE-80\""),
            (r#"{"CWE-79": 2}"#, "from 0 to 1"),
            (r#"{"CWE-79": "x"}"#, "not thresholds"),
            ("[0.5]", "not thresholds"),
            ("", "not thresholds"),
        ] {
            let error = read(json).unwrap_err().to_string();
            assert!(error.contains(problem), "{json}: {error}");
        }
    }
}
