//! New records: each state of a record once, wherever a look ends.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use vulnlens_fetch::{FetchError, NvdBy, Source, Watch, WatchSettings};

use crate::cvelist::{archive, publish};
use crate::refusals::publish_feed;
use crate::server::Reply;
use crate::site::{nvd_feed, nvd_record};
use crate::world::World;

fn settings(world: &World, source: Source, output: Option<&str>) -> WatchSettings {
    let output = output.map(|name| world.folder.path().join(name));
    WatchSettings { source, nvd: NvdBy::Feeds, folder: world.out(), cursor: None, output }
}

fn output(world: &World) -> PathBuf {
    world.folder.path().join("answers")
}

/// Looks once and answers each record by its id and text; gives the answers.
fn look(world: &World, watch: &mut Watch) -> String {
    watch.look(&world.fetcher()).unwrap();
    let mut all = String::new();
    while let Some(mut batch) = watch.next_batch().unwrap() {
        let line =
            |record: vulnlens_corpus::Record| format!("{} {}\n", record.cve().unwrap(), record.text.unwrap());
        let answers: String = std::mem::take(&mut batch.records).into_iter().map(line).collect();
        watch.commit(batch, answers.as_bytes()).unwrap();
        all += &answers;
    }
    all
}

fn open(world: &World, source: Source) -> Watch {
    Watch::open(settings(world, source, Some("answers")), &world.fetcher()).unwrap()
}

/// Publishes the feed of the last days: ids and texts.
fn modified(world: &World, records: &[(&str, &str)]) {
    let records: Vec<String> = records.iter().map(|(id, text)| nvd_record(id, text)).collect();
    publish_feed(world, "modified", &nvd_feed(&records));
}

#[test]
fn each_state_is_answered_once() {
    let world = World::new();
    modified(&world, &[("CVE-2024-0001", "one"), ("CVE-2024-0002", "two")]);
    let mut watch = open(&world, Source::Nvd);
    assert_eq!(look(&world, &mut watch), "CVE-2024-0001 one\nCVE-2024-0002 two\n");
    assert_eq!(look(&world, &mut watch), "", "nothing changed");
    modified(
        &world,
        &[("CVE-2024-0001", "one"), ("CVE-2024-0002", "two, changed"), ("CVE-2024-0003", "three")],
    );
    assert_eq!(look(&world, &mut watch), "CVE-2024-0002 two, changed\nCVE-2024-0003 three\n");
    drop(watch);
    let mut watch = open(&world, Source::Nvd);
    assert_eq!(look(&world, &mut watch), "");
    // A record that left the feed and comes back as it was is known.
    modified(&world, &[]);
    assert_eq!(look(&world, &mut watch), "");
    modified(&world, &[("CVE-2024-0001", "one")]);
    assert_eq!(look(&world, &mut watch), "");
    let all = "CVE-2024-0001 one\nCVE-2024-0002 two\nCVE-2024-0002 two, changed\nCVE-2024-0003 three\n";
    assert_eq!(fs::read_to_string(output(&world)).unwrap(), all);
}

#[test]
fn a_look_that_fails_loses_nothing() {
    let world = World::new();
    modified(&world, &[("CVE-2024-0001", "one")]);
    let mut watch = open(&world, Source::Nvd);
    for _ in 0..6 {
        world.site.once("/nvd-feeds/nvdcve-2.0-modified.json.gz", Reply::new(503));
    }
    assert!(watch.look(&world.fetcher()).is_err());
    assert_eq!(look(&world, &mut watch), "CVE-2024-0001 one\n");
}

#[test]
fn records_that_were_fetched_and_not_answered_are_answered_later() {
    let world = World::new();
    modified(&world, &[("CVE-2024-0001", "one")]);
    let mut watch = open(&world, Source::Nvd);
    watch.look(&world.fetcher()).unwrap();
    drop(watch);
    let mut watch = open(&world, Source::Nvd);
    assert_eq!(look(&world, &mut watch), "CVE-2024-0001 one\n");
}

#[test]
fn what_was_written_without_the_cursor_is_cut_off() {
    let world = World::new();
    fs::write(output(&world), "mine\n").unwrap();
    modified(&world, &[("CVE-2024-0001", "one")]);
    let mut watch = open(&world, Source::Nvd);
    let cursor = watch.cursor().to_owned();
    let before = fs::read(&cursor).unwrap();
    assert_eq!(look(&world, &mut watch), "CVE-2024-0001 one\n");
    drop(watch);
    // As if the process had ended between the output and the cursor, in the middle of a line.
    fs::write(&cursor, before).unwrap();
    fs::write(output(&world), "mine\nCVE-2024-0001 o").unwrap();
    let mut watch = open(&world, Source::Nvd);
    assert_eq!(look(&world, &mut watch), "CVE-2024-0001 one\n");
    assert_eq!(fs::read_to_string(output(&world)).unwrap(), "mine\nCVE-2024-0001 one\n");
}

#[test]
fn an_output_that_lost_answers_is_refused() {
    let world = World::new();
    modified(&world, &[("CVE-2024-0001", "one")]);
    look(&world, &mut open(&world, Source::Nvd));
    fs::write(output(&world), "").unwrap();
    let error = Watch::open(settings(&world, Source::Nvd, Some("answers")), &world.fetcher()).err().unwrap();
    assert!(matches!(error, FetchError::Output { found: 0, expected: 18, .. }), "{error}");
}

#[test]
fn a_cursor_belongs_to_its_source_and_output() {
    let world = World::new();
    drop(open(&world, Source::Nvd));
    for (source, output) in [(Source::Nvd, None), (Source::Nvd, Some("other"))] {
        let error = Watch::open(settings(&world, source, output), &world.fetcher()).err().unwrap();
        assert!(matches!(error, FetchError::OtherCursor { .. }), "{error}");
    }
    assert!(!world.folder.path().join("other").exists());
    let elsewhere = WatchSettings {
        cursor: Some(world.folder.path().join("cursor")),
        ..settings(&world, Source::Nvd, Some("other"))
    };
    Watch::open(elsewhere, &world.fetcher()).unwrap();
}

#[test]
fn two_watches_do_not_share_a_folder() {
    let world = World::new();
    let _watch = open(&world, Source::Nvd);
    let error = Watch::open(settings(&world, Source::Nvd, None), &world.fetcher()).err().unwrap();
    assert!(matches!(error, FetchError::Locked { .. }), "{error}");
}

#[test]
fn a_gap_that_the_feed_does_not_reach_over_is_told() {
    let world = World::new();
    modified(&world, &[]);
    look(&world, &mut open(&world, Source::Nvd));
    drop(open(&world, Source::Nvd));
    assert!(world.told.0.take().is_empty());
    world.clock.advance(Duration::from_secs(9 * 24 * 3600));
    drop(open(&world, Source::Nvd));
    let told = world.told.0.take();
    assert!(told.len() == 1 && told[0].contains("9 days ago") && told[0].contains("--api"), "{told:?}");
}

#[test]
fn withdrawn_records_are_counted_and_not_answered() {
    let world = World::new();
    let record = nvd_record("CVE-2024-0001", "gone").replace("Analyzed", "Rejected");
    publish_feed(&world, "modified", &nvd_feed(&[record]));
    let mut watch = open(&world, Source::Nvd);
    watch.look(&world.fetcher()).unwrap();
    let batch = watch.next_batch().unwrap().unwrap();
    assert_eq!((batch.records.len(), batch.without_text), (0, 1));
}

#[test]
fn the_changes_of_each_day_are_followed() {
    let world = World::new();
    let release = |day: &str, hour: &str, records: &[(&str, &str)]| {
        (format!("cve_{day}_{hour}"), format!("{day}_delta_CVEs_at_{hour}.zip"), archive(records))
    };
    let published = |releases: &[(String, String, Vec<u8>)]| {
        let listed: Vec<_> = releases
            .iter()
            .map(|(tag, name, bytes)| (tag.as_str(), vec![(name.as_str(), bytes.clone())]))
            .collect();
        publish(&world, &listed);
    };
    let first = release("2024-03-10", "0100Z", &[("CVE-2024-0001", "one")]);
    published(std::slice::from_ref(&first));
    let mut watch = open(&world, Source::CveList);
    assert_eq!(look(&world, &mut watch), "CVE-2024-0001 one\n");
    // The day grows, ends, and another one begins, while nobody looks.
    let all = [("CVE-2024-0001", "one"), ("CVE-2024-0002", "two")];
    let end = release("2024-03-10", "end_of_day", &all);
    let next =
        release("2024-03-11", "0100Z", &[("CVE-2024-0002", "two, changed"), ("CVE-2024-0003", "three")]);
    published(&[next, end, first]);
    assert_eq!(
        look(&world, &mut watch),
        "CVE-2024-0002 two\nCVE-2024-0002 two, changed\nCVE-2024-0003 three\n"
    );
    let names = world.names();
    assert!(!names.iter().any(|name| name.starts_with("2024-03-10")), "a day that is over goes: {names:?}");
}
