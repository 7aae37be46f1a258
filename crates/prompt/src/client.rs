//! Requests to the endpoint: redirects are never followed, failures that may pass are tried again after a while, and a
//! reply is bounded in time and size.

use std::io::Read as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use jiff::fmt::rfc2822;
use serde::{Deserialize, Serialize};
use ureq::http::{HeaderMap, Response, StatusCode};
use ureq::{Agent, Body};
use vulnlens_hub::Network;

use crate::endpoint::{Endpoint, Key, shown};
use crate::error::PromptError;
use crate::pace::Pace;

/// The longest reply that is read, so that memory stays bounded: a list of labels takes some hundred bytes.
pub(crate) const LONGEST_REPLY: u64 = 4 << 20;
/// The longest wait that a server is granted.
const LONGEST_WAIT: Duration = Duration::from_secs(15 * 60);
/// The longest wait that is chosen here.
const LONGEST_OWN_WAIT: Duration = Duration::from_secs(60);

/// The limits that a client keeps to.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// The time for one reply, from the request to the last byte.
    pub timeout: Duration,
    /// The number of times that a request is sent again after a failure that may pass.
    pub retries: u32,
    /// The wait after the first failure; it doubles with each that follows.
    pub first_wait: Duration,
    /// The least time between two requests.
    pub interval: Duration,
}

impl Default for Patience {
    /// Two minutes for a reply, five retries that begin after a second, and no least time.
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(120),
            retries: 5,
            first_wait: Duration::from_secs(1),
            interval: Duration::ZERO,
        }
    }
}

/// The way to one endpoint.
#[derive(Debug)]
pub struct Client {
    agent: Agent,
    endpoint: Endpoint,
    key: Option<Key>,
    user_agent: String,
    patience: Patience,
    pace: Pace,
    /// True once the endpoint has replied at all.
    has_replied: AtomicBool,
}

/// The text that a model gave.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Completion {
    pub(crate) content: String,
    pub(crate) finish_reason: Option<String>,
    pub(crate) prompt_tokens: Option<u64>,
    pub(crate) completion_tokens: Option<u64>,
}

/// The requests that a reply took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) requests: u64,
    pub(crate) retries: u64,
}

/// The reason why there is no completion.
#[derive(Debug)]
pub(crate) enum AskError {
    /// No other record would fare better.
    Fatal(PromptError),
    /// The record has none, in words.
    Record(String),
}

/// A failure of one request.
enum Failed {
    /// It may pass, after the time that the server asks for.
    Passing {
        reason: String,
        wait: Option<Duration>,
    },
    /// There was no connection.
    NoConnection(String),
    Lasting(AskError),
}

impl Client {
    /// A client of an endpoint over `network`, whose proxy is left out where the endpoint is on this machine.
    ///
    /// # Errors
    /// The way to the network cannot be set up.
    pub fn new(
        endpoint: Endpoint,
        key: Option<Key>,
        network: &Network,
        patience: Patience,
    ) -> Result<Self, PromptError> {
        let mut network = network.clone();
        network.timeouts.response = patience.timeout;
        network.timeouts.stall = patience.timeout;
        if endpoint.is_loopback() {
            (network.http_proxy, network.https_proxy) = (None, None);
        }
        Ok(Self {
            agent: network.agent(endpoint.scheme())?,
            endpoint,
            key,
            user_agent: network.user_agent,
            patience,
            pace: Pace::new(patience.interval),
            has_replied: AtomicBool::new(false),
        })
    }

    /// The completion that answers a request.
    pub(crate) fn ask(&self, body: &[u8], sent: &mut Sent) -> Result<Completion, AskError> {
        let mut retries = 0;
        loop {
            self.pace.wait();
            sent.requests = sent.requests.saturating_add(1);
            let (reason, asked, is_connected) = match self.once(body) {
                Ok(completion) => return Ok(completion),
                Err(Failed::Lasting(error)) => return Err(error),
                Err(Failed::Passing { reason, wait }) => (reason, wait, true),
                Err(Failed::NoConnection(reason)) => (reason, None, false),
            };
            let doubled = self.patience.first_wait.saturating_mul(1 << retries.min(16));
            let wait = asked.unwrap_or(doubled.min(LONGEST_OWN_WAIT));
            if retries >= self.patience.retries || wait > LONGEST_WAIT {
                let is_lost = !is_connected && !self.has_replied.load(Ordering::Relaxed);
                let address = self.endpoint.to_string();
                return Err(match is_lost {
                    true => AskError::Fatal(PromptError::Unreachable { address, reason }),
                    false => AskError::Record(reason),
                });
            }
            retries = retries.saturating_add(1);
            sent.retries = sent.retries.saturating_add(1);
            match asked {
                // The server means all requests.
                Some(wait) => self.pace.hold(wait),
                None => std::thread::sleep(wait),
            }
        }
    }

    fn once(&self, body: &[u8]) -> Result<Completion, Failed> {
        let mut request = self
            .agent
            .post(self.endpoint.uri())
            .header("user-agent", &self.user_agent)
            .header("content-type", "application/json")
            .header("accept", "application/json")
            .header("accept-encoding", "identity");
        if let Some(key) = &self.key {
            request = request.header("authorization", key.bearer());
        }
        let request = request.config().timeout_global(Some(self.patience.timeout)).build();
        let mut answer = request.send(body).map_err(|error| unsent(&error))?;
        self.has_replied.store(true, Ordering::Relaxed);
        let status = answer.status();
        match status {
            StatusCode::OK => completion(&mut answer),
            _ if status.is_redirection() => Err(self.redirected(answer.headers())),
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => Err(busy(&mut answer)),
            _ if status.is_server_error() => Err(busy(&mut answer)),
            StatusCode::UNAUTHORIZED
            | StatusCode::FORBIDDEN
            | StatusCode::NOT_FOUND
            | StatusCode::METHOD_NOT_ALLOWED
            | StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
                let (address, status) = (self.endpoint.to_string(), status.as_u16());
                let message = message_of(&mut answer);
                Err(Failed::Lasting(AskError::Fatal(PromptError::Refused { address, status, message })))
            }
            _ => {
                let reason = status_of(&mut answer);
                Err(Failed::Lasting(AskError::Record(reason)))
            }
        }
    }

    fn redirected(&self, headers: &HeaderMap) -> Failed {
        let to = text_of(headers, "location").map_or_else(
            || "an address that it does not name".to_owned(),
            |to| shown(to.split('?').next().unwrap_or_default()),
        );
        Failed::Lasting(AskError::Fatal(PromptError::Redirect { from: self.endpoint.to_string(), to }))
    }
}

/// The failure of a request that got no answer.
fn unsent(error: &ureq::Error) -> Failed {
    match error {
        ureq::Error::Timeout(_) => {
            Failed::Passing { reason: format!("the endpoint took too long ({error})"), wait: None }
        }
        other => Failed::NoConnection(other.to_string()),
    }
}

/// An answer that asks for patience.
fn busy(answer: &mut Response<Body>) -> Failed {
    let wait = text_of(answer.headers(), "retry-after").and_then(|text| retry_after(text.trim()));
    Failed::Passing { reason: status_of(answer), wait }
}

/// The time that a server asks for, in seconds or as a date.
fn retry_after(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.parse::<u32>() {
        return Some(Duration::from_secs(seconds.into()));
    }
    let date = SystemTime::from(rfc2822::parse(text).ok()?.timestamp());
    Some(date.duration_since(SystemTime::now()).unwrap_or_default())
}

/// The status with the endpoint's message.
fn status_of(answer: &mut Response<Body>) -> String {
    let status = answer.status().as_u16();
    let message = message_of(answer).map(|message| format!(": {message}")).unwrap_or_default();
    format!("the endpoint answers with status {status}{message}")
}

#[derive(Deserialize)]
struct ErrorReply {
    error: ErrorItem,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum ErrorItem {
    Object { message: String },
    Text(String),
}

/// The message of an error, as far as the endpoint gives one.
fn message_of(answer: &mut Response<Body>) -> Option<String> {
    let bytes = body(answer).ok()?;
    let error: ErrorReply = serde_json::from_slice(&bytes).ok()?;
    let (ErrorItem::Object { message } | ErrorItem::Text(message)) = error.error;
    Some(shown(&message)).filter(|message| !message.is_empty())
}

#[derive(Deserialize)]
struct Completed {
    choices: Vec<Choice>,
    usage: Option<Usage>,
}

#[derive(Deserialize)]
struct Choice {
    message: Message,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Message {
    content: Option<String>,
}

#[derive(Deserialize)]
struct Usage {
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
}

/// Reads the completion of an answer.
fn completion(answer: &mut Response<Body>) -> Result<Completion, Failed> {
    let passing = |reason: String| Failed::Passing { reason, wait: None };
    if let Some(kind) = text_of(answer.headers(), "content-type").filter(|kind| !kind.contains("json")) {
        return Err(passing(format!("the endpoint answers with {:?} in place of JSON", shown(kind))));
    }
    let bytes = body(answer)?;
    let completed: Completed = serde_json::from_slice(&bytes).map_err(|error| {
        passing(format!("the endpoint answers with something else than a completion: {error}"))
    })?;
    let choice = completed.choices.into_iter().next();
    let choice = choice.ok_or_else(|| passing("the endpoint answers with no choice".to_owned()))?;
    let usage = completed.usage;
    Ok(Completion {
        content: choice.message.content.unwrap_or_default(),
        finish_reason: choice.finish_reason,
        prompt_tokens: usage.as_ref().and_then(|usage| usage.prompt_tokens),
        completion_tokens: usage.as_ref().and_then(|usage| usage.completion_tokens),
    })
}

/// The body of an answer, within its bounds.
fn body(answer: &mut Response<Body>) -> Result<Vec<u8>, Failed> {
    let expected = answer.body().content_length();
    let mut bytes = Vec::new();
    let reader = answer.body_mut().with_config().limit(u64::MAX).reader();
    let read = reader.take(LONGEST_REPLY.saturating_add(1)).read_to_end(&mut bytes);
    let passing = |reason: String| Failed::Passing { reason, wait: None };
    read.map_err(|error| passing(format!("the reply was cut: {error}")))?;
    let length = bytes.len() as u64;
    if length > LONGEST_REPLY {
        let reason = format!("the reply is longer than {LONGEST_REPLY} bytes");
        return Err(Failed::Lasting(AskError::Record(reason)));
    }
    if expected.is_some_and(|expected| expected != length) {
        return Err(passing("the reply was cut: the server closed the connection".to_owned()));
    }
    Ok(bytes)
}

fn text_of<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_of_a_server_is_read_in_both_forms() {
        assert_eq!(retry_after("7"), Some(Duration::from_secs(7)));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::ZERO));
        let later = jiff::Timestamp::now().checked_add(jiff::SignedDuration::from_secs(100)).unwrap();
        let wait =
            retry_after(&rfc2822::to_string(&later.to_zoned(jiff::tz::TimeZone::UTC)).unwrap()).unwrap();
        assert!((90..=100).contains(&wait.as_secs()), "{wait:?}");
        assert_eq!(retry_after("soon"), None);
    }
}
