//! Requests: to hosts of the table alone, redirects followed here, failures that may pass tried again after a while.

use std::io::Read as _;
use std::time::Duration;

use jiff::fmt::rfc2822;
use ureq::http::{HeaderMap, Response, StatusCode, Uri};
use ureq::{Agent, Body, ResponseExt as _};
use vulnlens_hub::{Network, Origin, redirected};

use crate::clock::Clock;
use crate::error::FetchError;
use crate::hosts::Hosts;
use crate::progress::Progress;

/// Redirects that are followed; GitHub's releases use one.
const MAX_REDIRECTS: usize = 5;
/// Failures in a row after which a request is given up.
const MAX_FAILURES: u32 = 6;
/// The wait after the first failure; it doubles with each that follows.
const FIRST_WAIT: Duration = Duration::from_secs(2);
/// The longest wait that a server is granted.
const LONGEST_WAIT: Duration = Duration::from_secs(15 * 60);

/// The way to the hosts of a table.
pub(crate) struct Client<'a> {
    https: Agent,
    http: Agent,
    user_agent: &'a str,
    pub(crate) hosts: &'a Hosts,
    pub(crate) clock: &'a dyn Clock,
    pub(crate) progress: &'a dyn Progress,
}

/// The headers of a request.
pub(crate) type Headers<'a> = [(&'static str, &'a str)];

impl<'a> Client<'a> {
    pub(crate) fn new(
        network: &'a Network,
        hosts: &'a Hosts,
        clock: &'a dyn Clock,
        progress: &'a dyn Progress,
    ) -> Result<Self, FetchError> {
        if network.offline {
            return Err(FetchError::Offline);
        }
        let (https, http) = (network.agent("https")?, network.agent("http")?);
        Ok(Self { https, http, user_agent: &network.user_agent, hosts, clock, progress })
    }

    /// The answer to one request, after redirects: a success, 304 or 416; any other status is an error. `secret` is a
    /// header for the host of `url` alone.
    pub(crate) fn ask(
        &self,
        url: &str,
        headers: &Headers<'_>,
        secret: Option<(&'static str, &str)>,
    ) -> Result<Response<Body>, FetchError> {
        let mut uri: Uri = url.parse().map_err(|_| FetchError::malformed(url, "is not an address"))?;
        let first = Origin::of(&uri);
        for _ in 0..=MAX_REDIRECTS {
            if !self.hosts.allows(&uri) {
                return Err(FetchError::ForeignHost { from: url.to_owned(), to: address(&uri) });
            }
            let agent = if uri.scheme_str() == Some("http") { &self.http } else { &self.https };
            let mut request = agent.get(&uri).header("user-agent", self.user_agent);
            request = request.header("accept-encoding", "identity");
            let secret = secret.filter(|_| Origin::of(&uri) == first);
            for (name, value) in headers.iter().copied().chain(secret) {
                request = request.header(name, value);
            }
            let answer = request.call().map_err(|error| FetchError::NoConnection {
                address: address(&uri),
                reason: error.to_string(),
            })?;
            // 304 is among the redirects by its number.
            if !answer.status().is_redirection() || answer.status() == StatusCode::NOT_MODIFIED {
                return self.accepted(answer);
            }
            let location = text_of(answer.headers(), "location");
            let location = location.ok_or_else(|| FetchError::Redirects { address: url.to_owned() })?;
            let foreign = || FetchError::ForeignHost { from: url.to_owned(), to: shown(location) };
            uri = redirected(&uri, location).ok_or_else(foreign)?;
        }
        Err(FetchError::Redirects { address: url.to_owned() })
    }

    fn accepted(&self, answer: Response<Body>) -> Result<Response<Body>, FetchError> {
        let (status, address) = (answer.status(), address(answer.get_uri()));
        match status {
            _ if status.is_success() => Ok(answer),
            StatusCode::NOT_MODIFIED | StatusCode::RANGE_NOT_SATISFIABLE => Ok(answer),
            StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => {
                Err(self.busy(&answer, address))
            }
            _ if status.is_server_error() => Err(self.busy(&answer, address)),
            _ => {
                let message = text_of(answer.headers(), "message").map(shown);
                Err(FetchError::Status { address, status: status.as_u16(), message })
            }
        }
    }

    fn busy(&self, answer: &Response<Body>, address: String) -> FetchError {
        let wait = text_of(answer.headers(), "retry-after").and_then(|text| self.retry_after(text.trim()));
        FetchError::Busy { address, status: answer.status().as_u16(), wait }
    }

    /// The time that a server asks for, in seconds or as a date.
    fn retry_after(&self, text: &str) -> Option<Duration> {
        if let Ok(seconds) = text.parse::<u32>() {
            return Some(Duration::from_secs(seconds.into()));
        }
        let date = rfc2822::parse(text).ok()?.timestamp().as_second();
        Some(Duration::from_secs(u64::try_from(date - self.clock.now().as_second()).unwrap_or(0)))
    }

    /// The body of an answer, which may have `limit` bytes.
    pub(crate) fn body(
        &self,
        url: &str,
        headers: &Headers<'_>,
        secret: Option<(&'static str, &str)>,
        limit: u64,
    ) -> Result<Vec<u8>, FetchError> {
        let mut answer = self.ask(url, headers, secret)?;
        if answer.status() != StatusCode::OK {
            return Err(FetchError::status(url, answer.status().as_u16()));
        }
        let expected = answer.body().content_length();
        let mut bytes = Vec::new();
        let reader = answer.body_mut().with_config().limit(u64::MAX).reader();
        let read = reader.take(limit.saturating_add(1)).read_to_end(&mut bytes);
        let done = bytes.len() as u64;
        let cut = |reason: String| FetchError::Cut { name: url.to_owned(), done, reason };
        read.map_err(|error| cut(error.to_string()))?;
        if done > limit {
            return Err(FetchError::TooLong { name: url.to_owned(), address: url.to_owned(), limit });
        }
        if expected.is_some_and(|expected| expected != done) {
            return Err(cut("the server closed the connection".to_owned()));
        }
        Ok(bytes)
    }

    /// The outcome of `work`, done again after a while where its failure may pass.
    pub(crate) fn patiently<T>(
        &self,
        mut work: impl FnMut() -> Result<T, FetchError>,
    ) -> Result<T, FetchError> {
        let mut patience = Patience::default();
        loop {
            match work() {
                Ok(done) => return Ok(done),
                Err(error) => patience.wait(error, self)?,
            }
        }
    }
}

/// The failures in a row of one request.
#[derive(Debug, Default)]
pub(crate) struct Patience(u32);

impl Patience {
    /// Waits after a failure that may pass: as long as the server asks for, or twice as long as the last time. Gives
    /// the error back where it is not to be tried again.
    pub(crate) fn wait(&mut self, error: FetchError, client: &Client<'_>) -> Result<(), FetchError> {
        self.0 = self.0.saturating_add(1);
        if !error.may_pass() || self.0 >= MAX_FAILURES {
            return Err(error);
        }
        let asked = if let FetchError::Busy { wait, .. } = &error { *wait } else { None };
        let wait = asked.unwrap_or_else(|| FIRST_WAIT.saturating_mul(1 << self.0.saturating_sub(1).min(16)));
        if wait > LONGEST_WAIT {
            return Err(error);
        }
        client.progress.waiting(&error.to_string(), wait);
        client.clock.wait(wait);
        Ok(())
    }

    /// Forgets the failures: something arrived.
    pub(crate) fn renew(&mut self) {
        self.0 = 0;
    }
}

/// The address without its query, which may hold a signature.
fn address(uri: &Uri) -> String {
    shown(&uri.to_string())
}

/// The printable beginning of an address.
fn shown(url: &str) -> String {
    url.split('?').next().unwrap_or_default().chars().filter(|c| !c.is_control()).take(200).collect()
}

/// A header's text.
pub(crate) fn text_of<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
