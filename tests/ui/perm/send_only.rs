//! What Go's perm.go forbids on a `chan<- int`.

fn main() {
    let (tx, _rx) = gaggle::chan::<i32>(1);
    tx.recv();
    tx.try_recv();
    for n in &tx {
        println!("{n}");
    }
    gaggle::select! {
        n = <-tx => println!("{n:?}"),
    }
}
