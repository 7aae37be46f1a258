//! Requests to the hub: the token goes to the endpoint's origin and nowhere else, redirects are followed here.

use std::path::PathBuf;

use ureq::http::{HeaderMap, Response, StatusCode, Uri};
use ureq::{Agent, Body, ResponseExt};

use crate::endpoint::{Endpoint, Origin, percent_encode, redirected};
use crate::error::{HubError, boxed};
use crate::id::{Commit, HubId};
use crate::metadata::{Gathered, Metadata};
use crate::network::agent;
use crate::settings::Settings;
use crate::token::Token;

/// A hub uses two.
const MAX_REDIRECTS: usize = 10;
/// The list of a repository's files; the longest on the hub are a few MB.
const MAX_LISTING_BYTES: u64 = 64 << 20;

/// One hub, for one repository at a revision.
#[derive(Debug)]
pub(crate) struct Client {
    agent: Agent,
    endpoint: Endpoint,
    token: Option<Token>,
    user_agent: String,
    cache: PathBuf,
}

/// The hub's answer about a repository at a revision.
#[derive(Debug)]
pub(crate) struct Listing {
    pub(crate) commit: Commit,
    pub(crate) files: Vec<String>,
}

#[derive(serde::Deserialize)]
struct ModelInfo {
    sha: String,
    #[serde(default)]
    siblings: Vec<Sibling>,
}

#[derive(serde::Deserialize)]
struct Sibling {
    rfilename: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Method {
    Get,
    Head,
}

impl Client {
    pub(crate) fn new(settings: &Settings) -> Result<Self, HubError> {
        Ok(Self {
            agent: agent(settings.timeouts, settings.proxy.as_ref(), settings.certificates.as_deref())?,
            endpoint: settings.endpoint.clone(),
            token: settings.token.clone(),
            user_agent: settings.user_agent.clone(),
            cache: settings.cache.clone(),
        })
    }

    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The commit that the revision is at, and the names of its files.
    pub(crate) fn listing(&self, id: &HubId) -> Result<Listing, HubError> {
        let path = format!("api/models/{}/revision/{}", id.repo, id.revision.url_segment());
        let uri = self.uri(&path)?;
        let mut answer = self.follow(id, Method::Get, uri.clone(), 0, |_, _| false)?;
        if !answer.status().is_success() {
            return Err(self.refusal(id, None, &answer));
        }
        let body = answer.body_mut().with_config().limit(MAX_LISTING_BYTES).read_to_vec();
        let body = body.map_err(|error| self.unreachable(id, &uri, &error))?;
        let info: ModelInfo =
            serde_json::from_slice(&body).map_err(|error| HubError::not_a_hub(&uri, &error.to_string()))?;
        let commit =
            Commit::parse(&info.sha).ok_or_else(|| HubError::not_a_hub(&uri, "`sha` is not a commit id"))?;
        Ok(Listing { commit, files: info.siblings.into_iter().map(|sibling| sibling.rfilename).collect() })
    }

    /// The name of `file` by its bytes, and its length. A redirect to the storage of the bytes is not followed when
    /// the hub has already said both.
    pub(crate) fn metadata(&self, id: &HubId, commit: &Commit, file: &str) -> Result<Metadata, HubError> {
        let uri = self.file_uri(id, commit, file)?;
        let mut gathered = Gathered::default();
        let answer = self.follow(id, Method::Head, uri.clone(), 0, |headers, redirected| {
            gathered.add(headers, !redirected);
            gathered.is_linked()
        })?;
        if !answer.status().is_success() && !answer.status().is_redirection() {
            return Err(self.refusal(id, Some(file), &answer));
        }
        match gathered.commit.as_deref() {
            Some(found) if found == commit.as_str() => {}
            Some(_) => return Err(HubError::not_a_hub(&uri, "X-Repo-Commit is not the commit asked for")),
            None => return Err(HubError::not_a_hub(&uri, "no X-Repo-Commit header")),
        }
        gathered.finish().map_err(|problem| HubError::not_a_hub(&uri, problem))
    }

    /// The bytes of `file`, from byte `from` if the server can (status 206), else from the first (200).
    pub(crate) fn bytes(
        &self,
        id: &HubId,
        commit: &Commit,
        file: &str,
        from: u64,
    ) -> Result<Response<Body>, HubError> {
        let uri = self.file_uri(id, commit, file)?;
        let answer = self.follow(id, Method::Get, uri, from, |_, _| false)?;
        match answer.status() {
            StatusCode::OK | StatusCode::PARTIAL_CONTENT => Ok(answer),
            StatusCode::RANGE_NOT_SATISFIABLE if from > 0 => self.bytes(id, commit, file, 0),
            _ => Err(self.refusal(id, Some(file), &answer)),
        }
    }

    fn uri(&self, path: &str) -> Result<Uri, HubError> {
        let text = format!("{}/{path}", self.endpoint);
        text.parse().map_err(|_| HubError::not_a_hub(&text, "it cannot be asked for that"))
    }

    fn file_uri(&self, id: &HubId, commit: &Commit, file: &str) -> Result<Uri, HubError> {
        self.uri(&format!("{}/resolve/{commit}/{}", id.repo, percent_encode(file, "/")))
    }

    /// The answer to a request after redirects. `enough` sees the headers of every answer, and whether it is a
    /// redirect; a redirect that it says is enough is returned as it is.
    fn follow(
        &self,
        id: &HubId,
        method: Method,
        mut uri: Uri,
        from: u64,
        mut enough: impl FnMut(&HeaderMap, bool) -> bool,
    ) -> Result<Response<Body>, HubError> {
        for _ in 0..=MAX_REDIRECTS {
            let answer = self.ask(method, &uri, from).map_err(|error| self.unreachable(id, &uri, &error))?;
            let is_redirect = answer.status().is_redirection();
            if enough(answer.headers(), is_redirect) || !is_redirect {
                return Ok(answer);
            }
            let target =
                text_of(answer.headers(), "location").and_then(|location| redirected(&uri, location));
            uri = target.ok_or_else(|| HubError::not_a_hub(&uri, "a redirect without a usable address"))?;
        }
        Err(HubError::not_a_hub(&uri, "too many redirects"))
    }

    fn ask(&self, method: Method, uri: &Uri, from: u64) -> Result<Response<Body>, ureq::Error> {
        let mut request = match method {
            Method::Get => self.agent.get(uri),
            Method::Head => self.agent.head(uri),
        };
        request = request.header("user-agent", &self.user_agent).header("accept-encoding", "identity");
        if let Some(token) = self.token.as_ref().filter(|_| self.is_endpoint(uri)) {
            request = request.header("authorization", token.bearer());
        }
        if from > 0 {
            request = request.header("range", format!("bytes={from}-"));
        }
        request.call()
    }

    fn is_endpoint(&self, uri: &Uri) -> bool {
        Origin::of(uri).as_ref() == Some(self.endpoint.origin())
    }

    fn unreachable(&self, id: &HubId, uri: &Uri, error: &ureq::Error) -> HubError {
        HubError::NoConnection {
            id: id.clone(),
            address: uri.authority().map_or_else(|| uri.to_string(), ToString::to_string).into(),
            reason: error.to_string().into(),
            folder: self.cache.join(id.repo.folder_name()).into(),
        }
    }

    /// The error for an answer that is not a success, by the hub's own code for it where it gives one.
    fn refusal(&self, id: &HubId, file: Option<&str>, answer: &Response<Body>) -> HubError {
        let uri = answer.get_uri();
        let (id, endpoint, token) = (id.clone(), boxed(&self.endpoint), self.token.is_some());
        let message = || remark(answer.headers(), "x-error-message");
        let status = answer.status().as_u16();
        if !self.is_endpoint(uri) {
            return HubError::Status { address: address(uri), status, message: None };
        }
        match (text_of(answer.headers(), "x-error-code").unwrap_or_default(), status, file) {
            ("GatedRepo", ..) => HubError::Gated { id, endpoint, token },
            ("RevisionNotFound", ..) => HubError::RevisionNotFound { id, endpoint },
            ("EntryNotFound", _, Some(file)) => HubError::FileNotFound { id, file: file.into() },
            ("RepoNotFound", ..) | (_, 404, None) => HubError::NotFound { id, endpoint, token },
            (_, 404, Some(file)) => HubError::FileNotFound { id, file: file.into() },
            (_, 401 | 403, _) => HubError::Refused { id, endpoint, status, message: message(), token },
            (_, 429, _) => {
                HubError::TooManyRequests { endpoint, retry_after: remark(answer.headers(), "retry-after") }
            }
            _ => HubError::Status { address: address(uri), status, message: message() },
        }
    }
}

/// The address without its query, which may hold a signature.
fn address(uri: &Uri) -> Box<str> {
    uri.to_string().split('?').next().unwrap_or_default().into()
}

fn text_of<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// A header to show to a person: its first printable characters.
fn remark(headers: &HeaderMap, name: &str) -> Option<Box<str>> {
    let text: String = text_of(headers, name)?.chars().filter(|c| !c.is_control()).take(200).collect();
    (!text.is_empty()).then(|| text.into())
}
