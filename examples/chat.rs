//! A chat room: whoever connects says a name, and hears what the others say from then on.
//!
//! With an address as its argument it serves until it is interrupted; `nc` is client enough:
//!
//! ```text
//! cargo run --release --example chat -- 127.0.0.1:7000
//! nc 127.0.0.1 7000
//! ```
//!
//! Without one it has three guests of its own, and ends. The idea is the chat server of "The Go Programming Language"
//! (Donovan, Kernighan): one goroutine owns the room, and everybody else sends to it. A guest who does not read is
//! shown out rather than waited for.
//!
//! Pinned mode, the default: nothing here keeps a thread.

use gaggle::net::{TcpListener, TcpStream};
use gaggle::{Receiver, Sender, chan, go, spawn, time};
use std::collections::BTreeMap;
use std::env;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::process::ExitCode;
use std::time::Duration;

/// How many lines may wait for a guest who does not read, and how long one may.
const PATIENCE: (usize, Duration) = (32, Duration::from_secs(10));
/// How many bytes of a line are passed on; more of it are a line of their own.
const LONGEST: u64 = 1000;

/// What a guest does, by the number of the connection.
enum Event {
    /// A name, and where the guest hears the others.
    Enter(usize, String, Sender<String>),
    Say(usize, String),
    Leave(usize),
}

/// Who is there, by the numbers of the connections.
type Guests = BTreeMap<usize, (String, Sender<String>)>;

/// Says it to everybody, and shows those out who do not listen.
fn tell(guests: &mut Guests, line: String) {
    let mut lines = vec![line];
    while let Some(line) = lines.pop() {
        guests.retain(|_, (name, guest)| {
            // Dropping the sender ends the goroutine that writes to the guest.
            let listens = guest.try_send(line.clone()).is_ok();
            if !listens {
                lines.push(format!("* {name} was shown out"));
            }
            listens
        });
    }
}

/// The room: the one that knows who is there.
fn room(events: Receiver<Event>) {
    let mut guests = Guests::new();
    for event in events {
        match event {
            Event::Enter(_, name, guest) if guests.values().any(|(other, _)| *other == name) => {
                // It has room: it is new. That it is dropped shows the guest out.
                let _ = guest.try_send(format!("* {name} is here already"));
            }
            Event::Enter(number, name, guest) => {
                let here: Vec<_> = guests.values().map(|(name, _)| name.as_str()).collect();
                let here = match here.as_slice() {
                    [] => "nobody is".into(),
                    [one] => format!("{one} is"),
                    many => format!("{} are", many.join(" and ")),
                };
                // As above.
                let _ = guest.try_send(format!("* {here} here"));
                tell(&mut guests, format!("* {name} came in"));
                guests.insert(number, (name, guest));
            }
            Event::Say(number, line) => {
                if let Some((name, _)) = guests.get(&number) {
                    let line = format!("{name}: {line}");
                    tell(&mut guests, line);
                }
            }
            Event::Leave(number) => {
                if let Some((name, _)) = guests.remove(&number) {
                    tell(&mut guests, format!("* {name} left"));
                }
            }
        }
    }
}

/// The next line, without its end and what a terminal would take for a command; none if the guest has gone, with or
/// without a word.
fn hear(guest: &mut impl BufRead) -> Option<String> {
    let mut line = Vec::new();
    guest.take(LONGEST).read_until(b'\n', &mut line).ok().filter(|n| *n > 0)?;
    Some(String::from_utf8_lossy(&line).chars().filter(|c| !c.is_control()).collect())
}

/// One guest: a goroutine that reads, this one, and one that writes.
fn guest(stream: TcpStream, number: usize, events: &Sender<Event>) -> io::Result<()> {
    stream.set_write_timeout(Some(PATIENCE.1))?;
    let mut lines = BufReader::new(&stream);
    (&stream).write_all(b"* your name?\n")?;
    let Some(name) = hear(&mut lines).filter(|name| !name.is_empty()) else { return Ok(()) };
    let (tell, hears) = chan(PATIENCE.0);
    let (writing, reading) = (stream.try_clone()?, stream.try_clone()?);
    go!(name = "writer"; {
        for line in hears {
            if (&writing).write_all(format!("{line}\n").as_bytes()).is_err() {
                break;
            }
        }
        // Whoever is no longer written to is no longer heard.
        reading.close();
    });
    // The room is there for as long as anybody could send.
    let _ = events.send(Event::Enter(number, name, tell));
    while let Some(line) = hear(&mut lines) {
        let _ = events.send(Event::Say(number, line));
    }
    let _ = events.send(Event::Leave(number));
    Ok(())
}

/// Returns when the listener is closed.
fn serve(listener: &TcpListener) {
    let (events, occur) = chan(0);
    go!(name = "room"; { room(occur) });
    for (number, stream) in listener.incoming().enumerate() {
        match stream {
            Ok(stream) => {
                go!(name = "guest", clone events; {
                    // An error is a guest who has gone without a word.
                    let _ = guest(stream, number, &events);
                });
            }
            Err(error) if error.kind() == ErrorKind::NotConnected => return,
            Err(error) => {
                // No descriptor is left, as a rule, until a guest leaves.
                eprintln!("chat: accept: {error}");
                time::sleep(Duration::from_millis(100));
            }
        }
    }
}

/// A guest that the program plays itself.
struct Player {
    hears: BufReader<TcpStream>,
    says: TcpStream,
}

impl Player {
    fn enter(listener: &TcpListener, name: &str) -> io::Result<Self> {
        let says = TcpStream::connect(listener.local_addr()?)?;
        let mut player = Self { hears: BufReader::new(says.try_clone()?), says };
        player.hear("* your name?")?;
        player.say(name)?;
        Ok(player)
    }

    fn say(&mut self, line: &str) -> io::Result<()> {
        // In one piece: small pieces would wait for each other (Nagle's algorithm).
        self.says.write_all(format!("{line}\n").as_bytes())
    }

    /// The next line that the room has, which must be this one.
    fn hear(&mut self, expected: &str) -> io::Result<()> {
        let mut line = String::new();
        self.hears.read_line(&mut line)?;
        assert_eq!(line.trim_end(), expected);
        Ok(())
    }
}

/// Three guests, who check what they hear.
fn play(listener: &TcpListener) -> io::Result<()> {
    let mut alice = Player::enter(listener, "alice")?;
    alice.hear("* nobody is here")?;
    let mut bob = Player::enter(listener, "bob")?;
    bob.hear("* alice is here")?;
    alice.hear("* bob came in")?;
    let mut carol = Player::enter(listener, "carol")?;
    carol.hear("* alice and bob are here")?;
    alice.hear("* carol came in")?;
    bob.hear("* carol came in")?;
    for (n, line) in ["hello", "it works", "bye"].into_iter().enumerate() {
        let [speaker, name] = [["alice", "bob", "carol"][n]; 2];
        [&mut alice, &mut bob, &mut carol][n].say(line)?;
        for player in [&mut alice, &mut bob, &mut carol] {
            player.hear(&format!("{name}: {line}"))?;
        }
        println!("all heard {speaker} say {line:?}");
    }
    drop(carol);
    alice.hear("* carol left")?;
    bob.hear("* carol left")?;
    println!("carol left, and the others were told");
    Ok(())
}

/// Has guests of its own.
fn demonstrate() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let serving = listener.try_clone()?;
    let server = spawn(move || serve(&serving));
    play(&listener)?;
    listener.close();
    server.join().expect("the server does not panic");
    println!("the room is closed");
    Ok(())
}

#[gaggle::main]
fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let (address, None) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: chat [ADDRESS]");
        return ExitCode::from(2);
    };
    let done = match &address {
        None => demonstrate(),
        Some(address) => TcpListener::bind(address).and_then(|listener| {
            println!("listening on {}", listener.local_addr()?);
            serve(&listener);
            Ok(())
        }),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("chat: {}: {error}", address.as_deref().unwrap_or("a guest"));
            ExitCode::FAILURE
        }
    }
}
