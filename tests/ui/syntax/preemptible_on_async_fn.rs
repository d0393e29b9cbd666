// An async fn runs on whoever polls it.
#[gaggle::preemptible]
async fn work() {}

fn main() {
    drop(work());
}
