//! What the command line asks for.
//!
//! The rule: a name that is not known is an error that lists those that are, and never an empty table.

use std::path::PathBuf;

use bakestone_bench_client::flags::Flags;

use crate::build::{self, Hello};
use crate::growth::{self, Series};
use crate::peers::{Kind, MEASURED, PEERS, Peer};
use crate::scenarios::{self, Scenario};

/// What is to be done, to which servers, how often.
pub(crate) struct Options {
    pub(crate) scenarios: Vec<Scenario>,
    pub(crate) peers: Vec<&'static Peer>,
    /// Where the programs are; if not told, they are built.
    pub(crate) programs: Option<PathBuf>,
    /// The virtual environment of the toolkits of Python, which are left out without one.
    pub(crate) python: Option<PathBuf>,
    pub(crate) server_core: u32,
    pub(crate) client_core: u32,
    pub(crate) rounds: u64,
    /// wrk measures whole seconds.
    pub(crate) seconds: u64,
    pub(crate) requests: u64,
    pub(crate) connections: u64,
    pub(crate) series: Vec<Series>,
    /// Of the server's time at each point of a series.
    pub(crate) milliseconds: u64,
    pub(crate) hellos: Vec<Hello>,
}

impl Options {
    pub(crate) fn parse(command: &str, words: &[String]) -> Result<Self, String> {
        let mut flags = Flags::parse(words)?;
        let mut options = Self {
            scenarios: Vec::new(),
            peers: PEERS.iter().collect(),
            programs: None,
            python: None,
            server_core: 0,
            client_core: 1,
            rounds: 5,
            seconds: 3,
            requests: 2000,
            connections: 0,
            series: Vec::new(),
            milliseconds: 500,
            hellos: Vec::new(),
        };
        if command != "build" {
            options.take_servers(command, &mut flags)?;
        }
        options.take(command, &mut flags)?;
        flags.finish()?;
        Ok(options)
    }

    /// Which servers, and where they run.
    fn take_servers(&mut self, command: &str, flags: &mut Flags) -> Result<(), String> {
        let named = flags.optional::<String>("peers")?;
        // A curve is about one server, and a second one shows what of it is the kernel's.
        let named = named.or((command == "growth").then(|| format!("{MEASURED},hyper")));
        self.peers = choose("peers", named, PEERS.iter().collect(), |peer| peer.name)?;
        self.programs = flags.optional("programs")?;
        if matches!(command, "http" | "check") {
            self.python = flags.optional("python")?;
        }
        if self.python.is_none() {
            self.peers.retain(|peer| peer.kind != Kind::Python);
        }
        self.server_core = flags.optional("server-core")?.unwrap_or(self.server_core);
        self.client_core = flags.optional("client-core")?.unwrap_or(self.client_core);
        Ok(())
    }

    /// What only some commands take.
    fn take(&mut self, command: &str, flags: &mut Flags) -> Result<(), String> {
        if matches!(command, "http" | "instructions" | "check") {
            self.scenarios = select("scenario", flags, scenarios::all(), |scenario| scenario.name)?;
        }
        if matches!(command, "http" | "churn" | "growth") {
            self.rounds = flags.number("rounds", self.rounds)?;
        }
        match command {
            "http" => self.seconds = flags.number("seconds", self.seconds)?,
            "instructions" => self.requests = flags.number("requests", self.requests)?,
            "churn" => self.connections = flags.number("connections", 10_000)?,
            "idle" => self.connections = flags.number("connections", 9000)?,
            "growth" => {
                self.series = select("series", flags, growth::ALL.to_vec(), |series| series.name)?;
                self.milliseconds = flags.number("milliseconds", self.milliseconds)?;
            }
            "build" => {
                self.hellos = select("hello", flags, build::ALL.to_vec(), |hello| hello.name)?;
                self.rounds = flags.number("rounds", 1)?;
            }
            "check" => {}
            _ => return Err(format!("{command:?} is not a command")),
        }
        Ok(())
    }

    /// The servers that a scenario is for.
    pub(crate) fn peers_of(&self, scenario: &Scenario) -> Vec<&'static Peer> {
        let able = |peer: &&Peer| scenario.is_for(peer) && !peer.lacks.contains(&scenario.name);
        self.peers.iter().copied().filter(able).collect()
    }

    /// The servers that cannot do it.
    pub(crate) fn lacking(&self, scenario: &Scenario) -> Vec<&'static Peer> {
        self.peers.iter().copied().filter(|peer| peer.lacks.contains(&scenario.name)).collect()
    }

    /// The servers that look at what they are asked, and can do more than the workloads.
    pub(crate) fn frameworks(&self) -> Vec<&'static Peer> {
        self.peers.iter().copied().filter(|peer| matches!(peer.kind, Kind::Own | Kind::Other)).collect()
    }
}

/// Those of `all` that a flag names.
fn select<T>(
    flag: &str,
    flags: &mut Flags,
    all: Vec<T>,
    name: impl Fn(&T) -> &'static str,
) -> Result<Vec<T>, String> {
    choose(flag, flags.optional(flag)?, all, name)
}

/// Those of `all` that are named behind a flag, in the order of `all`; all of them if none is.
fn choose<T>(
    flag: &str,
    wanted: Option<String>,
    all: Vec<T>,
    name: impl Fn(&T) -> &'static str,
) -> Result<Vec<T>, String> {
    let Some(wanted) = wanted else { return Ok(all) };
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
    fn a_server_that_lacks_a_scenario_is_no_server_of_it() {
        let options =
            parse("http --scenario upload,static-1k --peers hyper,may_minihttp").expect("it is right");
        let names = |peers: Vec<&Peer>| peers.iter().map(|peer| peer.name).collect::<Vec<_>>();
        let seen: Vec<_> = options
            .scenarios
            .iter()
            .map(|scenario| (names(options.peers_of(scenario)), names(options.lacking(scenario))))
            .collect();
        let (upload, file) = ((vec!["hyper"], vec!["may_minihttp"]), (vec![], vec!["hyper", "may_minihttp"]));
        assert_eq!(seen, [upload, file]);
    }

    #[test]
    fn a_command_has_the_servers_that_it_is_for() {
        for (line, expected) in [
            ("growth", 2),
            ("growth --peers axum", 1),
            ("churn", PEERS.len() - 3),
            ("http --python x", PEERS.len()),
        ] {
            assert_eq!(parse(line).expect("it is right").peers.len(), expected, "{line}");
        }
    }

    #[test]
    fn what_a_server_lacks_is_known() {
        let known: Vec<_> = scenarios::all().iter().map(|scenario| scenario.name).chain(["churn"]).collect();
        assert!(PEERS.iter().flat_map(|peer| peer.lacks).all(|name| known.contains(name)));
    }

    #[test]
    fn mistakes_are_named() {
        for line in [
            "http --scenario tea",
            "http --peers nobody",
            "check --rounds 3",
            "brew",
            "http --rounds 0",
            "idle --rounds 2",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
