//! An HTTP/1.1 server with keep-alive and pipelining on `httparse`, a parser that knows nothing of goroutines: it reads
//! from plain buffers, and plain blocking code fills them.
//!
//! With an address as its argument it serves until it is interrupted:
//!
//! ```text
//! cargo run --release --example http_server -- 127.0.0.1:8080
//! curl http://127.0.0.1:8080/hello
//! ```
//!
//! Without one it has clients of its own, and ends. A client that dawdles is hung up on, be it with a byte now and then;
//! so is one whose request is malformed or too long, with an answer that says so.
//!
//! Pinned mode, the default: a connection that is kept alive keeps no thread.

use gaggle::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use gaggle::{go, spawn, time};
use std::env;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};

const MOST_HEADERS: usize = 32;
const LONGEST_HEAD: usize = 8 << 10;
const LONGEST_BODY: usize = 1 << 20;
/// How long a client may take to send a request, or to take an answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// A request whose head and body are there.
struct Request {
    method: String,
    path: String,
    body: Vec<u8>,
    keep_alive: bool,
}

/// What became of reading a request.
enum Next {
    Request(Request),
    /// The client is done.
    End,
    /// It is to be told, and hung up on.
    Refuse(&'static str),
}

/// One connection: the bytes that came and were not used yet.
struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    /// Waits for more; false at the end.
    fn fill(&mut self) -> io::Result<bool> {
        let mut some = [0; 4096];
        let n = self.stream.read(&mut some)?;
        self.buffer.extend_from_slice(&some[..n]);
        Ok(n != 0)
    }

    fn next(&mut self) -> io::Result<Next> {
        loop {
            let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
            let mut head = httparse::Request::new(&mut headers);
            match head.parse(&self.buffer) {
                Err(_) => return Ok(Next::Refuse("400 Bad Request")),
                Ok(httparse::Status::Partial) if self.buffer.len() > LONGEST_HEAD => {
                    return Ok(Next::Refuse("431 Request Header Fields Too Large"));
                }
                Ok(httparse::Status::Partial) => {}
                Ok(httparse::Status::Complete(head_len)) => {
                    let (mut request, body_len, expects) = match understand(&head) {
                        Ok(understood) => understood,
                        Err(status) => return Ok(Next::Refuse(status)),
                    };
                    if expects && self.buffer.len() < head_len + body_len {
                        self.stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
                    }
                    while self.buffer.len() < head_len + body_len {
                        if !self.fill()? {
                            return Ok(Next::End);
                        }
                    }
                    let rest = self.buffer.split_off(head_len + body_len);
                    request.body = std::mem::replace(&mut self.buffer, rest).split_off(head_len);
                    return Ok(Next::Request(request));
                }
            }
            if !self.fill()? {
                return Ok(Next::End);
            }
        }
    }

    /// Says what is wrong, and reads what the client still sends: to close before would reset the connection, and the
    /// client might never see the answer.
    fn refuse(self, status: &str) -> io::Result<()> {
        respond(&self.stream, status, b"", false, true)?;
        self.stream.shutdown(Shutdown::Write)?;
        io::copy(&mut self.stream.take(LONGEST_BODY as u64), &mut io::sink()).map(drop)
    }

    fn serve(mut self) -> io::Result<()> {
        self.stream.set_write_timeout(Some(PATIENCE))?;
        loop {
            // For all of its reads: a timeout would be for each.
            self.stream.set_read_deadline(Some(Instant::now() + PATIENCE));
            let request = match self.next()? {
                Next::Request(request) => request,
                Next::End => return Ok(()),
                Next::Refuse(status) => return self.refuse(status),
            };
            let (status, body) = handle(&request);
            respond(&self.stream, status, &body, request.keep_alive, request.method != "HEAD")?;
            if !request.keep_alive {
                return Ok(());
            }
        }
    }
}

/// The request without its body, how long that is, and whether the client waits to be asked for it; or what is wrong.
fn understand(head: &httparse::Request<'_, '_>) -> Result<(Request, usize, bool), &'static str> {
    const BAD: &str = "400 Bad Request";
    let all = |name| {
        let found = head.headers.iter().filter(move |header| header.name.eq_ignore_ascii_case(name));
        found.map(|header| std::str::from_utf8(header.value).unwrap_or("?").trim())
    };
    if all("transfer-encoding").next().is_some() {
        return Err("501 Not Implemented");
    }
    let mut lengths = all("content-length");
    let body_len = match (lengths.next(), lengths.next()) {
        (None, _) => 0,
        (Some(length), None) if length.bytes().all(|b| b.is_ascii_digit()) => length.parse().map_err(|_| BAD)?,
        // Two lengths, of which somebody between us and the client may believe the other.
        _ => return Err(BAD),
    };
    if body_len > LONGEST_BODY {
        return Err("413 Content Too Large");
    }
    let keep_alive = match all("connection").next() {
        Some(word) if word.eq_ignore_ascii_case("close") => false,
        Some(word) if word.eq_ignore_ascii_case("keep-alive") => true,
        _ => head.version == Some(1),
    };
    let expects = all("expect").any(|word| word.eq_ignore_ascii_case("100-continue"));
    let (method, path) = (head.method.ok_or(BAD)?.to_owned(), head.path.ok_or(BAD)?);
    let path = path.split('?').next().unwrap_or(path).to_owned();
    Ok((Request { method, path, body: Vec::new(), keep_alive }, body_len, expects))
}

/// What the site has to say.
fn handle(request: &Request) -> (&'static str, Vec<u8>) {
    match (request.method.as_str(), request.path.as_str()) {
        ("GET" | "HEAD", "/hello") => ("200 OK", b"hello\n".to_vec()),
        ("POST", "/echo") => ("200 OK", request.body.clone()),
        (_, "/hello" | "/echo") => ("405 Method Not Allowed", Vec::new()),
        _ => ("404 Not Found", Vec::new()),
    }
}

fn respond(mut stream: &TcpStream, status: &str, body: &[u8], keep_alive: bool, with_body: bool) -> io::Result<()> {
    let connection = if keep_alive { "keep-alive" } else { "close" };
    let length = body.len();
    let mut answer =
        format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: {connection}\r\n\r\n").into_bytes();
    if with_body {
        answer.extend_from_slice(body);
    }
    stream.write_all(&answer)
}

/// Returns when the listener is closed.
fn serve(listener: &TcpListener) {
    loop {
        let stream = match listener.accept() {
            Ok((stream, _)) => stream,
            Err(error) if error.kind() == ErrorKind::NotConnected => return,
            Err(error) => {
                // No descriptor is left, as a rule, until a connection ends.
                eprintln!("http_server: accept: {error}");
                time::sleep(Duration::from_millis(100));
                continue;
            }
        };
        go!(name = "connection"; {
            if let Err(error) = (Connection { stream, buffer: Vec::new() }).serve()
                && !matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe)
            {
                eprintln!("a connection: {error}");
            }
        });
    }
}

/// One answer: the status line, and the body.
fn answer(reader: &mut impl BufRead) -> io::Result<(String, String)> {
    let (mut status, mut length) = (String::new(), 0);
    reader.read_line(&mut status)?;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        match line.trim_end().split_once(": ") {
            Some(("Content-Length", value)) => length = value.parse().unwrap_or(0),
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok((status.trim_end().to_owned(), String::from_utf8_lossy(&body).into_owned()))
}

/// What the server says to these bytes.
fn ask(address: SocketAddr, bytes: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(bytes.as_bytes())?;
    Ok(answer(&mut BufReader::new(&stream))?.0)
}

/// Many requests on one connection, the last ten of them sent at once.
fn client(address: SocketAddr, number: usize) -> io::Result<usize> {
    let mut stream = TcpStream::connect(address)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut right = 0;
    for n in 0..20 {
        let body = format!("client {number} says {n}");
        // In one piece: small pieces would wait for each other (Nagle's algorithm).
        let request = format!("POST /echo HTTP/1.1\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        stream.write_all(request.as_bytes())?;
        right += usize::from(answer(&mut reader)? == ("HTTP/1.1 200 OK".into(), body));
    }
    stream.write_all("GET /hello HTTP/1.1\r\n\r\n".repeat(10).as_bytes())?;
    for _ in 0..10 {
        right += usize::from(answer(&mut reader)? == ("HTTP/1.1 200 OK".into(), "hello\n".into()));
    }
    Ok(right)
}

/// Serves clients of its own, and checks what they are told.
fn demonstrate() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let (address, serving) = (listener.local_addr()?, listener.try_clone()?);
    let server = spawn(move || serve(&serving));

    let clients: Vec<_> = (0..20).map(|number| go!(client(address, number))).collect();
    let mut right = 0;
    for client in clients {
        right += client.join().expect("a client does not panic")?;
    }
    println!("20 connections were kept alive; {right} of 600 answers were right");
    println!("an unknown path:    {}", ask(address, "GET /nowhere HTTP/1.1\r\n\r\n")?);
    println!("a wrong method:     {}", ask(address, "DELETE /hello HTTP/1.1\r\n\r\n")?);
    println!("no request at all:  {}", ask(address, "nonsense\0\r\n\r\n")?);
    println!("a body without end: {}", ask(address, "POST /echo HTTP/1.1\r\nContent-Length: 9999999\r\n\r\n")?);
    println!("a body in chunks:   {}", ask(address, "POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")?);
    println!("endless headers:    {}", ask(address, &format!("GET /hello HTTP/1.1\r\nX: {}", "x".repeat(9000)))?);
    listener.close();
    server.join().expect("the server does not panic");
    Ok(())
}

#[gaggle::main]
fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let (address, None) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: http_server [ADDRESS]");
        return ExitCode::from(2);
    };
    let done = match &address {
        None => demonstrate(),
        Some(address) => TcpListener::bind(address).and_then(|listener| {
            println!("serving http://{}/hello", listener.local_addr()?);
            serve(&listener);
            Ok(())
        }),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("http_server: {}: {error}", address.as_deref().unwrap_or("a client"));
            ExitCode::FAILURE
        }
    }
}
