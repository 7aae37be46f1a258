//! The compiled knowledge base. The header and the checksum are put right, or no input would get
//! beyond them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sha2::{Digest, Sha256};
use vulnlens_taxonomy::{CweId, KnowledgeBase};

fuzz_target!(|payload: &[u8]| {
    // Whole files serve as seeds: their header is replaced.
    let payload =
        if payload.starts_with(b"VLENS-KB") { payload.get(44..).unwrap_or_default() } else { payload };
    let mut bytes = b"VLENS-KB\x01\0\0\0".to_vec();
    bytes.extend(Sha256::digest(payload));
    bytes.extend(payload);
    let Ok(kb) = KnowledgeBase::from_bytes(&bytes) else { return };
    let written = kb.to_bytes();
    assert_eq!(KnowledgeBase::from_bytes(&written).map(|again| again.to_bytes()), Ok(written));
    let ids: Vec<CweId> = kb.weaknesses().map(|weakness| weakness.id).take(20).collect();
    let labels = kb.chain(&ids);
    for technique in labels.techniques.iter().take(20) {
        std::hint::black_box(kb.current(*technique));
        assert!(!kb.cwes_reaching(*technique).is_empty());
        for id in &ids {
            assert!(kb.paths(*id, *technique).iter().all(|path| path.cwe.first() == Some(id)));
        }
    }
});
