//! A handler that keeps what must stay on its thread.
//~ is not `Send`
//~ `Rc<u32>`

use std::rc::Rc;
use std::time::Duration;

use bakestone::{App, Context, get};

async fn later(context: Context) -> u32 {
    let number = Rc::new(5);
    context.sleep(Duration::from_secs(1)).await;
    *number
}

fn main() {
    let _ = App::new().route("/later", get(later));
}
