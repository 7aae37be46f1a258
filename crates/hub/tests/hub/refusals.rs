//! Hubs that refuse, fail, or mean harm.

use std::fs;

use vulnlens_hub::{Hub, HubError};

use crate::mirror::{COMMIT, Mirror, classifier, id, settings};
use crate::server::{Reply, Server};

fn pull_from(answer: impl Fn(&crate::server::Seen) -> Reply + Send + 'static) -> HubError {
    let (server, cache) = (Server::start(answer), tempfile::tempdir().unwrap());
    let hub = Hub::new(settings(cache.path(), &server.url())).unwrap();
    let error = hub.pull(&id("org/name@v1"), &()).unwrap_err();
    assert!(!cache.path().join("models--org--name/snapshots").exists(), "{error}");
    assert!(!error.to_string().contains("hf_secret"), "{error}");
    error
}

#[test]
fn every_refusal_says_what_it_means_and_what_to_do() {
    type Case = (u16, &'static str, fn(&HubError) -> bool, &'static str);
    let cases: [Case; 8] = [
        (
            404,
            "",
            |e| matches!(e, HubError::NotFound { token: true, .. }),
            "does not exist, or it is private",
        ),
        (401, "RepoNotFound", |e| matches!(e, HubError::NotFound { .. }), "check that it is valid"),
        (404, "RevisionNotFound", |e| matches!(e, HubError::RevisionNotFound { .. }), "no revision `v1`"),
        (403, "GatedRepo", |e| matches!(e, HubError::Gated { .. }), "ask for access"),
        (401, "", |e| matches!(e, HubError::Refused { status: 401, .. }), "token is not accepted"),
        (403, "", |e| matches!(e, HubError::Refused { status: 403, .. }), "status 403, be nice"),
        (429, "", |e| matches!(e, HubError::TooManyRequests { .. }), "fewer requests"),
        (500, "", |e| matches!(e, HubError::Status { status: 500, .. }), "try again later"),
    ];
    for (status, code, is_right, says) in cases {
        let error = pull_from(move |_| {
            let reply = Reply::new(status).header("X-Error-Message", "be nice");
            if code.is_empty() { reply } else { reply.header("X-Error-Code", code) }
        });
        assert!(is_right(&error), "{status} {code}: {error:?}");
        assert!(error.to_string().contains(says), "{status} {code}: {error}");
    }
}

#[test]
fn without_a_token_the_hint_is_another() {
    let (server, cache) = (Server::start(|_| Reply::new(404)), tempfile::tempdir().unwrap());
    let mut settings = settings(cache.path(), &server.url());
    settings.token = None;
    let error = Hub::new(settings).unwrap().pull(&id("org/name"), &()).unwrap_err();
    assert!(error.to_string().contains("set HF_TOKEN"), "{error}");
    assert!(!server.take_seen()[0].headers.contains_key("authorization"));
}

#[test]
fn nobody_there_is_no_connection() {
    let server = Server::start(|_| Reply::new(200));
    let (url, cache) = (server.url(), tempfile::tempdir().unwrap());
    drop(server);
    let hub = Hub::new(settings(cache.path(), &url)).unwrap();
    let error = hub.resolve(&id("org/name"), &()).unwrap_err();
    assert!(matches!(error, HubError::NoConnection { .. }), "{error:?}");
    assert!(error.to_string().contains("models--org--name"), "{error}");
}

#[test]
fn what_is_no_hub_is_told_so() {
    let listing = |body: String| move |_: &crate::server::Seen| Reply::new(200).body(body.clone());
    let file = |name: &str| format!("{{\"rfilename\":\"{name}\"}}");
    let whole = format!(
        "{{\"sha\":\"{COMMIT}\",\"siblings\":[{},{}]}}",
        file("config.json"),
        file("model.safetensors")
    );
    let cases = [
        ("<html>".to_owned(), "expected value"),
        ("{\"sha\":\"../../etc\",\"siblings\":[]}".to_owned(), "not a commit id"),
        // The list is answered for files, too: without the hub's headers.
        (whole, "no X-Repo-Commit"),
    ];
    for (body, says) in cases {
        let error = pull_from(listing(body));
        assert!(matches!(error, HubError::NotAHub { .. }) && error.to_string().contains(says), "{error}");
    }
    let circle = pull_from(|request| Reply::new(302).header("Location", &request.path));
    assert!(circle.to_string().contains("too many redirects"), "{circle}");
    let nowhere = pull_from(|_| Reply::new(302).header("Location", "file:///etc/passwd"));
    assert!(nowhere.to_string().contains("without a usable address"), "{nowhere}");
}

#[test]
fn a_file_is_as_long_as_it_was_announced() {
    let body = format!(
        "{{\"sha\":\"{COMMIT}\",\"siblings\":[{{\"rfilename\":\"config.json\"}},{{\"rfilename\":\"model.safetensors\"}}]}}"
    );
    for announced in [1, 9] {
        let body = body.clone();
        let error = pull_from(move |request| match request.method.as_str() {
            _ if request.path.starts_with("/api/") => Reply::new(200).body(body.clone()),
            "HEAD" => {
                let reply = Reply::new(200).header("X-Repo-Commit", COMMIT).header("ETag", "abc");
                reply.header("Content-Length", announced)
            }
            _ => Reply::new(200).body("12345"),
        });
        assert!(error.to_string().contains("another length"), "{announced}: {error}");
    }
}

#[test]
fn hostile_etags_and_names_write_nothing_outside() {
    let body = format!(
        "{{\"sha\":\"{COMMIT}\",\"siblings\":[{{\"rfilename\":\"config.json\"}},{{\"rfilename\":\"model.safetensors\"}}]}}"
    );
    let error = pull_from(move |request| {
        let reply = Reply::new(200).header("X-Repo-Commit", COMMIT).header("ETag", "\"../../../../evil\"");
        if request.path.starts_with("/api/") { reply.body(body.clone()) } else { reply.body("x") }
    });
    assert!(error.to_string().contains("cannot name a file"), "{error}");

    let mut files = classifier();
    let hostile =
        ["../../../evil.json", "/etc/evil.json", "slave_1/../../../config.json", "slave_..\\\\x/config.json"];
    files.extend(hostile.map(|name| (name, b"evil".to_vec())));
    let (mirror, place) = (Mirror::start(files), tempfile::tempdir().unwrap());
    let cache = place.path().join("cache");
    let snapshot = mirror.hub_for(&cache).pull(&id("org/name"), &()).unwrap();
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1);
    assert_eq!(fs::read_dir(&snapshot.folder).unwrap().count(), 3);
    assert!(mirror.hub.take_seen().iter().all(|request| !request.path.contains("evil")));
}

#[test]
fn a_repository_that_is_no_classifier_says_why() {
    let cases: [(Vec<&'static str>, &str); 3] = [
        (
            vec!["config.json", "tf_model.h5"],
            "expected model.safetensors or pytorch_model.bin, or shards of either (it has tf_model.h5)",
        ),
        (vec!["model.safetensors"], "lacks config.json"),
        (vec!["README.md"], "has no weights"),
    ];
    for (names, says) in cases {
        let files = names.into_iter().map(|name| (name, b"{}".to_vec())).collect();
        let (mirror, cache) = (Mirror::start(files), tempfile::tempdir().unwrap());
        let error = mirror.hub_for(cache.path()).pull(&id("org/name"), &()).unwrap_err();
        assert!(error.to_string().contains(says), "{error}");
    }
}

#[test]
fn certificates_that_are_none_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings(folder.path(), "https://hub.example");
    for (name, bytes) in
        [("empty.pem", "nothing"), ("bad.pem", "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n")]
    {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        settings.certificates = Some(path);
        assert!(matches!(Hub::new(settings.clone()), Err(HubError::Certificates { .. })), "{name}");
    }
}
