//! What the command line asks for.
//!
//! The rule: a name that is not known is an error that lists those that are, and never an empty table.

use std::path::PathBuf;

use bakestone_bench_client::flags::Flags;

use crate::peers::{PEERS, Peer};
use crate::scenarios::{self, Scenario};

/// What is to be done, to which servers, how often.
pub(crate) struct Options {
    pub(crate) scenarios: Vec<Scenario>,
    pub(crate) peers: Vec<&'static Peer>,
    /// Where the programs are; if not told, they are built.
    pub(crate) programs: Option<PathBuf>,
    pub(crate) server_core: u32,
    pub(crate) client_core: u32,
    pub(crate) rounds: u64,
    /// wrk measures whole seconds.
    pub(crate) seconds: u64,
    pub(crate) requests: u64,
}

impl Options {
    pub(crate) fn parse(command: &str, words: &[String]) -> Result<Self, String> {
        let mut flags = Flags::parse(words)?;
        let mut options = Self {
            scenarios: select("scenario", &mut flags, scenarios::all(), |scenario| scenario.name)?,
            peers: select("peers", &mut flags, PEERS.iter().collect(), |peer| peer.name)?,
            programs: flags.optional("programs")?,
            server_core: flags.optional("server-core")?.unwrap_or(0),
            client_core: flags.optional("client-core")?.unwrap_or(1),
            rounds: 5,
            seconds: 3,
            requests: 2000,
        };
        match command {
            "http" => {
                options.rounds = flags.number("rounds", options.rounds)?;
                options.seconds = flags.number("seconds", options.seconds)?;
            }
            "instructions" => options.requests = flags.number("requests", options.requests)?,
            "check" => {}
            _ => return Err(format!("{command:?} is not a command")),
        }
        flags.finish()?;
        Ok(options)
    }

    /// The servers that a scenario is for.
    pub(crate) fn peers_of(&self, scenario: &Scenario) -> Vec<&'static Peer> {
        self.peers.iter().copied().filter(|peer| scenario.is_for(peer)).collect()
    }
}

/// Those of `all` that a flag names, in their order; all of them without the flag.
fn select<T>(
    flag: &str,
    flags: &mut Flags,
    all: Vec<T>,
    name: impl Fn(&T) -> &'static str,
) -> Result<Vec<T>, String> {
    let Some(wanted) = flags.optional::<String>(flag)? else { return Ok(all) };
    let wanted: Vec<&str> = wanted.split(',').collect();
    let known: Vec<&str> = all.iter().map(&name).collect();
    if let Some(odd) = wanted.iter().find(|wanted| !known.contains(wanted)) {
        return Err(format!("--{flag}: {odd:?} is none of {}", known.join(", ")));
    }
    Ok(all.into_iter().filter(|one| wanted.contains(&name(one))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options, String> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Options::parse(&words[0], &words[1..])
    }

    #[test]
    fn names_choose() {
        let options = parse("http --scenario json,plaintext --peers hyper --rounds 2").expect("it is right");
        let scenarios: Vec<_> = options.scenarios.iter().map(|scenario| scenario.name).collect();
        assert_eq!((scenarios, options.peers.len(), options.rounds), (vec!["plaintext", "json"], 1, 2));
    }

    #[test]
    fn a_floor_is_only_where_its_answer_is_the_right_one() {
        let options = parse("check --peers floor-tokio").expect("it is right");
        let with_floor: Vec<_> = options
            .scenarios
            .iter()
            .filter(|scenario| !options.peers_of(scenario).is_empty())
            .map(|scenario| scenario.name)
            .collect();
        assert_eq!(with_floor, ["plaintext", "pipelined", "browser"]);
    }

    #[test]
    fn mistakes_are_named() {
        for line in
            ["http --scenario tea", "http --peers nobody", "check --rounds 3", "brew", "http --rounds 0"]
        {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
