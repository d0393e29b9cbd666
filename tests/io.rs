//! Pipes in memory: from goroutines in both modes, on 1, 2 and 8 processors, and from plain threads.
//!
//! Several of these follow the ideas of the tests of Go's `io.Pipe`.

use gaggle::io::{PipeReader, PipeWriter, pipe};
use gaggle::sync::WaitGroup;
use gaggle::{chan, spawn};
use std::io::{self, ErrorKind, Read, Write};

mod support;
use support::turn;

/// Runs `f` on a plain thread and in goroutines of both modes.
fn everywhere(f: impl Fn() + Send + Sync + Copy + 'static) {
    f();
    support::everywhere(1, f);
}

fn kind<T>(result: io::Result<T>) -> Option<ErrorKind> {
    result.err().map(|error| error.kind())
}

#[test]
fn a_write_ends_when_all_of_it_was_read() {
    // A writer that goes on, and drops its buffer, while a reader still reads it.
    let _turn = turn("a_write_ends_when_all_of_it_was_read");
    everywhere(|| {
        let (mut reader, mut writer) = pipe();
        let (done, ended) = chan(1);
        let write = spawn(move || {
            let bytes = b"hello, pipe".to_vec();
            let written = writer.write(&bytes);
            done.send(()).unwrap();
            drop(bytes);
            written.unwrap()
        });
        let mut all = Vec::new();
        for _ in 0..11 {
            assert!(ended.is_empty(), "not all of it was read");
            let mut byte = [0];
            assert_eq!(reader.read(&mut byte).unwrap(), 1);
            all.push(byte[0]);
        }
        assert_eq!(all, b"hello, pipe");
        assert_eq!(write.join().unwrap(), 11);
        assert_eq!(reader.read(&mut [0]).unwrap(), 0, "the last writer has gone");
    });
}

#[test]
fn reads_of_any_size_and_writes_of_any_size() {
    // Bytes lost, doubled or turned round where a read ends inside a write, and a write inside a read.
    let _turn = turn("reads_of_any_size_and_writes_of_any_size");
    everywhere(|| {
        let (mut reader, mut writer) = pipe();
        let write = spawn(move || {
            let mut next = 0u8;
            for size in (1..60).chain([4096, 1]) {
                let bytes: Vec<_> = (0..size).map(|n| next.wrapping_add(n as u8)).collect();
                next = next.wrapping_add(size as u8);
                writer.write_all(&bytes).unwrap();
            }
        });
        let (mut next, mut size) = (0u8, 1);
        loop {
            let mut some = vec![0; size % 97 + 1];
            let n = reader.read(&mut some).unwrap();
            if n == 0 {
                break;
            }
            for byte in &some[..n] {
                assert_eq!(*byte, next);
                next = next.wrapping_add(1);
            }
            size += 13;
        }
        write.join().unwrap();
    });
}

#[test]
fn writes_do_not_mix() {
    // One writer's bytes inside another's.
    let _turn = turn("writes_do_not_mix");
    everywhere(|| {
        const WRITERS: u8 = 8;
        const WRITES: usize = 20;
        let (mut reader, writer) = pipe();
        let wg = WaitGroup::new();
        for n in 0..WRITERS {
            let mut writer = writer.clone();
            wg.go(move || (0..WRITES).for_each(|_| writer.write_all(&[n; 7]).unwrap()));
        }
        drop(writer);
        let mut all = Vec::new();
        reader.read_to_end(&mut all).unwrap();
        assert_eq!(all.len(), usize::from(WRITERS) * WRITES * 7);
        assert!(all.chunks(7).all(|piece| piece.iter().all(|byte| *byte == piece[0])));
        wg.wait();
    });
}

#[test]
fn each_byte_goes_to_one_of_many_readers() {
    // A reader that is not told of the rest that another one left.
    let _turn = turn("each_byte_goes_to_one_of_many_readers");
    everywhere(|| {
        const BYTES: usize = 1000;
        let (reader, mut writer) = pipe();
        let readers: Vec<_> = (0..4)
            .map(|n| {
                let mut reader = reader.clone();
                spawn(move || {
                    let (mut sum, mut some) = (0, vec![0; n + 1]);
                    loop {
                        match reader.read(&mut some).unwrap() {
                            0 => return sum,
                            n => sum += n,
                        }
                    }
                })
            })
            .collect();
        drop(reader);
        writer.write_all(&[1; BYTES]).unwrap();
        drop(writer);
        assert_eq!(readers.into_iter().map(|reader| reader.join().unwrap()).sum::<usize>(), BYTES);
    });
}

/// The ends, and a goroutine that writes before, while or after `close`.
fn write_against(bytes: usize, close: impl FnOnce(PipeReader)) -> (io::Result<usize>, PipeWriter) {
    let (reader, writer) = pipe();
    let (begins, begun) = chan(0);
    let write = spawn(move || {
        begins.send(()).unwrap();
        ((&writer).write(&vec![0; bytes]), writer)
    });
    begun.recv().unwrap();
    close(reader);
    write.join().unwrap()
}

#[test]
fn a_writer_hears_that_the_readers_have_gone() {
    // A write that waits for nobody.
    let _turn = turn("a_writer_hears_that_the_readers_have_gone");
    everywhere(|| {
        for _ in 0..20 {
            let (written, mut writer) = write_against(8, drop);
            assert_eq!(kind(written), Some(ErrorKind::BrokenPipe));
            assert_eq!(kind(writer.write(b"x")), Some(ErrorKind::BrokenPipe));
            let (written, mut writer) = write_against(8, |reader| {
                reader.close_with_error(io::Error::new(ErrorKind::StorageFull, "full"));
                reader.close_with_error(io::Error::other("the first close counts"));
            });
            let error = written.unwrap_err();
            assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::StorageFull, "full"));
            assert_eq!(kind(writer.write(b"x")), Some(ErrorKind::StorageFull));
            // What was read was written.
            let (written, mut writer) = write_against(8, |mut reader| reader.read_exact(&mut [0; 3]).unwrap());
            assert_eq!(written.unwrap(), 3);
            assert_eq!(kind(writer.write(b"x")), Some(ErrorKind::BrokenPipe));
        }
    });
}

#[test]
fn a_reader_hears_that_the_writers_have_gone() {
    // A read that waits for nobody.
    let _turn = turn("a_reader_hears_that_the_writers_have_gone");
    everywhere(|| {
        for _ in 0..20 {
            let (reader, writer) = pipe();
            let other = writer.clone();
            let read = {
                let mut reader = reader.clone();
                spawn(move || reader.read(&mut [0]))
            };
            drop(writer);
            assert_eq!((&other).write(b"x").unwrap(), 1, "a writer was left");
            assert_eq!(read.join().unwrap().unwrap(), 1);
            let read = {
                let mut reader = reader.clone();
                spawn(move || reader.read(&mut [0]))
            };
            other.close_with_error(io::Error::from_raw_os_error(5));
            assert_eq!(read.join().unwrap().unwrap_err().raw_os_error(), Some(5));
            assert_eq!(kind((&other).write(b"x")), Some(ErrorKind::BrokenPipe));
            reader.close();
            assert_eq!(kind((&reader).read(&mut [0])), Some(ErrorKind::BrokenPipe));
        }
    });
}

#[test]
fn nothing_is_written_and_read_at_once() {
    // A write, or a read, of nothing that waits for somebody.
    let (mut reader, mut writer) = pipe();
    assert_eq!(writer.write(&[]).unwrap(), 0);
    assert_eq!(reader.read(&mut []).unwrap(), 0);
    writer.flush().unwrap();
}
