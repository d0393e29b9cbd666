//! Connections that wait to be accepted.

use super::*;

/// How many of them the kernel allows at most, if that is more than `std` asks for.
fn allowed() -> Option<usize> {
    let text = std::fs::read_to_string("/proc/sys/net/core/somaxconn").ok()?;
    let allowed = text.trim().parse().ok().filter(|n| *n > 128);
    if allowed.is_none() {
        println!("skipped: no more than 128 connections may wait here (net.core.somaxconn)");
    }
    allowed
}

#[test]
fn a_crowd_is_let_in_before_the_first_accept() {
    // A queue for 128 at most: the others wait for the next attempt of their kernel, and here for ever.
    let _turn = turn("a_crowd_is_let_in_before_the_first_accept");
    let Some(allowed) = allowed() else { return };
    everywhere(move || {
        let (listener, address) = listener();
        let crowd = allowed.min(1000) as u32;
        for n in 0..crowd {
            let mut client = TcpStream::connect_timeout(&address, Duration::from_secs(20)).unwrap();
            // It leaves its word in the queue, and no descriptor is needed for each.
            client.write_all(&n.to_ne_bytes()).unwrap();
        }
        let words = listener.incoming().take(crowd as usize).map(|stream| drain(&stream.unwrap()).unwrap());
        let mut words: Vec<_> = words.map(|word| u32::from_ne_bytes(word.try_into().unwrap())).collect();
        words.sort_unstable();
        assert!(words.into_iter().eq(0..crowd));
    });
}

#[test]
#[cfg(target_os = "linux")]
fn as_many_may_wait_as_the_kernel_allows() {
    // A number of our own, which the administrator of a busy server can't raise.
    let _turn = turn("as_many_may_wait_as_the_kernel_allows");
    let Some(allowed) = allowed() else { return };
    let (listener, _) = listener();
    // SAFETY: plain numbers, for which 0 is one.
    let mut info: libc::tcp_info = unsafe { std::mem::zeroed() };
    let mut len = size_of::<libc::tcp_info>() as libc::socklen_t;
    let (level, name) = (libc::IPPROTO_TCP, libc::TCP_INFO);
    // SAFETY: the kernel writes as much as `info` has room for.
    let got = unsafe { libc::getsockopt(listener.as_raw_fd(), level, name, (&raw mut info).cast(), &raw mut len) };
    assert_eq!(got, 0);
    // Of a listener, these two are the length of the queue and its limit.
    assert_eq!((info.tcpi_unacked, info.tcpi_sacked as usize), (0, allowed));
}
