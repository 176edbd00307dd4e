//! Types that are no arguments, where `FromParts` and `FromRequest` are asked for by name.
//~ `Cake` cannot be made of a request without its body
//~ this is no argument for a handler, unless perhaps as its last
//~ `Cake` cannot be made of a request
//~ what else implements `FromParts`, and as its last argument also what implements `FromRequest`

use bakestone::app::{FromParts, FromRequest};

struct Cake;

fn any_argument<T: FromParts>() {}
fn last_argument<T: FromRequest>() {}

fn main() {
    any_argument::<Cake>();
    last_argument::<Cake>();
}
