//! A method that is none.
//~ is not a method
//~ expected a `Method`, or its name as a `&str`

use bakestone::App;
use bakestone::app::on;

fn main() {
    let _ = App::new().route("/", on(42, || "hello"));
}
