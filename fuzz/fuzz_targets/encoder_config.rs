//! Any bytes as a `config.json`: refused, or sizes that fit each other.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use vulnlens_encoder::Config;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(config) = Config::from_json(bytes, Path::new("config.json")) {
        assert!(config.hidden.is_multiple_of(config.heads));
        assert!(config.max_tokens() >= 3 && !config.labels.is_empty());
        assert!(config.norm_epsilon > 0.0);
    }
});
