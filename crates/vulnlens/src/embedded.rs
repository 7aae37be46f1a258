//! The models and the knowledge base that the library carries.

use vulnlens_model::{Classifier, NgramModel};
use vulnlens_taxonomy::KnowledgeBase;

/// The file of the model that [`embedded`] answers with.
pub use vulnlens_model_fast::FAST as EMBEDDED_MODEL;

/// The file of the model `accurate`: an encoder in eight bits.
#[cfg(feature = "accurate")]
pub use vulnlens_model_accurate::ACCURATE as ACCURATE_MODEL;

/// The compiled knowledge base that [`embedded`] answers with.
pub use vulnlens_taxonomy::EMBEDDED_KNOWLEDGE_BASE;

/// The classifier that the library carries, ready to answer (some milliseconds; keep it).
#[must_use]
pub fn embedded() -> Classifier {
    Classifier::new(embedded_model(), embedded_knowledge_base())
}

/// The model that the library carries, `fast`.
#[must_use]
#[expect(clippy::expect_used, reason = "the file is part of the library; a test reads it")]
pub fn embedded_model() -> NgramModel {
    NgramModel::embedded(EMBEDDED_MODEL).expect("the embedded model is a model of this version")
}

/// The knowledge base that the library carries.
#[must_use]
pub fn embedded_knowledge_base() -> KnowledgeBase {
    KnowledgeBase::embedded()
}

#[cfg(test)]
mod tests {
    use vulnlens_model::Network;
    use vulnlens_taxonomy::CweId;

    use super::*;
    use crate::{Input, LabelMode, Options};
    #[cfg(feature = "accurate")]
    use crate::{Open, open};

    #[test]
    fn the_embedded_files_are_whole() {
        let model = NgramModel::from_bytes(EMBEDDED_MODEL).unwrap();
        assert_eq!(model.revision(), embedded_model().revision());
        let kb = embedded_knowledge_base();
        assert_eq!(kb.to_bytes(), EMBEDDED_KNOWLEDGE_BASE);
        assert_eq!(model.header().taxonomies.cwe, kb.versions().cwe);
    }

    /// The plainest texts, which every model must get right.
    fn answers_the_plainest_texts(classifier: &Classifier) {
        let options = Options::default().labels(LabelMode::Assigned);
        for (text, cwe) in [
            ("SQL injection in login.php via the id parameter.", 89),
            ("Cross-site scripting (XSS) vulnerability in the search field.", 79),
            ("Use after free in the audio component of a browser.", 416),
        ] {
            let prediction = classifier.predict(Input::text(text), &options);
            let first = prediction.cwe.and_then(|cwe| cwe.labels.first().map(|scored| scored.label));
            assert_eq!(first, Some(CweId(cwe)), "{text}");
        }
    }

    #[test]
    fn the_embedded_models_answer_the_plainest_texts() {
        answers_the_plainest_texts(&embedded());
        #[cfg(feature = "accurate")]
        answers_the_plainest_texts(&open(crate::ACCURATE, &Open::new()).unwrap());
    }

    #[cfg(feature = "accurate")]
    #[test]
    fn the_embedded_encoder_is_of_the_embedded_knowledge_base() {
        let found = crate::find(crate::ACCURATE, &Open::new()).unwrap();
        let crate::FoundModel::Package(package) = found else { panic!("accurate is packed") };
        let opened = crate::OpenedEncoder::of_package(&package, &Open::new()).unwrap();
        let header = opened.encoder().header().unwrap();
        assert_eq!(opened.encoder().name(), "accurate");
        assert_eq!(header.taxonomies.cwe, embedded_knowledge_base().versions().cwe);
        assert!(ACCURATE_MODEL.len() <= 15_000_000);
    }
}
