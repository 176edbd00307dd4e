//! A view that does not say what answers.
//~ `Notes` is not a view
//~ this does not say which of its functions answers which method
//~ implement `View` for `Notes`, with `fn methods() -> MethodRouter`

use bakestone::App;

struct Notes;

fn main() {
    let _ = App::new().view("/notes", Notes);
}
