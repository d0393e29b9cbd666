//! The two ends of the echo of `../../suite/sockets.rs`, on any stream that blocks what it is called from.

use std::io::{Read, Write};

pub const CONNECTIONS: u64 = 64;
/// How many bytes a message has.
pub const MESSAGE: usize = 64;

/// How many of `n` messages a client sends.
pub fn share(n: u64, client: u64) -> u64 {
    n / CONNECTIONS + u64::from(client < n % CONNECTIONS)
}

/// Sends back what comes, until the client hangs up.
pub fn answer(mut stream: impl Read + Write) {
    let mut message = [0; MESSAGE];
    while stream.read_exact(&mut message).is_ok() {
        stream.write_all(&message).unwrap();
    }
}

/// Sends messages, one at a time, and waits for each to come back.
pub fn ask(mut stream: impl Read + Write, messages: u64) {
    for i in 0..messages {
        let sent = [i as u8; MESSAGE];
        stream.write_all(&sent).unwrap();
        let mut back = [0; MESSAGE];
        stream.read_exact(&mut back).unwrap();
        assert_eq!(back, sent);
    }
}
