//! Whole pulls.

use std::fs;

use vulnlens_hub::HubError;

use crate::mirror::{COMMIT, Mirror, OTHER_COMMIT, Reports, classifier, git_hash, id, sha256};

fn bytes_of(name: &str) -> Vec<u8> {
    classifier().into_iter().find(|(file, _)| *file == name).unwrap().1
}

#[test]
fn a_pull_fills_the_cache_in_the_standard_layout() {
    let (mirror, cache) = (Mirror::start(classifier()), tempfile::tempdir().unwrap());
    let reports = Reports::default();
    let snapshot = mirror.hub_for(cache.path()).pull(&id("org/name"), &reports).unwrap();

    let repo = cache.path().join("models--org--name");
    assert_eq!(snapshot.folder, repo.join("snapshots").join(COMMIT));
    assert_eq!(snapshot.commit.as_str(), COMMIT);
    let mut names: Vec<_> = fs::read_dir(&snapshot.folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["config.json", "model.safetensors", "tokenizer.json"]);
    for name in &names {
        assert_eq!(fs::read(snapshot.folder.join(name)).unwrap(), bytes_of(name), "{name}");
    }
    assert_eq!(fs::read_to_string(repo.join("refs/main")).unwrap(), COMMIT);
    let weights = sha256(&bytes_of("model.safetensors"));
    assert!(repo.join("blobs").join(&weights).is_file());
    assert!(repo.join("blobs").join(git_hash(&bytes_of("config.json"))).is_file());
    assert!(cache.path().join(format!(".locks/models--org--name/{weights}.lock")).is_file());
    #[cfg(unix)]
    assert_eq!(
        fs::read_link(snapshot.folder.join("model.safetensors")).unwrap(),
        std::path::PathBuf::from(format!("../../blobs/{weights}"))
    );

    let total: usize = names.iter().map(|name| bytes_of(name).len()).sum();
    assert_eq!(snapshot.fetched, total as u64);
    let reports = reports.0.into_inner().unwrap();
    assert_eq!(reports.first().unwrap(), &("config.json".to_owned(), 0, 24));
    assert_eq!(reports.last().unwrap(), &("model.safetensors".to_owned(), 4000, 4000));
}

#[test]
fn what_is_cached_is_not_asked_for_again() {
    let (mirror, cache) = (Mirror::start(classifier()), tempfile::tempdir().unwrap());
    let hub = mirror.hub_for(cache.path());
    let first = hub.resolve(&id("org/name"), &()).unwrap();
    mirror.hub.take_seen();
    mirror.store.take_seen();

    assert_eq!(hub.resolve(&id("org/name"), &()).unwrap().folder, first.folder);
    assert_eq!(hub.resolve(&id(&format!("org/name@{COMMIT}")), &()).unwrap().folder, first.folder);
    assert!(mirror.hub.take_seen().is_empty());

    let again = hub.pull(&id("org/name"), &()).unwrap();
    assert_eq!((again.folder, again.fetched), (first.folder, 0));
    let seen = mirror.hub.take_seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].path, "/api/models/org/name/revision/main");
    assert!(mirror.store.take_seen().is_empty());
}

#[test]
fn a_new_commit_brings_only_what_changed() {
    let (mirror, cache) = (Mirror::start(classifier()), tempfile::tempdir().unwrap());
    let hub = mirror.hub_for(cache.path());
    let first = hub.pull(&id("org/name"), &()).unwrap();
    mirror.store.take_seen();
    mirror.change(|state| {
        state.commit = OTHER_COMMIT.to_owned();
        state.files[1].1 = b"{\"new\":1}".to_vec();
    });

    let second = hub.pull(&id("org/name"), &()).unwrap();
    assert_eq!((second.commit.as_str(), second.fetched), (OTHER_COMMIT, 9));
    assert!(mirror.store.take_seen().is_empty());
    assert_eq!(fs::read(second.folder.join("config.json")).unwrap(), b"{\"new\":1}");
    assert_eq!(fs::read(first.folder.join("config.json")).unwrap(), bytes_of("config.json"));
    assert_eq!(hub.cached(&id("org/name")).unwrap().commit.as_str(), OTHER_COMMIT);
    assert_eq!(hub.cached(&id(&format!("org/name@{COMMIT}"))).unwrap().folder, first.folder);
}

#[test]
fn the_token_goes_to_the_hub_alone() {
    let (mirror, cache) = (Mirror::start(classifier()), tempfile::tempdir().unwrap());
    mirror.hub_for(cache.path()).pull(&id("org/name"), &()).unwrap();
    for request in mirror.hub.take_seen() {
        assert_eq!(request.headers["authorization"], "Bearer hf_secret", "{}", request.path);
        assert!(request.headers["user-agent"].starts_with("vulnlens/"));
    }
    let stored = mirror.store.take_seen();
    assert_eq!(stored.len(), 1);
    assert_eq!((stored[0].method.as_str(), stored[0].headers.get("authorization")), ("GET", None));
}

#[test]
fn a_renamed_repository_is_followed() {
    let (mirror, cache) = (Mirror::start(classifier()), tempfile::tempdir().unwrap());
    let snapshot = mirror.hub_for(cache.path()).pull(&id("old/name@main"), &()).unwrap();
    assert!(snapshot.folder.starts_with(cache.path().join("models--old--name")));
    assert_eq!(fs::read(snapshot.folder.join("model.safetensors")).unwrap(), bytes_of("model.safetensors"));
}

#[test]
fn a_hierarchy_is_pulled_with_its_folders() {
    let model = |config: &'static str, weights: &'static str, value: u8| {
        [(config, b"{}".to_vec()), (weights, vec![value; 10])]
    };
    let mut files = vec![("tokenizer.json", b"{}".to_vec()), ("logs/config.json", b"{}".to_vec())];
    files.extend(model("master/config.json", "master/model.safetensors", 1));
    files.extend(model("slave_CWE-20/config.json", "slave_CWE-20/model.safetensors", 2));
    let (mirror, cache) = (Mirror::start(files), tempfile::tempdir().unwrap());
    let hub = mirror.hub_for(cache.path());
    let folder = hub.pull(&id("org/name"), &()).unwrap().folder;
    assert_eq!(fs::read(folder.join("slave_CWE-20/model.safetensors")).unwrap(), [2; 10]);
    assert!(!folder.join("logs").exists());
    assert_eq!(hub.cached(&id("org/name")).unwrap().folder, folder);
}

#[test]
fn shards_come_whole_or_not_at_all() {
    let index = br#"{"metadata":{},"weight_map":{"a":"model-00001-of-00002.safetensors","b":"model-00002-of-00002.safetensors"}}"#;
    let files = vec![
        ("config.json", b"{}".to_vec()),
        ("vocab.txt", b"a".to_vec()),
        ("model.safetensors.index.json", index.to_vec()),
        ("model-00001-of-00002.safetensors", vec![1; 8]),
        ("model-00002-of-00002.safetensors", vec![2; 8]),
    ];
    let cache = tempfile::tempdir().unwrap();
    let whole = Mirror::start(files.clone());
    let folder = whole.hub_for(cache.path()).resolve(&id("org/name"), &()).unwrap().folder;
    assert_eq!(fs::read(folder.join("model-00002-of-00002.safetensors")).unwrap(), [2; 8]);

    let cache = tempfile::tempdir().unwrap();
    let partial = Mirror::start(files[..4].to_vec());
    match partial.hub_for(cache.path()).resolve(&id("org/name"), &()) {
        Err(HubError::MissingShards { missing, .. }) => {
            assert_eq!(missing, ["model-00002-of-00002.safetensors"])
        }
        other => panic!("{other:?}"),
    }
}
