//! A server at work: connections in, answers out, and a stop that finishes what was begun.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tower_http::timeout::RequestBodyTimeoutLayer;

use crate::app::App;
use crate::model::{Model, Reopen, watch};
use crate::routes::router;
use crate::settings::Settings;

/// Most bytes of the head of a request.
const HEAD_BYTES: usize = 32 << 10;
/// The time between two tries where a connection could not be taken: too many files are open.
const PAUSE: Duration = Duration::from_millis(50);

/// The reason why a server does not begin.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// The address cannot be listened on.
    #[error("{address}: cannot be listened on: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The system's words.
        source: io::Error,
    },
    /// There is no model to answer.
    #[error("there is no model to serve")]
    NoModel,
}

/// A server that listens.
pub struct Server {
    listener: TcpListener,
    router: Router,
    settings: Settings,
    app: Arc<App>,
    /// The models that may change.
    watched: Vec<(String, Reopen)>,
}

impl Server {
    /// Listens on an address, to answer with these models: the first is the one that answers where a request names none.
    /// Port 0 is any that is free.
    ///
    /// # Errors
    /// The address cannot be listened on, or there is no model.
    pub async fn bind(
        address: SocketAddr,
        models: Vec<Model>,
        settings: Settings,
    ) -> Result<Self, BindError> {
        let mut watched = vec![];
        let models = models.into_iter().map(|Model { name, classifier, reopen }| {
            watched.extend(reopen.map(|reopen| (name.clone(), reopen)));
            (name, classifier)
        });
        let models = models.collect();
        let app = Arc::new(App::new(models, settings.clone()).ok_or(BindError::NoModel)?);
        let listener = TcpListener::bind(address).await;
        let listener = listener.map_err(|source| BindError::Listen { address, source })?;
        let router = router(&app).layer(RequestBodyTimeoutLayer::new(settings.patience));
        Ok(Self { listener, router, settings, app, watched })
    }

    /// The address that it listens on.
    ///
    /// # Errors
    /// The system does not say.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers until `stop` is done; then takes no more connections, answers the requests that were begun, and ends.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let Self { listener, router, settings, app, watched } = self;
        let watch = tokio::spawn(watch(app, watched));
        let connections = Arc::new(Semaphore::new(settings.connections.min(Semaphore::MAX_PERMITS)));
        let graceful = GracefulShutdown::new();
        let mut stop = std::pin::pin!(stop);
        loop {
            let permit = tokio::select! {
                permit = Arc::clone(&connections).acquire_owned() => permit,
                () = &mut stop => break,
            };
            // The semaphore is never closed.
            let Ok(permit) = permit else { break };
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = &mut stop => break,
            };
            let stream = match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be taken");
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            };
            let connection = connection(stream, router.clone(), &settings);
            let watched = graceful.watch(connection);
            tokio::spawn(async move {
                // A client that goes away is nobody's fault.
                let _ = watched.await;
                drop(permit);
            });
        }
        drop(listener);
        watch.abort();
        graceful.shutdown().await;
    }
}

type Connection = http1::Connection<TokioIo<TcpStream>, TowerToHyperService<Router>>;

fn connection(stream: TcpStream, router: Router, settings: &Settings) -> Connection {
    // Answers are small, and each is worth sending at once.
    let _ = stream.set_nodelay(true);
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(settings.patience)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
}
