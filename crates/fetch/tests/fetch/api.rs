//! NVD's API: windows, pages, its limit on requests, and records that move while they are read.

use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use vulnlens_fetch::{
    FetchError, Fetched, FetchedTexts, NvdBy, NvdKey, Source, Summary, Watch, WatchSettings,
};

use crate::server::{Reply, Seen, Server};
use crate::site::nvd_record;
use crate::world::{World, table};

/// Called before each answer with the number of the request.
type Meanwhile = Box<dyn Fn(usize, &mut Vec<Kept>) -> Option<Reply> + Send>;

/// A record as the API keeps it.
#[derive(Clone)]
struct Kept {
    id: String,
    modified: Timestamp,
}

/// The API, which gives pages of 3 records whatever is asked for.
struct Api {
    server: Server,
    world: World,
}

fn parameter(seen: &Seen, name: &str) -> String {
    let query = seen.path.split_once('?').unwrap().1;
    let value = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    value.unwrap().to_owned()
}

impl Api {
    fn start(
        records: Vec<Kept>,
        meanwhile: impl Fn(usize, &mut Vec<Kept>) -> Option<Reply> + Send + 'static,
    ) -> Self {
        let state: Mutex<(usize, Vec<Kept>, Meanwhile)> = Mutex::new((0, records, Box::new(meanwhile)));
        let state = Arc::new(state);
        let server = Server::start(move |seen| {
            let (count, records, meanwhile) = &mut *state.lock().unwrap();
            *count += 1;
            if let Some(reply) = meanwhile(*count, records) {
                return reply;
            }
            let time = |name| parameter(seen, name).parse::<Timestamp>().unwrap();
            let (from, until) = (time("lastModStartDate"), time("lastModEndDate"));
            assert!(until.as_second() - from.as_second() <= 120 * 24 * 3600, "NVD refuses longer windows");
            assert_eq!(parameter(seen, "resultsPerPage"), "2000");
            let start: usize = parameter(seen, "startIndex").parse().unwrap();
            let within: Vec<&Kept> =
                records.iter().filter(|kept| (from..=until).contains(&kept.modified)).collect();
            let page = within.iter().skip(start).take(3);
            let page: Vec<String> = page.map(|kept| nvd_record(&kept.id, "A flaw")).collect();
            Reply::new(200).body(format!(
                r#"{{"resultsPerPage":2000,"startIndex":{start},"totalResults":{},"vulnerabilities":[{}]}}"#,
                within.len(),
                page.join(",")
            ))
        });
        let mut world = World::new();
        world.hosts = table(&format!("nvd-api = \"{}/api\"\n", server.url()));
        Self { server, world }
    }

    fn run(&self, key: Option<&str>) -> Result<Summary, FetchError> {
        let nvd = NvdBy::Api(key.and_then(NvdKey::new));
        self.world.fetcher().fetch(Source::Nvd, &nvd, &self.world.out())
    }

    /// Checks that the folder holds every record.
    fn holds(&self, ids: impl IntoIterator<Item = String>) {
        let texts = FetchedTexts::open(&self.world.out()).unwrap().unwrap();
        for id in ids {
            assert!(texts.find(id.parse().unwrap()).unwrap().is_some(), "{id} is lost");
        }
    }
}

fn id(number: usize) -> String {
    format!("CVE-2024-{number:04}")
}

fn kept(number: usize, modified: &str) -> Kept {
    Kept { id: id(number), modified: modified.parse().unwrap() }
}

/// Ten records of the first of March, and two of other years.
fn records() -> Vec<Kept> {
    let mut records: Vec<Kept> = (0..10).map(|at| kept(at, &format!("2024-03-01T00:00:{at:02}Z"))).collect();
    records.extend([kept(10, "1999-10-01T00:00:00Z"), kept(11, "2010-10-01T00:00:00Z")]);
    records
}

#[test]
fn all_windows_are_read_page_by_page_and_then_what_changed() {
    let api = Api::start(records(), |_, _| None);
    let summary = api.run(None).unwrap();
    assert_eq!(summary.fetched.len(), 6, "ten records on four pages, and two alone");
    api.holds((0..12).map(id));
    let through = Fetched::read(&api.world.out()).unwrap().unwrap().api_through;
    assert!(through.unwrap().starts_with("2024-03-10T"));
    api.server.take_seen();
    assert_eq!(api.run(None).unwrap().fetched.len(), 0);
    let seen = api.server.take_seen();
    assert_eq!(seen.len(), 1);
    assert!(seen[0].header("apikey").is_none());
}

#[test]
fn requests_keep_within_the_limit() {
    for (key, most) in [(None, 5), (Some("secret"), 50)] {
        let api = Api::start(records(), |_, _| None);
        let begun = api.world.fetcher().clock.now();
        api.run(key).unwrap();
        let requests = api.server.take_seen();
        // The still clock moves by the waits alone.
        let passed = api.world.fetcher().clock.now().as_second() - begun.as_second();
        let bursts = (requests.len() as u64).div_ceil(most);
        assert_eq!(u64::try_from(passed).unwrap(), (bursts - 1) * 30, "{} requests", requests.len());
        assert!(api.world.waits().iter().all(|wait| *wait == 30));
        assert!(requests.iter().all(|request| request.header("apikey") == key));
    }
}

#[test]
fn the_key_goes_to_no_other_host() {
    let other =
        Server::start(|_| Reply::new(200).body(r#"{"startIndex":0,"totalResults":0,"vulnerabilities":[]}"#));
    let target = format!("{}/x", other.url());
    let mut api = Api::start(vec![], move |_, _| Some(Reply::new(302).header("Location", &target)));
    let lines = format!("nvd-api = \"{}/api\"\nredirects = [\"{}\"]\n", api.server.url(), other.url());
    api.world.hosts = table(&lines);
    api.run(Some("secret")).unwrap();
    assert!(api.server.take_seen().iter().all(|request| request.header("apikey") == Some("secret")));
    let seen = other.take_seen();
    assert!(!seen.is_empty() && seen.iter().all(|request| request.header("apikey").is_none()));
    assert_eq!(format!("{:?}", NvdKey::new("secret")), "Some(NvdKey(…))");
    assert!(NvdKey::new(" ").is_none() && NvdKey::new("a\nb").is_none());
}

#[test]
fn records_that_change_while_they_are_read_are_not_lost() {
    // A window of the past, which a record leaves.
    let mut past = records();
    past.iter_mut().take(10).enumerate().for_each(|(at, kept)| {
        kept.modified = format!("2005-03-01T00:00:{at:02}Z").parse().unwrap();
    });
    // The nineteenth window is that of March 2005; its second page is the twentieth request.
    let leaves = |count: usize, records: &mut Vec<Kept>| {
        if count == 20 {
            records[0].modified = "2024-03-10T11:00:00Z".parse().unwrap();
        }
        None
    };
    let api = Api::start(past, leaves);
    api.run(Some("x")).unwrap();
    api.holds((0..12).map(id));
    assert_eq!(api.world.told.0.take(), ["records changed while they were read; the window is read anew"]);
}

#[test]
fn a_window_that_never_rests_is_told() {
    let api = Api::start(records(), |count, records| {
        if count > 76 {
            records.push(kept(100 + count, "2024-03-02T00:00:00Z"));
        }
        None
    });
    let error = api.run(Some("x")).unwrap_err();
    assert!(matches!(error, FetchError::Unsteady { .. }), "{error}");
}

#[test]
fn an_ended_run_goes_on_where_it_was() {
    // From the third page of March on, nothing is answered until the run has given up.
    let api = Api::start(records(), |count, _| (79..85).contains(&count).then(|| Reply::new(503)));
    let error = api.run(Some("x")).unwrap_err();
    assert!(matches!(error, FetchError::Busy { .. }), "{error}");
    let before = api.server.take_seen().len();
    assert_eq!(before, 84);
    api.run(Some("x")).unwrap();
    api.holds((0..12).map(id));
    let starts: Vec<String> =
        api.server.take_seen().iter().map(|seen| parameter(seen, "startIndex")).collect();
    assert_eq!(starts, ["6", "9", "0"], "the rest of the window, and what changed since");
}

#[test]
fn an_answer_that_is_not_what_was_asked_for_is_refused() {
    for body in [
        "<html>",
        "{}",
        r#"{"startIndex":5,"totalResults":9,"vulnerabilities":[{}]}"#,
        r#"{"startIndex":0,"totalResults":0,"vulnerabilities":[{}]}"#,
        r#"{"startIndex":0,"totalResults":9,"vulnerabilities":[]}"#,
    ] {
        let api = Api::start(vec![], move |_, _| Some(Reply::new(200).body(body)));
        let error = api.run(None).unwrap_err();
        assert!(matches!(error, FetchError::Malformed { .. }), "{error}");
    }
}

#[test]
fn a_watch_answers_what_the_api_gives() {
    let newcomer = |count: usize, records: &mut Vec<Kept>| {
        // Four pages are the first look.
        if count == 5 {
            records[0].id = id(50);
            records.push(kept(51, "2024-03-10T11:30:00Z"));
        }
        None
    };
    let mut recent = records();
    recent.iter_mut().take(10).enumerate().for_each(|(at, kept)| {
        kept.modified = format!("2024-03-10T11:00:{at:02}Z").parse().unwrap();
    });
    let api = Api::start(recent, newcomer);
    let settings = WatchSettings {
        source: Source::Nvd,
        nvd: NvdBy::Api(None),
        folder: api.world.out(),
        cursor: None,
        output: None,
    };
    let mut watch = Watch::open(settings, &api.world.fetcher()).unwrap();
    let look = |watch: &mut Watch| {
        watch.look(&api.world.fetcher()).unwrap();
        let mut ids = Vec::new();
        while let Some(batch) = watch.next_batch().unwrap() {
            ids.extend(batch.records.iter().map(|record| record.cve().unwrap().to_string()));
            watch.commit(batch, &[]).unwrap();
        }
        ids
    };
    assert_eq!(look(&mut watch), (0..10).map(id).collect::<Vec<_>>(), "those of eight days");
    api.world.clock.advance(std::time::Duration::from_secs(600));
    assert_eq!(look(&mut watch), [id(50), id(51)], "the last hour is read again, and only news are answered");
    assert!(look(&mut watch).is_empty());
}
