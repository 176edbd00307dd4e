//! From a function to what answers requests.

use std::future::ready;

use super::extract::{FromParts, FromRequest, Requirements};
use super::state::States;
use crate::error::Result;
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
    label = "an argument, what is returned, or the future does not fit; the notes say what does",
    note = "any argument may be `Path<T>`, `Query<T>`, `State<T>`, `Header<T>`, `Method`, `Context` or what else implements `FromParts`; none is a reference",
    note = "the last one, and no other, may take the body: `Request`, `Body`, `Bytes`, `String`, `Json<T>`, `Form<T>` or what else implements `FromRequest`",
    note = "the `T` of a `Path`, `Query`, `Form` or `Json` implements `serde::Deserialize`, and borrows nothing; that of a `State` is `Clone`",
    note = "what is returned implements `IntoResponse`: text, bytes, `Json(value)`, `Text(text)`, `Response`, or a `Result` of one whose error becomes a `bakestone::Error`",
    note = "the future of an asynchronous handler is `Send`: no `Rc`, no lock's guard is kept across an `.await`",
    note = "there are at most twelve arguments, and a closure writes out their types"
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

#[diagnostic::do_not_recommend]
impl<F, T> Handler<(Asynchronous,)> for F
where
    F: Fn() -> T + Send + Sync + 'static,
    T: Future<Output: IntoResponse> + Send,
{
    fn call(&self, _: Request, _: &States) -> impl Future<Output = Result<Response>> + Send {
        let answer = self();
        async move { answer.await.into_response() }
    }

    fn requirements(_: &mut Requirements) {}
}

#[diagnostic::do_not_recommend]
impl<F, T> Handler<(Synchronous,)> for F
where
    F: Fn() -> T + Send + Sync + 'static,
    T: IntoResponse,
{
    fn call(&self, _: Request, _: &States) -> impl Future<Output = Result<Response>> + Send {
        ready(self().into_response())
    }

    fn requirements(_: &mut Requirements) {}
}

macro_rules! handler {
    ($marker:ident, [$($bound:tt)*], [$($wait:tt)*], $($arg:ident)*; $last:ident) => {
        #[diagnostic::do_not_recommend]
        #[allow(non_snake_case, unused_mut, clippy::manual_async_fn)]
        impl<Function, Output, M, $($arg,)* $last> Handler<($marker, M, $($arg,)* $last)> for Function
        where
            Function: Fn($($arg,)* $last) -> Output + Send + Sync + 'static,
            Output: $($bound)*,
            $($arg: FromParts + Send,)*
            $last: FromRequest<M> + Send,
        {
            // An `async fn` would hold the request twice: as its argument, and as the variable in its body.
            fn call(
                &self,
                mut request: Request,
                states: &States,
            ) -> impl Future<Output = Result<Response>> + Send {
                async move {
                    $(let $arg = $arg::from_parts(&mut request, states)?;)*
                    let $last = $last::from_request(request, states).await?;
                    self($($arg,)* $last)$($wait)*.into_response()
                }
            }

            fn requirements(requirements: &mut Requirements) {
                $($arg::requirements(requirements);)*
                $last::requirements(requirements);
            }
        }
    };
}

macro_rules! handlers {
    ($($($arg:ident)*;)*) => {$(
        handler!(Asynchronous, [Future<Output: IntoResponse> + Send], [.await], $($arg)*; Last);
        handler!(Synchronous, [IntoResponse], [], $($arg)*; Last);
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
