//! Any bytes read as a model file are refused or are a model that answers.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vulnlens_model::{Input, Lens, NgramModel, Options, Scorer, verify};
use vulnlens_taxonomy::KnowledgeBase;

fuzz_target!(|bytes: &[u8]| {
    let _ = verify(bytes);
    if let Ok(model) = NgramModel::from_bytes(bytes) {
        let mut scorer = Scorer::default();
        let p = model.score(&[Input::text("heap overflow")], &mut scorer);
        assert!(p.iter().all(|p| p.is_finite()));
        let kb = KnowledgeBase::from_bytes(include_bytes!("../../assets/kb.bin")).unwrap();
        let lens = Lens::new(model, kb);
        let _ = lens.predict(Input::text("heap overflow"), &Options::default());
        let _ = lens.explain(Input::text("heap overflow"), &Options::default());
    }
});
