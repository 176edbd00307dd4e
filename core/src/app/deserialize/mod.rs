//! From names and values, as paths, queries and forms have them, to a type of the application's own.
//!
//! The rule: a misfit names the field and what it must be, in the application's words. What the client sent
//! stays out of it.

mod fields;
mod misfit;
mod params;
mod value;

use serde_core::de::DeserializeOwned;

pub(super) use misfit::{Misfit, Problem};

use crate::message::MultiMap;
use crate::router::Params;

/// The `T` that these fields are.
pub(super) fn from_fields<T: DeserializeOwned>(fields: &MultiMap) -> Result<T, Misfit> {
    T::deserialize(fields::Fields(fields))
}

/// The `T` that the parameters of a path are.
pub(super) fn from_params<T: DeserializeOwned>(params: &Params) -> Result<T, Misfit> {
    let parameters = params::Parameters::Found(params);
    T::deserialize(parameters).map_err(|misfit| parameters.blame_the_only_one(misfit))
}

/// What a path with parameters of these names has not, and a `T` needs.
///
/// A type whose own checks refuse a value that is made up may need more than is found out here.
pub(super) fn missing<T: DeserializeOwned>(names: &[&str]) -> Option<Missing> {
    let misfit = T::deserialize(params::Parameters::MadeUp(names)).err()?;
    match (misfit.problem, misfit.field) {
        (Problem::TooFew(count), _) => Some(Missing::Count(count)),
        (Problem::Missing, Some(name)) => Some(Missing::Name(name.into_owned())),
        _ => None,
    }
}

/// What a path has not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// So many parameters.
    Count(usize),
    /// A parameter of this name.
    Name(String),
}
