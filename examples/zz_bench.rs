use gaggle::{chan, go};
use std::time::Instant;
fn ns(name: &str, n: u64, f: impl FnOnce()) {
    let t = Instant::now();
    f();
    println!("{name}: {:.1} ns/op", t.elapsed().as_nanos() as f64 / n as f64);
}
fn all() {
    let n = 1_000_000u64;
    ns("yield2", n * 2, || {
        let hs: Vec<_> = (0..2).map(|_| go!({ for _ in 0..1_000_000 { gaggle::runtime::yield_now() } })).collect();
        for h in hs { h.join().unwrap() }
    });
    ns("pingpong", n, || {
        let (a, b) = chan::<u64>(0);
        let (c, d) = chan::<u64>(0);
        let h = go!({ for v in b { c.send(v).unwrap(); } });
        for i in 0..n / 2 { a.send(i).unwrap(); assert_eq!(d.recv(), Some(i)); }
        drop(a);
        h.join().unwrap();
    });
    for cap in [0, 128] {
        ns(&format!("spsc{cap}"), n, || {
            let (a, b) = chan::<u64>(cap);
            let h = go!({ let mut s = 0; for v in b { s += v; } s });
            for i in 0..n { a.send(i).unwrap(); }
            drop(a);
            assert_eq!(h.join().unwrap(), n * (n - 1) / 2);
        });
    }
    ns("spawn join", 200_000, || for i in 0..200_000 { assert_eq!(go!({ i }).join().unwrap(), i); });
    ns("spawn100k", 100_000, || {
        let wg = gaggle::sync::WaitGroup::new();
        for _ in 0..100_000 { wg.add(1); go!(clone wg; { wg.done() }); }
        wg.wait();
    });
    ns("select2", n, || {
        let (a, ra) = chan::<u64>(0);
        let (b, rb) = chan::<u64>(0);
        let h = go!({ for i in 0..n { if i % 2 == 0 { a.send(i).unwrap() } else { b.send(i).unwrap() } } });
        for _ in 0..n { gaggle::select! { v = <-ra => { v.unwrap(); }, v = <-rb => { v.unwrap(); } } }
        h.join().unwrap();
    });
}
fn main() {
    if std::env::args().nth(1).as_deref() == Some("pinned") { gaggle::run(all) } else {
        unsafe { gaggle::runtime::Builder::new().migrate() }.start().unwrap();
        gaggle::run(all)
    }
}
