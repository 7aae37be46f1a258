//! Settings from the variables that huggingface_hub reads, with its order and its meaning.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use vulnlens_files::{Classified, ErrorKind};

use crate::endpoint::{Endpoint, EndpointError};
use crate::proxy::{Proxy, ProxyError};
use crate::settings::{Settings, Timeouts};
use crate::token::{Token, TokenError};

/// A variable or file that cannot be used, and the reason. No value that may be secret is repeated.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// Nothing says where the cache is.
    #[error("no home folder is known: set HF_HOME or HF_HUB_CACHE to say where models are kept")]
    NoHome,
    /// A variable is not Unicode.
    #[error("the variable {0} is not valid Unicode")]
    NotUnicode(&'static str),
    /// `HF_ENDPOINT` is not an address.
    #[error("HF_ENDPOINT is `{value}`: {source}")]
    Endpoint {
        /// The value.
        value: String,
        /// The expected form.
        source: EndpointError,
    },
    /// A time-out is not a number.
    #[error("{name} is `{value}`: expected a whole number of seconds above 0")]
    Seconds {
        /// The variable.
        name: &'static str,
        /// Its value.
        value: String,
    },
    /// The token cannot be one.
    #[error("{origin}: {source}")]
    Token {
        /// The variable or file.
        origin: String,
        /// The problem.
        source: TokenError,
    },
    /// The token file exists but cannot be read.
    #[error("cannot read the token file {}: {source}", path.display())]
    TokenFile {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The proxy is not an address.
    #[error("{name}: {source}")]
    Proxy {
        /// The variable.
        name: &'static str,
        /// The expected form.
        source: ProxyError,
    },
}

impl Classified for SettingsError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Unavailable
    }
}

impl Settings {
    /// Settings as huggingface_hub derives them from the environment, which `lookup` reads; `home` is the
    /// user's home folder. A variable that is set but empty counts as unset.
    ///
    /// | for | first that is set |
    /// |---|---|
    /// | cache | `HF_HUB_CACHE`, `HUGGINGFACE_HUB_CACHE`, `HF_HOME/hub`, `XDG_CACHE_HOME/huggingface/hub`, `~/.cache/huggingface/hub` |
    /// | token, unless `HF_HUB_DISABLE_IMPLICIT_TOKEN` | `HF_TOKEN`, `HUGGING_FACE_HUB_TOKEN`, the file `HF_TOKEN_PATH`, the file `HF_HOME/token` |
    /// | endpoint | `HF_ENDPOINT` |
    /// | offline | `HF_HUB_OFFLINE`, `TRANSFORMERS_OFFLINE`: `1`, `ON`, `YES` or `TRUE` in any case |
    /// | seconds to wait | `HF_HUB_ETAG_TIMEOUT` (headers), `HF_HUB_DOWNLOAD_TIMEOUT` (next bytes) |
    /// | root certificates | `REQUESTS_CA_BUNDLE`, `CURL_CA_BUNDLE`, `SSL_CERT_FILE` where it is a file |
    /// | proxy | `https_proxy`, `HTTPS_PROXY` (`http_…` for an `http` endpoint), `all_proxy`, `ALL_PROXY`; exceptions in `no_proxy`, `NO_PROXY` |
    ///
    /// A `~` at the beginning and `$NAME` or `${NAME}` inside a folder's path are expanded.
    ///
    /// # Errors
    /// When a variable is malformed, the token file cannot be read, or no folder for the cache is known.
    pub fn from_variables(
        lookup: impl Fn(&str) -> Option<OsString>,
        home: Option<PathBuf>,
    ) -> Result<Self, SettingsError> {
        let variables = Variables::new(lookup, home);
        let mut settings = Self::new(variables.cache()?);
        settings.endpoint = variables.endpoint()?;
        settings.offline = variables.offline();
        settings.token = variables.token()?;
        settings.timeouts = variables.timeouts()?;
        settings.proxy = variables.proxy(&settings.endpoint.origin().scheme)?;
        settings.certificates = variables.certificates();
        Ok(settings)
    }
}

/// The environment, and the home folder that paths in it may begin at.
pub(crate) struct Variables<F> {
    lookup: F,
    home: Option<PathBuf>,
}

impl<F: Fn(&str) -> Option<OsString>> Variables<F> {
    pub(crate) fn new(lookup: F, home: Option<PathBuf>) -> Self {
        Self { lookup, home }
    }

    fn raw(&self, name: &str) -> Option<OsString> {
        (self.lookup)(name).filter(|value| !value.is_empty())
    }

    fn text(&self, name: &'static str) -> Result<Option<String>, SettingsError> {
        let value = self.raw(name).map(OsString::into_string).transpose();
        value.map_err(|_| SettingsError::NotUnicode(name))
    }

    /// The first of `names` that is set.
    fn first(&self, names: &[&'static str]) -> Result<Option<(&'static str, String)>, SettingsError> {
        for &name in names {
            if let Some(value) = self.text(name)? {
                return Ok(Some((name, value)));
            }
        }
        Ok(None)
    }

    fn is_true(&self, name: &str) -> bool {
        let truths = ["1", "ON", "YES", "TRUE"];
        self.raw(name).is_some_and(|value| truths.iter().any(|truth| value.eq_ignore_ascii_case(truth)))
    }

    /// `HF_HUB_OFFLINE` decides alone where it is set, be it to `0`.
    pub(crate) fn offline(&self) -> bool {
        let name =
            if self.raw("HF_HUB_OFFLINE").is_some() { "HF_HUB_OFFLINE" } else { "TRANSFORMERS_OFFLINE" };
        self.is_true(name)
    }

    fn folder(&self, name: &str) -> Option<PathBuf> {
        self.raw(name).map(|value| self.expand(value))
    }

    /// `~` at the beginning and variables inside, as Python's `expanduser` and `expandvars`; what is unknown
    /// stays as it is.
    fn expand(&self, path: OsString) -> PathBuf {
        let path = match path.into_string() {
            Ok(text) => PathBuf::from(self.expand_variables(&text)),
            Err(path) => PathBuf::from(path),
        };
        match (path.strip_prefix("~"), &self.home) {
            (Ok(rest), Some(home)) => home.join(rest),
            _ => path,
        }
    }

    fn expand_variables(&self, text: &str) -> String {
        let mut pieces = text.split('$');
        let mut expanded = pieces.next().unwrap_or_default().to_owned();
        for piece in pieces {
            let (name, rest) = match piece.strip_prefix('{').and_then(|piece| piece.split_once('}')) {
                Some(braced) => braced,
                None => piece.split_at(
                    piece.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(piece.len()),
                ),
            };
            match self.raw(name).and_then(|value| value.into_string().ok()) {
                Some(value) if !name.is_empty() => expanded.extend([value.as_str(), rest]),
                _ => expanded.extend(["$", piece]),
            }
        }
        expanded
    }

    /// `HF_HOME`, or where it is by default.
    fn hub_home(&self) -> Option<PathBuf> {
        let below = |cache: PathBuf| cache.join("huggingface");
        let default = || self.home.as_ref().map(|home| below(home.join(".cache")));
        self.folder("HF_HOME").or_else(|| self.folder("XDG_CACHE_HOME").map(below)).or_else(default)
    }

    fn cache(&self) -> Result<PathBuf, SettingsError> {
        let named = self.folder("HF_HUB_CACHE").or_else(|| self.folder("HUGGINGFACE_HUB_CACHE"));
        named.or_else(|| self.hub_home().map(|home| home.join("hub"))).ok_or(SettingsError::NoHome)
    }

    fn endpoint(&self) -> Result<Endpoint, SettingsError> {
        match self.text("HF_ENDPOINT")? {
            None => Ok(Endpoint::default()),
            Some(value) => {
                Endpoint::parse(&value).map_err(|source| SettingsError::Endpoint { value, source })
            }
        }
    }

    fn token(&self) -> Result<Option<Token>, SettingsError> {
        if self.is_true("HF_HUB_DISABLE_IMPLICIT_TOKEN") {
            return Ok(None);
        }
        if let Some((name, value)) = self.first(&["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"])? {
            let error = |source| SettingsError::Token { origin: format!("the variable {name}"), source };
            if let Some(token) = Token::parse(&value).map_err(error)? {
                return Ok(Some(token));
            }
        }
        let file = self.folder("HF_TOKEN_PATH").or_else(|| self.hub_home().map(|home| home.join("token")));
        file.map_or(Ok(None), |path| token_file(&path))
    }

    fn seconds(&self, name: &'static str, default: Duration) -> Result<Duration, SettingsError> {
        let Some(value) = self.text(name)? else { return Ok(default) };
        match value.trim().parse::<u32>() {
            Ok(seconds) if seconds > 0 => Ok(Duration::from_secs(seconds.into())),
            _ => Err(SettingsError::Seconds { name, value }),
        }
    }

    fn timeouts(&self) -> Result<Timeouts, SettingsError> {
        let usual = Timeouts::default();
        let response = self.seconds("HF_HUB_ETAG_TIMEOUT", usual.response)?;
        let stall = self.seconds("HF_HUB_DOWNLOAD_TIMEOUT", usual.stall)?;
        Ok(Timeouts { response, stall, ..usual })
    }

    /// The proxy for addresses of a scheme.
    pub(crate) fn proxy(&self, scheme: &str) -> Result<Option<Proxy>, SettingsError> {
        let names = match scheme {
            "http" => ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"],
            _ => ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"],
        };
        let Some((name, address)) = self.first(&names)? else { return Ok(None) };
        let exceptions = self.first(&["no_proxy", "NO_PROXY"])?.map(|(_, value)| value).unwrap_or_default();
        let proxy = Proxy::parse(&address, &exceptions);
        proxy.map(Some).map_err(|source| SettingsError::Proxy { name, source })
    }

    pub(crate) fn certificates(&self) -> Option<PathBuf> {
        let named = ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"].into_iter().find_map(|name| self.folder(name));
        named.or_else(|| self.folder("SSL_CERT_FILE")).filter(|path| !path.is_dir())
    }
}

fn token_file(path: &Path) -> Result<Option<Token>, SettingsError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Token::parse(&text).map_err(|source| SettingsError::Token {
            origin: format!("the token file {}", path.display()),
            source,
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(SettingsError::TokenFile { path: path.to_owned(), source }),
    }
}
