//! The results, as Markdown.
//!
//! The rule: less than 1 is better than the peer in every ratio.

/// The figures of a server, or of whatever the first column names.
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) cells: Vec<String>,
}

/// A server that cannot do what is measured.
pub(crate) fn dashes(name: &str, columns: usize) -> Row {
    Row { name: name.to_owned(), cells: vec!["-".to_owned(); columns] }
}

/// Prints a table.
pub(crate) fn print(about: &str, columns: &[&str], rows: &[Row]) {
    println!("\n| {about} | {} |", columns.join(" | "));
    println!("|---{}|", "|---".repeat(columns.len()));
    for Row { name, cells } in rows {
        println!("| {name} | {} |", cells.join(" | "));
    }
}

/// How many times `other` a figure is; a dash where there is no other.
pub(crate) fn ratio(own: f64, other: Option<f64>) -> String {
    other.map_or("-".to_owned(), |other| format!("{:.2}", own / other))
}

/// The least and the most.
pub(crate) fn spread(values: impl Iterator<Item = f64>) -> String {
    let (least, most) =
        values.fold((f64::MAX, 0.0_f64), |(least, most), value| (least.min(value), most.max(value)));
    format!("{least:.2} - {most:.2}")
}

/// The one in the middle, or of two the greater; 0 of none.
pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        for (values, expected) in [(vec![3.0, 1.0, 2.0], 2.0), (vec![2.0, 1.0], 2.0), (vec![], 0.0)] {
            assert_eq!(median(values.into_iter()), expected);
        }
    }

    #[test]
    fn a_spread_has_two_ends() {
        assert_eq!(spread([2.0, 1.0, 4.0].into_iter()), "1.00 - 4.00");
    }

    #[test]
    fn a_ratio_without_a_peer_is_a_dash() {
        assert_eq!((ratio(3.0, Some(2.0)), ratio(3.0, None)), ("1.50".to_owned(), "-".to_owned()));
    }
}
