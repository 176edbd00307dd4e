//! The time of look-ups, all of a set in one iteration.

use bakestone_routers::{Candidate, Request, github, many};
use divan::{Bencher, counter::ItemsCount};

fn main() {
    divan::main();
}

macro_rules! benches {
    ($($set:ident: $routes:expr, $requests:expr;)*) => {$(
        #[divan::bench(types = [
            bakestone::router::Router<usize>,
            matchit::Router<usize>,
            actix_router::Router<usize>,
            path_tree::PathTree<usize>,
            wayfind::Router<usize>,
        ])]
        fn $set<C: Candidate>(bencher: Bencher<'_, '_>) {
            let (router, requests): (C, Vec<Request>) = (C::new(&$routes), $requests);
            bencher.counter(ItemsCount::new(requests.len())).bench_local(|| router.find_all(&requests));
        }
    )*};
}

benches! {
    a_static: github(), Request::with(0, 0);
    b_one_parameter: github(), Request::with(1, 1);
    c_three_parameters_or_more: github(), Request::with(3, 9);
    d_all: github(), Request::with(0, 9);
    e_hundred_routes: many(100), many(100).iter().map(Request::of).collect();
    f_ten_thousand_routes: many(10_000), many(10_000).iter().step_by(97).map(Request::of).collect();
}
