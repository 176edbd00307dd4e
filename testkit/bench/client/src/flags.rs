//! The flags of a subcommand.
//!
//! The rule: every flag is `--name value`, and one that nobody asked for is an error.

use std::net::SocketAddr;
use std::str::FromStr;

/// What was given and not yet taken.
pub struct Flags(Vec<(String, String)>);

/// The server: where it listens and which process it is.
#[derive(Clone, Copy, Debug)]
pub struct Server {
    /// Where it listens.
    pub addr: SocketAddr,
    /// The id of its process.
    pub pid: u32,
}

impl Flags {
    /// Reads pairs of a flag and its value.
    pub fn parse(args: &[String]) -> Result<Self, String> {
        let mut pairs = Vec::new();
        let mut args = args.iter();
        while let Some(name) = args.next() {
            let flag = name.strip_prefix("--").ok_or_else(|| format!("{name:?} is not a flag"))?;
            let value = args.next().ok_or_else(|| format!("--{flag} needs a value"))?;
            if pairs.iter().any(|(known, _)| known == flag) {
                return Err(format!("--{flag} is given twice"));
            }
            pairs.push((flag.to_owned(), value.clone()));
        }
        Ok(Self(pairs))
    }

    /// The value of a flag that may be left out.
    pub fn optional<T: FromStr>(&mut self, name: &str) -> Result<Option<T>, String> {
        let Some(at) = self.0.iter().position(|(known, _)| known == name) else { return Ok(None) };
        let (_, value) = self.0.remove(at);
        value.parse().map(Some).map_err(|_| format!("--{name} cannot be {value:?}"))
    }

    /// The value of a number that has a default and is at least 1.
    pub fn number(&mut self, name: &str, default: u64) -> Result<u64, String> {
        match self.optional(name)?.unwrap_or(default) {
            0 => Err(format!("--{name} cannot be 0")),
            number => Ok(number),
        }
    }

    /// The server, which has to be named.
    pub fn server(&mut self) -> Result<Server, String> {
        let addr = self.optional("addr")?.ok_or("--addr HOST:PORT is needed")?;
        let pid = self.optional("pid")?.ok_or("--pid is needed: the process to measure")?;
        Ok(Server { addr, pid })
    }

    /// An error if a flag was given that nobody took.
    pub fn finish(self) -> Result<(), String> {
        self.0.first().map_or(Ok(()), |(name, _)| Err(format!("--{name} is not a flag of this command")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(args: &str) -> Result<Flags, String> {
        Flags::parse(&args.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn what_is_given_is_taken_once() {
        let mut flags = flags("--addr 127.0.0.1:80 --pid 7 --count 3").unwrap();
        let server = flags.server().unwrap();
        assert_eq!((server.addr.port(), server.pid), (80, 7));
        assert_eq!(flags.number("count", 9), Ok(3));
        assert_eq!(flags.number("count", 9), Ok(9));
        assert_eq!(flags.finish(), Ok(()));
    }

    #[test]
    fn mistakes_are_named() {
        assert!(flags("--pid").is_err());
        assert!(flags("pid 7").is_err());
        assert!(flags("--pid 7 --pid 8").is_err());
        assert!(flags("--pid x").unwrap().optional::<u32>("pid").is_err());
        assert!(flags("--count 0").unwrap().number("count", 1).is_err());
        assert!(flags("--wrong 1").unwrap().finish().is_err());
    }
}
