//! Tests of files of weights: good ones, damaged ones, hostile ones.

use proptest::prelude::*;
use zip::CompressionMethod::{Deflated, Stored};

use super::sample::{archive, bytes, safetensors, state_dict, tensor};
use super::*;

/// Opens a folder with these files.
fn open(files: &[(&str, &[u8])]) -> Result<Weights, EncoderError> {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        std::fs::write(folder.path().join(name), content).unwrap();
    }
    Weights::open(folder.path())
}

fn refusal(files: &[(&str, &[u8])]) -> String {
    open(files).unwrap_err().to_string()
}

const TWO: &str = r#"{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"I8","shape":[2,2],"data_offsets":[8,12]}}"#;

fn two() -> Vec<u8> {
    safetensors(TWO, &[&bytes(&[1.5, -2.0])[..], &[255, 1, 2, 3]].concat())
}

/// A PyTorch file of one storage and tensors of it.
fn pytorch(storage: &[f32], tensors: &[(&str, &[i64], &[i64])]) -> Vec<u8> {
    let len = storage.len() as i64;
    let pickle: Vec<_> = tensors
        .iter()
        .map(|(name, shape, strides)| (*name, tensor("FloatStorage", "0", len, 0, shape, strides)))
        .collect();
    let numbers = bytes(storage);
    archive(&[
        ("m/data.pkl", &state_dict(&pickle), Stored),
        ("m/data/0", &numbers, Stored),
        ("m/version", b"3\n", Stored),
    ])
}

#[test]
fn safetensors_are_read() {
    let weights = open(&[("model.safetensors", &two())]).unwrap();
    assert_eq!(weights.names().collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!((weights.shape("b"), weights.dtype("b")), (Some(&[2, 2][..]), Some(Dtype::I8)));
    assert_eq!((weights.shape("c"), weights.dtype("c")), (None, None));
    assert_eq!(weights.metadata().get("format").map(String::as_str), Some("pt"));
    assert_eq!(*weights.f32("a", &[2]).unwrap(), [1.5, -2.0]);
    assert_eq!(*weights.i8("b", &[2, 2]).unwrap(), [-1, 1, 2, 3]);
}

#[test]
fn a_tensor_that_is_misaligned_or_empty_is_read_too() {
    let header = r#"{"a":{"dtype":"I8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"F32","shape":[1],"data_offsets":[1,5]},"c":{"dtype":"F32","shape":[0,3],"data_offsets":[5,5]}}"#;
    for padding in ["", " ", "  ", "   "] {
        let file = safetensors(&format!("{header}{padding}"), &[&[7][..], &bytes(&[0.25])].concat());
        let weights = open(&[("model.safetensors", &file)]).unwrap();
        assert_eq!(*weights.f32("b", &[1]).unwrap(), [0.25]);
        assert!(weights.f32("c", &[0, 3]).unwrap().is_empty());
    }
}

#[test]
fn a_tensor_that_does_not_fit_is_named() {
    let weights = open(&[("model.safetensors", &two())]).unwrap();
    let of = |result: Result<Tensor, EncoderError>| result.unwrap_err().to_string();
    assert!(of(weights.f32("c", &[3])).contains("tensor `c` of shape [3] is missing"));
    assert!(of(weights.f32("a", &[3])).contains("tensor `a` has shape [2], expected [3]"));
    assert!(of(weights.f32("b", &[2, 2])).contains("tensor `b` holds I8, expected F32, F16, BF16 or F64"));
    assert!(weights.i8("a", &[2]).unwrap_err().to_string().contains("holds F32, expected I8"));
    for (value, shown) in [(f32::NAN, "NaN"), (f32::NEG_INFINITY, "-inf")] {
        let file = safetensors(TWO, &[&bytes(&[1.0, value])[..], &[0; 4]].concat());
        let weights = open(&[("model.safetensors", &file)]).unwrap();
        assert!(
            of(weights.f32("a", &[2])).contains(&format!("tensor `a`, element 1: {shown} is not a finite"))
        );
    }
}

#[test]
fn damaged_safetensors_are_refused() {
    let good = two();
    let one = |entry: &str, data: &[u8]| safetensors(&format!("{{\"a\":{entry}}}"), data);
    for (file, expected) in [
        (Vec::new(), "is empty"),
        (b"short".to_vec(), "has 5 bytes, too few"),
        (b"version https://git-lfs.github.com/spec/v1\n".to_vec(), "pointer of Git LFS"),
        (u64::MAX.to_le_bytes().to_vec(), "announce a header of 18446744073709551615 bytes"),
        ((99_000_000_u64).to_le_bytes().repeat(2), "announce a header of 99000000 bytes"),
        (good[..good.len() - 1].to_vec(), "truncated or damaged"),
        ([&good[..], b"x"].concat(), "truncated or damaged"),
        (good[..40].to_vec(), "truncated"),
        (safetensors("{\"a\":", &[]), "header is invalid"),
        (safetensors(&"[".repeat(100_000), &[]), "header is invalid"),
        (one(r#"{"dtype":"F32","shape":[2],"data_offsets":[0,4]}"#, &[0; 4]), "header is invalid"),
        (one(r#"{"dtype":"F32","shape":[1],"data_offsets":[4,8]}"#, &[0; 8]), "header is invalid"),
        (
            one(r#"{"dtype":"F32","shape":[18446744073709551615,4],"data_offsets":[0,4]}"#, &[0; 4]),
            "header is invalid",
        ),
        (one(r#"{"dtype":"F32","shape":[1],"data_offsets":[8,4]}"#, &[0; 8]), "header is invalid"),
        (one(r#"{"dtype":"F8_E4M3","shape":[4],"data_offsets":[0,4]}"#, &[0; 4]), "holds F8_E4M3"),
        (one(r#"{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,4]}"#, &[0; 4]), "has 9 axes"),
        (
            safetensors(
                r#"{"a":{"dtype":"I8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"I8","shape":[4],"data_offsets":[2,6]}}"#,
                &[0; 6],
            ),
            "header is invalid",
        ),
    ] {
        let found = refusal(&[("model.safetensors", &file)]);
        assert!(found.contains(expected) && found.contains("model.safetensors"), "{expected}: {found}");
    }
    assert!(
        refusal(&[])
            .contains("there is no model.safetensors or model.safetensors.index.json or pytorch_model.bin")
    );
}

#[test]
fn pytorch_files_are_read() {
    let numbers = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    let file =
        pytorch(&numbers, &[("plain", &[2, 3], &[3, 1]), ("turned", &[3, 2], &[1, 3]), ("tied", &[6], &[1])]);
    let weights = open(&[("pytorch_model.bin", &file)]).unwrap();
    assert_eq!(weights.names().collect::<Vec<_>>(), ["plain", "tied", "turned"]);
    assert_eq!(*weights.f32("plain", &[2, 3]).unwrap(), numbers);
    assert_eq!(*weights.f32("turned", &[3, 2]).unwrap(), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
    assert_eq!(*weights.f32("tied", &[6]).unwrap(), numbers);
}

#[test]
fn the_names_of_converted_checkpoints_are_made_modern() {
    let file = pytorch(
        &[1.0, 2.0],
        &[("x.LayerNorm.gamma", &[2], &[1]), ("x.LayerNorm.beta", &[2], &[1]), ("gamma", &[2], &[1])],
    );
    let weights = open(&[("pytorch_model.bin", &file)]).unwrap();
    assert_eq!(weights.names().collect::<Vec<_>>(), ["gamma", "x.LayerNorm.bias", "x.LayerNorm.weight"]);
    let file = pytorch(&[1.0], &[("LayerNorm.gamma", &[1], &[1]), ("LayerNorm.weight", &[1], &[1])]);
    assert!(
        refusal(&[("pytorch_model.bin", &file)])
            .contains("`LayerNorm.weight`, which another file or name holds")
    );
}

#[test]
fn damaged_or_hostile_pytorch_files_are_refused() {
    let good = pytorch(&[1.0, 2.0], &[("a", &[2], &[1])]);
    let dict = state_dict(&[("a", tensor("FloatStorage", "0", 2, 0, &[2], &[1]))]);
    let outside = state_dict(&[("a", tensor("FloatStorage", "../data.pkl", 2, 0, &[2], &[1]))]);
    let system = b"\x80\x02cos\nsystem\nX\x04\0\0\0true\x85R.";
    let numbers = bytes(&[1.0, 2.0]);
    for (file, expected) in [
        (good[..good.len() - 30].to_vec(), "is a damaged archive"),
        (b"PK\x03\x04".to_vec(), "is a damaged archive"),
        (
            b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.".to_vec(),
            "torch.load('pytorch_model.bin', weights_only=True)",
        ),
        (archive(&[("x", b"", Stored)]), "without data.pkl"),
        (archive(&[("m/data.pkl", system, Stored)]), "pickle, byte 2: it refers to `os.system`"),
        (archive(&[("m/data.pkl", &dict, Deflated)]), "`m/data.pkl` is compressed"),
        (archive(&[("m/data.pkl", &dict, Stored)]), "`0`: tensor `a` needs it, it is missing"),
        (
            archive(&[("m/data.pkl", &dict, Stored), ("m/data/0", &numbers, Deflated)]),
            "`m/data/0` is compressed",
        ),
        (
            archive(&[("m/data.pkl", &dict, Stored), ("m/data/0", &numbers[..4], Stored)]),
            "the entry has 4 bytes",
        ),
        (archive(&[("m/data.pkl", &outside, Stored)]), "the name of its storage is a path"),
        (archive(&[("m/data.pkl", &dict, Stored), ("m/byteorder", b"big", Stored)]), "`big`-endian"),
        (archive(&[("m/data.pkl", &vec![b'N'; 9 << 20], Stored)]), "expected at most"),
    ] {
        let found = refusal(&[("pytorch_model.bin", &file)]);
        assert!(found.contains(expected) && found.contains("pytorch_model.bin"), "{expected}: {found}");
    }
}

#[test]
fn an_archive_whose_directory_lies_about_lengths_is_refused() {
    let good = pytorch(&[1.0, 2.0], &[("a", &[2], &[1])]);
    let name = good.windows(8).rposition(|at| at == b"m/data/0").unwrap();
    // In the directory's record, the two sizes stand 26 and 22 bytes before the name, the offset 4.
    for at in [name - 26, name - 22, name - 4] {
        let mut file = good.clone();
        file[at..at + 4].copy_from_slice(&0x00ff_ff00_u32.to_le_bytes());
        assert!(open(&[("pytorch_model.bin", &file)]).is_err(), "{at}");
    }
}

#[test]
fn shards_are_read_together() {
    let index = br#"{"metadata":{},"weight_map":{"a":"m-1.safetensors","c":"m-2.safetensors"}}"#;
    let other = safetensors(r#"{"c":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, &bytes(&[9.0]));
    let first = two();
    let files: &[(&str, &[u8])] =
        &[("model.safetensors.index.json", index), ("m-1.safetensors", &first), ("m-2.safetensors", &other)];
    let weights = open(files).unwrap();
    assert_eq!(weights.names().collect::<Vec<_>>(), ["a", "b", "c"]);
    assert_eq!(*weights.f32("c", &[1]).unwrap(), [9.0]);
    assert!(refusal(&files[..2]).contains("names the shard `m-2.safetensors`, which is not there"));
    let twice = [files[0], files[1], ("m-2.safetensors", &first)];
    assert!(refusal(&twice).contains("holds the tensor `a`, which another file"));
    for (index, expected) in [
        (
            &br#"{"weight_map":{"x":"m-1.safetensors"}}"#[..],
            "tensor `x` is in `m-1.safetensors`, which does not hold it",
        ),
        (br#"{"weight_map":{"a":"../m-1.safetensors"}}"#, "not a plain file name"),
        (br#"{"weight_map":{"a":"/etc/passwd"}}"#, "not a plain file name"),
        (br#"{"weight_map":{"a":".."}}"#, "not a plain file name"),
        (br#"{"weight_map":{}}"#, "names 0 files"),
        (br#"{"weight_map":[]}"#, "is not an index"),
    ] {
        let found = refusal(&[("model.safetensors.index.json", index), ("m-1.safetensors", &first)]);
        assert!(found.contains(expected), "{found}");
    }
    let pair = br#"{"weight_map":{"a":"m-1.bin"}}"#;
    let bin = pytorch(&[1.0, 2.0], &[("a", &[2], &[1])]);
    let weights = open(&[("pytorch_model.bin.index.json", pair), ("m-1.bin", &bin)]).unwrap();
    assert_eq!(*weights.f32("a", &[2]).unwrap(), [1.0, 2.0]);
}

proptest! {
    #[test]
    fn any_file_is_refused_or_read(bytes: Vec<u8>, kind in 0..3_u8) {
        let file = match kind {
            0 => [&(bytes.len() as u64).to_le_bytes()[..], &bytes].concat(),
            1 => [b"PK\x03\x04", &bytes[..]].concat(),
            _ => bytes,
        };
        let _ = open(&[("model.safetensors", &file)]);
    }

    #[test]
    fn a_damaged_file_is_refused_or_read(at: prop::sample::Index, byte: u8, zip: bool) {
        let mut file = if zip { pytorch(&[1.0, 2.0], &[("a", &[2], &[1])]) } else { two() };
        let at = at.index(file.len());
        file[at] = byte;
        if let Ok(weights) = open(&[("pytorch_model.bin", &file)]) {
            for name in weights.names() {
                let shape = weights.shape(name).unwrap();
                let _ = (weights.f32(name, shape), weights.i8(name, shape));
            }
        }
    }
}
