//! Without a network: a cache that huggingface_hub filled, and one that lacks something.

use std::fs;
use std::path::Path;

use vulnlens_hub::{Hub, HubError, Settings};

use crate::mirror::{COMMIT, git_hash, id, sha256};

/// A cache as huggingface_hub 0.36 leaves it after `snapshot_download("org/name")`.
fn filled_by_python(cache: &Path, files: &[(&str, &str)]) {
    let repo = cache.join("models--org--name");
    let snapshot = repo.join("snapshots").join(COMMIT);
    let locks = cache.join(".locks/models--org--name");
    let absent = repo.join(".no_exist").join(COMMIT);
    for folder in [&snapshot, &locks, &absent, &repo.join("blobs"), &repo.join("refs")] {
        fs::create_dir_all(folder).unwrap();
    }
    fs::write(absent.join("added_tokens.json"), "").unwrap();
    fs::write(repo.join("refs/main"), COMMIT).unwrap();
    for (name, text) in files {
        let etag =
            if name.ends_with(".safetensors") { sha256(text.as_bytes()) } else { git_hash(text.as_bytes()) };
        fs::write(repo.join("blobs").join(&etag), text).unwrap();
        fs::write(locks.join(format!("{etag}.lock")), "").unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(format!("../../blobs/{etag}"), snapshot.join(name)).unwrap();
        #[cfg(not(unix))]
        fs::write(snapshot.join(name), text).unwrap();
    }
}

fn offline(cache: &Path) -> Hub {
    let mut settings = Settings::new(cache.to_owned());
    settings.offline = true;
    Hub::new(settings).unwrap()
}

const MODEL: [(&str, &str); 3] =
    [("config.json", "{}"), ("model.safetensors", "xxx"), ("tokenizer.json", "{}")];

#[test]
fn what_python_downloaded_is_found_offline() {
    let cache = tempfile::tempdir().unwrap();
    filled_by_python(cache.path(), &MODEL);
    let hub = offline(cache.path());
    let by_commit = format!("org/name@{COMMIT}");
    for text in ["org/name", "org/name@main", &by_commit] {
        for snapshot in [hub.resolve(&id(text), &()), hub.pull(&id(text), &()), hub.cached(&id(text))] {
            let snapshot = snapshot.unwrap();
            assert_eq!(fs::read_to_string(snapshot.folder.join("model.safetensors")).unwrap(), "xxx");
            assert_eq!((snapshot.commit.as_str(), snapshot.fetched), (COMMIT, 0));
        }
    }
}

#[test]
fn an_empty_cache_offline_says_how_to_fill_it() {
    let cache = tempfile::tempdir().unwrap();
    let error = offline(cache.path()).resolve(&id("org/name"), &()).unwrap_err().to_string();
    let folder = cache.path().join("models--org--name").display().to_string();
    for part in
        ["`org/name`", &folder, "has no such snapshot", "vulnlens model pull org/name", "HF_HUB_OFFLINE"]
    {
        assert!(error.contains(part), "{part}: {error}");
    }
}

#[test]
fn a_partial_snapshot_offline_names_what_it_lacks() {
    let cases: [(&[(&str, &str)], &str); 3] =
        [(&MODEL[..1], "model.safetensors"), (&MODEL[..2], "tokenizer.json"), (&MODEL[1..], "config.json")];
    for (files, lacks) in cases {
        let cache = tempfile::tempdir().unwrap();
        filled_by_python(cache.path(), files);
        match offline(cache.path()).cached(&id("org/name")) {
            Err(HubError::NotCached { missing, .. }) => assert_eq!(missing, [lacks]),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_link_without_its_blob_and_a_damaged_reference_do_not_count() {
    let cache = tempfile::tempdir().unwrap();
    filled_by_python(cache.path(), &MODEL);
    let repo = cache.path().join("models--org--name");
    fs::write(repo.join("refs/broken"), "../../../etc").unwrap();
    assert!(matches!(offline(cache.path()).cached(&id("org/name@broken")), Err(HubError::NotCached { .. })));
    #[cfg(unix)]
    {
        fs::remove_file(repo.join("blobs").join(sha256(b"xxx"))).unwrap();
        match offline(cache.path()).cached(&id("org/name")) {
            Err(HubError::NotCached { missing, .. }) => assert_eq!(missing, ["model.safetensors"]),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_cache_that_cannot_be_written_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("file");
    fs::write(&cache, "not a folder").unwrap();
    let mirror = crate::mirror::Mirror::start(crate::mirror::classifier());
    let error = mirror.hub_for(&cache).pull(&id("org/name"), &()).unwrap_err();
    assert!(matches!(&error, HubError::Disk(disk) if disk.path.starts_with(&cache)), "{error:?}");
}
