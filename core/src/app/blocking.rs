//! Handlers that block.

use std::sync::Arc;

use super::extract::{FromParts, FromRequest, Requirements};
use super::handler::Handler;
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
impl<F, R> Handler<(Blocks,)> for Blocking<F>
where
    F: Fn() -> R + Send + Sync + 'static,
    R: IntoResponse,
{
    async fn call(&self, request: Request, _: &States) -> Result<Response> {
        let function = self.0.clone();
        request.context().blocking(move || function().into_response()).await?
    }

    fn requirements(_: &mut Requirements) {}
}

macro_rules! handlers {
    ($($($arg:ident)*;)*) => {$(
        #[diagnostic::do_not_recommend]
        #[allow(non_snake_case, unused_mut)]
        impl<Function, Output, M, $($arg,)* Last> Handler<(Blocks, M, $($arg,)* Last)> for Blocking<Function>
        where
            Function: Fn($($arg,)* Last) -> Output + Send + Sync + 'static,
            Output: IntoResponse,
            $($arg: FromParts + Send + 'static,)*
            Last: FromRequest<M> + Send + 'static,
        {
            async fn call(&self, mut request: Request, states: &States) -> Result<Response> {
                let (function, context) = (self.0.clone(), request.context().clone());
                $(let $arg = $arg::from_parts(&mut request, states)?;)*
                let last = Last::from_request(request, states).await?;
                context.blocking(move || function($($arg,)* last).into_response()).await?
            }

            fn requirements(requirements: &mut Requirements) {
                $($arg::requirements(requirements);)*
                Last::requirements(requirements);
            }
        }
    )*};
}

handlers! {
    ;
    A;
    A B;
    A B C;
    A B C D;
    A B C D E;
    A B C D E F;
    A B C D E F G;
    A B C D E F G H;
    A B C D E F G H I;
    A B C D E F G H I J;
    A B C D E F G H I J K;
}
