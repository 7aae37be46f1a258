//! The CVE list's releases on GitHub: all records at midnight, and those that changed since. The changes of a day are
//! in one archive that grows from hour to hour, so the newest of each day has them all.

use serde::Deserialize;

use crate::client::Client;
use crate::content::Kind;
use crate::download::fetch;
use crate::error::FetchError;
use crate::fetched::Fetched;
use crate::hosts::Address;
use crate::store::Store;
use crate::summary::Summary;
use crate::wanted::{Checksum, Wanted};

/// Most bytes of an archive; that of all records has five hundred million.
const LIMIT: u64 = 8 << 30;
/// Most bytes of a page of the list of releases.
const MOST_PAGE_BYTES: u64 = 32 << 20;
/// Releases on a page of their list; GitHub gives no more.
const PAGE: usize = 100;
/// Pages that are asked for: there are some 25 releases a day.
const MOST_PAGES: usize = 40;
/// Names that archives of all records end in: some are packed twice.
const ALL: [&str; 2] = ["_all_CVEs_at_midnight.zip.zip", "_all_CVEs_at_midnight.zip"];
const DELTA: &str = "_delta_CVEs_at_";

#[derive(Deserialize)]
struct Release {
    tag_name: String,
    #[serde(default)]
    assets: Vec<Asset>,
}

#[derive(Deserialize)]
struct Asset {
    name: String,
    #[serde(default)]
    state: Option<String>,
    #[serde(default)]
    digest: Option<String>,
}

/// An archive of a release.
#[derive(Debug, Clone)]
struct Archive {
    tag: String,
    name: String,
    checksum: Option<Checksum>,
}

/// The contents of an archive, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Contents<'a> {
    /// All records at the beginning of a day.
    All(&'a str),
    /// The changes of a day until an hour; `end_of_day` sorts behind all hours.
    Delta(&'a str, &'a str),
}

impl<'a> Contents<'a> {
    /// The contents of the archive called `name`; none for other names.
    pub(crate) fn of(name: &'a str) -> Option<Self> {
        if !crate::fetched::is_plain(name) {
            return None;
        }
        if let Some(day) = ALL.iter().find_map(|ending| name.strip_suffix(ending)) {
            return is_day(day).then_some(Self::All(day));
        }
        let (day, hour) = name.strip_suffix(".zip")?.split_once(DELTA)?;
        is_day(day).then_some(Self::Delta(day, hour))
    }

    /// True if the archive adds nothing to one with the contents `newer`.
    fn is_superseded_by(self, newer: Self) -> bool {
        match (self, newer) {
            (Self::All(day) | Self::Delta(day, _), Self::All(newer)) => day < newer,
            (Self::Delta(day, hour), Self::Delta(newer, later)) => day == newer && hour < later,
            (Self::All(_), Self::Delta(..)) => false,
        }
    }
}

/// True for a date of the form `2026-11-29`.
fn is_day(text: &str) -> bool {
    let digits = [4, 2, 2];
    let mut parts = text.split('-');
    digits.iter().all(|&length| {
        parts.next().is_some_and(|part| part.len() == length && part.bytes().all(|b| b.is_ascii_digit()))
    }) && parts.next().is_none()
}

/// Fetches the newest archive of all records, and the newest of the changes of each day since.
pub(crate) fn run(client: &Client<'_>, store: &mut Store, summary: &mut Summary) -> Result<(), FetchError> {
    let archives = releases(client, |archives| archives.iter().any(|archive| all(archive).is_some()))?;
    let newest = archives.iter().filter(|archive| all(archive).is_some()).max_by_key(|archive| all(archive));
    let Some(newest) = newest else {
        let url = client.hosts.get(Address::CveListReleases);
        return Err(FetchError::malformed(url, "names no release with an archive of all records"));
    };
    let since = all(newest).unwrap_or_default().to_owned();
    // The longest last: what changed since is of use without it, too.
    let mut wanted = deltas(client, &archives, &since);
    wanted.push(wanted_of(client, newest));
    fetch_all(client, store, &wanted, summary)
}

/// Fetches the newest archive of the changes of each day from `since` on; of the last day alone where that is not
/// given.
pub(crate) fn changes(
    client: &Client<'_>,
    store: &mut Store,
    since: Option<&str>,
    summary: &mut Summary,
) -> Result<(), FetchError> {
    let is_old = |archive: &Archive| match (since, Contents::of(&archive.name)) {
        (Some(since), Some(Contents::Delta(day, _))) => day < since,
        (None, Some(Contents::Delta(..))) => true,
        _ => false,
    };
    let archives = releases(client, |archives| archives.iter().any(is_old))?;
    let days = archives.iter().filter_map(|archive| delta(archive).map(|(day, _)| day));
    let Some(since) = since.or_else(|| days.max()) else {
        let url = client.hosts.get(Address::CveListReleases);
        return Err(FetchError::malformed(url, "names no release with an archive of changes"));
    };
    let wanted = deltas(client, &archives, since);
    fetch_all(client, store, &wanted, summary)
}

fn fetch_all(
    client: &Client<'_>,
    store: &mut Store,
    wanted: &[Wanted],
    summary: &mut Summary,
) -> Result<(), FetchError> {
    store.sweep(wanted, |name| Contents::of(name).is_some())?;
    for wanted in wanted {
        let file = fetch(client, store, wanted)?;
        summary.count(&wanted.name, file.as_ref());
        if let Some(file) = file {
            store.put(file, is_superseded)?;
        }
    }
    Ok(())
}

/// True if another file of the folder holds all that `name` does.
fn is_superseded(name: &str, fetched: &Fetched) -> bool {
    let newer = || fetched.files.iter().filter_map(|file| Contents::of(&file.name));
    Contents::of(name).is_some_and(|contents| newer().any(|newer| contents.is_superseded_by(newer)))
}

/// The newest archive of changes of each day from `since` on.
fn deltas(client: &Client<'_>, archives: &[Archive], since: &str) -> Vec<Wanted> {
    let all: Vec<(&Archive, (&str, &str))> =
        archives.iter().filter_map(|archive| Some((archive, delta(archive)?))).collect();
    let is_newest = |(day, hour): (&str, &str)| !all.iter().any(|(_, (d, h))| *d == day && *h > hour);
    let newest = all.iter().filter(|(_, delta)| delta.0 >= since && is_newest(*delta));
    let mut wanted: Vec<Wanted> = newest.map(|(archive, _)| wanted_of(client, archive)).collect();
    wanted.sort_by(|a, b| a.name.cmp(&b.name));
    wanted.dedup_by(|a, b| a.name == b.name);
    wanted
}

fn all(archive: &Archive) -> Option<&str> {
    match Contents::of(&archive.name)? {
        Contents::All(day) => Some(day),
        Contents::Delta(..) => None,
    }
}

fn delta(archive: &Archive) -> Option<(&str, &str)> {
    match Contents::of(&archive.name)? {
        Contents::Delta(day, hour) => Some((day, hour)),
        Contents::All(_) => None,
    }
}

fn wanted_of(client: &Client<'_>, archive: &Archive) -> Wanted {
    let base = client.hosts.get(Address::CveListDownloads);
    let is_within = archive.name.ends_with(".zip.zip");
    Wanted {
        name: archive.name.clone(),
        url: format!("{base}/{}/{}", archive.tag, archive.name),
        kind: Kind::Zip(if is_within { ".zip" } else { ".json" }),
        limit: LIMIT,
        checksum: archive.checksum.clone(),
    }
}

/// The archives of the releases, page by page until they are `enough`.
fn releases(client: &Client<'_>, enough: impl Fn(&[Archive]) -> bool) -> Result<Vec<Archive>, FetchError> {
    let (base, mut archives) = (client.hosts.get(Address::CveListReleases), Vec::new());
    for page in 1..=MOST_PAGES {
        let url = format!("{base}?per_page={PAGE}&page={page}");
        let headers = [("accept", "application/vnd.github+json")];
        let body = client.patiently(|| client.body(&url, &headers, None, MOST_PAGE_BYTES))?;
        let releases: Vec<Release> = serde_json::from_slice(&body)
            .map_err(|error| FetchError::malformed(base, format!("is not a list of releases: {error}")))?;
        let is_last = releases.is_empty();
        archives.extend(releases.into_iter().flat_map(of_release));
        if is_last || enough(&archives) {
            break;
        }
    }
    Ok(archives)
}

/// The archives of a release that are there.
fn of_release(release: Release) -> impl Iterator<Item = Archive> {
    let tag = release.tag_name;
    let is_usable = crate::fetched::is_plain(&tag);
    let there = |asset: &Asset| asset.state.as_deref().is_none_or(|state| state == "uploaded");
    let assets = release.assets.into_iter().filter(move |asset| is_usable && there(asset));
    assets.filter(|asset| Contents::of(&asset.name).is_some()).map(move |asset| {
        let digest = asset.digest.as_deref().and_then(|digest| digest.strip_prefix("sha256:"));
        let checksum = digest.map(|digest| Checksum::File(digest.to_ascii_lowercase()));
        Archive { tag: tag.clone(), name: asset.name, checksum }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archives_are_told_by_their_names() {
        for (name, contents) in [
            ("2026-11-29_all_CVEs_at_midnight.zip.zip", Some(Contents::All("2026-11-29"))),
            ("2026-11-29_all_CVEs_at_midnight.zip", Some(Contents::All("2026-11-29"))),
            ("2026-11-29_delta_CVEs_at_0900Z.zip", Some(Contents::Delta("2026-11-29", "0900Z"))),
            ("2026-11-29_delta_CVEs_at_end_of_day.zip", Some(Contents::Delta("2026-11-29", "end_of_day"))),
            ("../../2026-11-29_delta_CVEs_at_0900Z.zip", None),
            ("2026-11-29_delta_CVEs_at_/x.zip", None),
            ("26-11-29_all_CVEs_at_midnight.zip", None),
            ("CVE-2026-0001.json", None),
        ] {
            assert_eq!(Contents::of(name), contents, "{name}");
        }
    }

    #[test]
    fn a_day_is_superseded_by_its_later_hours_and_by_later_midnights() {
        let [all, next] = [Contents::All("2026-11-29"), Contents::All("2026-11-30")];
        let [early, late] = ["0900Z", "end_of_day"].map(|hour| Contents::Delta("2026-11-29", hour));
        assert!(early.is_superseded_by(late) && !late.is_superseded_by(early));
        assert!(early.is_superseded_by(next) && late.is_superseded_by(next) && all.is_superseded_by(next));
        assert!(!early.is_superseded_by(all) && !all.is_superseded_by(late) && !next.is_superseded_by(all));
        assert!(!late.is_superseded_by(late) && !all.is_superseded_by(all));
        assert!(!Contents::Delta("2026-11-28", "0900Z").is_superseded_by(late), "another day");
    }
}
