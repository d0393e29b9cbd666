//! Names of the user that are also names of an expansion, or of the standard library.

use gaggle::{chan, go, select};

mod without_a_prelude {
    #![no_implicit_prelude]

    #[test]
    fn expansions_need_no_prelude() {
        // A bare `Some`, `Clone` or `drop` in an expansion would not be found here.
        let (tx, rx) = ::gaggle::chan::<i32>(1);
        let handle = ::gaggle::go!(name = "n", clone tx; { tx.send(1) });
        ::core::assert!(handle.join().unwrap().is_ok());
        let got = ::gaggle::select! { v = <-rx => v, <-rx if false => ::core::option::Option::None };
        ::core::assert!(got.is_some());
        ::gaggle::select! { _ = <-rx => {}, tx <- 2 => {}, default => {} }
        ::core::assert!(::gaggle::go!(rx.recv()).join().unwrap().is_some());
    }

    #[::gaggle::test]
    fn attributes_need_no_prelude() {
        // As above, for what the attributes write.
        ::core::assert_eq!(count(3), 3);
    }

    #[::gaggle::growable]
    #[::gaggle::preemptible]
    fn count(to: i32) -> i32 {
        let mut n = 0;
        while n < to {
            n += 1;
        }
        n
    }
}

#[allow(dead_code, non_camel_case_types, non_snake_case, clippy::upper_case_acronyms)]
mod shadowed {
    struct Option;
    struct Some;
    struct None;
    struct Result;
    struct Ok;
    struct Err;
    struct Box;
    struct Clone;
    struct Duration;
    struct ExitCode;
    struct bool;
    struct usize;
    mod core {}
    mod std {}
    mod gaggle {}
    fn drop() {}

    #[::gaggle::test]
    fn expansions_meet_no_name_of_the_user() {
        // `Option` or `core` of an expansion must be the real ones, whatever stands here.
        let (tx, rx) = ::gaggle::chan::<i32>(1);
        ::gaggle::go!(clone tx; { tx.send(1) }).join().unwrap().unwrap();
        let after = ::std::time::Duration::from_secs(60);
        let got = ::gaggle::select! {
            v = <-rx => v.unwrap(),
            after(after) if true => 0,
        };
        assert_eq!(got, 1);
        ::gaggle::select! { <-rx => {}, tx <- 2 => {}, default => {} }
    }
}

#[test]
fn variables_of_the_user_are_not_ours() {
    // A `let` of the expansion that the user's tokens could see would change these sums.
    fn sum(a: i32, b: i32, c: i32) -> i32 {
        100 * a + 10 * b + c
    }
    let (__arg0, __arg1, __callee, __builder, __receiver) = (1, 2, sum, 2, 5);
    assert_eq!(go!(__callee(__arg1, __arg0, __arg0)).join().unwrap(), 211);
    let text = go!(name = "n"; format!("{__builder}{__receiver}")).join().unwrap();
    assert_eq!(go!(text.repeat(__builder)).join().unwrap(), "2525");
    let (tx, rx) = chan::<i32>(1);
    let (__arm0, __channel0, __guard1, __value, __won, __chosen) = (1, &rx, true, 3, 4, 5);
    let sent = select! {
        __value = <-__channel0 => __value.unwrap(),
        tx <- __won + __chosen if __guard1 => __value + __arm0,
    };
    assert_eq!((sent, rx.recv()), (4, Some(9)));
}

#[test]
fn items_of_the_user_are_not_ours() {
    // A static or an enum of the expansion beside the user's tokens would be taken for theirs.
    const SITE: i32 = 7;
    enum Recv0 {
        Default1,
    }
    use Recv0::Default1;
    struct T0(i32);
    let (_tx, rx) = chan::<i32>(1);
    assert_eq!(go!({ SITE + 1 }).join().unwrap(), 8);
    let seen = select! { v = <-rx => T0(v.unwrap()), default => { let Default1 = Default1; T0(SITE) } };
    assert_eq!(seen.0, 7);
}
