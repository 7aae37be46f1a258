//! Downloads that are cut, damaged, or made twice at once.

use std::fs;
use std::path::{Path, PathBuf};

use vulnlens_hub::HubError;

use crate::mirror::{Mirror, Reports, classifier, id, sha256};

fn weights() -> Vec<u8> {
    classifier()[2].1.clone()
}

fn blob(cache: &Path) -> PathBuf {
    cache.join("models--org--name/blobs").join(sha256(&weights()))
}

fn incomplete(cache: &Path) -> PathBuf {
    blob(cache).with_extension("incomplete")
}

fn ranges(mirror: &Mirror) -> Vec<Option<String>> {
    mirror.store.take_seen().iter().map(|request| request.headers.get("range").cloned()).collect()
}

#[test]
fn a_cut_connection_is_taken_up_at_once() {
    let (mirror, cache) = (Mirror::start(classifier()), tempfile::tempdir().unwrap());
    mirror.change(|state| state.cuts = [100, 200].into());
    let snapshot = mirror.hub_for(cache.path()).pull(&id("org/name"), &()).unwrap();
    assert_eq!(fs::read(snapshot.folder.join("model.safetensors")).unwrap(), weights());
    let expected = [None, Some("bytes=100-".to_owned()), Some("bytes=300-".to_owned())];
    assert_eq!(ranges(&mirror), expected);
    assert!(!incomplete(cache.path()).exists());
}

#[test]
fn a_failed_download_leaves_nothing_whole_and_resumes_later() {
    let (mirror, cache) = (Mirror::start(classifier()), tempfile::tempdir().unwrap());
    mirror.change(|state| state.cuts = [100, 0].into());
    let hub = mirror.hub_for(cache.path());
    match hub.pull(&id("org/name"), &()) {
        Err(HubError::Interrupted { file, done: 100, total: 4000, .. }) => {
            assert_eq!(&*file, "model.safetensors")
        }
        other => panic!("{other:?}"),
    }
    assert!(!cache.path().join("models--org--name/refs").exists());
    assert!(!cache.path().join("models--org--name/snapshots").exists());
    assert_eq!(fs::read(incomplete(cache.path())).unwrap(), weights()[..100]);
    assert!(matches!(hub.cached(&id("org/name")), Err(HubError::NotCached { .. })));

    mirror.store.take_seen();
    let reports = Reports::default();
    let snapshot = hub.resolve(&id("org/name"), &reports).unwrap();
    assert_eq!(snapshot.fetched, 3900);
    assert_eq!(ranges(&mirror), [Some("bytes=100-".to_owned())]);
    assert_eq!(reports.0.into_inner().unwrap()[0], ("model.safetensors".to_owned(), 100, 4000));
    assert_eq!(fs::read(blob(cache.path())).unwrap(), weights());
}

#[test]
fn a_server_without_ranges_sends_all_again() {
    let (mirror, cache) = (Mirror::start(classifier()), tempfile::tempdir().unwrap());
    mirror.change(|state| (state.cuts, state.ranges) = ([100].into(), false));
    let snapshot = mirror.hub_for(cache.path()).pull(&id("org/name"), &()).unwrap();
    assert_eq!(fs::read(snapshot.folder.join("model.safetensors")).unwrap(), weights());
}

#[test]
fn a_foreign_beginning_is_thrown_away() {
    for length in [50, 4000, 5000] {
        let (mirror, cache) = (Mirror::start(classifier()), tempfile::tempdir().unwrap());
        let part = incomplete(cache.path());
        fs::create_dir_all(part.parent().unwrap()).unwrap();
        fs::write(&part, vec![b'x'; length]).unwrap();
        mirror.hub_for(cache.path()).pull(&id("org/name"), &()).unwrap();
        assert_eq!(fs::read(blob(cache.path())).unwrap(), weights(), "{length}");
    }
}

#[test]
fn damaged_bytes_get_no_name() {
    let (mirror, cache) = (Mirror::start(classifier()), tempfile::tempdir().unwrap());
    mirror.change(|state| state.damaged = true);
    let error = mirror.hub_for(cache.path()).pull(&id("org/name"), &()).unwrap_err();
    assert!(error.to_string().contains("`model.safetensors` of `org/name` arrived damaged"), "{error}");
    assert!(matches!(error, HubError::Checksum { .. }));
    assert!(!blob(cache.path()).exists() && !incomplete(cache.path()).exists());
}

#[test]
fn a_blob_of_the_wrong_length_is_replaced() {
    let (mirror, cache) = (Mirror::start(classifier()), tempfile::tempdir().unwrap());
    fs::create_dir_all(blob(cache.path()).parent().unwrap()).unwrap();
    fs::write(blob(cache.path()), b"short").unwrap();
    mirror.hub_for(cache.path()).pull(&id("org/name"), &()).unwrap();
    assert_eq!(fs::read(blob(cache.path())).unwrap(), weights());
}

#[test]
fn two_at_once_download_each_file_once() {
    let (mirror, cache) = (Mirror::start(classifier()), tempfile::tempdir().unwrap());
    let pull = || mirror.hub_for(cache.path()).pull(&id("org/name"), &()).unwrap();
    let (one, two) = std::thread::scope(|scope| {
        let other = scope.spawn(pull);
        (pull(), other.join().unwrap())
    });
    assert_eq!(one.folder, two.folder);
    assert_eq!(one.fetched + two.fetched, 4026);
    assert_eq!(mirror.store.take_seen().len(), 1);
}
