//! Programs that forbid themselves system calls when they have begun.

use crate::child::{room, run};
use std::process::ExitCode;
use std::thread;

room! {
    tests: locks_do_without_a_call_that_is_forbidden;
    programs: forbids_itself_membarrier;
}

fn locks_do_without_a_call_that_is_forbidden() {
    // Whoever finds a lock taken for long asks the kernel for a fence, is refused, and asks for ever.
    let ended = run("forbids_itself_membarrier", &[]);
    print!("{}", ended.assert_code(0).assert_silent().stdout);
}

/// Lets the call `number` fail with EPERM from now on, in this thread and those that it starts; false where nothing can be
/// forbidden.
fn forbid(number: libc::c_long) -> bool {
    const LOAD_NUMBER: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
    const SKIP_UNLESS: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
    const ANSWER: u16 = (libc::BPF_RET | libc::BPF_K) as u16;
    let line = |code, jf, k| libc::sock_filter { code, jt: 0, jf, k };
    let mut lines = [
        line(LOAD_NUMBER, 0, 0),
        line(SKIP_UNLESS, 1, u32::try_from(number).unwrap()),
        line(ANSWER, 0, libc::SECCOMP_RET_ERRNO | libc::EPERM as u32),
        line(ANSWER, 0, libc::SECCOMP_RET_ALLOW),
    ];
    let program = libc::sock_fprog { len: lines.len() as u16, filter: lines.as_mut_ptr() };
    // SAFETY: the kernel copies the program, which lives on this frame.
    unsafe {
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
            && libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program) == 0
    }
}

/// It is moved under the channel's lock, which takes longer than anybody looks at that lock before he sleeps.
type Large = [u8; 1 << 20];

fn forbids_itself_membarrier() -> ExitCode {
    // It begins: what the kernel can do has been found out.
    gaggle::runtime::max_procs();
    if !forbid(libc::SYS_membarrier) {
        // An emulator, as a rule.
        println!("skipped: no system call can be forbidden here");
        return ExitCode::SUCCESS;
    }
    // SAFETY: it asks what there is, and would be told.
    assert_eq!(unsafe { libc::syscall(libc::SYS_membarrier, 0, 0, 0) }, -1, "it is not forbidden");
    let (tx, rx) = gaggle::chan::<Large>(8);
    let all: Vec<_> = (0..4)
        .map(|_| {
            let (tx, rx) = (tx.clone(), rx.clone());
            let work = move || {
                for _ in 0..100 {
                    tx.send([7; size_of::<Large>()]).unwrap();
                    assert_eq!(rx.recv().unwrap()[0], 7);
                }
            };
            thread::Builder::new().stack_size(64 << 20).spawn(work).unwrap()
        })
        .collect();
    all.into_iter().for_each(|thread| thread.join().unwrap());
    ExitCode::SUCCESS
}
