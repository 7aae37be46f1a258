//! The protocol on a stream of lines: a message each, in both directions.
//!
//! Unlike the transport that `rmcp` brings, it answers lines that are not messages, bounds their length by the
//! caller's limit, and at the end of the input waits for the answers to all that was asked: `vulnlens mcp <
//! calls.jsonl` loses none.

use std::collections::HashSet;
use std::io;
use std::sync::{Arc, Mutex as StdMutex, PoisonError};

use rmcp::RoleServer;
use rmcp::model::{
    ClientJsonRpcMessage, ClientNotification, ErrorData, JsonRpcMessage, RequestId, ServerJsonRpcMessage,
};
use rmcp::transport::Transport;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::sync::{Mutex, Notify};
use tokio::task::JoinHandle;

/// A stream of lines, in both directions.
pub(crate) struct Lines<R, W> {
    input: BufReader<R>,
    output: Arc<Mutex<W>>,
    most_bytes: usize,
    /// The part of a line that has come.
    line: Vec<u8>,
    /// True while the rest of a line that is too long is passed over.
    is_too_long: bool,
    /// True from the first request on: what comes before it has no meaning.
    has_begun: bool,
    open: Arc<Open>,
    /// The error that is being written; nothing is read until it is.
    refusing: Option<JoinHandle<()>>,
}

/// The requests that wait for their answers.
#[derive(Default)]
struct Open {
    ids: StdMutex<HashSet<RequestId>>,
    changed: Notify,
}

impl Open {
    fn ids(&self) -> std::sync::MutexGuard<'_, HashSet<RequestId>> {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn close(&self, id: &RequestId) {
        self.ids().remove(id);
        self.changed.notify_one();
    }
}

/// The next line of the input.
enum Line {
    Whole,
    TooLong,
    End,
}

impl<R: AsyncRead + Send + Unpin, W: AsyncWrite + Send + Unpin + 'static> Lines<R, W> {
    pub(crate) fn new(input: R, output: W, most_bytes: usize) -> Self {
        Self {
            input: BufReader::new(input),
            output: Arc::new(Mutex::new(output)),
            most_bytes,
            line: Vec::new(),
            is_too_long: false,
            has_begun: false,
            open: Arc::default(),
            refusing: None,
        }
    }

    /// Reads on to the end of a line. Nothing is lost where the future is dropped: bytes move from the buffer to the
    /// line without a pause between.
    async fn read(&mut self) -> Line {
        loop {
            let Ok(available) = self.input.fill_buf().await else { return Line::End };
            if available.is_empty() {
                // A last line may lack its line feed.
                return if self.line.is_empty() { Line::End } else { Line::Whole };
            }
            let (part, ends) = match available.iter().position(|byte| *byte == b'\n') {
                Some(end) => (available.get(..end).unwrap_or_default(), true),
                None => (available, false),
            };
            let used = part.len().saturating_add(usize::from(ends));
            let was_too_long = self.is_too_long;
            let is_too_long = was_too_long || self.line.len().saturating_add(part.len()) > self.most_bytes;
            if is_too_long {
                self.line.clear();
            } else {
                self.line.extend_from_slice(part);
            }
            self.input.consume(used);
            self.is_too_long = is_too_long && !ends;
            match (is_too_long, ends) {
                (true, _) if !was_too_long => return Line::TooLong,
                (false, true) => return Line::Whole,
                _ => {}
            }
        }
    }

    /// The message of the line, or the error that it is answered with; nothing for a line that is passed over.
    fn message(&mut self) -> Option<Result<ClientJsonRpcMessage, ServerJsonRpcMessage>> {
        let line = std::mem::take(&mut self.line);
        let line = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&line).trim_ascii();
        if line.is_empty() {
            return None;
        }
        let message = match serde_json::from_slice(line) {
            Ok(message) => message,
            Err(_) => return refusal(line).map(Err),
        };
        match &message {
            JsonRpcMessage::Request(request) => {
                self.has_begun = true;
                self.open.ids().insert(request.id.clone());
            }
            JsonRpcMessage::Notification(notification) => {
                // A request that is taken back is not answered.
                if let ClientNotification::CancelledNotification(cancelled) = &notification.notification {
                    cancelled.params.request_id.iter().for_each(|id| self.open.close(id));
                }
            }
            _ => {}
        }
        self.has_begun.then_some(Ok(message))
    }

    /// Begins to write an error.
    fn refuse(&mut self, error: ServerJsonRpcMessage) {
        let output = Arc::clone(&self.output);
        self.refusing = Some(tokio::spawn(async move {
            // A client that went away does not hear of it.
            let _ = write(&output, &error).await;
        }));
    }
}

/// The error that a line which is not a message is answered with; none for a notification that the protocol lacks.
fn refusal(line: &[u8]) -> Option<ServerJsonRpcMessage> {
    let Ok(value) = serde_json::from_slice::<Value>(line) else {
        let error =
            ErrorData::parse_error("the line is not JSON; write each message on a line of its own", None);
        return Some(ServerJsonRpcMessage::error(error, None));
    };
    let id = value.get("id").and_then(|id| serde_json::from_value(id.clone()).ok());
    if value.get("method").is_some() && value.get("id").is_none() {
        return None;
    }
    let message = "the line is not a message of the protocol; a request has jsonrpc, id, method and params";
    Some(ServerJsonRpcMessage::error(ErrorData::invalid_request(message, None), id))
}

async fn write<W: AsyncWrite + Unpin>(
    output: &Mutex<W>,
    message: &ServerJsonRpcMessage,
) -> Result<(), io::Error> {
    let mut bytes = serde_json::to_vec(message)?;
    bytes.push(b'\n');
    let mut output = output.lock().await;
    output.write_all(&bytes).await?;
    output.flush().await
}

impl<R, W> Transport<RoleServer> for Lines<R, W>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    type Error = io::Error;

    fn send(
        &mut self,
        message: ServerJsonRpcMessage,
    ) -> impl Future<Output = Result<(), io::Error>> + Send + 'static {
        let (output, open) = (Arc::clone(&self.output), Arc::clone(&self.open));
        async move {
            let written = write(&output, &message).await;
            match &message {
                JsonRpcMessage::Response(response) => open.close(&response.id),
                JsonRpcMessage::Error(error) => error.id.iter().for_each(|id| open.close(id)),
                _ => {}
            }
            written
        }
    }

    async fn receive(&mut self) -> Option<ClientJsonRpcMessage> {
        loop {
            if let Some(refusing) = &mut self.refusing {
                let _ = refusing.await;
                self.refusing = None;
            }
            match self.read().await {
                Line::Whole => match self.message() {
                    Some(Ok(message)) => return Some(message),
                    Some(Err(error)) => self.refuse(error),
                    None => {}
                },
                Line::TooLong => {
                    let message =
                        format!("the message is longer than {} bytes; ask less at once", self.most_bytes);
                    self.refuse(ServerJsonRpcMessage::error(ErrorData::invalid_request(message, None), None));
                }
                Line::End => {
                    while !self.open.ids().is_empty() {
                        self.open.changed.notified().await;
                    }
                    return None;
                }
            }
        }
    }

    async fn close(&mut self) -> Result<(), io::Error> {
        self.output.lock().await.flush().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The messages of an input, and the lines that were written.
    fn read(input: &[u8], most_bytes: usize) -> (usize, Vec<Value>) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut lines = Lines::new(io::Cursor::new(input.to_vec()), Vec::new(), most_bytes);
            let mut count = 0;
            while let Some(message) = lines.receive().await {
                count += 1;
                if let JsonRpcMessage::Request(request) = message {
                    lines.open.close(&request.id);
                }
            }
            let written = lines.output.lock().await.clone();
            let written = String::from_utf8(written).unwrap();
            (count, written.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
        })
    }

    const PING: &str = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;

    #[test]
    fn lines_that_are_not_messages_are_answered_and_cost_no_other() {
        let input = format!("not json\n\n{PING}\n[1]\n{{\"id\":7,\"x\":1}}\n{{\"method\":\"$/lsp\"}}\n");
        let (count, written) = read(&[input.as_bytes(), b"\xFF\n", PING.as_bytes()].concat(), 1_000);
        assert_eq!(count, 2);
        let codes: Vec<&Value> = written.iter().map(|error| &error["error"]["code"]).collect();
        assert_eq!(codes, [-32700, -32600, -32600, -32700]);
        assert_eq!(written.get(2).unwrap()["id"], 7);
    }

    #[test]
    fn a_line_is_bounded() {
        let long = format!("{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"{}\"}}", "x".repeat(20_000));
        let (count, written) = read(format!("{long}\n{PING}\n{long}").as_bytes(), 100);
        assert_eq!((count, written.len()), (1, 2));
        assert!(written.iter().all(|error| error["error"]["code"] == -32600), "{written:?}");
    }

    #[test]
    fn nothing_is_taken_in_before_the_first_request() {
        let notification = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
        assert_eq!(read(format!("{notification}\n{PING}\n{notification}\n").as_bytes(), 100).0, 2);
    }
}
