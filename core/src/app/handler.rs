//! From a function to what answers requests.

use std::future::{Ready, ready};
use std::marker::PhantomData;

use super::extract::{FromParts, FromRequest, Requirements};
use super::state::States;
use crate::error::{Error, Result};
use crate::message::{IntoResponse, Request, Response};
use crate::session::{Asynchronous, Synchronous};

/// What answers the requests of a route: a function or a closure, asynchronous or not, of up to twelve arguments.
///
/// Each argument is [made of the request](FromParts), the last one may [take its body](FromRequest), and
/// what is returned [becomes the response](IntoResponse). One that is not asynchronous must not
/// block: it runs where the connection does.
///
/// `M` only tells the cases apart; it is inferred.
///
/// ```
/// use bakestone::{Bytes, Context, Method, Path, Request, Response, Result, Text, any, get, post};
/// use std::time::Duration;
///
/// fn now() -> Text<&'static str> {
///     Text("now")
/// }
///
/// async fn later(context: Context, Path(seconds): Path<u64>) -> Text<&'static str> {
///     context.sleep(Duration::from_secs(seconds)).await;
///     Text("later")
/// }
///
/// async fn echo(method: Method, body: Bytes) -> Response {
///     Response::new(if method == Method::POST { body } else { Bytes::new() })
/// }
///
/// async fn whole(mut request: Request) -> Result<Text<String>> {
///     Ok(Text(request.text().await?))
/// }
/// # let _ = (get(now), get(later), any(echo), post(whole), get(|| async { "closure" }));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a handler",
    label = "this does not answer the requests of a route",
    note = "a handler is a function or a closure, asynchronous or not, of at most twelve arguments, whose types are written out"
)]
pub trait Handler<M>: Send + Sync + 'static {
    /// Answers `request`.
    ///
    /// # Errors
    ///
    /// What an argument could not be made of, or the handler's own error; the application renders it.
    fn call(&self, request: Request, states: &States) -> impl Future<Output = Result<Response>> + Send;

    /// Says what its arguments need.
    fn requirements(requirements: &mut Requirements);
}

/// Marks a function of `Args`, whose last is made of the request by `M` and whose answer is given by `K`.
#[derive(Debug)]
pub struct ByFunction<Args, M, K>(PhantomData<(Args, M, K)>);

impl<F, Args, M, K> Handler<ByFunction<Args, M, K>> for F
where
    F: Function<Args> + Send + Sync + 'static,
    Args: Arguments<M> + Send,
    F::Output: Answer<K>,
    <F::Output as Answer<K>>::Kept: Send,
{
    fn call(&self, request: Request, states: &States) -> impl Future<Output = Result<Response>> + Send {
        Args::answer(request, states, |arguments| Function::call(self, arguments).answer())
    }

    fn requirements(requirements: &mut Requirements) {
        Args::requirements(requirements);
    }
}

/// A function or a closure, with its arguments as a tuple.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a handler",
    label = "expected a function or a closure of at most twelve arguments",
    note = "a closure writes out the types of its arguments"
)]
pub trait Function<Args> {
    /// What it returns.
    type Output;

    /// Calls it.
    fn call(&self, arguments: Args) -> Self::Output;
}

/// The arguments of a handler, as a tuple.
pub trait Arguments<M>: Sized {
    /// Makes them of the request, and calls `handler` with them.
    ///
    /// Each block around a future keeps room for it once more, for as long as the handler runs, so there is only one.
    fn answer<T: Future<Output: IntoResponse> + Send>(
        request: Request,
        states: &States,
        handler: impl FnOnce(Self) -> T + Send,
    ) -> impl Future<Output = Result<Response>> + Send;

    /// Says what they need.
    fn requirements(requirements: &mut Requirements);
}

/// What a handler returns: a response, or the future of one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no answer of a handler",
    label = "neither a response nor the future of one",
    note = "a response is what implements `IntoResponse`: text, bytes, `Json(value)`, `Text(text)`, `Response`, any of these in `(StatusCode, value)` or `(StatusCode, HeaderMap, value)`, or a `Result` of one whose error becomes a `bakestone::Error`"
)]
pub trait Answer<K>: Sized {
    /// What must be `Send` for that: the future, if it is one.
    type Kept: Future<Output: IntoResponse>;

    /// Gives the answer: the function's own future, if it is one.
    fn answer(self) -> Self::Kept;
}

impl<T: Future<Output: IntoResponse>> Answer<Asynchronous> for T {
    type Kept = T;

    fn answer(self) -> T {
        self
    }
}

impl<T: IntoResponse> Answer<Synchronous> for T {
    type Kept = Ready<Result<Response>>;

    fn answer(self) -> Self::Kept {
        ready(self.into_response())
    }
}

impl<F: Fn() -> O, O> Function<()> for F {
    type Output = O;

    fn call(&self, (): ()) -> O {
        self()
    }
}

impl Arguments<()> for () {
    async fn answer<T: Future<Output: IntoResponse> + Send>(
        request: Request,
        _: &States,
        handler: impl FnOnce(Self) -> T + Send,
    ) -> Result<Response> {
        drop(request);
        handler(()).await.into_response()
    }

    fn requirements(_: &mut Requirements) {}
}

macro_rules! handlers {
    ($($($arg:ident)*;)*) => {$(
        #[allow(non_snake_case)]
        impl<Given: Fn($($arg,)* Last) -> Output, Output, $($arg,)* Last> Function<($($arg,)* Last,)> for Given {
            type Output = Output;

            fn call(&self, ($($arg,)* Last,): ($($arg,)* Last,)) -> Output {
                self($($arg,)* Last)
            }
        }

        #[allow(non_snake_case, unused_mut, unused_variables)]
        impl<M, $($arg: FromParts + Send,)* Last: FromRequest<M> + Send> Arguments<M> for ($($arg,)* Last,) {
            fn answer<T: Future<Output: IntoResponse> + Send>(
                mut request: Request,
                states: &States,
                handler: impl FnOnce(Self) -> T + Send,
            ) -> impl Future<Output = Result<Response>> + Send {
                // What the body is not needed for is made before there is anything to wait for.
                let begin = |request: &mut Request| Ok::<_, Error>(($($arg::from_parts(request, states)?,)*));
                let begun = begin(&mut request).map(|first| (first, Last::from_request(request, states)));
                async move {
                    let (($($arg,)*), last) = begun?;
                    let last = last.await?;
                    handler(($($arg,)* last,)).await.into_response()
                }
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
