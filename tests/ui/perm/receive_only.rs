//! What Go's perm.go forbids on a `<-chan int`.

fn main() {
    let (_tx, rx) = gaggle::chan::<i32>(1);
    rx.send(1);
    rx.try_send(2);
    rx.close();
    gaggle::select! {
        rx <- 3 => {}
    }
}
