//! Any bytes as the pickle of PyTorch weights: refused, or a dictionary of tensors; nothing else happens.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vulnlens_encoder::weights::reads_pickle;

fuzz_target!(|bytes: &[u8]| {
    let _ = reads_pickle(bytes);
});
