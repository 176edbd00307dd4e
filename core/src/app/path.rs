//! The parameters of the path as an argument.

use serde_core::de::DeserializeOwned;

use super::deserialize::{self, Misfit, Problem};
use super::extract::{FromParts, Requirements, rejection};
use super::state::States;
use crate::error::Result;
use crate::message::Request;

/// The parameters of the path, as a type of the application's own.
///
/// | `T` | takes |
/// |---|---|
/// | text, a number, `bool`, `char`, an enum without values, a type around one of them | the one parameter |
/// | a tuple | all of them, in the path's order |
/// | a struct | those that have its fields' names, wherever they stand |
/// | a map, a sequence, a sequence of pairs, [`MultiMap`](crate::MultiMap) | all of them |
///
/// The rest that `{rest:path}` takes is the client's text: it may begin with `/` and have `..` in it, so it is no path
/// of a file until that was checked. Within tagged, untagged and flattened types every value is text.
///
/// A value is read as [`Query`](super::Query) reads one. One that is no `T` is 400, with a message that names the
/// parameter; but 404 where the pattern has a type of its own (`{id:int}`), since the path then is none
/// of the route's.
///
/// A route of which a path has fewer or more parameters than are taken by their order, or not those of the struct's
/// names, is not built; a middleware or a fallback may take fewer. The parameters of a mount's prefix come first. To
/// find that out, `T` is made once of values that are made up. As `Option<Path<T>>` all may be missing, as an `Option` in
/// the struct one of them.
///
/// ```
/// use bakestone::{App, Path, Text, get};
/// use serde::Deserialize;
///
/// async fn record(Path((user, record)): Path<(String, u32)>) -> Text<String> {
///     Text(format!("record {record} of {user}"))
/// }
///
/// #[derive(Deserialize)]
/// struct Record {
///     user: String,
///     record: u32,
/// }
///
/// async fn by_name(Path(Record { user, record }): Path<Record>) -> Text<String> {
///     Text(format!("record {record} of {user}"))
/// }
///
/// let build = |path: &str| App::new().route(path, get(record).post(by_name)).build();
/// assert!(build("/users/{user}/records/{record:int}").is_ok());
/// assert!(build("/users/{user}").is_err());
/// assert!(build("/users/{name}/records/{record:int}").is_err());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned> FromParts for Path<T> {
    fn from_parts(request: &mut Request, _: &States) -> Result<Self> {
        let value = deserialize::from_params(request.params());
        value.map(Self).map_err(|misfit| rejection::<Self>("path", blame(misfit)).into())
    }

    fn requirements(requirements: &mut Requirements) {
        requirements.path::<T>();
    }
}

/// What a path lacks is the route's fault, and none of the client's.
fn blame(misfit: Misfit) -> Misfit {
    match misfit.problem {
        Problem::Missing => {
            Misfit { problem: Problem::Unsupported("the route has no such parameter".into()), ..misfit }
        }
        _ => misfit,
    }
}
