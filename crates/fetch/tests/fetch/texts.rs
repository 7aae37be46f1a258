//! The texts of CVEs in fetched folders.

use vulnlens_fetch::{FetchedTexts, Source};

use crate::cvelist::{ALL, archive, midnight, publish};
use crate::refusals::{publish_feed, publish_feeds};
use crate::site::{nvd_feed, nvd_record};
use crate::world::World;

fn text(texts: &FetchedTexts, id: &str) -> Option<String> {
    texts.find(id.parse().unwrap()).unwrap().map(|found| found.text)
}

#[test]
fn feeds_are_asked_by_year_and_changes_count_first() {
    let world = World::new();
    publish_feeds(&world, "one");
    let old =
        nvd_feed(&[nvd_record("CVE-2002-0001", "Flaw of 2002"), nvd_record("CVE-1999-0001", "Oldest flaw")]);
    publish_feed(&world, "2002", &old);
    let rejected = nvd_record("CVE-2005-0001", "Rejected reason: none").replace("Analyzed", "Rejected");
    let modified = [nvd_record("CVE-2004-0001", "Flaw of 2004, changed"), rejected];
    publish_feed(&world, "modified", &nvd_feed(&modified));
    world.fetch(Source::Nvd).unwrap();
    let texts = FetchedTexts::open(&world.out()).unwrap().unwrap();
    for (id, expected) in [
        ("CVE-2003-0001", Some("Flaw of 2003 one")),
        ("CVE-2004-0001", Some("Flaw of 2004, changed")),
        ("CVE-2005-0001", None),
        ("CVE-1999-0001", Some("Oldest flaw")),
        ("CVE-2003-9999", None),
        ("CVE-2033-0001", None),
    ] {
        assert_eq!(text(&texts, id).as_deref(), expected, "{id}");
    }
    let found = texts.find("CVE-2003-0001".parse().unwrap()).unwrap().unwrap();
    assert_eq!((found.year, found.published.unwrap().to_string().as_str()), (Some(2024), "2024-03-01"));
}

#[test]
fn archives_are_asked_by_name_within_one_another() {
    let world = World::new();
    let delta = "2024-03-10_delta_CVEs_at_0200Z.zip";
    publish(
        &world,
        &[(
            "cve_2024-03-10_0200Z",
            vec![(ALL, midnight()), (delta, archive(&[("CVE-2024-0002", "Changed")]))],
        )],
    );
    world.fetch(Source::CveList).unwrap();
    // The folder itself, and the folder that it lies in.
    for folder in [world.out(), world.folder.path().to_owned()] {
        let texts = FetchedTexts::open(&folder).unwrap().unwrap();
        assert_eq!(text(&texts, "CVE-2024-0001").as_deref(), Some("The first flaw"));
        assert_eq!(text(&texts, "CVE-2024-0002").as_deref(), Some("Changed"));
        assert_eq!(text(&texts, "CVE-2024-0003"), None);
    }
}

#[test]
fn a_folder_without_records_of_cves_holds_none() {
    let world = World::new();
    assert!(FetchedTexts::open(world.folder.path()).unwrap().is_none());
    world.site.put("/kev", br#"{"vulnerabilities":[]}"#);
    world.fetch(Source::Kev).unwrap();
    assert!(FetchedTexts::open(&world.out()).unwrap().is_none());
    assert!(FetchedTexts::open(&world.out().join("none")).is_err());
}
