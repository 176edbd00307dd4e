//! The results, as Markdown.
//!
//! The rule: more than 1 is better than the peer in every ratio.

use crate::cases::Case;
use crate::measure::Medians;
use crate::servers::Kind;

/// Prints the table of a case.
pub(crate) fn print(case: &Case, results: &[Medians]) {
    let (rate, cost) = if case.large { ("MB/s", "CPU ms/GiB") } else { ("requests/s", "CPU µs/request") };
    println!("\n| {} | {rate} | x nginx | x axum | {cost} | x nginx | x axum |", case.name);
    println!("|---|---|---|---|---|---|---|");
    let of = |kind: Kind| results.iter().find(|result| result.name == kind.name());
    let (nginx, axum) = (of(Kind::Nginx), of(Kind::Axum));
    for result in results {
        let rate = |peer: Option<&Medians>| ratio(result.rate, peer.map(|peer| peer.rate));
        let cost = |peer: Option<&Medians>| ratio(1.0 / result.cost, peer.map(|peer| 1.0 / peer.cost));
        let (shown_rate, shown_cost) = match case.large {
            true => (result.rate / 1e6, result.cost * 1e3 * f64::from(1 << 30)),
            false => (result.rate, result.cost * 1e6),
        };
        println!(
            "| {} | {shown_rate:.0} | {} | {} | {shown_cost:.1} | {} | {} |",
            result.name,
            rate(nginx),
            rate(axum),
            cost(nginx),
            cost(axum)
        );
    }
}

fn ratio(own: f64, peer: Option<f64>) -> String {
    peer.map_or("-".to_owned(), |peer| format!("{:.2}", own / peer))
}
