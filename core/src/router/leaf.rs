//! The routes of one shape, by method.

use http::Method;

/// The methods that `http` has names for. Each has its place in [`Leaf::standard`].
const STANDARD: [Method; 9] = [
    Method::OPTIONS,
    Method::GET,
    Method::POST,
    Method::PUT,
    Method::DELETE,
    Method::HEAD,
    Method::TRACE,
    Method::CONNECT,
    Method::PATCH,
];

/// Which routes take a path that leads here.
#[derive(Default)]
pub(super) struct Leaf {
    /// What is found for each [`STANDARD`] method, so that a look-up compares no names.
    standard: [Option<Taken>; STANDARD.len()],
    own: Table,
    /// The routes that take the path for their slash policy, whose own shape has another end.
    other: Option<Box<Table>>,
}

#[derive(Default)]
struct Table {
    methods: Vec<(Method, u32)>,
    any: Option<u32>,
}

/// A route that takes a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) route: u32,
    /// Whether it is the other end of the path that the route has.
    pub(super) other: bool,
}

impl Leaf {
    /// Takes in a route for a method, or for any; if there is one already, that one.
    pub(super) fn insert(&mut self, method: Option<&Method>, route: u32) -> Result<(), u32> {
        self.own.insert(method, route)
    }

    /// Takes in a route whose shape has another end. If there is one already, that one stays: the routes'
    /// own shapes conflict then as well.
    pub(super) fn insert_other(&mut self, method: Option<&Method>, route: u32) {
        let _ = self.other.get_or_insert_default().insert(method, route);
    }

    /// Finds what there is to find beforehand, when all routes are there.
    pub(super) fn finish(mut self) -> Self {
        self.standard = STANDARD.each_ref().map(|method| self.take(method));
        self
    }

    /// The route that takes `method`.
    #[inline]
    pub(super) fn route(&self, method: &Method) -> Option<Taken> {
        match self.standard.get(standard(method)) {
            Some(taken) => *taken,
            None => self.take(method),
        }
    }

    /// The route that takes `method`: what has this very shape first.
    fn take(&self, method: &Method) -> Option<Taken> {
        if let Some(route) = self.own.route(method) {
            return Some(Taken { route, other: false });
        }
        let route = self.other.as_ref()?.route(method)?;
        Some(Taken { route, other: true })
    }

    pub(super) fn methods(&self) -> impl Iterator<Item = &Method> {
        let other = self.other.iter().flat_map(|table| &table.methods);
        self.own.methods.iter().chain(other).map(|(method, _)| method)
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.own.methods.is_empty() && self.own.any.is_none() && self.other.is_none()
    }
}

/// The place of `method` among those that are [`STANDARD`], past their end if it is none of them. Their order is
/// that of their representation in `http`, so that a compiler makes this one comparison.
#[inline]
fn standard(method: &Method) -> usize {
    match *method {
        Method::OPTIONS => 0,
        Method::GET => 1,
        Method::POST => 2,
        Method::PUT => 3,
        Method::DELETE => 4,
        Method::HEAD => 5,
        Method::TRACE => 6,
        Method::CONNECT => 7,
        Method::PATCH => 8,
        _ => STANDARD.len(),
    }
}

impl Table {
    fn insert(&mut self, method: Option<&Method>, route: u32) -> Result<(), u32> {
        let taken = match method {
            Some(method) => self.named(method),
            None => self.any,
        };
        match (taken, method) {
            (Some(earlier), _) => return Err(earlier),
            (None, Some(method)) => self.methods.push((method.clone(), route)),
            (None, None) => self.any = Some(route),
        }
        Ok(())
    }

    #[inline]
    fn named(&self, method: &Method) -> Option<u32> {
        self.methods.iter().find(|(named, _)| named == method).map(|&(_, route)| route)
    }

    /// A GET answers HEAD before a route for any method does, since that one need not know what a HEAD is.
    #[inline]
    fn route(&self, method: &Method) -> Option<u32> {
        let named = self.named(method);
        let named = named.or_else(|| if method == Method::HEAD { self.named(&Method::GET) } else { None });
        named.or(self.any)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_standard_method_has_its_place() {
        for (place, method) in STANDARD.iter().enumerate() {
            assert_eq!(standard(method), place, "{method}");
        }
        assert_eq!(standard(&Method::from_bytes(b"BREW").unwrap()), STANDARD.len());
    }
}
