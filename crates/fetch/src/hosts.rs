//! The table of the addresses that may be asked: the one that ships, and the keys that a file of one's own replaces.

use std::collections::BTreeMap;
use std::path::Path;

use ureq::http::Uri;
use vulnlens_files::read_at_most;
use vulnlens_hub::Origin;

use crate::error::FetchError;

/// The table that ships.
const BUILT_IN: &str = include_str!("../assets/hosts.toml");
/// The key of the hosts that others may lead on to.
const REDIRECTS: &str = "redirects";
/// Most bytes of a table; the one that ships has two thousand.
const MOST_BYTES: u64 = 64 << 10;

/// An address of the table, by its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Address {
    NvdFeeds,
    NvdApi,
    CveListReleases,
    CveListDownloads,
    Cwe,
    Capec,
    AttackEnterprise,
    AttackMobile,
    AttackIcs,
    Kev,
    Atlas,
    D3fend,
}

impl Address {
    const ALL: [Self; 12] = [
        Self::NvdFeeds,
        Self::NvdApi,
        Self::CveListReleases,
        Self::CveListDownloads,
        Self::Cwe,
        Self::Capec,
        Self::AttackEnterprise,
        Self::AttackMobile,
        Self::AttackIcs,
        Self::Kev,
        Self::Atlas,
        Self::D3fend,
    ];

    const fn key(self) -> &'static str {
        match self {
            Self::NvdFeeds => "nvd-feeds",
            Self::NvdApi => "nvd-api",
            Self::CveListReleases => "cvelist-releases",
            Self::CveListDownloads => "cvelist-downloads",
            Self::Cwe => "cwe",
            Self::Capec => "capec",
            Self::AttackEnterprise => "attack-enterprise",
            Self::AttackMobile => "attack-mobile",
            Self::AttackIcs => "attack-ics",
            Self::Kev => "kev",
            Self::Atlas => "atlas",
            Self::D3fend => "d3fend",
        }
    }
}

/// The addresses that may be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hosts {
    addresses: BTreeMap<&'static str, String>,
    /// Hosts that others may lead on to.
    redirects: Vec<Origin>,
}

impl Default for Hosts {
    /// The table that ships.
    fn default() -> Self {
        let mut hosts = Self { addresses: BTreeMap::new(), redirects: Vec::new() };
        // A test reads it: it is never refused.
        let _ = hosts.read(BUILT_IN);
        hosts
    }
}

impl Hosts {
    /// The table that ships, with the keys that the file at `path` replaces.
    ///
    /// # Errors
    /// The file cannot be read, or a line of it is not a known key with an address.
    pub fn with_file(path: &Path) -> Result<Self, FetchError> {
        let text = read_at_most(path, MOST_BYTES)?;
        let mut hosts = Self::default();
        hosts.read(&String::from_utf8_lossy(&text)).map_err(|(line, problem)| FetchError::Hosts {
            file: path.to_owned(),
            line,
            problem,
        })?;
        Ok(hosts)
    }

    /// Takes in the lines of a table; the number of a bad line, and its problem.
    fn read(&mut self, text: &str) -> Result<(), (usize, String)> {
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if !line.is_empty() && !line.starts_with('#') {
                self.read_line(line).map_err(|problem| (number, problem))?;
            }
        }
        Ok(())
    }

    fn read_line(&mut self, line: &str) -> Result<(), String> {
        let (key, value) = line.split_once('=').ok_or("is not of the form key = \"address\"")?;
        let (key, value) = (key.trim(), value.trim());
        if key == REDIRECTS {
            let list = value.strip_prefix('[').and_then(|list| list.strip_suffix(']'));
            let list = list.ok_or("`redirects` is not of the form [\"host\", \"host\"]")?;
            let hosts = list.split(',').map(str::trim).filter(|host| !host.is_empty());
            self.redirects = hosts.map(|host| redirect(quoted(host)?)).collect::<Result<_, String>>()?;
            return Ok(());
        }
        let Some(address) = Address::ALL.iter().find(|address| address.key() == key) else {
            let known: Vec<&str> = Address::ALL.iter().map(|address| address.key()).collect();
            return Err(format!("{key:?} is not a key; known are {}, {REDIRECTS}", known.join(", ")));
        };
        let url = quoted(value)?.trim_end_matches('/');
        if origin(url).is_none() || url.contains(['@', '?', '#']) {
            return Err(format!(
                "{url:?} is not an address; give one like \"https://host/path\", without a user name or a query"
            ));
        }
        self.addresses.insert(address.key(), url.to_owned());
        Ok(())
    }

    /// An address without a slash at its end.
    pub(crate) fn get(&self, address: Address) -> &str {
        self.addresses.get(address.key()).map_or("", String::as_str)
    }

    /// True for an address at one of the table's hosts.
    pub(crate) fn allows(&self, uri: &Uri) -> bool {
        let Some(asked) = Origin::of(uri) else { return false };
        let is_of_table = || self.addresses.values().any(|url| origin(url).as_ref() == Some(&asked));
        self.redirects.contains(&asked) || is_of_table()
    }
}

/// The origin of an address.
pub(crate) fn origin(url: &str) -> Option<Origin> {
    Origin::of(&url.parse().ok()?)
}

fn quoted(text: &str) -> Result<&str, String> {
    let inner = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    inner.filter(|text| !text.contains('"')).ok_or_else(|| format!("{text} does not stand in quotes"))
}

/// A host that others may lead on to: its name, reached by `https`, or a whole origin.
fn redirect(host: &str) -> Result<Origin, String> {
    let url = if host.contains("://") { host.to_owned() } else { format!("https://{host}") };
    origin(&url).ok_or_else(|| format!("{host:?} is not a host"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(text: &str) -> Result<Hosts, (usize, String)> {
        let mut hosts = Hosts::default();
        hosts.read(text).map(|()| hosts)
    }

    #[test]
    fn the_table_that_ships_has_every_address_by_https() {
        let mut hosts = Hosts { addresses: BTreeMap::new(), redirects: vec![] };
        assert_eq!(hosts.read(BUILT_IN), Ok(()));
        for address in Address::ALL {
            assert!(hosts.get(address).starts_with("https://"), "{}", address.key());
        }
        assert_eq!(hosts.redirects.len(), 2);
    }

    #[test]
    fn a_file_replaces_the_keys_that_it_names() {
        let hosts =
            with("# mirror\nkev = \"http://mirror.intern:8080/kev.json/\"\nredirects = []\n").unwrap();
        assert_eq!(hosts.get(Address::Kev), "http://mirror.intern:8080/kev.json");
        assert_eq!(hosts.get(Address::Cwe), Hosts::default().get(Address::Cwe));
        let allows = |url: &str| hosts.allows(&url.parse().unwrap());
        assert!(allows("http://mirror.intern:8080/elsewhere") && allows("https://nvd.nist.gov/"));
        assert!(
            !allows("http://mirror.intern/") && !allows("https://www.cisa.gov/"),
            "not its port, not replaced"
        );
        assert!(!allows("https://release-assets.githubusercontent.com/x"));
        assert!(Hosts::default().allows(&"https://release-assets.githubusercontent.com/x".parse().unwrap()));
        assert!(!Hosts::default().allows(&"http://nvd.nist.gov/".parse().unwrap()));
    }

    #[test]
    fn a_bad_line_is_told_by_its_number() {
        for (text, line, word) in [
            ("kev", 1, "key = "),
            ("\nkve = \"https://x\"", 2, "nvd-feeds"),
            ("kev = https://x", 1, "quotes"),
            ("kev = \"ftp://x\"", 1, "is not an address"),
            ("kev = \"https://me:secret@x\"", 1, "without a user name"),
            ("redirects = \"x\"", 1, "of the form ["),
            ("redirects = [\"\"]", 1, "is not a host"),
        ] {
            let (number, problem) = with(text).unwrap_err();
            assert_eq!(number, line, "{text}");
            assert!(problem.contains(word), "{problem}");
        }
    }
}
