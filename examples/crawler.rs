//! A concurrent web crawler, against a web server of its own: every page is fetched once, several at a time.
//!
//! The idea is the exercise "Web Crawler" of the Tour of Go. The server answers slowly, so that a crawler which fetched
//! one page after the other would be seen: the program says how many requests were under way at once.
//!
//! Pinned mode, the default: both sides wait for sockets and for the clock.

use gaggle::net::{SocketAddr, TcpListener, TcpStream};
use gaggle::sync::{Mutex, Semaphore, WaitGroup};
use gaggle::{go, time};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// How many pages the site has, each with links to some others; one link leads nowhere.
const PAGES: usize = 200;
/// How many requests the crawler makes at once.
const AT_ONCE: usize = 20;
const LATENCY: Duration = Duration::from_millis(10);

/// The page at `path`.
fn page(path: &str) -> Option<String> {
    let number: usize = path.strip_prefix("/page/")?.parse().ok().filter(|n| *n < PAGES)?;
    let links = [number * 2 + 1, number * 2 + 2, number / 2, (number * 7 + 3) % PAGES, PAGES / (number + 1)];
    let links = links.into_iter().filter(|to| *to <= PAGES);
    Some(links.map(|to| format!("<a href=\"/page/{to}\">page {to}</a>\n")).collect())
}

#[derive(Default)]
struct Site {
    requests: AtomicUsize,
    busy: AtomicUsize,
    most: AtomicUsize,
}

impl Site {
    fn answer(&self, stream: &TcpStream) -> io::Result<()> {
        let mut request = String::new();
        let mut reader = BufReader::new(stream);
        reader.read_line(&mut request)?;
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.most.fetch_max(1 + self.busy.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
        time::sleep(LATENCY);
        self.busy.fetch_sub(1, Ordering::Relaxed);
        match request.split(' ').nth(1).and_then(page) {
            Some(page) => write!(&mut &*stream, "HTTP/1.0 200 OK\r\n\r\n{page}"),
            None => write!(&mut &*stream, "HTTP/1.0 404 Not Found\r\n\r\n"),
        }
    }
}

fn serve(listener: &TcpListener, site: &Arc<Site>) {
    for stream in listener.incoming() {
        let Ok(stream) = stream else {
            // No descriptor is left, as a rule, until a request is answered.
            time::sleep(LATENCY);
            continue;
        };
        go!(name = "request", clone site; {
            // A client that has gone needs no answer.
            let _ = site.answer(&stream);
        });
    }
}

/// The links of a page; `None` if there is no such page.
fn fetch(server: SocketAddr, path: &str) -> io::Result<Option<Vec<String>>> {
    let mut stream = TcpStream::connect(server)?;
    write!(stream, "GET {path} HTTP/1.0\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    if !answer.starts_with("HTTP/1.0 200") {
        return Ok(None);
    }
    let links = answer.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    Ok(Some(links.map(str::to_owned).collect()))
}

#[derive(Clone)]
struct Crawler {
    server: SocketAddr,
    /// Every path that was ever met, and whether there is a page.
    met: Arc<Mutex<BTreeMap<String, bool>>>,
    /// What went wrong, if anything did.
    failure: Arc<Mutex<Option<io::Error>>>,
    /// Limits the requests, not the goroutines.
    limit: Arc<Semaphore>,
    running: WaitGroup,
}

impl Crawler {
    fn crawl(&self, path: String) {
        match self.met.lock().expect("no crawler panics").entry(path.clone()) {
            Entry::Occupied(_) => return,
            Entry::Vacant(new) => new.insert(true),
        };
        let crawler = self.clone();
        self.running.go(move || {
            crawler.limit.acquire(1);
            let links = fetch(crawler.server, &path);
            crawler.limit.release(1);
            match links {
                Ok(Some(links)) => links.into_iter().for_each(|link| crawler.crawl(link)),
                Ok(None) => drop(crawler.met.lock().expect("no crawler panics").insert(path, false)),
                Err(error) => *crawler.failure.lock().expect("no crawler panics") = Some(error),
            }
        });
    }
}

#[gaggle::main]
fn main() -> io::Result<()> {
    let (listener, site) = (TcpListener::bind("127.0.0.1:0")?, Arc::new(Site::default()));
    let server = listener.local_addr()?;
    go!(name = "server", clone site; { serve(&listener, &site) });

    let (met, failure, limit) = (Arc::default(), Arc::default(), Arc::new(Semaphore::new(AT_ONCE)));
    let crawler = Crawler { server, met, failure, limit, running: WaitGroup::new() };
    crawler.crawl("/page/0".into());
    crawler.running.wait();
    if let Some(error) = crawler.failure.lock().expect("no crawler panics").take() {
        return Err(error);
    }

    let met = crawler.met.lock().expect("no crawler panics");
    let missing: Vec<_> = met.iter().filter(|(_, there)| !**there).map(|(path, _)| path.as_str()).collect();
    println!("{} pages found; missing: {}", met.len() - missing.len(), missing.join(", "));
    println!("{} requests: each page was fetched once", site.requests.load(Ordering::Relaxed));
    let most = site.most.load(Ordering::Relaxed);
    println!("several at once, and not more than {AT_ONCE}: {} [{most}]", (2..=AT_ONCE).contains(&most));
    Ok(())
}
