//! The server of a publisher: files in their states, answered as HTTP says, and moods that do not.

use std::collections::{BTreeMap, VecDeque};
use std::io::Write as _;
use std::sync::{Arc, Mutex};

use vulnlens_files::sha256_hex;

use super::server::{Reply, Seen, Server};

/// Changes an honest answer.
pub(crate) type Mood = Box<dyn Fn(&Seen, Reply) -> Reply + Send>;

/// The files of a publisher, each with its ETag; and the moods of the next answers to a path.
#[derive(Default)]
pub(crate) struct Files {
    files: BTreeMap<String, (Vec<u8>, String)>,
    moods: BTreeMap<String, VecDeque<Mood>>,
    /// The mood of all answers.
    mood: Option<Mood>,
}

/// A publisher on this machine.
pub(crate) struct Site {
    pub(crate) server: Server,
    files: Arc<Mutex<Files>>,
}

impl Site {
    pub(crate) fn start() -> Self {
        let files = Arc::new(Mutex::new(Files::default()));
        let held = Arc::clone(&files);
        let server = Server::start(move |seen| held.lock().unwrap().answer(seen));
        Self { server, files }
    }

    /// Publishes a file in a new state.
    pub(crate) fn put(&self, path: &str, body: impl Into<Vec<u8>>) {
        let body = body.into();
        let etag = format!("\"{}\"", &sha256_hex(&body)[..12]);
        self.put_as(path, body, &etag);
    }

    /// Publishes a file with this ETag.
    pub(crate) fn put_as(&self, path: &str, body: impl Into<Vec<u8>>, etag: &str) {
        self.files.lock().unwrap().files.insert(path.to_owned(), (body.into(), etag.to_owned()));
    }

    /// Puts the server in a mood for one more answer to `path`.
    pub(crate) fn mood(&self, path: &str, mood: impl Fn(&Seen, Reply) -> Reply + Send + 'static) {
        let mut files = self.files.lock().unwrap();
        files.moods.entry(path.to_owned()).or_default().push_back(Box::new(mood));
    }

    /// Puts the server in a mood for every answer.
    pub(crate) fn mood_for_all(&self, mood: impl Fn(&Seen, Reply) -> Reply + Send + 'static) {
        self.files.lock().unwrap().mood = Some(Box::new(mood));
    }

    /// Ends the mood for every answer.
    pub(crate) fn be_honest(&self) {
        self.files.lock().unwrap().mood = None;
    }

    /// Answers once with `reply`.
    pub(crate) fn once(&self, path: &str, reply: Reply) {
        self.mood(path, move |_, _| reply.clone());
    }

    /// The paths and ranges that were asked for since the last call.
    pub(crate) fn asked(&self) -> Vec<String> {
        let shown = |seen: Seen| match seen.header("range") {
            Some(range) => format!("{} {range}", seen.path),
            None => seen.path,
        };
        self.server.take_seen().into_iter().map(shown).collect()
    }
}

impl Files {
    fn answer(&mut self, seen: &Seen) -> Reply {
        let (path, query) = seen.path.split_once('?').unwrap_or((&seen.path, ""));
        if query.contains("&page=") && !query.ends_with("&page=1") {
            return Reply::new(200).body("[]");
        }
        let honest =
            self.files.get(path).map_or_else(|| Reply::new(404), |(body, etag)| honest(seen, body, etag));
        let honest = match self.moods.get_mut(path).and_then(VecDeque::pop_front) {
            Some(mood) => mood(seen, honest),
            None => honest,
        };
        self.mood.as_ref().map_or(honest.clone(), |mood| mood(seen, honest))
    }
}

/// The answer that HTTP prescribes.
pub(crate) fn honest(seen: &Seen, body: &[u8], etag: &str) -> Reply {
    let reply = |status| Reply::new(status).header("ETag", etag);
    if seen.header("if-none-match") == Some(etag) {
        return reply(304);
    }
    let range =
        seen.header("range").and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok());
    let range = range.filter(|_| seen.header("if-range").is_none_or(|of| of == etag));
    match range {
        Some(from) if from >= body.len() => reply(416),
        Some(from) => {
            let all = format!("bytes {from}-{}/{}", body.len() - 1, body.len());
            reply(206).header("Content-Range", all).body(&body[from..])
        }
        None => reply(200).body(body),
    }
}

/// `bytes`, packed by gzip.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A zip archive of files.
pub(crate) fn zip(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(name.as_str(), zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A member of NVD's feeds and pages.
pub(crate) fn nvd_record(id: &str, text: &str) -> String {
    format!(
        concat!(
            r#"{{"cve":{{"id":"{id}","published":"2024-03-01T10:00:00.000","lastModified":"2024-03-02T10:00:00.000","#,
            r#""vulnStatus":"Analyzed","descriptions":[{{"lang":"en","value":"{text}"}}]}}}}"#
        ),
        id = id,
        text = text
    )
}

/// A feed of NVD in the schema 2.0.
pub(crate) fn nvd_feed(records: &[String]) -> Vec<u8> {
    let total = records.len();
    format!(
        concat!(
            r#"{{"resultsPerPage":{total},"startIndex":0,"totalResults":{total},"format":"NVD_CVE","version":"2.0","#,
            r#""vulnerabilities":[{records}]}}"#
        ),
        total = total,
        records = records.join(",")
    )
    .into_bytes()
}

/// The `.meta` file of a feed.
pub(crate) fn nvd_meta(feed: &[u8]) -> String {
    let sum = sha256_hex(feed).to_uppercase();
    format!(
        "lastModifiedDate:2026-11-28T03:00:02-05:00\r\nsize:{}\r\ngzSize:1\r\nsha256:{sum}\r\n",
        feed.len()
    )
}

/// A record of the CVE list.
pub(crate) fn cve_record(id: &str, text: &str) -> Vec<u8> {
    format!(
        concat!(
            r#"{{"dataType":"CVE_RECORD","dataVersion":"5.1","cveMetadata":{{"cveId":"{id}","state":"PUBLISHED","#,
            r#""datePublished":"2024-03-01T10:00:00.000Z"}},"containers":{{"cna":{{"#,
            r#""providerMetadata":{{"shortName":"x"}},"descriptions":[{{"lang":"en","value":"{text}"}}]}}}}}}"#
        ),
        id = id,
        text = text
    )
    .into_bytes()
}

/// The lines of a table of addresses that are all on the site at `url`.
pub(crate) fn hosts(url: &str) -> String {
    let keys = [
        "nvd-feeds",
        "nvd-api",
        "cvelist-releases",
        "cvelist-downloads",
        "cwe",
        "capec",
        "attack-enterprise",
        "attack-mobile",
        "attack-ics",
        "kev",
        "atlas",
        "d3fend",
    ];
    let lines: Vec<String> = keys.iter().map(|key| format!("{key} = \"{url}/{key}\"\n")).collect();
    lines.concat() + "redirects = []\n"
}
