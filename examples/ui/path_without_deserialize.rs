//! Parameters of the path as a type that serde knows nothing of.
//~ `bakestone::Path<Cake>` cannot be made of a request
//~ the `T` of a `Path`, `Query`, `Form` or `Json` implements `serde::Deserialize`, and borrows nothing

use bakestone::{App, Path, get};

struct Cake {
    id: u32,
}

async fn show(Path(cake): Path<Cake>) -> u32 {
    cake.id
}

fn main() {
    let _ = App::new().route("/cakes/{id}", get(show));
}
