//! Who makes requests: what each of them has, and the cookies.
//!
//! The rule: users share the server and the clock, and nothing else.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use bakestone::HeaderMap;
use bakestone::machine::Address;

use super::jar::CookieJar;
use super::url::Url;

/// What every request has unless it says otherwise.
#[derive(Clone, Debug)]
pub(super) struct Defaults {
    pub(super) base: Url,
    pub(super) headers: HeaderMap,
    pub(super) peer: Option<Address>,
    pub(super) timeout: Duration,
    pub(super) redirects: usize,
    pub(super) read_ahead: usize,
}

/// One of those who make requests.
pub(super) struct User {
    pub(super) id: u64,
    pub(super) defaults: Defaults,
    pub(super) jar: CookieJar,
}

pub(super) type SharedUser = Rc<RefCell<User>>;

impl User {
    pub(super) fn shared(id: u64, defaults: Defaults) -> SharedUser {
        Rc::new(RefCell::new(Self { id, defaults, jar: CookieJar::default() }))
    }
}
