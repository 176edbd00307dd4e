//! From names and values, as paths, queries and forms have them, to a type of the application's own.
//!
//! The rule: a misfit names the field and what it must be, in the application's words. What the client sent
//! stays out of it.

mod fields;
mod files;
mod misfit;
mod params;
mod value;

use std::cell::Cell;

use serde_core::de::DeserializeOwned;

pub(super) use misfit::{Misfit, Problem};

use crate::message::{FormData, MultiMap};
use crate::router::Params;

/// The `T` that these fields are.
pub(super) fn from_fields<T: DeserializeOwned>(fields: &MultiMap) -> Result<T, Misfit> {
    T::deserialize(fields::Fields { fields, files: &[] })
}

/// The `T` that this form is, files and all. An input for a file that was left empty is sent all the same, and is none.
pub(super) fn from_form<T: DeserializeOwned>(form: FormData) -> Result<T, Misfit> {
    let (fields, mut files) = form.into_parts();
    files.retain(|file| !file.is_empty());
    let names: Vec<String> = files.iter().map(|file| file.name().to_owned()).collect();
    files::with_files(files, || T::deserialize(fields::Fields { fields: &fields, files: &names }))
}

/// The `T` that the parameters of a path are.
pub(super) fn from_params<T: DeserializeOwned>(params: &Params) -> Result<T, Misfit> {
    let parameters = params::Parameters::Found(params);
    T::deserialize(parameters).map_err(|misfit| parameters.blame_the_only_one(misfit))
}

/// Where a path with parameters of these names and a `T` do not fit.
///
/// A type whose own checks refuse a value that is made up may need more than is found out here.
pub(super) fn unfit<T: DeserializeOwned>(names: &[&str]) -> Option<Unfit> {
    let taken = Cell::new(None);
    let Err(misfit) = T::deserialize(params::Parameters::MadeUp(names, &taken)) else {
        return taken.get().filter(|taken| *taken < names.len()).map(Unfit::TakesOnly);
    };
    match (misfit.problem, misfit.field) {
        (Problem::TooFew(count), _) => Some(Unfit::Needs(count)),
        (Problem::Missing, Some(name)) => Some(Unfit::Lacks(name.into_owned())),
        _ => None,
    }
}

/// How a path's parameters and a type do not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unfit {
    /// The type needs so many parameters.
    Needs(usize),
    /// The type needs a parameter of this name.
    Lacks(String),
    /// The type takes the first so many by their order, and there are more: those of a mount's prefix come first, so
    /// these may be others than were meant.
    TakesOnly(usize),
}
