//! The paths of a route.

#[cfg(doc)]
use super::App;
use crate::router::{PathPattern, PathRegex};

/// One path, or several: what [`App::route`] takes.
///
/// ```
/// use bakestone::router::{PathPattern, regex};
/// use bakestone::{App, get};
///
/// let app = App::new()
///     .route("/", get(|| "one"))
///     .route(["/a", "/b/{id:int}"], get(|| "several"))
///     .route(regex(r"/(?P<year>\d{4})-(?P<week>\d\d)"), get(|| "one expression for the whole path"))
///     .route([PathPattern::from("/weeks"), regex(r"/week-\d\d").into()], get(|| "both"));
/// # let _ = app.build();
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a path of a route",
    label = "expected one path, or several",
    note = "a path is a `&str` or a `String`; several are an array, a slice or a `Vec` of them",
    note = "one regular expression for the whole path is a `router::regex(..)`"
)]
pub trait IntoPaths {
    /// The paths.
    fn into_paths(self) -> Vec<PathPattern>;
}

macro_rules! one {
    ($($type:ty)*) => {$(
        impl IntoPaths for $type {
            fn into_paths(self) -> Vec<PathPattern> {
                vec![self.into()]
            }
        }
    )*};
}

one!(&str String &String PathRegex PathPattern);

impl<S: Clone + Into<PathPattern>> IntoPaths for &[S] {
    fn into_paths(self) -> Vec<PathPattern> {
        self.iter().cloned().map(Into::into).collect()
    }
}

impl<S: Into<PathPattern>, const N: usize> IntoPaths for [S; N] {
    fn into_paths(self) -> Vec<PathPattern> {
        self.into_iter().map(Into::into).collect()
    }
}

impl<S: Clone + Into<PathPattern>, const N: usize> IntoPaths for &[S; N] {
    fn into_paths(self) -> Vec<PathPattern> {
        self.as_slice().into_paths()
    }
}

impl<S: Into<PathPattern>> IntoPaths for Vec<S> {
    fn into_paths(self) -> Vec<PathPattern> {
        self.into_iter().map(Into::into).collect()
    }
}
