//! The tools on a stream of lines.

use std::future::Future;

use rmcp::service::{ServerInitializeError, serve_server_with_ct};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;

use crate::lines::Lines;
use crate::toolbox::Toolbox;

/// The end of a conversation before its time.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The client and the program did not come to terms.
    #[error("the client did not begin as the protocol has it: {0}")]
    Begin(Box<ServerInitializeError>),
    /// A task has stopped.
    #[error("the task that answers has stopped; this is a fault of vulnlens")]
    Stopped,
}

/// Answers the messages of `input` on `output` until the input ends or `stop` is done; what was begun is finished.
///
/// # Errors
/// The client does not begin as the protocol has it, or a task has stopped.
pub async fn serve(
    toolbox: Toolbox,
    input: impl AsyncRead + Send + Unpin + 'static,
    output: impl AsyncWrite + Send + Unpin + 'static,
    stop: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    let token = CancellationToken::new();
    let lines = Lines::new(input, output, toolbox.limits.message_bytes);
    let begun = serve_server_with_ct(toolbox, lines, token.clone());
    let serving = async {
        match begun.await {
            Ok(running) => running.waiting().await.map(drop).map_err(|_| ServeError::Stopped),
            // The input ended, or the stop came, before the client said anything.
            Err(ServerInitializeError::ConnectionClosed(_) | ServerInitializeError::Cancelled) => Ok(()),
            Err(error) => Err(ServeError::Begin(Box::new(error))),
        }
    };
    let mut serving = std::pin::pin!(serving);
    tokio::select! {
        ended = &mut serving => ended,
        () = stop => {
            token.cancel();
            serving.await
        }
    }
}
