//! What a driver is given to serve.

use super::{App, AppService, BuildErrors};
use crate::session::{IntoService, Lifecycle, Service};

/// What a server serves: an [`App`], an [`AppService`], or any function or [`Service`].
///
/// Everything that can be wrong with it is found by [`start`](Self::start), before the first connection. `M`
/// only tells the cases apart; it is inferred.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an application to serve",
    label = "this does not answer requests",
    note = "serve an `App`, or a function `fn(Request) -> impl IntoResponse`, asynchronous or not",
    note = "a function of other arguments is a handler, and needs a route: `App::new().route(\"/\", get(handler))`"
)]
pub trait Application<M> {
    /// What answers the requests.
    type Service: Service;

    /// The service, and the life of its server.
    ///
    /// # Errors
    ///
    /// All that is wrong with the application.
    fn start(self) -> Result<(Self::Service, Lifecycle), BuildErrors>;
}

/// Marks an [`App`].
#[derive(Debug)]
pub enum ByRoutes {}

impl Application<ByRoutes> for App {
    type Service = AppService;

    fn start(mut self) -> Result<(AppService, Lifecycle), BuildErrors> {
        let lifecycle = self.take_lifecycle();
        Ok((self.build()?, lifecycle))
    }
}

#[diagnostic::do_not_recommend]
impl<M, T: IntoService<M>> Application<(M,)> for T {
    type Service = T::Service;

    fn start(self) -> Result<(T::Service, Lifecycle), BuildErrors> {
        Ok((self.into_service(), Lifecycle::default()))
    }
}
