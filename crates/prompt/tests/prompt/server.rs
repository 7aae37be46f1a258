//! An endpoint on this machine alone, that answers as a test has it.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) path: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Value,
    pub(crate) at: Instant,
}

impl Seen {
    /// The contents of the messages.
    pub(crate) fn messages(&self) -> Vec<&str> {
        let messages = self.body["messages"].as_array().unwrap();
        messages.iter().map(|message| message["content"].as_str().unwrap()).collect()
    }

    /// The ids that the schema allows.
    pub(crate) fn ids(&self) -> Vec<&str> {
        let schema = &self.body["response_format"]["json_schema"]["schema"];
        let ids = schema["properties"]["labels"]["items"]["properties"]["id"]["enum"].as_array().unwrap();
        ids.iter().map(|id| id.as_str().unwrap()).collect()
    }
}

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    /// The length that is said, where it is not that of the body.
    length: Option<usize>,
    /// The pause before anything is answered.
    pause: Duration,
}

impl Reply {
    pub(crate) fn status(status: u16) -> Self {
        Self { status, headers: vec![], body: vec![], length: None, pause: Duration::ZERO }
    }

    pub(crate) fn body(body: impl Into<Vec<u8>>) -> Self {
        let plain = Self { body: body.into(), ..Self::status(200) };
        plain.header("Content-Type", "application/json")
    }

    /// A completion with this content.
    pub(crate) fn content(content: &str) -> Self {
        Self::finished(content, "stop")
    }

    pub(crate) fn finished(content: &str, finish_reason: &str) -> Self {
        let message = json!({"role": "assistant", "content": content});
        let choice = json!({"index": 0, "message": message, "finish_reason": finish_reason});
        let usage = json!({"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110});
        Self::body(json!({"object": "chat.completion", "choices": [choice], "usage": usage}).to_string())
    }

    /// A completion with these labels.
    pub(crate) fn labels(ids: &[&str]) -> Self {
        let labels: Vec<Value> = ids.iter().map(|id| json!({"id": id})).collect();
        Self::content(&json!({ "labels": labels }).to_string())
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl ToString) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }

    pub(crate) fn with_body(self, body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..self }
    }

    /// The answer whose body ends before the length that it says.
    pub(crate) fn cut(self) -> Self {
        let length = Some(self.body.len());
        let body = self.body.get(..self.body.len() / 2).unwrap().to_vec();
        Self { body, length, ..self }
    }

    pub(crate) fn after(self, pause: Duration) -> Self {
        Self { pause, ..self }
    }
}

/// A running server; stops when dropped.
pub(crate) struct Server {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts a server that answers each request, the number of which comes first.
    pub(crate) fn start(answer: impl Fn(usize, &Seen) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (seen, stop) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let (log, stopped, answer) = (Arc::clone(&seen), Arc::clone(&stop), Arc::new(answer));
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                let (log, answer) = (Arc::clone(&log), Arc::clone(&answer));
                // A client that hangs up is part of some tests.
                let _ = stream.map(|stream| {
                    std::thread::spawn(move || {
                        let (mut stream, request) = read(stream)?;
                        let number = {
                            let mut log = log.lock().unwrap();
                            log.push(request.clone());
                            log.len() - 1
                        };
                        write(&mut stream, &answer(number, &request)).ok()
                    })
                });
            }
        });
        Self { address, seen, stop, thread: Some(thread) }
    }

    /// The address of the endpoint.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// The requests so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn read(stream: TcpStream) -> Option<(TcpStream, Seen)> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let path = line.split_whitespace().nth(1)?.to_owned();
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim().split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let mut body = vec![0; headers.get("content-length")?.parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    let body = serde_json::from_slice(&body).ok()?;
    Some((reader.into_inner(), Seen { path, headers, body, at: Instant::now() }))
}

fn write(stream: &mut TcpStream, reply: &Reply) -> std::io::Result<()> {
    std::thread::sleep(reply.pause);
    let length = reply.length.unwrap_or(reply.body.len());
    let mut head =
        format!("HTTP/1.1 {} X\r\nConnection: close\r\nContent-Length: {length}\r\n", reply.status);
    for (name, value) in &reply.headers {
        head += &format!("{name}: {value}\r\n");
    }
    stream.write_all((head + "\r\n").as_bytes())?;
    stream.write_all(&reply.body)?;
    stream.flush()
}
