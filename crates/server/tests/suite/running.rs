//! A server for tests, and requests to it as bytes.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::channel;
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::oneshot;
use vulnlens_server::{Model, Server, Settings};

pub(crate) const SQLI: &str = "SQL injection in login.php allows remote attackers to read the users table";

/// A server on a free port, on a thread of its own.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    /// The embedded model, with settings changed.
    pub(crate) fn new(change: impl FnOnce(&mut Settings)) -> Self {
        Self::with(|| Model::new("fast", vulnlens::embedded()), change)
    }

    /// A model with settings changed.
    pub(crate) fn with(
        model: impl FnOnce() -> Model + Send + 'static,
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        let mut settings = Settings::default();
        settings.patience = Duration::from_secs(2);
        settings.threads = 2;
        change(&mut settings);
        let (stop, stopped) = oneshot::channel();
        let (told, address) = channel();
        let thread = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(async move {
                let address = "127.0.0.1:0".parse().unwrap();
                let server = Server::bind(address, vec![model()], settings).await.unwrap();
                told.send(server.address().unwrap()).unwrap();
                server.run(async { stopped.await.unwrap_or(()) }).await;
            });
        });
        let address = address.recv().unwrap();
        Self { address, stop: Some(stop), thread: Some(thread) }
    }

    /// Sends bytes and gives all that comes until the server closes.
    pub(crate) fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        // The server may refuse a request before it has come whole.
        let _ = stream.write_all(bytes);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Sends a request; gives the status, the head and the body.
    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> (u16, String, String) {
        let mut head =
            format!("{method} {path} HTTP/1.1\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            head += &format!("Host: {}\r\n", self.address);
        }
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        parsed(&self.raw(&[head.as_bytes(), b"\r\n", body].concat()))
    }

    /// Posts JSON; gives the status and the answer.
    pub(crate) fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let kind = [("Content-Type", "application/json")];
        let (status, _, body) = self.send("POST", path, &kind, body.to_string().as_bytes());
        (status, serde_json::from_str(&body).unwrap_or(Value::Null))
    }

    pub(crate) fn get(&self, path: &str) -> (u16, String) {
        let (status, _, body) = self.send("GET", path, &[], b"");
        (status, body)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

/// The content of a body in chunks.
fn dechunked(mut body: &str) -> String {
    let mut out = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap();
        out += &rest[..size];
        body = &rest[(size + 2).min(rest.len())..];
    }
    out
}

/// The status, the head and the body of an answer.
pub(crate) fn parsed(answer: &str) -> (u16, String, String) {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((answer, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    let is_chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
    (status, head.to_owned(), if is_chunked { dechunked(body) } else { body.to_owned() })
}
