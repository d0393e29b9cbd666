//! `gaggle::fs`: std's calls, off the scheduler's threads.

use gaggle::fs::{self, File, OpenOptions};
use gaggle::{go, runtime};
use std::io::{BufRead, BufReader, ErrorKind, IoSlice, IoSliceMut, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

mod support;
use support::{everywhere, turn};

/// A fresh directory, removed with the guard.
struct Dir(PathBuf);

impl Dir {
    fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("gaggle-fs-test-{}-{n}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn join(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// From a plain thread, and from goroutines of both modes.
fn everywhere_and_on_a_thread(f: impl Fn() + Send + Sync + Copy + 'static) {
    f();
    everywhere(3, f);
}

#[test]
fn files_and_directories_come_and_go() {
    // A function that does another one's work.
    let _turn = turn("files_and_directories_come_and_go");
    everywhere_and_on_a_thread(|| {
        let dir = Dir::new();
        fs::create_dir_all(dir.join("a/b")).unwrap();
        fs::create_dir(dir.join("a/c")).unwrap();
        fs::write(dir.join("a/file"), "contents").unwrap();
        assert_eq!(fs::read(dir.join("a/file")).unwrap(), b"contents");
        assert_eq!(fs::copy(dir.join("a/file"), dir.join("a/copy")).unwrap(), 8);
        fs::rename(dir.join("a/copy"), dir.join("a/moved")).unwrap();
        fs::hard_link(dir.join("a/moved"), dir.join("a/linked")).unwrap();
        assert_eq!(fs::read_to_string(dir.join("a/linked")).unwrap(), "contents");
        assert!(!fs::exists(dir.join("a/copy")).unwrap());
        fs::remove_file(dir.join("a/moved")).unwrap();
        fs::remove_dir(dir.join("a/b")).unwrap();
        assert_eq!(fs::remove_dir(dir.join("a")).unwrap_err().kind(), ErrorKind::DirectoryNotEmpty);
        assert_eq!(fs::canonicalize(dir.join("a/c/..")).unwrap(), dir.join("a").canonicalize().unwrap());
        let mut permissions = fs::metadata(dir.join("a/file")).unwrap().permissions();
        permissions.set_readonly(true);
        fs::set_permissions(dir.join("a/file"), permissions).unwrap();
        assert!(fs::metadata(dir.join("a/file")).unwrap().permissions().readonly());
        fs::remove_dir_all(dir.join("a")).unwrap();
        assert_eq!(fs::read(dir.join("a/file")).unwrap_err().kind(), ErrorKind::NotFound);
    });
}

#[test]
#[cfg(unix)]
fn symbolic_links_are_told_from_what_they_lead_to() {
    // A call that follows a link which it must not follow.
    let _turn = turn("symbolic_links_are_told_from_what_they_lead_to");
    gaggle::run(|| {
        let dir = Dir::new();
        fs::write(dir.join("file"), "x").unwrap();
        std::os::unix::fs::symlink(dir.join("file"), dir.join("link")).unwrap();
        assert!(fs::symlink_metadata(dir.join("link")).unwrap().is_symlink());
        assert!(fs::metadata(dir.join("link")).unwrap().is_file());
        assert_eq!(fs::read_link(dir.join("link")).unwrap(), dir.join("file"));
        let link = fs::read_dir(&dir.0).unwrap().map(Result::unwrap).find(|entry| entry.file_name() == "link").unwrap();
        assert!(link.file_type().unwrap().is_symlink() && link.metadata().unwrap().is_symlink());
    });
}

#[test]
fn a_directory_of_several_batches() {
    // An entry lost or told twice where one batch ends.
    let _turn = turn("a_directory_of_several_batches");
    let dir = Dir::new();
    for count in [0, 1, 127, 128, 129, 300] {
        let here = dir.join(count.to_string());
        std::fs::create_dir(&here).unwrap();
        (0..count).for_each(|n| std::fs::write(here.join(n.to_string()), "").unwrap());
        let mut names = gaggle::run(|| {
            let entries = fs::read_dir(&here).unwrap().map(Result::unwrap);
            let path = |entry: fs::DirEntry| {
                assert!(entry.file_type().unwrap().is_file());
                entry.path()
            };
            entries.map(path).collect::<Vec<_>>()
        });
        let mut expected: Vec<_> = (0..count).map(|n: usize| here.join(n.to_string())).collect();
        names.sort();
        expected.sort();
        assert_eq!(names, expected);
    }
    let missing = gaggle::run(|| fs::read_dir(dir.join("missing")).unwrap_err().kind());
    assert_eq!(missing, ErrorKind::NotFound);
}

#[test]
fn a_file_is_read_written_and_sought() {
    // A buffer of the caller's that the pool thread did not reach; a place in the file that is not kept.
    let _turn = turn("a_file_is_read_written_and_sought");
    everywhere_and_on_a_thread(|| {
        let dir = Dir::new();
        let path = dir.join("file");
        let mut file = File::create_new(&path).unwrap();
        assert_eq!(File::create_new(&path).unwrap_err().kind(), ErrorKind::AlreadyExists);
        file.write_all(b"0123456789").unwrap();
        assert_eq!(file.seek(SeekFrom::Start(2)).unwrap(), 2);
        let mut two = [0; 2];
        file.read_exact(&mut two).unwrap();
        assert_eq!((&two, file.stream_position().unwrap()), (b"23", 4));
        let (mut a, mut b) = ([0; 3], [0; 2]);
        let n = file.read_vectored(&mut [IoSliceMut::new(&mut a), IoSliceMut::new(&mut b)]).unwrap();
        assert_eq!((n, &a, &b), (5, b"456", b"78"));
        assert_eq!(file.write_vectored(&[IoSlice::new(b"ab"), IoSlice::new(b"c")]).unwrap(), 3);
        file.flush().unwrap();
        let mut again = file.try_clone().unwrap();
        again.rewind().unwrap();
        let mut text = String::new();
        (&file).read_to_string(&mut text).unwrap();
        assert_eq!(text, "012345678abc");
        file.set_len(3).unwrap();
        file.sync_data().unwrap();
        file.sync_all().unwrap();
        assert_eq!(file.metadata().unwrap().len(), 3);
        assert_eq!(file.read_exact(&mut two).unwrap_err().kind(), ErrorKind::UnexpectedEof);
    });
}

#[test]
#[cfg(unix)]
fn reading_and_writing_at_a_place() {
    // The shared place of a file, moved by what must not move it.
    use std::os::unix::fs::FileExt;
    let _turn = turn("reading_and_writing_at_a_place");
    gaggle::run(|| {
        let dir = Dir::new();
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(dir.join("f")).unwrap();
        file.write_all_at(b"abcdef", 0).unwrap();
        file.write_all_at(b"XY", 2).unwrap();
        let mut all = [0; 6];
        file.read_exact_at(&mut all, 0).unwrap();
        assert_eq!((&all, (&file).stream_position().unwrap()), (b"abXYef", 0));
    });
}

#[test]
fn to_std_and_back() {
    // A descriptor closed twice, or never.
    let _turn = turn("to_std_and_back");
    gaggle::run(|| {
        let dir = Dir::new();
        let mut file = File::from(std::fs::File::create(dir.join("f")).unwrap());
        file.write_all(b"one\ntwo\n").unwrap();
        std::fs::File::from(file).write_all(b"three\n").unwrap();
        let lines: Vec<_> = BufReader::new(File::open(dir.join("f")).unwrap()).lines().map(Result::unwrap).collect();
        assert_eq!(lines, ["one", "two", "three"]);
    });
}

#[test]
#[cfg(unix)]
fn what_std_has_on_unix_is_here_too() {
    // A port that has to go by way of std's types for a mode, a flag, an inode or a raw descriptor.
    use std::os::fd::{FromRawFd, IntoRawFd};
    use std::os::unix::fs::{DirBuilderExt, DirEntryExt, MetadataExt, OpenOptionsExt, PermissionsExt};
    let _turn = turn("what_std_has_on_unix_is_here_too");
    everywhere_and_on_a_thread(|| {
        let dir = Dir::new();
        let inner = dir.join("a/b");
        assert_eq!(fs::DirBuilder::new().create(&inner).unwrap_err().kind(), ErrorKind::NotFound);
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&inner).unwrap();
        assert_eq!(fs::metadata(&inner).unwrap().permissions().mode() & 0o777, 0o700);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        let file = options.open(inner.join("f")).unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        file.set_modified(std::time::UNIX_EPOCH).unwrap();
        assert_eq!(file.metadata().unwrap().mtime(), 0);
        let inode = fs::read_dir(&inner).unwrap().next().unwrap().unwrap().ino();
        assert_eq!(inode, file.metadata().unwrap().ino());
        // SAFETY: the descriptor was given up just now.
        let mut file = unsafe { File::from_raw_fd(file.into_raw_fd()) };
        file.write_all(b"still open").unwrap();
        std::os::unix::fs::symlink(inner.join("f"), dir.join("link")).unwrap();
        let not_through_links = OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW).open(dir.join("link"));
        assert_eq!(not_through_links.unwrap_err().raw_os_error(), Some(libc::ELOOP));
    });
}

#[test]
#[cfg(unix)]
fn a_file_that_blocks_keeps_nobody() {
    // The open and the read of a pipe by name, which wait for the other end: on one processor the writer never comes.
    let _turn = turn("a_file_that_blocks_keeps_nobody");
    let dir = Dir::new();
    let path = std::ffi::CString::new(dir.join("fifo").to_str().unwrap()).unwrap();
    // SAFETY: a path that ends in a zero.
    assert_eq!(unsafe { libc::mkfifo(path.as_ptr(), 0o600) }, 0);
    let fifo = dir.join("fifo");
    for procs in [1, 2, 8] {
        runtime::set_max_procs(procs);
        let from = fifo.clone();
        let reader = go!({ fs::read_to_string(from).unwrap() });
        let to = fifo.clone();
        let writer = go!({ fs::write(to, "through the pipe").unwrap() });
        assert_eq!(reader.join().unwrap(), "through the pipe");
        writer.join().unwrap();
    }
}

#[test]
fn many_goroutines_on_many_files() {
    // A buffer that one call fills for another.
    let _turn = turn("many_goroutines_on_many_files");
    everywhere(1, || {
        let dir = Dir::new();
        let all: Vec<_> = (0..50)
            .map(|n| {
                let path = dir.join(n.to_string());
                go!({
                    let text = format!("{n} ").repeat(1000);
                    for _ in 0..5 {
                        fs::write(&path, &text).unwrap();
                        assert_eq!(fs::read_to_string(&path).unwrap(), text);
                    }
                })
            })
            .collect();
        all.into_iter().for_each(|g| g.join().unwrap());
    });
}
