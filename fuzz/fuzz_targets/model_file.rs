//! Any bytes read as a model file are refused or are a model that answers.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vulnlens_model::{Classifier, Input, Network, NgramModel, Options, Room};
use vulnlens_taxonomy::KnowledgeBase;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(model) = NgramModel::from_bytes(bytes) {
        let mut scores = vec![];
        model.score(&[Input::text("heap overflow")], &mut Room::default(), &mut scores);
        assert!(scores.iter().all(|score| score.is_finite()));
        let kb = KnowledgeBase::embedded();
        let classifier = Classifier::new(model, kb);
        let _ = classifier.predict(Input::text("heap overflow"), &Options::default());
        let _ = classifier.explain(Input::text("heap overflow"), &Options::default());
    }
});
