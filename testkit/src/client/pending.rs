//! A request that is on its way.
//!
//! The rule: whoever lets go of it hangs up, unless its response is complete.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use bakestone::{Bytes, HeaderMap, HeaderValue, StatusCode};

use super::Client;
use super::connection::Connection;
use super::error::{Cause, ClientError};
use super::exchange::{Exchange, SharedExchange};
use super::redirect::Plan;
use super::response::ClientResponse;
use super::url::Url;
use super::world::wait;

/// What a request in flight and its response have in common.
pub(super) struct Held {
    pub(super) client: Client,
    pub(super) connection: u64,
    pub(super) exchange: SharedExchange,
    pub(super) timeout: Duration,
    pub(super) url: Url,
}

impl Held {
    pub(super) fn new(
        client: &Client,
        connection: u64,
        exchange: Exchange,
        timeout: Duration,
        url: Url,
    ) -> Self {
        let exchange = Rc::new(RefCell::new(exchange));
        Self { client: client.clone(), connection, exchange, timeout, url }
    }

    /// Lets time pass until `ready` gives something.
    pub(super) fn wait<T>(
        &self,
        mut ready: impl FnMut(&mut Exchange) -> Option<Result<T, Cause>>,
    ) -> Result<T, ClientError> {
        let result = wait(&self.client.world, self.timeout, |_| ready(&mut self.exchange.borrow_mut()));
        result.and_then(|result| result).map_err(|cause| self.failed(cause))
    }

    pub(super) fn failed(&self, cause: Cause) -> ClientError {
        let place = self.place();
        let report = self.client.world.borrow_mut().report(self.connection, &self.exchange);
        ClientError { cause, place, report }
    }

    /// The request, and what is known to be behind its answer.
    pub(super) fn place(&self) -> String {
        let exchange = self.exchange.borrow();
        let mut place = format!("{} at {}", exchange.label(), self.url.origin());
        if let Some(behind) = &exchange.behind {
            let behind = super::seen::lock(behind);
            if let Some(error) = &behind.error {
                place += &format!("\n- its error: {error:#}");
            }
            place.extend(behind.notes.iter().map(|note| format!("\n- {note}")));
        }
        place
    }

    #[track_caller]
    pub(super) fn run(&self) {
        self.client.world.borrow_mut().run();
    }

    /// Does something to the connection, if it is still there and no other request's by now, and lets the server run.
    #[track_caller]
    pub(super) fn with_connection<T: Default>(&self, work: impl FnOnce(&mut Connection) -> T) -> T {
        let mut world = self.client.world.borrow_mut();
        let connection =
            world.connection(self.connection).filter(|connection| connection.is_of(&self.exchange));
        let result = connection.map(work).unwrap_or_default();
        world.run();
        result
    }

    /// Gives a piece of the content, or of what the connection was switched to.
    #[track_caller]
    pub(super) fn write(&self, bytes: Bytes) {
        self.exchange.borrow_mut().give(bytes);
        self.run();
    }

    /// Ends the content.
    #[track_caller]
    pub(super) fn end(&self, trailers: Option<HeaderMap>) {
        self.exchange.borrow_mut().give_end(trailers);
        self.run();
    }

    /// Finishes sending (FIN), behind what was sent so far.
    pub(super) fn half_close(&self) {
        self.with_connection(Connection::half_close);
    }

    /// The server sees the connection reset.
    pub(super) fn hang_up(&self) {
        self.with_connection(Connection::hang_up);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let Ok(mut exchange) = self.exchange.try_borrow_mut() else { return };
        if exchange.is_over() {
            return;
        }
        exchange.is_abandoned = true;
        drop(exchange);
        // A world that is in use is the one that drops this.
        if let (false, Some(mut world)) = (std::thread::panicking(), self.client.world.try_borrow_mut()) {
            world.run();
        }
    }
}

/// A request that is on its way, and lets no time pass by itself.
///
/// ```
/// use bakestone::{App, Request, Result, Text, post};
/// use bakestone_testkit::Client;
/// use std::time::Duration;
///
/// async fn patient(mut request: Request) -> Result<Text<String>> {
///     let text = request.text().await?;
///     request.context().sleep(Duration::from_secs(3600)).await;
///     Ok(Text(text))
/// }
///
/// let client = Client::new(App::new().route("/", post(patient)));
/// let mut pending = client.post("/").body_by_hand().start();
/// pending.write("half a ").write("loaf").end();
/// client.advance(Duration::from_secs(3599));
/// assert!(!pending.is_answered());
/// client.advance(Duration::from_secs(1));
/// assert!(pending.is_answered());
/// pending.response().expect_text("half a loaf");
/// ```
#[must_use = "a request is given up if nobody waits for its response"]
pub struct Pending {
    pub(super) held: Held,
    pub(super) plan: Plan,
}

impl Pending {
    /// Whether there is a response, of which at least the head has come, or none comes any more.
    pub fn is_answered(&self) -> bool {
        self.held.run();
        let exchange = self.held.exchange.borrow();
        exchange.head.is_some() || exchange.is_over()
    }

    /// Gives the next piece of the content, of a request whose body is [by
    /// hand](super::ClientRequest::body_by_hand); it leaves when the server reads it. The
    /// [response](ClientResponse::write) takes more.
    ///
    /// # Panics
    ///
    /// If the content is not by hand, or has ended.
    #[track_caller]
    pub fn write(&mut self, bytes: impl Into<Bytes>) -> &mut Self {
        self.held.write(bytes.into());
        self
    }

    /// Ends the content.
    ///
    /// # Panics
    ///
    /// As [`write`](Self::write).
    #[track_caller]
    pub fn end(&mut self) -> &mut Self {
        self.held.end(None);
        self
    }

    /// Ends the content with these trailers.
    ///
    /// # Panics
    ///
    /// As [`write`](Self::write).
    #[track_caller]
    pub fn end_with(&mut self, trailers: HeaderMap) -> &mut Self {
        self.held.end(Some(trailers));
        self
    }

    /// Finishes sending (FIN) behind what was written so far, be the request complete or not.
    pub fn half_close(&mut self) -> &mut Self {
        self.held.half_close();
        self
    }

    /// Hangs up: the server sees the connection reset.
    pub fn disconnect(self) {
        self.held.hang_up();
    }

    /// The informational responses so far, such as 100 and 103.
    pub fn informational(&self) -> Vec<(StatusCode, HeaderMap)> {
        self.held.run();
        informational(&self.held)
    }

    /// Lets time pass until the response is there, and follows redirects.
    ///
    /// # Panics
    ///
    /// As [`try_response`](Self::try_response) fails.
    #[track_caller]
    pub fn response(self) -> ClientResponse {
        match self.try_response() {
            Ok(response) => response,
            Err(error) => panic!("{error}"),
        }
    }

    /// As [`response`](Self::response), for a test of what goes wrong.
    ///
    /// # Errors
    ///
    /// [`ClientError`], if there is no response.
    pub fn try_response(self) -> Result<ClientResponse, ClientError> {
        let Self { held, mut plan } = self;
        let mut response = answered(held)?;
        loop {
            let Some(next) = plan.follow(&response) else { return Ok(response.with_history(plan.history)) };
            // Its rest is read, so that the connection can be kept, if it is short.
            drop(response);
            let mut following = next.start();
            following.plan.history = std::mem::take(&mut plan.history);
            plan = following.plan;
            response = answered(following.held)?;
        }
    }
}

/// The response to a request, whatever it says.
pub(super) fn answered(held: Held) -> Result<ClientResponse, ClientError> {
    let head = held.wait(|exchange| match (&exchange.head, &exchange.end) {
        (Some(head), _) => Some(Ok(head.clone())),
        (None, Some(Err(cause))) => Some(Err(cause.clone())),
        (None, Some(Ok(_))) => Some(Err(Cause::Closed)),
        (None, None) => None,
    })?;
    let head_at = held.exchange.borrow().head_at.unwrap_or_else(|| held.client.now().wall);
    held.client.keep_cookies(&held.url, head.headers.get_all("set-cookie"), head_at);
    Ok(ClientResponse::new(head, held))
}

impl Client {
    /// Keeps the cookies that a response sets, which came at `at` since the Unix epoch.
    pub(super) fn keep_cookies<'a>(
        &self,
        url: &Url,
        fields: impl IntoIterator<Item = &'a HeaderValue>,
        at: Duration,
    ) {
        let mut user = self.user.borrow_mut();
        for field in fields {
            user.jar.store(url, field.as_bytes(), at);
        }
    }
}

impl std::fmt::Debug for Pending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let request = self.held.exchange.borrow().label();
        f.debug_struct("Pending").field("request", &request).finish_non_exhaustive()
    }
}

pub(super) fn informational(held: &Held) -> Vec<(StatusCode, HeaderMap)> {
    let exchange = held.exchange.borrow();
    exchange.informational.iter().map(|response| (response.status, response.headers.clone())).collect()
}
