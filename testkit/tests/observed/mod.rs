//! A wire to a session that is listened to.

use std::sync::{Arc, Mutex};

use bakestone::session::{Event, IntoService};
use bakestone::{Service, Session};
use bakestone_testkit::Wire;

/// A wire to a session of which those events are noted that the wire alone does not show.
pub(crate) fn observed<S: Service, M>(
    service: impl IntoService<M, Service = S>,
) -> (Wire<Session<S>>, Arc<Mutex<Vec<String>>>) {
    let events = Arc::new(Mutex::new(Vec::new()));
    let noted = events.clone();
    let session = Session::new(service).observer(Arc::new(move |event: &Event<'_>| {
        use Event::{ConnectionClosed, ConnectionOpened, Failed, RequestEnded, RequestStarted};
        let is_connection = matches!(event, ConnectionOpened(_) | ConnectionClosed(_));
        if !is_connection && !matches!(event, RequestStarted(_) | RequestEnded(_) | Failed(_)) {
            noted.lock().expect("nobody panicked here").push(format!("{event:?}"));
        }
    }));
    (Wire::new(session), events)
}
