//! What weaknesses, attack patterns and ATT&CK techniques a vulnerability's text implies.
//!
//! The library carries a model and a knowledge base, so it answers offline and at once:
//!
//! ```
//! use vulnlens::{Input, Options};
//!
//! let lens = vulnlens::embedded();
//! let text = "Buffer overflow in OpenSSL allows remote attackers to execute arbitrary code.";
//! let prediction = lens.predict(Input::text(text), &Options::default());
//! for scored in prediction.cwe.iter().flat_map(|cwe| &cwe.labels) {
//!     let name = lens.knowledge_base().name_of_cwe(scored.label).unwrap_or_default();
//!     println!("{:.3}  {}  {name}", scored.score, scored.label);
//! }
//! # assert!(prediction.attack.is_some_and(|attack| !attack.labels.is_empty()));
//! ```
//!
//! For more than a few texts make a [`Predictor`] once ([`Lens::predictor`]) and give it batches. For a model or a
//! knowledge base of your own, read them ([`NgramModel::from_bytes`], [`KnowledgeBase::from_bytes`]) and put them
//! together with [`Lens::new`]. A published checkpoint is opened by [`open_checkpoint`], and answers by its own labels; an encoder that was
//! trained on CWE sets is opened by [`open_sets`].
//! The parts of the library stand under their names: [`taxonomy`], [`model`], [`encoder`], [`report`].

mod checkpoint;
mod combination;
mod encoder_sets;

pub use checkpoint::{CheckpointError, EncoderScores, open_checkpoint};
pub use combination::CombinationFile;
pub use encoder_sets::{EncoderSets, open_sets, sets_of_package};
pub use vulnlens_encoder as encoder;
pub use vulnlens_model as model;
pub use vulnlens_report as report;
pub use vulnlens_taxonomy as taxonomy;

pub use vulnlens_model::{
    CheckpointLens, Classifier, Explanation, Input, LabelMode, LabelSource, Labels, Lens, ModelFileError,
    NgramModel, Options, PredictBuffers, Prediction, Predictor, ScoredLabel, SetAnswer, SetModel, Task,
    Tasks, WordEvidence,
};
pub use vulnlens_taxonomy::{CapecId, CveId, CweId, KnowledgeBase, TacticId, TechniqueId};

/// The file of the model that [`embedded`] answers with.
pub const EMBEDDED_MODEL: &[u8] = include_bytes!("../../../assets/models/fast.safetensors");

/// The file of the model `accurate`, which [`embedded_accurate`] opens: an encoder in eight bits.
#[cfg(feature = "accurate")]
pub const ACCURATE_MODEL: &[u8] = include_bytes!("../../../assets/models/accurate.safetensors");

/// The compiled knowledge base that [`embedded`] answers with.
pub const EMBEDDED_KNOWLEDGE_BASE: &[u8] = include_bytes!("../../../assets/kb.bin");

/// The model and the knowledge base that the library carries, ready to answer (some milliseconds; keep it).
#[must_use]
pub fn embedded() -> Lens {
    Lens::new(embedded_model(), embedded_knowledge_base())
}

/// The model that the library carries, `fast`.
#[must_use]
#[expect(clippy::expect_used, reason = "the file is part of the library; a test reads it")]
pub fn embedded_model() -> NgramModel {
    NgramModel::embedded(EMBEDDED_MODEL).expect("the embedded model is a model of this version")
}

/// The model `accurate` that the library carries, ready to answer: slower than [`embedded`] and, most of all on records of
/// later years than it was trained on, more often right. It computes in eight bits on the current rayon pool (some tens of
/// milliseconds; keep it).
#[cfg(feature = "accurate")]
#[must_use]
#[expect(clippy::expect_used, reason = "the file is part of the library; a test reads it")]
pub fn embedded_accurate(options: &encoder::LoadOptions) -> Lens<EncoderSets> {
    let bytes = std::borrow::Cow::Borrowed(ACCURATE_MODEL);
    let package = encoder::Package::from_bytes(bytes, std::path::Path::new("accurate"));
    let lens = package
        .map_err(CheckpointError::from)
        .and_then(|package| sets_of_package(&package, options, embedded_knowledge_base()));
    lens.expect("the embedded encoder is one of this version")
}

/// The knowledge base that the library carries.
#[must_use]
#[expect(clippy::expect_used, reason = "the file is part of the library; a test reads it")]
pub fn embedded_knowledge_base() -> KnowledgeBase {
    KnowledgeBase::from_bytes(EMBEDDED_KNOWLEDGE_BASE)
        .expect("the embedded knowledge base is of this version")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_embedded_is_whole() {
        let model = NgramModel::from_bytes(EMBEDDED_MODEL).unwrap();
        assert_eq!(model.revision(), embedded_model().revision());
        let kb = embedded_knowledge_base();
        assert_eq!(kb.to_bytes(), EMBEDDED_KNOWLEDGE_BASE);
        assert_eq!(model.header().taxonomies.cwe, kb.versions().cwe);
    }

    /// The plainest texts, which every model must get right.
    fn answers_the_plainest_texts<M: SetModel>(lens: &Lens<M>) {
        let options = Options::default().labels(LabelMode::Assigned);
        for (text, cwe) in [
            ("SQL injection in login.php via the id parameter.", 89),
            ("Cross-site scripting (XSS) vulnerability in the search field.", 79),
            ("Use after free in the audio component of a browser.", 416),
        ] {
            let prediction = lens.predict(Input::text(text), &options);
            let first = prediction.cwe.and_then(|cwe| cwe.labels.first().map(|scored| scored.label));
            assert_eq!(first, Some(CweId(cwe)), "{text}");
        }
    }

    #[test]
    fn the_embedded_models_answer_the_plainest_texts() {
        answers_the_plainest_texts(&embedded());
        #[cfg(feature = "accurate")]
        answers_the_plainest_texts(&embedded_accurate(&encoder::LoadOptions::default()));
    }

    #[cfg(feature = "accurate")]
    #[test]
    fn the_embedded_encoder_is_of_the_embedded_knowledge_base() {
        let lens = embedded_accurate(&encoder::LoadOptions::default());
        let about = lens.model().about();
        assert_eq!(lens.model().name(), "accurate");
        assert_eq!(about.taxonomies.cwe, embedded_knowledge_base().versions().cwe);
        assert!(ACCURATE_MODEL.len() <= 15_000_000);
    }
}
