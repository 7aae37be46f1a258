//! Endpoints that fail: for a while, for one record, and for good.

use std::time::Duration;

use vulnlens_hub::Network;
use vulnlens_prompt::{Client, Endpoint, Patience, PromptError, Way};

use crate::server::{Reply, Server};
use crate::world::{FREE, SQL, answers, asking, client, cwes, prompter, settings};

/// A server that answers the first request so, and the others well.
fn first(reply: Reply) -> Server {
    Server::start(move |number, _| if number == 0 { reply.clone() } else { Reply::labels(&["CWE-89"]) })
}

#[test]
fn failures_that_may_pass_are_tried_again() {
    let whole = Reply::labels(&["CWE-89"]);
    for reply in [
        Reply::status(500),
        Reply::status(503).header("Retry-After", "0"),
        Reply::status(408),
        Reply::status(429).header("Retry-After", "Sun, 06 Nov 1994 08:49:37 GMT"),
        whole.clone().cut(),
        whole.clone().after(Duration::from_secs(2)),
        Reply::body("{\"choices\": ["),
        Reply::body("{\"choices\": []}"),
        Reply::body("[]"),
        Reply::status(200).header("Content-Type", "text/html").with_body("<html>gateway</html>"),
    ] {
        let server = first(reply.clone());
        let (answered, summary) = answers(&asking(&server), &[SQL], 1).unwrap();
        assert_eq!(cwes(&answered[0]), ["CWE-89"], "{reply:?}");
        assert_eq!((summary.counts.requests, summary.counts.retries), (2, 1), "{reply:?}");
    }
}

#[test]
fn a_server_that_asks_for_time_gets_it() {
    let server = first(Reply::status(429).header("Retry-After", "1"));
    answers(&asking(&server), &[SQL], 1).unwrap();
    let seen = server.seen();
    assert!(seen[1].at.duration_since(seen[0].at) >= Duration::from_millis(950));
    // More than a quarter of an hour is not waited for: the record fails at once.
    let server = Server::start(|_, _| Reply::status(429).header("Retry-After", "86400"));
    let (answered, summary) = answers(&asking(&server), &[SQL], 1).unwrap();
    assert_eq!((summary.failed, summary.counts.requests), (1, 1));
    assert_eq!(answered[0].failure(), Some("the endpoint answers with status 429"));
}

#[test]
fn a_record_that_fails_leaves_the_others_alone() {
    let huge = Reply::body(vec![b' '; 5 << 20]);
    let too_long = Reply::status(400)
        .header("Content-Type", "application/json")
        .with_body("{\"error\": {\"message\": \"the context has 512 tokens\"}}");
    for (reply, requests, reason) in [
        (Reply::status(500), 3, "the endpoint answers with status 500"),
        (too_long, 1, "the endpoint answers with status 400: the context has 512 tokens"),
        (huge, 1, "the reply is longer than 4194304 bytes"),
    ] {
        let server = Server::start(move |_, seen| match seen.messages()[0].ends_with(SQL) {
            true => reply.clone(),
            false => Reply::labels(&["CWE-416"]),
        });
        let (answered, summary) = answers(&asking(&server), &[FREE, SQL, FREE], 1).unwrap();
        assert_eq!((summary.answered, summary.failed), (2, 1), "{reason}");
        assert_eq!((answered[1].failure(), summary.counts.requests), (Some(reason), requests + 2));
        assert_eq!(cwes(&answered[2]), ["CWE-416"]);
    }
}

#[test]
fn an_endpoint_that_refuses_everything_ends_the_run() {
    for (reply, expected) in [
        (Reply::status(401), "status 401"),
        (
            Reply::status(404).with_body("{\"error\": \"model 'tiny' not found\"}"),
            "status 404 (model 'tiny' not found): check the address",
        ),
        (
            Reply::status(307).header("Location", "https://elsewhere.example/v1?sign=secret"),
            "leads on to https://elsewhere.example/v1, which is not asked",
        ),
    ] {
        let server = Server::start(move |_, _| reply.clone());
        let error = answers(&asking(&server), &[SQL, FREE], 1).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert_eq!(server.seen().len(), 1, "no second request: {error}");
    }
    let server = Server::start(|_, _| Reply::status(500));
    let error = answers(&asking(&server), &[SQL; 20], 2).unwrap_err();
    assert!(matches!(error, PromptError::GivenUp { failures: 5, .. }), "{error}");
}

#[test]
fn a_server_that_is_not_there_is_named() {
    // A port that nothing listens on: that of a server which has stopped.
    let server = Server::start(|_, _| Reply::status(500));
    let way = Way { client: Some(client(&server, None)), cache: None };
    drop(server);
    let error = answers(&prompter(settings(), way), &[SQL], 1).unwrap_err();
    assert!(matches!(error, PromptError::Unreachable { .. }), "{error}");
}

#[test]
fn the_key_is_a_header_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(|_, _| Reply::labels(&["CWE-89"]));
    let way =
        Way { client: Some(client(&server, Some("sk-secret"))), cache: crate::world::cache(folder.path()) };
    answers(&prompter(settings(), way), &[SQL], 1).unwrap();
    let seen = server.seen();
    assert_eq!(seen[0].headers.get("authorization").map(String::as_str), Some("Bearer sk-secret"));
    assert!(!seen[0].body.to_string().contains("sk-secret"));
    let shard = folder.path().read_dir().unwrap().next().unwrap().unwrap().path();
    let entry = shard.read_dir().unwrap().next().unwrap().unwrap().path();
    assert!(!std::fs::read_to_string(entry).unwrap().contains("sk-secret"));
}

#[test]
fn requests_keep_the_pace_that_is_asked_for() {
    let server = Server::start(|_, _| Reply::labels(&["CWE-89"]));
    let endpoint = Endpoint::parse(&server.url(), false).unwrap();
    let patience = Patience { interval: Duration::from_millis(100), ..Patience::default() };
    let client = Client::new(endpoint, None, &Network::default(), patience).unwrap();
    answers(&prompter(settings(), Way { client: Some(client), cache: None }), &[SQL; 4], 4).unwrap();
    let seen = server.seen();
    let [first, last] = [seen.first(), seen.last()].map(|seen| seen.unwrap().at);
    assert!(last.duration_since(first) >= Duration::from_millis(250));
}
