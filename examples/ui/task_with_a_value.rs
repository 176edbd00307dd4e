//! A task that makes something.
//~ a background task cannot end with
//~ a task ends with `()` or with `Result<(), E>`
//~ a failure is an `Err`, of what becomes a `bakestone::Error`

use std::time::Duration;

use bakestone::App;

fn main() {
    let _ = App::new().every(Duration::from_secs(1), |_| async { 42 });
}
