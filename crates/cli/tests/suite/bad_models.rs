//! Models and knowledge bases that cannot be used: exit code 5, and the file named.

use crate::vulnlens::Folder;

const MODEL: &[u8] = include_bytes!("../../../model-fast/fast.safetensors");
const KB: &[u8] = include_bytes!("../../../taxonomy/assets/kb.bin");

/// `bytes` with the first `from` in them written as `to`, of the same length.
fn replaced(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let at = bytes.windows(from.len()).position(|window| window == from.as_bytes()).unwrap();
    let mut changed = bytes.to_vec();
    changed[at..at + from.len()].copy_from_slice(to.as_bytes());
    changed
}

#[test]
fn a_model_of_ones_own_answers_like_the_embedded_one() {
    let folder = Folder::new();
    folder.file("own.safetensors", MODEL);
    let own = folder.run(&["classify", "SQL injection", "--model", "own.safetensors"]).code(0).stdout;
    assert_eq!(folder.run(&["classify", "SQL injection"]).code(0).stdout, own);
}

#[test]
fn damaged_models_are_not_available() {
    let folder = Folder::new();
    let mut flipped = MODEL.to_vec();
    let last = flipped.len() - 1;
    flipped[last] ^= 1;
    for (name, bytes, problem) in [
        ("truncated", MODEL[..MODEL.len() - 100].to_vec(), "safetensors"),
        ("stub", MODEL[..4].to_vec(), "safetensors"),
        ("empty", Vec::new(), "safetensors"),
        ("text", b"this is no model at all, whatever its name".to_vec(), "safetensors"),
        ("damaged", flipped, "checksum"),
    ] {
        let path = format!("{name}.safetensors");
        folder.file(&path, bytes);
        let outcome =
            folder.run(&["classify", "SQL injection", "--model", &path]).code(5).says(&[&path, problem]);
        assert_eq!(outcome.stdout, "", "{name}");
    }
    folder
        .run(&["classify", "x", "--model", "missing"])
        .code(5)
        .says(&["there is no model \"missing\"", "fast"]);
}

#[test]
fn a_model_of_a_future_version_is_not_available() {
    let folder = Folder::new();
    let version = format!("\\\"format_version\\\":{}", 2);
    let future = replaced(MODEL, &version, "\\\"format_version\\\":9");
    folder.file("future.safetensors", future);
    let outcome = folder.run(&["classify", "SQL injection", "--model", "future.safetensors"]).code(5);
    outcome.says(&["future.safetensors", "version 9", "upgrade"]);
}

#[test]
fn damaged_knowledge_bases_are_not_available() {
    let folder = Folder::new();
    let mut future = KB.to_vec();
    future[8] = 9;
    let mut flipped = KB.to_vec();
    flipped[1000] ^= 1;
    for (name, bytes, problem) in [
        ("truncated.bin", KB[..1000].to_vec(), "checksum"),
        ("stub.bin", KB[..10].to_vec(), "truncated"),
        ("future.bin", future, "format version 9"),
        ("damaged.bin", flipped, "checksum"),
        ("text.bin", b"nothing".to_vec(), "not a compiled knowledge base"),
    ] {
        folder.file(name, bytes);
        folder.run(&["classify", "SQL injection", "--kb", name]).code(5).says(&[name, problem]);
    }
    folder.run(&["kb", "info", "--kb", "missing.bin"]).code(5).says(&["missing.bin: cannot be read"]);
    folder.run(&["kb", "info", "--kb", "."]).code(5).says(&["no CWE catalogue"]);
}
