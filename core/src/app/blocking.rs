//! Handlers that block.

use std::sync::Arc;

use super::extract::Requirements;
use super::handler::{Arguments, Function, Handler};
use super::state::States;
use crate::error::Result;
use crate::message::{IntoResponse, Request, Response};

/// A handler that [blocks](blocking).
#[derive(Clone, Debug)]
pub struct Blocking<F>(Arc<F>);

/// Makes a handler of a function that blocks: a computation, a file, a database's own client. It runs in the
/// driver's pool for such work, whose size is bounded, and never where connections are served.
///
/// Its arguments are those of any handler; they are made before, where the connection is. If its client goes
/// away, the function runs to its end all the same.
///
/// ```
/// use bakestone::app::blocking;
/// use bakestone::{App, Path, Text, get};
///
/// fn fibonacci(n: u8) -> u128 {
///     (0..n).fold((0, 1), |(a, b), _| (b, a + b)).0
/// }
///
/// let app = App::new().route("/{n}", get(blocking(|Path(n): Path<u8>| Text(fibonacci(n).to_string()))));
/// # assert!(app.build().is_ok());
/// ```
pub fn blocking<F>(function: F) -> Blocking<F> {
    Blocking(Arc::new(function))
}

/// Marks a function that blocks.
#[derive(Debug)]
pub enum Blocks {}

#[diagnostic::do_not_recommend]
impl<F, Args, M> Handler<(Blocks, Args, M)> for Blocking<F>
where
    F: Function<Args> + Send + Sync + 'static,
    Args: Arguments<M> + Send + 'static,
    F::Output: IntoResponse,
{
    fn call(&self, request: Request, states: &States) -> impl Future<Output = Result<Response>> + Send {
        let (function, context) = (self.0.clone(), request.context().clone());
        Args::answer(request, states, move |arguments| async move {
            context.blocking(move || Function::call(&*function, arguments).into_response()).await?
        })
    }

    fn requirements(requirements: &mut Requirements) {
        Args::requirements(requirements);
    }
}
