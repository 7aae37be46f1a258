//! Packed checkpoints: the same answers as their folder, and no damage that goes unnoticed.

use std::borrow::Cow;
use std::fs;
use std::path::Path;

use serde_json::value::{RawValue, to_raw_value};
use tempfile::TempDir;
use vulnlens_encoder::{Encoder, EncoderError, LoadOptions, Package, pack};

use crate::sample::{Sample, fixture, read_tensors};

const TEXTS: [&str; 2] = ["SQL injection in the login form", "A buffer overflow in the parser of images"];

fn description() -> Box<RawValue> {
    to_raw_value(&serde_json::json!({"name": "other"})).unwrap()
}

fn packed() -> Vec<u8> {
    pack(&fixture("roberta-trained")).unwrap()
}

fn open(bytes: &[u8]) -> Result<Package, EncoderError> {
    Package::from_bytes(Cow::Owned(bytes.to_vec()), Path::new("packed"))
}

/// Numbers that look random, the same in every run.
fn random() -> impl FnMut(usize) -> usize {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    move |below| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    }
}

#[test]
fn a_packed_checkpoint_answers_as_its_folder() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("model");
    fs::write(&file, packed()).unwrap();
    let package = Package::read(&file).unwrap();
    assert!(!Package::is_of_older_version(&file));
    assert!(package.model().get().contains("\"heads\""));
    assert_eq!(
        package.file("config.json").unwrap(),
        fs::read(fixture("roberta-trained").join("config.json")).unwrap()
    );
    let options = LoadOptions::default();
    let packed = Encoder::open_package(&package, &options).unwrap();
    let plain = Encoder::open(&fixture("roberta-trained"), &options).unwrap();
    assert_eq!(packed.logits(&TEXTS), plain.logits(&TEXTS));
    assert_eq!(packed.labels(), plain.labels());
}

#[test]
fn every_damaged_byte_is_noticed() {
    let whole = packed();
    let header = 8 + u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
    let mut random = random();
    // All of the description and its checksum, and some places of each other part.
    let everywhere = (0..400).map(|_| random(whole.len())).collect::<Vec<_>>();
    let in_header = (0..200).map(|_| random(header)).collect::<Vec<_>>();
    for at in (0..200).chain(everywhere).chain(in_header) {
        let mut damaged = whole.clone();
        damaged[at] ^= 1 << random(8);
        assert!(open(&damaged).is_err(), "a changed bit of byte {at} of {}", whole.len());
    }
    for _ in 0..100 {
        let (from, length) = (random(whole.len()), 1 + random(4096));
        let mut damaged = whole.clone();
        damaged[from..].iter_mut().take(length).for_each(|byte| *byte = byte.wrapping_add(1));
        assert!(open(&damaged).is_err(), "{length} changed bytes from {from}");
        assert!(open(&whole[..from]).is_err(), "cut to {from} bytes");
    }
    assert!(open(&[&whole[..], b"\0"].concat()).is_err(), "a byte more");
    assert!(open(&whole).is_ok());
}

#[test]
fn a_damaged_file_says_what_to_do() {
    let mut damaged = packed();
    *damaged.last_mut().unwrap() ^= 1;
    let error = open(&damaged).unwrap_err().to_string();
    assert!(error.contains("the checksum does not fit") && error.contains("get the file again"), "{error}");
}

#[test]
fn the_revision_is_of_every_byte() {
    let first = open(&packed()).unwrap();
    assert_eq!(first.revision().len(), 12);
    assert_eq!(
        open(&packed()).unwrap().revision(),
        first.revision(),
        "the same content gives the same bytes"
    );
    let sample = Sample::of("roberta-trained");
    sample.json("vulnlens.json", |description| description["name"] = "another".into());
    let other = pack(sample.path()).unwrap();
    assert_ne!(open(&other).unwrap().revision(), first.revision());
}

#[test]
fn files_of_something_else_are_refused_by_name() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("model");
    let weights = fixture("roberta").join("model.safetensors");
    let error = Package::read(&weights).unwrap_err().to_string();
    assert!(error.contains("not a vulnlens model"), "{error}");
    // A sealed file without a checkpoint in it, as an n-gram model is.
    let tensors = read_tensors(&weights);
    let views = tensors.iter().map(|(name, (dtype, shape, bytes))| {
        (name.clone(), safetensors::tensor::TensorView::new(*dtype, shape.clone(), bytes).unwrap())
    });
    fs::write(&file, vulnlens_files::sealed::write(&description(), views).unwrap()).unwrap();
    let error = Package::read(&file).unwrap_err().to_string();
    assert!(error.contains("is not a packed model") && error.contains("`model pack`"), "{error}");
    fs::write(&file, "text").unwrap();
    assert!(!Package::is_of_older_version(&file) && !Package::is_of_older_version(folder.path()));
    assert!(matches!(Package::read(&file), Err(EncoderError::Format { .. })));
}

#[test]
fn a_file_of_an_older_version_says_that_it_is_to_be_packed_again() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("model");
    let metadata = [("vulnlens_package".to_owned(), "1".to_owned())].into();
    let tensors = read_tensors(&fixture("roberta").join("model.safetensors"));
    let views = tensors.iter().map(|(name, (dtype, shape, bytes))| {
        (name, safetensors::tensor::TensorView::new(*dtype, shape.clone(), bytes).unwrap())
    });
    fs::write(&file, safetensors::serialize(views, Some(metadata)).unwrap()).unwrap();
    assert!(Package::is_of_older_version(&file));
    let error = Package::read(&file).unwrap_err().to_string();
    assert!(
        error.contains("packed by an older version") && error.contains("run `model pack` again"),
        "{error}"
    );
}
