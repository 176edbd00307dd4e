//! A type whose methods answer the requests of a path.

use std::sync::Arc;

use super::App;
use super::extract::{FromParts, Requirements};
use super::method_router::MethodRouter;
use super::state::{State, States};
use crate::error::Result;
use crate::message::Request;

/// A resource: one value, shared by the handlers of its methods, which are its own functions.
///
/// A function takes the value as `self: Arc<Self>`, and then arguments like any handler. Which one answers which
/// method is written down, never looked up by what the wire says; for the others there is 405.
///
/// ```
/// use bakestone::app::{MethodRouter, View};
/// use bakestone::{App, Error, Path, Result, Text, get};
/// use std::sync::{Arc, Mutex};
///
/// #[derive(Default)]
/// struct Notes(Mutex<Vec<String>>);
///
/// impl Notes {
///     async fn list(self: Arc<Self>) -> Text<String> {
///         Text(self.0.lock().unwrap().join("\n"))
///     }
///
///     async fn add(self: Arc<Self>, note: String) -> Text<&'static str> {
///         self.0.lock().unwrap().push(note);
///         Text("added")
///     }
///
///     async fn one(self: Arc<Self>, Path(index): Path<usize>) -> Result<Text<String>> {
///         self.0.lock().unwrap().get(index).cloned().map(Text).ok_or_else(Error::not_found)
///     }
/// }
///
/// impl View for Notes {
///     fn methods() -> MethodRouter {
///         get(Self::list).post(Self::add)
///     }
///
///     fn routes(app: App) -> App {
///         app.route("/notes/{index:int}", get(Self::one))
///     }
/// }
///
/// let app = App::new().view("/notes", Notes::default());
/// # assert!(app.build().is_ok());
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a view",
    label = "this does not say which of its functions answers which method",
    note = "implement `View` for `{Self}`, with `fn methods() -> MethodRouter`: `get(Self::list).post(Self::add)`, say"
)]
pub trait View: Send + Sync + 'static {
    /// The handlers of its paths, by method.
    fn methods() -> MethodRouter;

    /// Adds further routes of its own; none by default.
    fn routes(app: App) -> App {
        app
    }
}

impl<V: View> FromParts for Arc<V> {
    fn from_parts(request: &mut Request, states: &States) -> Result<Self> {
        State::<Self>::from_parts(request, states).map(|State(view)| view)
    }

    fn requirements(requirements: &mut Requirements) {
        requirements.state::<Self>();
    }
}
