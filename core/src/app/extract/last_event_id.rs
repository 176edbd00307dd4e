//! The last event that a client has got, as an argument.

use super::FromParts;
use crate::app::state::States;
use crate::error::Result;
use crate::message::{Reason, Rejection, Request};

/// The identifier of the last event that a client of [events](crate::Sse) has got: [`Request::last_event_id`]. A client
/// that connects for the first time has none, so most handlers take an `Option<LastEventId>`; without that it is 400.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastEventId(pub String);

impl FromParts for LastEventId {
    fn from_parts(request: &mut Request, _: &States) -> Result<Self> {
        let missing = || Rejection::new::<Self>(Reason::Missing, "header", "").with_field("last-event-id");
        let id = request.last_event_id().map(str::to_owned);
        Ok(Self(id.ok_or_else(missing)?))
    }
}
