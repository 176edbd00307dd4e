//! Values that the handlers of an application share, by type.

use std::any::{Any, TypeId, type_name};
use std::fmt;
use std::panic::Location;
use std::sync::{Arc, OnceLock};

use super::extract::{FromParts, Requirements};
use super::urls::Urls;
use crate::error::{Error, Result};
use crate::message::Request;

/// A value that the application was given with [`App::state`](super::App::state), or that its start-up made
/// ([`App::state_from`](super::App::state_from)), cloned for this handler.
///
/// An application that lacks it is not built; as `Option<State<T>>` it may be missing.
///
/// ```
/// use bakestone::{App, State, Text, get};
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU64, Ordering};
///
/// async fn count(State(visits): State<Arc<AtomicU64>>) -> Text<String> {
///     Text(visits.fetch_add(1, Ordering::Relaxed).to_string())
/// }
///
/// assert!(App::new().route("/", get(count)).state(Arc::new(AtomicU64::new(0))).build().is_ok());
/// assert!(App::new().route("/", get(count)).build().is_err());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct State<T>(pub T);

/// The values that an application was given, one of each type, and the paths of its routes; what extractors see of
/// the application.
#[derive(Clone, Default)]
pub struct States {
    values: Vec<Stored>,
    urls: Urls,
}

/// A value, its type, and where it was given.
#[derive(Clone)]
pub(super) struct Stored {
    id: TypeId,
    pub(super) type_name: &'static str,
    pub(super) location: &'static Location<'static>,
    value: Value,
}

#[derive(Clone)]
enum Value {
    There(Arc<dyn Any + Send + Sync>),
    /// A [`Late`] of the value.
    Late(Arc<dyn Any + Send + Sync>),
}

/// The place of a value that the start-up makes.
pub(super) type Late<T> = OnceLock<T>;

impl Stored {
    pub(super) fn new<T: Send + Sync + 'static>(value: T, location: &'static Location<'static>) -> Self {
        Self::of::<T>(Value::There(Arc::new(value)), location)
    }

    pub(super) fn late<T: Send + Sync + 'static>(
        place: Arc<Late<T>>,
        location: &'static Location<'static>,
    ) -> Self {
        Self::of::<T>(Value::Late(place), location)
    }

    fn of<T: 'static>(value: Value, location: &'static Location<'static>) -> Self {
        Self { id: TypeId::of::<T>(), type_name: type_name::<T>(), location, value }
    }
}

impl States {
    /// The states, and what was given a second time, with what was there first.
    pub(super) fn new(given: Vec<Stored>) -> (Self, Vec<(Stored, &'static Location<'static>)>) {
        let (mut states, mut again) = (Vec::<Stored>::new(), Vec::new());
        for stored in given {
            match states.binary_search_by(|known| known.id.cmp(&stored.id)) {
                Ok(index) => {
                    let first = states.get(index).map_or(stored.location, |known| known.location);
                    again.push((stored, first));
                }
                Err(index) => states.insert(index, stored),
            }
        }
        (Self { values: states, urls: Urls::default() }, again)
    }

    /// These states, and those of `outer` whose types are not among them.
    pub(super) fn within(mut self, outer: &States) -> Self {
        for stored in &outer.values {
            if let Err(index) = self.values.binary_search_by(|known| known.id.cmp(&stored.id)) {
                self.values.insert(index, stored.clone());
            }
        }
        self
    }

    pub(super) fn with_urls(self, urls: Urls) -> Self {
        Self { urls, ..self }
    }

    /// The paths of the application's routes, by name.
    pub fn urls(&self) -> &Urls {
        &self.urls
    }

    /// The value of type `T`, if the application was given one; a value of the start-up is there once its hook
    /// has run.
    pub fn get<T: Send + Sync + 'static>(&self) -> Option<&T> {
        match &self.stored(TypeId::of::<T>())?.value {
            Value::There(value) => value.downcast_ref(),
            Value::Late(place) => place.downcast_ref::<Late<T>>()?.get(),
        }
    }

    pub(super) fn has(&self, id: TypeId) -> bool {
        self.stored(id).is_some()
    }

    fn stored(&self, id: TypeId) -> Option<&Stored> {
        let index = self.values.binary_search_by(|stored| stored.id.cmp(&id)).ok()?;
        self.values.get(index)
    }
}

impl fmt::Debug for States {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.values.iter().map(|stored| stored.type_name)).finish()
    }
}

impl<T: Clone + Send + Sync + 'static> FromParts for State<T> {
    fn from_parts(_: &mut Request, states: &States) -> Result<Self> {
        // Missing it is only for an extractor that asks without saying so in its requirements, or where the
        // application is called without its lifecycle.
        states.get::<T>().cloned().map(Self).ok_or_else(|| {
            let why =
                if states.has(TypeId::of::<T>()) { "made yet: its start-up has not run" } else { "given" };
            let missing = format!("no state of type `{}` was {why}", type_name::<T>());
            Error::internal().with_source(missing)
        })
    }

    fn requirements(requirements: &mut Requirements) {
        requirements.state::<T>();
    }
}
