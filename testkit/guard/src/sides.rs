//! Runs one side of a scenario for some turns.
//!
//! The rule: a turn that writes anything but the right answer ends the run, so that nobody is cheap by doing less.

use std::fmt;
use std::str::FromStr;

use crate::ours::Ours;
use crate::peers::{Hyper, Tungstenite};
use crate::scenarios::{Scenario, Yardstick};
use crate::wire::Written;

/// What takes turns: one kept connection.
pub(crate) trait Side {
    /// Reads `input` and writes all of the answers.
    fn turn(&mut self, input: &'static [u8], written: &mut Written);
}

/// Which of the two it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    Ours,
    Peer,
}

impl fmt::Display for Which {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ours => "ours",
            Self::Peer => "peer",
        })
    }
}

impl FromStr for Which {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "ours" => Ok(Self::Ours),
            "peer" => Ok(Self::Peer),
            _ => Err(format!("{name:?} is not a side")),
        }
    }
}

/// Opens the connection, and takes the scenario's turns on it after one that is looked at.
///
/// # Panics
///
/// If an answer is not the right one.
pub(crate) fn run(which: Which, scenario: &Scenario, turns: u32) {
    match (which, scenario.yardstick) {
        (Which::Ours, _) => {
            let mut side = Ours::new();
            if !scenario.opening.is_empty() {
                side.turn(scenario.opening, &mut Written::default());
            }
            take_turns(side, scenario, turns);
        }
        (Which::Peer, Yardstick::Hyper) => take_turns(Hyper::new(), scenario, turns),
        (Which::Peer, Yardstick::Tungstenite) => take_turns(Tungstenite::new(), scenario, turns),
    }
}

fn take_turns(mut side: impl Side, scenario: &Scenario, turns: u32) {
    let mut first = Written { count: 0, kept: Some(Vec::new()) };
    side.turn(scenario.input, &mut first);
    let kept = first.kept.unwrap_or_default();
    assert!(kept.ends_with(scenario.answer), "{}: {}", scenario.name, kept.escape_ascii());
    let mut written = Written::default();
    for _ in 0..turns {
        written.count = 0;
        side.turn(scenario.input, &mut written);
        assert_eq!(written.count, first.count, "{}: another answer than the first", scenario.name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenarios;

    #[test]
    fn both_sides_answer_every_scenario() {
        for scenario in scenarios::all() {
            run(Which::Ours, &scenario, 20);
            run(Which::Peer, &scenario, 20);
        }
    }
}
