//! Servers that refuse, lead astray or ask for patience; folders that are not ours.

use vulnlens_fetch::{FetchError, Fetched, NvdBy, Source};
use vulnlens_files::{Classified as _, ErrorKind};

use crate::server::{Reply, Server};
use crate::site::{gzip, hosts, nvd_feed, nvd_meta, nvd_record};
use crate::world::{World, table};

const KEV: &str = "/kev";
const BODY: &[u8] = br#"{"vulnerabilities":[]}"#;

#[test]
fn refusals_that_may_pass_are_waited_for_as_the_server_says() {
    let world = World::new();
    world.site.put(KEV, BODY);
    world.site.once(KEV, Reply::new(429).header("Retry-After", 7));
    world.site.once(KEV, Reply::new(403).header("Retry-After", "Sun, 10 Mar 2024 12:01:07 GMT"));
    world.site.once(KEV, Reply::new(503));
    world.site.once(KEV, Reply::new(500).header("Retry-After", "nonsense"));
    world.fetch(Source::Kev).unwrap();
    assert_eq!(world.waits(), [7, 60, 8, 16], "seconds, a date, and no word");
}

#[test]
fn patience_ends() {
    let world = World::new();
    for _ in 0..10 {
        world.site.once(KEV, Reply::new(403));
    }
    let error = world.fetch(Source::Kev).unwrap_err();
    assert!(matches!(error, FetchError::Busy { status: 403, .. }), "{error}");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!((world.site.asked().len(), world.waits().len()), (6, 5));

    let world = World::new();
    world.site.once(KEV, Reply::new(429).header("Retry-After", 7200));
    let error = world.fetch(Source::Kev).unwrap_err().to_string();
    assert!(error.contains("status 429 and asks to wait 7200 s"), "{error}");
    assert!(world.waits().is_empty(), "nobody waits two hours");
}

#[test]
fn refusals_that_do_not_pass_end_at_once() {
    let world = World::new();
    for (status, message) in [(404, None), (401, None), (400, Some("Invalid apiKey."))] {
        let reply = Reply::new(status);
        world.site.once(KEV, message.map_or(reply.clone(), |message| reply.header("message", message)));
        let error = world.fetch(Source::Kev).unwrap_err().to_string();
        assert!(error.contains(&format!("status {status}")), "{error}");
        assert!(message.is_none_or(|message| error.contains(message)), "{error}");
    }
    assert_eq!((world.site.asked().len(), world.waits().len()), (3, 0));
}

#[test]
fn a_host_that_is_not_in_the_table_is_never_asked() {
    let world = World::new();
    let foreign = Server::start(|_| Reply::new(200).body(BODY));
    let lead = Reply::new(302).header("Location", format!("{}/kev?token=secret", foreign.url()));
    world.site.once(KEV, lead);
    let error = world.fetch(Source::Kev).unwrap_err();
    assert!(matches!(error, FetchError::ForeignHost { .. }), "{error}");
    let error = error.to_string();
    assert!(
        error.contains(&foreign.url()) && error.contains("redirects") && !error.contains("secret"),
        "{error}"
    );
    assert!(foreign.take_seen().is_empty());
    for location in ["file:///etc/passwd", "ftp://x/", "elsewhere"] {
        world.site.once(KEV, Reply::new(302).header("Location", location));
        assert!(matches!(world.fetch(Source::Kev), Err(FetchError::ForeignHost { .. })), "{location}");
    }
}

#[test]
fn a_host_that_the_table_names_for_redirects_is_asked() {
    let foreign = Server::start(|_| Reply::new(200).body(BODY));
    let mut world = World::new();
    let lines = hosts(&world.site.server.url()) + &format!("redirects = [\"{}\"]\n", foreign.url());
    world.hosts = table(&lines);
    world.site.once(KEV, Reply::new(302).header("Location", format!("{}/stored", foreign.url())));
    world.fetch(Source::Kev).unwrap();
    assert_eq!(foreign.take_seen().len(), 1);
    let record = Fetched::read(&world.out()).unwrap().unwrap();
    assert!(record.files[0].url.ends_with("/kev"), "the address that was asked for");
}

#[test]
fn five_redirects_are_followed_and_no_more() {
    for (redirects, is_followed) in [(5, true), (6, false)] {
        let world = World::new();
        world.site.put(KEV, BODY);
        for _ in 0..redirects {
            world.site.once(KEV, Reply::new(301).header("Location", "/kev"));
        }
        assert_eq!(world.fetch(Source::Kev).is_ok(), is_followed, "{redirects}");
        assert_eq!(world.site.asked().len(), 6);
    }
    let world = World::new();
    world.site.once(KEV, Reply::new(302));
    assert!(matches!(world.fetch(Source::Kev), Err(FetchError::Redirects { .. })), "no address");
}

#[test]
fn nothing_is_asked_where_the_network_may_not_be_used() {
    let mut world = World::new();
    world.network.offline = true;
    let error = world.fetch(Source::Kev).unwrap_err();
    assert!(matches!(error, FetchError::Offline), "{error}");
    assert!(world.site.asked().is_empty() && !world.out().exists());
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let mut world = World::new();
    world.hosts = table("kev = \"http://127.0.0.1:1/kev\"\n");
    let error = world.fetch(Source::Kev).unwrap_err().to_string();
    assert!(error.contains("127.0.0.1:1") && error.contains("--hosts"), "{error}");
}

#[test]
fn one_process_works_in_a_folder() {
    let world = World::new();
    world.site.put(KEV, BODY);
    std::fs::create_dir_all(world.out()).unwrap();
    let lock = std::fs::File::create(world.out().join(".fetch.lock")).unwrap();
    lock.lock().unwrap();
    let error = world.fetch(Source::Kev).unwrap_err();
    assert!(matches!(error, FetchError::Locked { .. }), "{error}");
    assert!(world.site.asked().is_empty());
    drop(lock);
    world.fetch(Source::Kev).unwrap();
}

#[test]
fn a_folder_holds_one_source() {
    let world = World::new();
    world.site.put(KEV, BODY);
    world.fetch(Source::Kev).unwrap();
    let error = world.fetch(Source::Atlas).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Arguments);
    assert!(error.to_string().contains("holds `kev`, and `atlas` is asked for"), "{error}");
    for record in ["{", "{\"version\":2,\"source\":\"kev\",\"files\":[]}", "<html>"] {
        std::fs::write(world.out().join("fetched.json"), record).unwrap();
        assert!(matches!(world.fetch(Source::Kev), Err(FetchError::Record { .. })), "{record}");
    }
}

#[test]
fn a_record_names_no_file_outside_its_folder() {
    let world = World::new();
    world.site.put(KEV, BODY);
    world.fetch(Source::Kev).unwrap();
    let path = world.out().join("fetched.json");
    let record = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, record.replace("known_exploited", "../known_exploited")).unwrap();
    assert!(matches!(Fetched::read(&world.out()), Err(FetchError::Record { .. })));
}

/// Publishes the feeds of all years until 2024 and that of the last days.
pub(crate) fn publish_feeds(world: &World, word: &str) {
    for year in 2002..=2024 {
        let id = format!("CVE-{year}-0001");
        publish_feed(
            world,
            &year.to_string(),
            &nvd_feed(&[nvd_record(&id, &format!("Flaw of {year} {word}"))]),
        );
    }
    publish_feed(world, "modified", &nvd_feed(&[nvd_record("CVE-2024-0002", &format!("New flaw {word}"))]));
}

pub(crate) fn publish_feed(world: &World, feed: &str, content: &[u8]) {
    world.site.put(&format!("/nvd-feeds/nvdcve-2.0-{feed}.meta"), nvd_meta(content));
    world.site.put(&format!("/nvd-feeds/nvdcve-2.0-{feed}.json.gz"), gzip(content));
}

#[test]
fn the_feeds_come_once_and_then_those_that_changed() {
    let world = World::new();
    publish_feeds(&world, "one");
    let summary = world.fetch(Source::Nvd).unwrap();
    assert_eq!((summary.fetched.len(), summary.unchanged.len()), (24, 0));
    assert_eq!(Fetched::read(&world.out()).unwrap().unwrap().files[0].name, "nvdcve-2.0-modified.json.gz");
    world.site.asked();
    let summary = world.fetch(Source::Nvd).unwrap();
    assert_eq!((summary.fetched.len(), summary.unchanged.len()), (0, 24));
    let asked = world.site.asked();
    assert!(asked.len() == 24 && asked.iter().all(|path| path.ends_with(".meta")), "{asked:?}");
    publish_feed(&world, "2007", &nvd_feed(&[nvd_record("CVE-2007-0001", "Another flaw")]));
    assert_eq!(world.fetch(Source::Nvd).unwrap().fetched, ["nvdcve-2.0-2007.json.gz"]);
}

#[test]
fn a_feed_with_another_checksum_gets_no_name() {
    let world = World::new();
    publish_feeds(&world, "one");
    world.site.put("/nvd-feeds/nvdcve-2.0-2005.meta", nvd_meta(b"other"));
    let error = world.fetch(Source::Nvd).unwrap_err();
    assert!(matches!(error, FetchError::Checksum { .. }), "{error}");
    assert!(!world.out().join("nvdcve-2.0-2005.json.gz").exists());
    assert!(world.out().join("nvdcve-2.0-2004.json.gz").exists(), "what came before stays");
}

#[test]
fn a_feed_that_is_replaced_between_its_meta_file_and_itself_is_asked_for_again() {
    let world = World::new();
    publish_feeds(&world, "one");
    world.site.once("/nvd-feeds/nvdcve-2.0-2005.meta", Reply::new(200).body(nvd_meta(b"the former feed")));
    world.fetch(Source::Nvd).unwrap();
}

#[test]
fn a_server_that_lies_about_the_state_of_a_feed_is_found_out_by_the_checksum() {
    let world = World::new();
    publish_feeds(&world, "one");
    world.fetch(Source::Nvd).unwrap();
    let path = "/nvd-feeds/nvdcve-2.0-2005.json.gz";
    let etag = Fetched::read(&world.out()).unwrap().unwrap();
    let etag = etag.files.iter().find(|file| file.name.contains("2005")).unwrap().etag.clone().unwrap();
    let content = nvd_feed(&[nvd_record("CVE-2005-0001", "Changed")]);
    world.site.put("/nvd-feeds/nvdcve-2.0-2005.meta", nvd_meta(&content));
    world.site.put_as(path, gzip(&content), &etag);
    world.fetch(Source::Nvd).unwrap();
    assert_eq!(world.file("nvdcve-2.0-2005.json.gz"), gzip(&content));
}

#[test]
fn the_newest_feed_may_be_missing_and_no_other() {
    let world = World::new();
    publish_feeds(&world, "one");
    for ending in ["meta", "json.gz"] {
        for _ in 0..2 {
            world.site.once(&format!("/nvd-feeds/nvdcve-2.0-2024.{ending}"), Reply::new(404));
        }
    }
    world.fetch(Source::Nvd).unwrap();
    assert_eq!(world.told.0.take(), ["there is no feed of 2024 yet"]);
    let world = World::new();
    publish_feeds(&world, "one");
    for ending in ["meta", "json.gz"] {
        world.site.once(&format!("/nvd-feeds/nvdcve-2.0-2020.{ending}"), Reply::new(404));
    }
    assert!(world.fetch(Source::Nvd).is_err());
}

#[test]
fn a_mirror_without_meta_files_is_asked_by_states() {
    let world = World::new();
    publish_feeds(&world, "one");
    for _ in 0..2 {
        world.site.once("/nvd-feeds/nvdcve-2.0-2005.meta", Reply::new(404));
    }
    world.fetch(Source::Nvd).unwrap();
    let summary = world.fetcher().fetch(Source::Nvd, &NvdBy::Feeds, &world.out()).unwrap();
    assert_eq!(summary.unchanged.len(), 24);
}
