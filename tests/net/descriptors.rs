//! Descriptors: none is leaked, and what happens when there are no more.

use super::*;
use gaggle::net::UnixStream;
use support::migrating;

fn open_descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

fn some_connections(n: usize) {
    let (listener, address) = listener();
    let server = spawn(move || {
        for (at, stream) in listener.incoming().take(n).enumerate() {
            let stream = stream.unwrap();
            spawn(move || {
                // A part of them times out, is dropped unread, is reset; the others end as they should.
                match at % 4 {
                    0 => stream.set_read_timeout(Some(ms(1))).unwrap(),
                    1 => return,
                    2 => return reset(stream),
                    _ => {}
                }
                let _ = io::copy(&mut &stream, &mut &stream);
            });
        }
    });
    let wg = WaitGroup::new();
    for at in 0..n {
        wg.go(move || {
            let Ok(mut client) = TcpStream::connect(address) else { return };
            let _ = client.write_all(b"hello");
            if at % 5 == 0 {
                return reset(client);
            }
            let _ = client.shutdown(Shutdown::Write);
            let _ = drain(&client);
        });
    }
    wg.wait();
    server.join().unwrap();
}

#[test]
fn no_descriptor_and_no_goroutine_is_left_over() {
    // A socket kept by the poller, by a timer or by a goroutine that was forgotten.
    let _turn = turn("no_descriptor_and_no_goroutine_is_left_over");
    // The poller and the scheduler open theirs first.
    support::everywhere(1, || some_connections(3));
    wait_for_the_others();
    let before = open_descriptors();
    support::everywhere(2, || some_connections(30));
    wait_for_the_others();
    assert_eq!(open_descriptors(), before);
}

/// Waits for the goroutines to be gone.
fn wait_for_the_others() {
    while gaggle::runtime::num_goroutines() != 0 {
        std::thread::yield_now();
    }
}

/// Runs only the test `name` in a process of its own, in which the variable is set.
fn in_a_child(name: &str, variable: &str) -> std::process::Output {
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", name, "--nocapture", "--test-threads=1"]).env(variable, "1");
    child.output().unwrap()
}

/// Lets this process have `n` descriptors at most.
fn lower_the_limit(n: usize) {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: it writes the limit.
    assert_eq!(unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) }, 0);
    limit.rlim_cur = n as libc::rlim_t;
    assert!(limit.rlim_cur <= limit.rlim_max, "too few descriptors for this test (ulimit -Hn): {n} are needed");
    // SAFETY: it reads the limit.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) }, 0);
}

#[test]
fn a_full_table_is_an_error_of_accept() {
    // An accept that spins, or that swallows the error, or a listener that never recovers (EMFILE).
    let _turn = turn("a_full_table_is_an_error_of_accept");
    const CHILD: &str = "GAGGLE_TEST_FULL_TABLE";
    if std::env::var_os(CHILD).is_none() {
        let output = in_a_child("descriptors::a_full_table_is_an_error_of_accept", CHILD);
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && text.contains("1 passed"), "{output:?}");
        return;
    }
    migrating(|| {
        let (listener, address) = listener();
        let first = TcpStream::connect(address).unwrap();
        let _accepted = listener.accept().unwrap();
        drop(first);
        // The client's socket is the last for which there is room.
        lower_the_limit(open_descriptors() + 20);
        let acceptor = {
            let listener = listener.try_clone().unwrap();
            spawn(move || listener.accept().unwrap())
        };
        let client = TcpStream::connect(address).unwrap();
        let accepted = acceptor.join().unwrap();
        let mut files = Vec::new();
        while let Ok(file) = std::fs::File::open("/dev/null") {
            files.push(file);
        }
        assert_eq!(TcpStream::connect(address).unwrap_err().raw_os_error(), Some(libc::EMFILE));
        files.pop();
        // Who waits already hears of it too.
        let (begins, begun) = chan(0);
        let acceptor = {
            let listener = listener.try_clone().unwrap();
            spawn(move || {
                begins.send(()).unwrap();
                listener.accept().unwrap_err()
            })
        };
        begun.recv().unwrap();
        let waiting = TcpStream::connect(address).unwrap();
        assert_eq!(acceptor.join().unwrap().raw_os_error(), Some(libc::EMFILE));
        for _ in 0..3 {
            assert_eq!(listener.accept().unwrap_err().raw_os_error(), Some(libc::EMFILE));
        }
        files.clear();
        let (served, peer) = listener.accept().unwrap();
        assert_eq!(peer, waiting.local_addr().unwrap());
        (&served).write_all(b"x").unwrap();
        assert_eq!((&waiting).read(&mut [0]).unwrap(), 1);
        drop((client, accepted));
    });
}

#[test]
fn a_full_table_at_the_first_wait_is_an_error_and_passes() {
    // A poller that cannot be opened, and is never tried again, or ends the process.
    const CHILD: &str = "GAGGLE_TEST_NO_POLLER";
    let _turn = turn("a_full_table_at_the_first_wait_is_an_error_and_passes");
    if std::env::var_os(CHILD).is_none() {
        let output = in_a_child("descriptors::a_full_table_at_the_first_wait_is_an_error_and_passes", CHILD);
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && text.contains("1 passed"), "{output:?}");
        return;
    }
    lower_the_limit(open_descriptors() + 20);
    gaggle::run(|| {
        let (mut a, b) = UnixStream::pair().unwrap();
        let mut files = Vec::new();
        while let Ok(file) = std::fs::File::open("/dev/null") {
            files.push(file);
        }
        for _ in 0..3 {
            assert_eq!(a.read(&mut [0]).unwrap_err().raw_os_error(), Some(libc::EMFILE));
        }
        // Those who need no descriptor go on.
        gaggle::time::sleep(ms(1));
        files.clear();
        let reader = spawn(move || a.read(&mut [0]).unwrap());
        gaggle::time::sleep(ms(1));
        (&b).write_all(b"x").unwrap();
        assert_eq!(reader.join().unwrap(), 1);
    });
}

#[test]
fn a_slot_of_the_table_is_used_again() {
    // The table grows with every socket there ever was (B18), or an old event reaches the new socket.
    let _turn = turn("a_slot_of_the_table_is_used_again");
    everywhere(|| {
        for n in 0..200u8 {
            let (client, server) = pair();
            let reader = spawn(move || drain(&server).unwrap());
            (&client).write_all(&[n]).unwrap();
            drop(client);
            assert_eq!(reader.join().unwrap(), [n]);
        }
    });
}
