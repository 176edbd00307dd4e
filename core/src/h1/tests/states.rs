//! The table of transitions against itself, and against its picture.

use super::super::transitions::{ROWS, Side, State, States, Step, after};

const SIDES: [Side; 2] = [Side::Request, Side::Response];
const STATES: [State; 6] =
    [State::Idle, State::Body, State::Done, State::Tunnel, State::Closed, State::Failed];
const STEPS: [Step; 8] = [
    Step::Informational,
    Step::Head,
    Step::Data,
    Step::End,
    Step::Reuse,
    Step::Switch,
    Step::Close,
    Step::Fail,
];

/// The chart of the module's documentation, drawn from the rows.
fn chart() -> String {
    let mut text =
        String::from("<!-- Drawn from the table in transitions.rs; a test compares the two. -->\n```text\n");
    for side in SIDES {
        text.push_str(&format!("the {side}\n"));
        let mut last = None;
        for (_, from, step, to) in ROWS.iter().filter(|row| row.0 == side) {
            let name = if last == Some(*from) { String::new() } else { format!("{from:?}") };
            last = Some(*from);
            let step = format!("{step:?} ");
            text.push_str(&format!("  {name:<7} ── {step:─<15}─▶ {to:?}\n"));
        }
    }
    text + "```\n"
}

#[test]
fn the_chart_is_the_table() {
    let chart = chart();
    assert!(chart == include_str!("../states.md"), "states.md should be:\n\n{chart}");
}

#[test]
fn every_step_is_a_row_or_illegal() {
    for side in SIDES {
        for from in STATES {
            for step in STEPS {
                let rows: Vec<_> =
                    ROWS.iter().filter(|row| (row.0, row.1, row.2) == (side, from, step)).collect();
                assert!(rows.len() <= 1, "{rows:?}");
                assert_eq!(after(side, from, step), rows.first().map(|row| row.3));
            }
        }
    }
}

#[test]
fn every_state_can_be_reached() {
    for side in SIDES {
        let mut reached = vec![State::Idle];
        while let Some(row) =
            ROWS.iter().find(|row| row.0 == side && reached.contains(&row.1) && !reached.contains(&row.3))
        {
            reached.push(row.3);
        }
        assert!(STATES.iter().all(|state| reached.contains(state)), "{side}: {reached:?}");
    }
}

#[test]
fn an_illegal_step_changes_nothing() {
    let mut states = States::new();
    assert!(!states.take(Side::Request, Step::End));
    assert_eq!(states, States::new());
    assert!(states.take(Side::Request, Step::Head));
    assert_eq!((states.of(Side::Request), states.of(Side::Response)), (State::Body, State::Idle));
}
