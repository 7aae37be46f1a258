//! The CVE list's releases: the archive of midnight, and those of the changes since.

use vulnlens_fetch::{FetchError, Source};
use vulnlens_files::sha256_hex;

use crate::site::{cve_record, zip};
use crate::world::World;

const RELEASES: &str = "/cvelist-releases";

/// An archive of records, as releases have it.
pub(crate) fn archive(records: &[(&str, &str)]) -> Vec<u8> {
    let file = |(id, text): &(&str, &str)| (format!("cves/2024/0xxx/{id}.json"), cve_record(id, text));
    zip(&records.iter().map(file).collect::<Vec<_>>())
}

/// The archives of a release: names and bytes.
type Archives<'a> = Vec<(&'a str, Vec<u8>)>;

/// Publishes releases by their tags, the newest first.
pub(crate) fn publish(world: &World, releases: &[(&str, Archives<'_>)]) {
    let mut listed = Vec::new();
    for (tag, archives) in releases {
        let mut assets = Vec::new();
        for (name, bytes) in archives {
            let digest = sha256_hex(bytes);
            assets.push(format!(r#"{{"name":"{name}","state":"uploaded","digest":"sha256:{digest}"}}"#));
            world.site.put(&format!("/cvelist-downloads/{tag}/{name}"), bytes.clone());
        }
        listed.push(format!(r#"{{"tag_name":"{tag}","assets":[{}]}}"#, assets.join(",")));
    }
    world.site.put(RELEASES, format!("[{}]", listed.join(",")));
}

/// The archive of midnight, packed twice.
pub(crate) fn midnight() -> Vec<u8> {
    let inner = archive(&[("CVE-2024-0001", "The first flaw"), ("CVE-2024-0002", "The second flaw")]);
    zip(&[("cves.zip".to_owned(), inner)])
}

pub(crate) const ALL: &str = "2024-03-10_all_CVEs_at_midnight.zip.zip";

#[test]
fn midnight_and_the_newest_changes_come_and_the_former_go() {
    let world = World::new();
    let delta = |hour: &str, text: &str| {
        (format!("2024-03-10_delta_CVEs_at_{hour}.zip"), archive(&[("CVE-2024-0002", text)]))
    };
    let (first, one) = delta("0100Z", "Changed once");
    let (second, two) = delta("0200Z", "Changed twice");
    publish(
        &world,
        &[
            ("cve_2024-03-10_0100Z", vec![(ALL, midnight()), (&first, one.clone())]),
            (
                "cve_2024-03-09_2300Z",
                vec![
                    ("2024-03-09_all_CVEs_at_midnight.zip.zip", midnight()),
                    ("2024-03-09_delta_CVEs_at_2300Z.zip", archive(&[])),
                ],
            ),
        ],
    );
    assert_eq!(world.fetch(Source::CveList).unwrap().fetched, [first.as_str(), ALL]);
    publish(
        &world,
        &[
            ("cve_2024-03-10_0200Z", vec![(ALL, midnight()), (&second, two)]),
            ("cve_2024-03-10_0100Z", vec![(ALL, midnight()), (&first, one)]),
        ],
    );
    let summary = world.fetch(Source::CveList).unwrap();
    assert_eq!((summary.fetched, summary.unchanged), (vec![second.clone()], vec![ALL.to_owned()]));
    assert_eq!(world.names(), [ALL, second.as_str(), "fetched.json"]);
    let next = "2024-03-11_all_CVEs_at_midnight.zip.zip";
    publish(&world, &[("cve_2024-03-11_0000Z", vec![(next, midnight())])]);
    world.fetch(Source::CveList).unwrap();
    assert_eq!(world.names(), [next, "fetched.json"]);
}

#[test]
fn what_an_ended_run_left_is_swept() {
    let world = World::new();
    publish(&world, &[("cve_2024-03-10_0000Z", vec![(ALL, midnight())])]);
    world.fetch(Source::CveList).unwrap();
    let left = [
        "2024-03-09_delta_CVEs_at_2300Z.zip",
        ".2024-03-09_delta_CVEs_at_2300Z.zip.part",
        ".2024-03-09_delta_CVEs_at_2300Z.zip.part.json",
        ".vulnlens-left",
    ];
    left.iter().for_each(|name| std::fs::write(world.out().join(name), "left").unwrap());
    std::fs::write(world.out().join("notes.txt"), "mine").unwrap();
    world.fetch(Source::CveList).unwrap();
    assert_eq!(world.names(), [ALL, "fetched.json", "notes.txt"], "what is not ours stays");
}

#[test]
fn an_archive_with_another_digest_gets_no_name() {
    let world = World::new();
    publish(&world, &[("cve_2024-03-10_0000Z", vec![(ALL, midnight())])]);
    let other = zip(&[("cves.zip".to_owned(), archive(&[]))]);
    world.site.put(&format!("/cvelist-downloads/cve_2024-03-10_0000Z/{ALL}"), other);
    assert!(matches!(world.fetch(Source::CveList), Err(FetchError::Checksum { .. })));
    assert_eq!(world.names(), Vec::<String>::new());
}

#[test]
fn lists_of_releases_that_name_no_archive_are_refused() {
    for list in [
        "<html>",
        "{}",
        "[]",
        r#"[{"tag_name":"../..","assets":[{"name":"2024-03-10_all_CVEs_at_midnight.zip"}]}]"#,
        r#"[{"tag_name":"x","assets":[{"name":"../../2024-03-10_all_CVEs_at_midnight.zip"}]}]"#,
        r#"[{"tag_name":"x","assets":[{"name":"2024-03-10_all_CVEs_at_midnight.zip","state":"starter"}]}]"#,
    ] {
        let world = World::new();
        world.site.put(RELEASES, list);
        let error = world.fetch(Source::CveList).unwrap_err();
        assert!(matches!(error, FetchError::Malformed { .. }), "{list}: {error}");
    }
}
