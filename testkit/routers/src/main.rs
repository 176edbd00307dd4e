//! Looks a set of requests up a number of times in one router, for a profiler to count: `count NAME SET TIMES`.

use std::process::ExitCode;

use bakestone_routers::{Candidate, Request, github, many};

/// The requests of a set's name, and how many routes there are besides GitHub's.
fn set(name: &str) -> Option<(Vec<Request>, usize)> {
    Some(match name {
        "static" => (Request::with(0, 0), 0),
        "one" => (Request::with(1, 1), 0),
        "three" => (Request::with(3, 9), 0),
        "all" => (Request::with(0, 9), 0),
        _ => (many(name.parse().ok()?).iter().step_by(97).map(Request::of).collect(), name.parse().ok()?),
    })
}

fn run<C: Candidate>(set: &(Vec<Request>, usize), times: usize) -> usize {
    let routes = if set.1 > 0 { many(set.1) } else { github() };
    let router = C::new(&routes);
    (0..times).map(|_| router.find_all(&set.0)).sum()
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [_, name, set_name, times] = &*arguments else {
        eprintln!("count NAME (static | one | three | all | COUNT) TIMES");
        return ExitCode::FAILURE;
    };
    let (Some(set), Ok(times)) = (set(set_name), times.parse()) else { return ExitCode::FAILURE };
    let run = match name.as_str() {
        "bakestone" => run::<bakestone::router::Router<usize>>,
        "matchit" => run::<matchit::Router<usize>>,
        "actix-router" => run::<actix_router::Router<usize>>,
        "path-tree" => run::<path_tree::PathTree<usize>>,
        "wayfind" => run::<wayfind::Router<usize>>,
        _ => return ExitCode::FAILURE,
    };
    println!("{} look-ups, {} parameters", set.0.len() * times, run(&set, times));
    ExitCode::SUCCESS
}
