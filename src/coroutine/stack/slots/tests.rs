//! What only slots promise: a million of them in a few mappings, guards, memory given back.

use super::super::behaviour::program;
use super::super::{StackCache, class_for};
use super::*;
use crate::platform::memory;

const SMALL: usize = 64 << 10;

fn small() -> Class {
    class_for(SMALL).unwrap()
}

/// A number of kilobytes from `/proc/self/status`, in bytes.
fn status(field: &str) -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(field)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() << 10
}

fn mappings() -> usize {
    std::fs::read_to_string("/proc/self/maps").unwrap().lines().count()
}

fn touch(stack: &Stack, from: usize) {
    let Bounds { top, .. } = stack.bounds();
    for page in (top - from..top).step_by(page_size()) {
        // SAFETY: the stack is ours and idle, and the page is above its guard.
        unsafe { (page as *mut u8).write_volatile(1) };
    }
}

#[test]
fn b28_a_million_stacks_take_few_mappings_and_a_page_each() {
    // Guards that split mappings end at some 32,700 stacks; huge pages would take two megabytes each.
    program("coroutine::stack::slots::tests::program_a_million_stacks", &[]);
}

#[test]
#[ignore = "a program: it measures its process"]
fn program_a_million_stacks() {
    // See `b28_a_million_stacks_take_few_mappings_and_a_page_each`.
    const MILLION: usize = 1_000_000;
    const TOUCHED: usize = MILLION / 10;
    if protection() != Protection::GuardInstall {
        return;
    }
    let mut cache = StackCache::new();
    let mut stacks = Vec::with_capacity(MILLION);
    let (resident, tables) = (status("VmRSS"), status("VmPTE"));
    stacks.extend((0..MILLION).map(|_| cache.take(small()).unwrap()));
    // Every stack lies in one of few mappings, and none is resident; then one page each of some.
    stacks.iter().take(TOUCHED).for_each(|stack| touch(stack, 1));
    let each = (status("VmRSS") - resident - MILLION * size_of::<Stack>()) / TOUCHED;
    assert!(each <= 4300, "{each} bytes resident for each stack touched");
    let each = (status("VmPTE") - tables) / MILLION;
    assert!(each <= 200, "{each} bytes of page tables for each stack");
    assert!(mappings() < 200, "{} mappings", mappings());
    assert!(stacks.iter().step_by(9973).all(|stack| !memory::is_readable(stack.start())), "a slot without a guard");
    // A burst that is over keeps no more than the warm ones, once somebody idles.
    let some: Vec<usize> = stacks.iter().step_by(997).map(Stack::start).collect();
    stacks.into_iter().for_each(|stack| cache.give(stack));
    drop(cache);
    while scavenge() {}
    let kept = status("VmRSS").saturating_sub(resident);
    assert!(kept < 300 << 20, "{kept} bytes are still resident");
    let lost = some.into_iter().filter(|start| memory::is_readable(*start)).count();
    assert_eq!(lost, 0, "guards were lost when the memory was given back");
}

#[test]
fn trimming_gives_the_memory_of_deep_stacks_back() {
    // A worker that ran one deep goroutine must not hold its memory while it idles.
    let mut cache = StackCache::new();
    let stack = cache.take(Class::DEFAULT).unwrap();
    let Bounds { bottom, top } = stack.bounds();
    touch(&stack, top - bottom);
    let resident = || (bottom..top).step_by(page_size()).filter(|page| memory::is_resident(*page)).count();
    assert_eq!(resident(), (top - bottom) / page_size());
    cache.give(stack);
    assert_eq!(resident(), (top - bottom) / page_size(), "kept hot while the worker is busy");
    cache.trim();
    assert!(resident() * page_size() <= 16 << 10, "{} pages are still resident", resident());
    assert_eq!(cache.take(Class::DEFAULT).unwrap().bounds(), Bounds { bottom, top });
}

#[test]
fn what_many_deep_stacks_held_goes_when_somebody_idles() {
    // Stacks that are too many for a worker's cache keep what one deep call left on them, for good.
    program("coroutine::stack::slots::tests::program_many_deep_stacks", &[]);
}

#[test]
#[ignore = "a program: nobody else may take the stacks"]
fn program_many_deep_stacks() {
    // See `what_many_deep_stacks_held_goes_when_somebody_idles`.
    const MANY: usize = 300;
    let mut cache = StackCache::new();
    let stacks: Vec<_> = (0..MANY).map(|_| cache.take(small()).unwrap()).collect();
    let all: Vec<_> = stacks.iter().map(Stack::bounds).collect();
    stacks.iter().for_each(|stack| touch(stack, stack.bounds().top - stack.bounds().bottom));
    let resident = || -> usize {
        let pages = all.iter().flat_map(|bounds| (bounds.bottom..bounds.top).step_by(page_size()));
        pages.filter(|page| memory::is_resident(*page)).count()
    };
    let deep = resident();
    stacks.into_iter().for_each(|stack| cache.give(stack));
    drop(cache);
    // The next goroutines find their stacks as they were.
    assert_eq!((deep, resident()), (MANY * (SMALL / page_size() - 1), deep));
    while scavenge() {}
    assert_eq!(resident(), MANY);
}

#[test]
fn an_address_tells_its_slot() {
    // The fault handler knows a guard by nothing but the address.
    let stacks: Vec<_> = (0..40).map(|_| Stack::fresh(small()).unwrap()).collect();
    for stack in &stacks {
        let Bounds { bottom, top } = stack.bounds();
        for address in [bottom, bottom + SMALL / 2, top - 1] {
            assert_eq!(regions::find(address), Some(regions::Slot { start: stack.start(), class: small() }));
            assert!(!is_overflow(address, address), "room for frames is no guard");
        }
        let guard = stack.start() + 8;
        assert!(is_overflow(guard, bottom) && is_overflow(guard, guard));
        assert!(!is_overflow(guard, top + SMALL), "the stack pointer is elsewhere: a wild pointer");
    }
    let local = 0_u8;
    assert_eq!(regions::find(&raw const local as usize), None);
}

#[test]
fn the_weaker_protections_hold_too() {
    // Older kernels must get an answer as well, and the promise of each kind of stack must be kept.
    program("coroutine::stack::slots::tests::program_weaker", &[("GAGGLE_TEST_GUARD", "protect")]);
    program("coroutine::stack::slots::tests::program_weaker", &[("GAGGLE_TEST_GUARD", "canary")]);
}

#[test]
#[ignore = "a program: it wants an environment of its own"]
fn program_weaker() {
    // See `the_weaker_protections_hold_too`.
    const MANY: usize = 40_000;
    let forced = std::env::var("GAGGLE_TEST_GUARD").unwrap();
    let stacks: Vec<_> = (0..MANY).map(|_| Stack::fresh(small()).unwrap()).collect();
    // More stacks than there may be mappings: the rest has canaries, and the program still has mappings to use.
    assert_eq!(protection(), Protection::Canary);
    let guarded = stacks.iter().filter(|stack| stack.protection() == Protection::Mprotect).count();
    match forced.as_str() {
        "protect" => assert!(guarded > 25_000 && guarded < 31_000, "{guarded} guards"),
        _ => assert!(guarded > 40 && guarded < 1000, "{guarded} guards"),
    }
    assert!(mappings() < 64_000);
    for stack in stacks.iter().step_by(97) {
        let readable = memory::is_readable(stack.start());
        assert_eq!(readable, stack.protection() == Protection::Canary);
        assert!(stack.is_intact());
    }
    let bare = stacks.iter().find(|stack| stack.protection() == Protection::Canary).unwrap();
    // SAFETY: the lowest page of a slot of ours; without a guard it can be written.
    unsafe { ((bare.start() + page_size() - 64) as *mut u64).write_volatile(1) };
    assert!(!bare.is_intact());
    // SAFETY: as above; blank again, for the checks of the store.
    unsafe { ((bare.start() + page_size() - 64) as *mut u64).write_volatile(0) };
}
