//! A state that cannot be cloned. The bound is the standard library's, so only its name is ours.
//~ App::state
//~ Clone

use bakestone::App;

struct Counter(u64);

fn main() {
    let _ = App::new().state(Counter(1));
}
