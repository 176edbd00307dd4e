//! An address that is none.
//~ a server cannot listen on `{integer}`
//~ this is not an address, a listener or a `Server`
//~ an address is `"host:port"`, `"unix:path"` or a `SocketAddr`

use bakestone::App;

fn main() {
    let _ = bakestone_tokio::run(App::new(), 8000);
}
