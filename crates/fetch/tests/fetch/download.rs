//! One file: resumed, conditional, checked.

use std::fs;
use std::time::Duration;

use vulnlens_fetch::{FetchError, Fetched, Source};
use vulnlens_files::sha256_hex;

use crate::server::{Reply, Seen};
use crate::site::{honest, zip};
use crate::world::World;

const KEV: &str = "/kev";
const NAME: &str = "known_exploited_vulnerabilities.json";

/// A list of CISA's with so many entries.
fn kev(entries: usize, word: &str) -> Vec<u8> {
    let entries: Vec<String> =
        (0..entries).map(|at| format!(r#"{{"cveID":"CVE-2024-{at:04}","notes":"{word}"}}"#)).collect();
    format!(r#"{{"title":"x","vulnerabilities":[{}]}}"#, entries.join(",")).into_bytes()
}

fn is_fetched(world: &World, body: &[u8]) {
    assert!(world.file(NAME) == body, "the file is not the one that is published");
    assert_eq!(world.names(), ["fetched.json", NAME], "nothing else is left");
    let record = Fetched::read(&world.out()).unwrap().unwrap();
    assert_eq!(record.files.len(), 1);
    let file = &record.files[0];
    assert_eq!((file.bytes, &file.sha256), (body.len() as u64, &sha256_hex(body)));
}

#[test]
fn what_has_not_changed_is_not_fetched_again() {
    let world = World::new();
    world.site.put(KEV, kev(50, "one"));
    let summary = world.fetch(Source::Kev).unwrap();
    assert_eq!((&summary.fetched[..], summary.unchanged.len()), (&[NAME.to_owned()][..], 0));
    is_fetched(&world, &kev(50, "one"));
    let record = Fetched::read(&world.out()).unwrap().unwrap();
    assert_eq!(record.files[0].fetched, "2024-03-10T12:00:00Z");
    assert_eq!(record.files[0].url, format!("{}/kev", world.site.server.url()));

    world.site.server.take_seen();
    let summary = world.fetch(Source::Kev).unwrap();
    assert_eq!(
        (summary.fetched.len(), summary.bytes, &summary.unchanged[..]),
        (0, 0, &[NAME.to_owned()][..])
    );
    let seen = world.site.server.take_seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].header("if-none-match"), record.files[0].etag.as_deref());

    world.site.put(KEV, kev(60, "two"));
    assert_eq!(world.fetch(Source::Kev).unwrap().fetched, [NAME]);
    is_fetched(&world, &kev(60, "two"));
}

#[test]
fn a_file_that_somebody_changed_or_deleted_is_fetched_again() {
    let world = World::new();
    world.site.put(KEV, kev(50, "one"));
    world.fetch(Source::Kev).unwrap();
    let mut changed = kev(50, "one");
    changed[20] ^= 1;
    fs::write(world.out().join(NAME), changed).unwrap();
    world.fetch(Source::Kev).unwrap();
    is_fetched(&world, &kev(50, "one"));
    fs::remove_file(world.out().join(NAME)).unwrap();
    world.fetch(Source::Kev).unwrap();
    is_fetched(&world, &kev(50, "one"));
}

#[test]
fn a_cut_transfer_is_taken_up_at_once() {
    let world = World::new();
    world.site.put(KEV, kev(50, "one"));
    world.site.mood(KEV, |_, reply| reply.cut(100));
    world.site.mood(KEV, |_, reply| reply.cut(200));
    world.fetch(Source::Kev).unwrap();
    is_fetched(&world, &kev(50, "one"));
    assert_eq!(world.site.asked(), ["/kev", "/kev bytes=100-", "/kev bytes=300-"]);
    assert!(world.waits().is_empty(), "bytes came: nobody waits");
}

#[test]
fn a_stalled_transfer_is_given_up_and_taken_up() {
    let world = World::new();
    world.site.put(KEV, kev(50, "one"));
    world.site.mood(KEV, |_, reply| Reply { pause: Some(Duration::from_secs(2)), ..reply.cut(64) });
    world.fetch(Source::Kev).unwrap();
    is_fetched(&world, &kev(50, "one"));
    assert_eq!(world.site.asked(), ["/kev", "/kev bytes=64-"]);
}

#[test]
fn a_throttled_transfer_comes_whole() {
    let world = World::new();
    world.site.put(KEV, kev(50, "one"));
    world.site.mood(KEV, |_, reply| Reply { pause: Some(Duration::from_millis(100)), ..reply.cut(64) });
    world.fetch(Source::Kev).unwrap();
    is_fetched(&world, &kev(50, "one"));
    assert_eq!(world.site.asked(), ["/kev"]);
}

/// Lets a first run fail after 100 bytes.
fn fail_after_100_bytes(world: &World) {
    world.site.mood(KEV, |_, reply| reply.cut(100));
    for _ in 0..6 {
        world.site.once(KEV, Reply::new(503));
    }
    let error = world.fetch(Source::Kev).unwrap_err();
    assert!(matches!(error, FetchError::Busy { status: 503, wait: None, .. }), "{error}");
    assert_eq!(world.waits(), [2, 4, 8, 16, 32]);
    let part = format!(".{NAME}.part");
    assert_eq!(world.names(), [part.as_str(), &format!("{part}.json")]);
    assert_eq!(world.file(&part).len(), 100);
    world.site.asked();
}

#[test]
fn a_later_run_takes_up_what_an_earlier_one_left() {
    let world = World::new();
    world.site.put(KEV, kev(50, "one"));
    fail_after_100_bytes(&world);
    world.fetch(Source::Kev).unwrap();
    is_fetched(&world, &kev(50, "one"));
    assert_eq!(world.site.asked(), ["/kev bytes=100-"]);
}

#[test]
fn a_file_that_changed_meanwhile_is_fetched_from_its_beginning() {
    let world = World::new();
    world.site.put(KEV, kev(50, "one"));
    fail_after_100_bytes(&world);
    world.site.put(KEV, kev(50, "two"));
    world.fetch(Source::Kev).unwrap();
    is_fetched(&world, &kev(50, "two"));
}

#[test]
fn a_part_that_no_longer_matches_is_thrown_away() {
    type Lie = fn(&Seen, Reply) -> Reply;
    fn changed(reply: Reply, change: impl Fn(&'static str, String) -> Option<String>) -> Reply {
        let headers =
            reply.headers.into_iter().filter_map(|(name, value)| Some((name, change(name, value)?)));
        Reply { headers: headers.collect(), ..reply }
    }
    fn range(reply: Reply, from: &str, to: &str) -> Reply {
        changed(reply, |name, value| {
            Some(if name == "Content-Range" { value.replace(from, to) } else { value })
        })
    }
    let lies: [Lie; 6] = [
        // The rest of another state of the file, by a server that does not heed If-Range.
        |_, _| {
            let body = kev(50, "two");
            let range = format!("bytes 100-{}/{}", body.len() - 1, body.len());
            Reply::new(206).header("ETag", "\"other\"").header("Content-Range", range).body(&body[100..])
        },
        // A part without a word for its state, or for its place.
        |_, reply| changed(reply, |name, value| (name != "ETag").then_some(value)),
        |_, reply| changed(reply, |name, value| (name != "Content-Range").then_some(value)),
        // A part that was not asked for, and one of a longer file.
        |_, reply| range(reply, "bytes 100-", "bytes 50-"),
        |_, reply| range(reply, "/", "/9"),
        |_, _| Reply::new(416),
    ];
    for lie in lies {
        let world = World::new();
        world.site.put(KEV, kev(50, "one"));
        world.site.mood(KEV, |_, reply| reply.cut(100));
        world.site.mood(KEV, lie);
        world.fetch(Source::Kev).unwrap();
        is_fetched(&world, &kev(50, "one"));
        assert_eq!(world.site.asked(), ["/kev", "/kev bytes=100-", "/kev"]);
    }
}

#[test]
fn a_server_without_ranges_or_states_sends_all_again() {
    let world = World::new();
    let body = kev(50, "one");
    let plain = body.clone();
    world.site.put(KEV, body.clone());
    world.site.mood(KEV, |_, reply| reply.cut(100));
    world.site.mood(KEV, move |_, _| Reply::new(200).body(plain.clone()));
    world.fetch(Source::Kev).unwrap();
    is_fetched(&world, &body);

    let world = World::new();
    let plain = body.clone();
    world.site.mood(KEV, move |_, _| Reply::new(200).body(plain.clone()).cut(100));
    let plain = body.clone();
    world.site.mood(KEV, move |_, _| Reply::new(200).body(plain.clone()));
    world.fetch(Source::Kev).unwrap();
    is_fetched(&world, &body);
    assert_eq!(world.site.asked(), ["/kev", "/kev"], "without a state no part is asked for");
}

#[test]
fn a_weak_state_names_no_bytes() {
    let world = World::new();
    let body = kev(50, "one");
    world.site.put_as(KEV, body.clone(), "W/\"weak\"");
    world.site.mood(KEV, |_, reply| reply.cut(100));
    world.fetch(Source::Kev).unwrap();
    is_fetched(&world, &body);
    assert_eq!(world.site.asked(), ["/kev", "/kev"]);
    assert_eq!(world.fetch(Source::Kev).unwrap().fetched.len(), 0, "it is good enough to ask for changes");
}

#[test]
fn lengths_that_are_lies_are_found_out() {
    let world = World::new();
    let body = kev(50, "one");
    world.site.put(KEV, body.clone());
    // Longer than it is: the connection ends before, as if it were cut.
    world.site.mood(KEV, |_, reply| Reply { length: Some(reply.body.len() as u64 + 7), ..reply });
    world.fetch(Source::Kev).unwrap();
    is_fetched(&world, &body);

    let world = World::new();
    world.site.put(KEV, body.clone());
    // Shorter than it is: what arrives is not whole.
    world.site.mood(KEV, |_, reply| Reply { length: Some(reply.body.len() as u64 - 7), ..reply });
    world.fetch(Source::Kev).unwrap();
    is_fetched(&world, &body);

    let world = World::new();
    world.site.put(KEV, body.clone());
    world.site.mood(KEV, |_, reply| Reply { length: Some(1 << 60), ..reply });
    let error = world.fetch(Source::Kev).unwrap_err();
    assert!(matches!(error, FetchError::TooLong { .. }), "{error}");
    assert!(!world.out().join(NAME).exists());
}

#[test]
fn what_is_not_what_it_should_be_gets_no_name() {
    let whole = kev(50, "one");
    for (body, problem) in [
        (b"<!DOCTYPE html><html><body>Sign in to the proxy</body></html>".to_vec(), "page of HTML"),
        (whole[..whole.len() - 3].to_vec(), "not whole JSON"),
        ([&whole[..], b"}"].concat(), "not whole JSON"),
        (b"{\"error\":\"x\"}".to_vec(), "without the key `vulnerabilities`"),
        (b"[]".to_vec(), "not whole JSON"),
        (Vec::new(), "not whole JSON"),
    ] {
        let world = World::new();
        world.site.put(KEV, body);
        let error = world.fetch(Source::Kev).unwrap_err().to_string();
        assert!(error.contains(problem) && error.contains("/kev"), "{error}");
        assert_eq!(world.names(), Vec::<String>::new());
        assert_eq!(world.site.asked().len(), 3, "it may be a passing fault");
    }
}

#[test]
fn a_damaged_file_leaves_the_one_that_was_there() {
    let world = World::new();
    let whole = kev(50, "one");
    world.site.put(KEV, whole.clone());
    world.fetch(Source::Kev).unwrap();
    world.site.put(KEV, "<html>");
    assert!(world.fetch(Source::Kev).is_err());
    is_fetched(&world, &whole);
    world.site.put(KEV, kev(51, "one"));
    world.fetch(Source::Kev).unwrap();
    is_fetched(&world, &kev(51, "one"));
}

#[test]
fn other_kinds_of_files_are_checked_too() {
    for (source, path, good, bad) in [
        (Source::Atlas, "/atlas", "id: ATLAS\nname: x\n", "<html>\n"),
        (Source::Atlas, "/atlas", "---\nid: ATLAS\n", "id: ATLAS\nname"),
        (
            Source::D3fend,
            "/d3fend",
            "@prefix d3f: <http://d3fend> .\nd3f:a a d3f:b .\n",
            "@prefix d3f: <http://d3fend> .\nd3f:a a\n",
        ),
    ] {
        let world = World::new();
        world.site.put(path, bad);
        assert!(world.fetch(source).is_err(), "{bad}");
        world.site.put(path, good);
        assert_eq!(world.fetch(source).unwrap().fetched.len(), 1, "{good}");
    }
}

#[test]
fn the_catalogues_have_the_names_that_knowledge_bases_are_built_by() {
    let world = World::new();
    let bundle = br#"{"type":"bundle","objects":[]}"#;
    for path in ["/capec", "/attack-enterprise", "/attack-mobile", "/attack-ics"] {
        world.site.put(path, bundle);
    }
    let archive = zip(&[("cwec_v4.18.xml".to_owned(), b"<Weakness_Catalog/>".to_vec())]);
    world.site.put("/cwe", &archive[..archive.len() - 10]);
    let error = world.fetch(Source::Mitre).unwrap_err().to_string();
    assert!(error.contains("not a whole zip archive"), "{error}");
    let mut flipped = archive.clone();
    flipped[45] ^= 1;
    world.site.put("/cwe", flipped);
    assert!(world.fetch(Source::Mitre).is_err(), "the archive's own checksum");
    world.site.put("/cwe", archive);
    world.fetch(Source::Mitre).unwrap();
    let names = [
        "cwec_latest.xml.zip",
        "enterprise-attack.json",
        "fetched.json",
        "ics-attack.json",
        "mobile-attack.json",
        "stix-capec.json",
    ];
    assert_eq!(world.names(), names);
}

#[test]
fn a_server_that_cuts_every_answer_is_followed_to_the_end() {
    let world = World::new();
    let body = kev(50, "one");
    world.site.put(KEV, body.clone());
    world.site.mood_for_all(|_, reply| reply.cut(500));
    world.fetch(Source::Kev).unwrap();
    is_fetched(&world, &body);
    assert_eq!(world.site.asked().len(), body.len().div_ceil(500));
    world.site.mood_for_all(|_, reply| reply.cut(0));
    world.site.put(KEV, kev(50, "two"));
    let error = world.fetch(Source::Kev).unwrap_err();
    assert!(matches!(error, FetchError::Cut { done: 0, .. }), "{error}");
    world.site.be_honest();
    world.fetch(Source::Kev).unwrap();
    is_fetched(&world, &kev(50, "two"));
}

#[test]
fn an_honest_server_is_one() {
    let seen =
        |range: &str| Seen { path: "/".to_owned(), headers: [("range".to_owned(), range.to_owned())].into() };
    assert_eq!(honest(&seen("bytes=2-"), b"four", "\"e\"").body, b"ur");
    assert_eq!(honest(&seen("bytes=4-"), b"four", "\"e\"").status, 416);
}
