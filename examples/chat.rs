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
use gaggle::{Receiver, Sender, chan, go, spawn};
use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Write};

/// How many lines may wait for a guest who does not read.
const PATIENCE: usize = 32;

enum Event {
    /// A name, and where its guest hears the others.
    Enter(String, Sender<String>),
    Say(String, String),
    Leave(String),
}

/// The room: the one that knows who is there.
fn room(events: Receiver<Event>) {
    let mut guests = BTreeMap::<String, Sender<String>>::new();
    let tell = |guests: &mut BTreeMap<String, Sender<String>>, line: String| {
        // Dropping the sender ends the goroutine that writes to the guest.
        guests.retain(|_, guest| guest.try_send(line.clone()).is_ok());
    };
    for event in events {
        match event {
            Event::Enter(name, _) if guests.contains_key(&name) => {}
            Event::Enter(name, guest) => {
                let here: Vec<_> = guests.keys().map(String::as_str).collect();
                let here = if here.is_empty() { "nobody".into() } else { here.join(" and ") };
                // It has room: it is new.
                let _ = guest.try_send(format!("* {here} is here"));
                tell(&mut guests, format!("* {name} came in"));
                guests.insert(name, guest);
            }
            Event::Say(name, line) => tell(&mut guests, format!("{name}: {line}")),
            Event::Leave(name) => {
                if guests.remove(&name).is_some() {
                    tell(&mut guests, format!("* {name} left"));
                }
            }
        }
    }
}

/// One guest: a goroutine that reads, this one, and one that writes.
fn guest(stream: TcpStream, events: &Sender<Event>) -> io::Result<()> {
    let mut lines = BufReader::new(&stream).lines();
    writeln!(&stream, "* your name?")?;
    let Some(name) = lines.next().transpose()? else { return Ok(()) };
    let (tell, hears) = chan(PATIENCE);
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
    let _ = events.send(Event::Enter(name.clone(), tell));
    // An error is a guest who has gone without a word.
    for line in lines.map_while(Result::ok) {
        let _ = events.send(Event::Say(name.clone(), line));
    }
    let _ = events.send(Event::Leave(name));
    Ok(())
}

fn serve(listener: TcpListener) {
    let (events, occur) = chan(0);
    go!(name = "room"; { room(occur) });
    for stream in listener.incoming().map_while(Result::ok) {
        go!(name = "guest", clone events; {
            // As above.
            let _ = guest(stream, &events);
        });
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

fn play(listener: &TcpListener) -> io::Result<()> {
    let mut alice = Player::enter(listener, "alice")?;
    alice.hear("* nobody is here")?;
    let mut bob = Player::enter(listener, "bob")?;
    bob.hear("* alice is here")?;
    alice.hear("* bob came in")?;
    let mut carol = Player::enter(listener, "carol")?;
    carol.hear("* alice and bob is here")?;
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

#[gaggle::main]
fn main() -> io::Result<()> {
    if let Some(address) = std::env::args().nth(1) {
        let listener = TcpListener::bind(address)?;
        println!("listening on {}", listener.local_addr()?);
        serve(listener);
        return Ok(());
    }
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let serving = listener.try_clone()?;
    let server = spawn(move || serve(serving));
    play(&listener)?;
    listener.close();
    server.join().expect("the server does not panic");
    println!("the room is closed");
    Ok(())
}
