//! An S3 server of a few hundred lines that does what a test tells it to: refuses, hangs up, loses its answer, cuts a body, waits.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use chrono::Utc;
use object_store::ObjectStore;
use object_store::aws::AmazonS3Builder;
use sha2::{Digest, Sha256};

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Twist {
    /// It is refused with this status and this code.
    Refuse(u16, &'static str),
    /// It takes effect, and the connection breaks before the answer.
    LoseReply,
    /// Half of the answer's body arrives, and the connection breaks.
    CutBody,
    /// It is answered when the test says [`S3::go_on`].
    Wait,
}

/// A request as a test sees it.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    /// Path without the bucket.
    pub key: String,
    pub query: String,
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
}

impl Request {
    fn parameter(&self, name: &str) -> Option<String> {
        self.query.split('&').find_map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (key == name).then(|| decoded(value))
        })
    }

    /// Whether it creates a file only if there is none.
    pub fn is_create(&self) -> bool {
        self.method == "PUT" && self.headers.contains_key("if-none-match")
    }

    pub fn line(&self) -> String {
        format!("{} {}", self.method, self.key)
    }
}

type Script = Box<dyn FnMut(&Request, &mut BTreeMap<String, Vec<u8>>) -> Option<Twist> + Send>;

#[derive(Default)]
struct State {
    objects: BTreeMap<String, Vec<u8>>,
    uploads: BTreeMap<String, BTreeMap<u32, Vec<u8>>>,
    log: Vec<Request>,
    script: Option<Script>,
    waiting: u32,
    may_go_on: bool,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The server; it ends with the process.
pub struct S3 {
    shared: Arc<Shared>,
    port: u16,
}

impl S3 {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let shared = Arc::new(Shared::default());
        let served = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let shared = Arc::clone(&served);
                std::thread::spawn(move || serve(&shared, &stream));
            }
        });
        Self { shared, port }
    }

    /// The environment in which a command finds it.
    pub fn environment<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command
            .env("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{}", self.port))
            .env("AWS_ALLOW_HTTP", "true")
            .env("AWS_ACCESS_KEY_ID", "AKIAGEHEIM")
            .env("AWS_SECRET_ACCESS_KEY", "geheimer-schluessel")
            .env("AWS_SESSION_TOKEN", "geheimes-token")
            .env("AWS_REGION", "eu-central-1")
    }

    /// A client of it, with the retries of `object_store`.
    pub fn store(&self) -> Arc<dyn ObjectStore> {
        let store = AmazonS3Builder::new()
            .with_endpoint(format!("http://127.0.0.1:{}", self.port))
            .with_allow_http(true)
            .with_access_key_id("key")
            .with_secret_access_key("secret")
            .with_region("eu-central-1")
            .with_bucket_name("test");
        Arc::new(store.build().expect("a client"))
    }

    /// From now on every request is shown to the script, with the objects.
    pub fn script(&self, script: impl FnMut(&Request, &mut BTreeMap<String, Vec<u8>>) -> Option<Twist> + Send + 'static) {
        self.shared.lock().script = Some(Box::new(script));
    }

    pub fn put(&self, key: &str, bytes: impl Into<Vec<u8>>) {
        self.shared.lock().objects.insert(key.to_owned(), bytes.into());
    }

    pub fn objects(&self) -> BTreeMap<String, Vec<u8>> {
        self.shared.lock().objects.clone()
    }

    /// Uploads that were begun and neither completed nor aborted.
    pub fn uploads(&self) -> usize {
        self.shared.lock().uploads.len()
    }

    pub fn log(&self) -> Vec<Request> {
        self.shared.lock().log.clone()
    }

    /// Blocks until so many requests wait.
    pub fn until_waiting(&self, requests: u32) {
        let mut state = self.shared.lock();
        while state.waiting < requests {
            state = self.shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Lets all go on that wait, now and later.
    pub fn go_on(&self) {
        self.shared.lock().may_go_on = true;
        self.shared.changed.notify_all();
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        self.go_on();
    }
}

/// Status, headers, body.
struct Answer(u16, Vec<(&'static str, String)>, Vec<u8>);

fn serve(shared: &Shared, stream: &TcpStream) {
    let mut reader = BufReader::new(stream);
    while let Some((request, body)) = read_request(&mut reader) {
        let twist = {
            let mut state = shared.lock();
            state.log.push(request.clone());
            let mut script = state.script.take();
            let twist = script.as_mut().and_then(|script| script(&request, &mut state.objects));
            state.script = script;
            twist
        };
        let answer = match twist {
            Some(Twist::Refuse(status, code)) => refusal(status, code),
            Some(Twist::Wait) => {
                let mut state = shared.lock();
                state.waiting += 1;
                shared.changed.notify_all();
                while !state.may_go_on {
                    state = shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                }
                answer(&mut state, &request, body)
            }
            _ => answer(&mut shared.lock(), &request, body),
        };
        if twist == Some(Twist::LoseReply) {
            let _ = stream.shutdown(std::net::Shutdown::Both);
            return;
        }
        let is_cut = twist == Some(Twist::CutBody);
        if write_answer(stream, &request, &answer, is_cut).is_none() || is_cut {
            let _ = stream.shutdown(std::net::Shutdown::Both);
            return;
        }
    }
}

fn read_request(reader: &mut BufReader<&TcpStream>) -> Option<(Request, Vec<u8>)> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|&bytes| bytes > 0)?;
    let mut parts = line.split_whitespace();
    let (method, target) = (parts.next()?.to_owned(), parts.next()?.to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let Some((name, value)) = header.trim_end().split_once(':') else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    // `/bucket/key`
    let key = path.trim_start_matches('/').split_once('/').map_or("", |(_, key)| key);
    let request = Request {
        method,
        key: decoded(key),
        query: query.to_owned(),
        headers,
    };
    Some((request, body))
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next().unwrap_or(b'0'), rest.next().unwrap_or(b'0')];
            let digits = std::str::from_utf8(&digits).expect("percent encoding");
            bytes.push(u8::from_str_radix(digits, 16).expect("percent encoding"));
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).expect("UTF-8")
}

fn refusal(status: u16, code: &str) -> Answer {
    let body = format!(
        "<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>No.</Message><Token-0>geheimes-token</Token-0><AWSAccessKeyId>AKIAGEHEIM</AWSAccessKeyId></Error>"
    );
    Answer(status, Vec::new(), body.into_bytes())
}

fn etag(bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes);
    format!("\"{:02x}{:02x}{:02x}{:02x}-{}\"", hash[0], hash[1], hash[2], hash[3], bytes.len())
}

fn answer(state: &mut State, request: &Request, body: Vec<u8>) -> Answer {
    match (request.method.as_str(), request.key.as_str()) {
        ("GET", "") => Answer(200, Vec::new(), list(state, request).into_bytes()),
        ("POST", "") => delete_many(state, &body),
        ("GET" | "HEAD", key) => get(state, request, key),
        ("DELETE", key) => {
            match request.parameter("uploadId") {
                Some(upload) => drop(state.uploads.remove(&upload)),
                None => drop(state.objects.remove(key)),
            }
            Answer(204, Vec::new(), Vec::new())
        }
        ("POST", key) => multipart(state, request, key),
        ("PUT", key) => put(state, request, key, body),
        _ => refusal(501, "NotImplemented"),
    }
}

fn multipart(state: &mut State, request: &Request, key: &str) -> Answer {
    let Some(upload) = request.parameter("uploadId") else {
        let upload = format!("upload-{}", state.log.len());
        state.uploads.insert(upload.clone(), BTreeMap::new());
        let body = format!("<InitiateMultipartUploadResult><UploadId>{upload}</UploadId></InitiateMultipartUploadResult>");
        return Answer(200, Vec::new(), body.into_bytes());
    };
    let Some(parts) = state.uploads.remove(&upload) else {
        return refusal(404, "NoSuchUpload");
    };
    let bytes = parts.into_values().collect::<Vec<_>>().concat();
    let tag = etag(&bytes);
    state.objects.insert(key.to_owned(), bytes);
    let body = format!("<CompleteMultipartUploadResult><ETag>{tag}</ETag></CompleteMultipartUploadResult>");
    Answer(200, Vec::new(), body.into_bytes())
}

fn put(state: &mut State, request: &Request, key: &str, body: Vec<u8>) -> Answer {
    let bytes = match request.headers.get("x-amz-copy-source") {
        Some(source) => {
            let source = decoded(source);
            let source = source.trim_start_matches('/').split_once('/').expect("a bucket").1;
            match state.objects.get(source) {
                Some(bytes) => bytes.clone(),
                None => return refusal(404, "NoSuchKey"),
            }
        }
        None => body,
    };
    let tag = etag(&bytes);
    if let (Some(upload), Some(part)) = (request.parameter("uploadId"), request.parameter("partNumber")) {
        let Some(parts) = state.uploads.get_mut(&upload) else {
            return refusal(404, "NoSuchUpload");
        };
        parts.insert(part.parse().expect("a number"), bytes);
        return Answer(200, vec![("ETag", tag)], Vec::new());
    }
    if request.is_create() && state.objects.contains_key(key) {
        return refusal(412, "PreconditionFailed");
    }
    state.objects.insert(key.to_owned(), bytes);
    let body = if request.headers.contains_key("x-amz-copy-source") {
        format!("<CopyObjectResult><ETag>{tag}</ETag></CopyObjectResult>").into_bytes()
    } else {
        Vec::new()
    };
    Answer(200, vec![("ETag", tag)], body)
}

fn get(state: &State, request: &Request, key: &str) -> Answer {
    let Some(bytes) = state.objects.get(key) else {
        return refusal(404, "NoSuchKey");
    };
    let tag = etag(bytes);
    if request.headers.get("if-match").is_some_and(|wanted| *wanted != tag) {
        return refusal(412, "PreconditionFailed");
    }
    let mut headers = vec![
        ("ETag", tag),
        ("Last-Modified", Utc::now().format("%a, %d %b %Y %H:%M:%S GMT").to_string()),
    ];
    let Some(range) = request.headers.get("range") else {
        return Answer(200, headers, bytes.clone());
    };
    let (start, end) = range.trim_start_matches("bytes=").split_once('-').expect("a range");
    let start: usize = start.parse().expect("a number");
    let end = end.parse::<usize>().map_or(bytes.len(), |end| (end + 1).min(bytes.len()));
    headers.push(("Content-Range", format!("bytes {start}-{}/{}", end - 1, bytes.len())));
    Answer(206, headers, bytes[start..end].to_vec())
}

fn list(state: &State, request: &Request) -> String {
    let prefix = request.parameter("prefix").unwrap_or_default();
    let has_delimiter = request.parameter("delimiter").is_some();
    let (mut contents, mut folders) = (String::new(), Vec::new());
    for (key, bytes) in state
        .objects
        .range(prefix.clone()..)
        .take_while(|(key, _)| key.starts_with(&prefix))
    {
        match key[prefix.len()..].split_once('/') {
            Some((folder, _)) if has_delimiter => folders.push(format!("{prefix}{folder}/")),
            _ => {
                contents += &format!(
                    "<Contents><Key>{key}</Key><Size>{}</Size><LastModified>{}</LastModified><ETag>{}</ETag></Contents>",
                    bytes.len(),
                    Utc::now().to_rfc3339(),
                    etag(bytes).replace('"', "&quot;")
                );
            }
        }
    }
    folders.dedup();
    let folders: String = folders
        .iter()
        .map(|folder| format!("<CommonPrefixes><Prefix>{folder}</Prefix></CommonPrefixes>"))
        .collect();
    format!("<?xml version=\"1.0\"?><ListBucketResult>{contents}{folders}</ListBucketResult>")
}

fn delete_many(state: &mut State, body: &[u8]) -> Answer {
    let body = String::from_utf8_lossy(body);
    let mut deleted = String::new();
    for part in body.split("<Key>").skip(1) {
        let key = part.split('<').next().expect("a key");
        state.objects.remove(key);
        deleted += &format!("<Deleted><Key>{key}</Key></Deleted>");
    }
    let body = format!("<?xml version=\"1.0\"?><DeleteResult>{deleted}</DeleteResult>");
    Answer(200, Vec::new(), body.into_bytes())
}

fn write_answer(mut stream: &TcpStream, request: &Request, Answer(status, headers, body): &Answer, is_cut: bool) -> Option<()> {
    let mut head = format!("HTTP/1.1 {status} x\r\nContent-Length: {}\r\n", body.len());
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    stream.write_all(format!("{head}\r\n").as_bytes()).ok()?;
    if request.method != "HEAD" {
        let sent = if is_cut { &body[..body.len() / 2] } else { &body[..] };
        stream.write_all(sent).ok()?;
    }
    stream.flush().ok()
}
