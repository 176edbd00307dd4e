//! Where the programs of the servers are.
//!
//! The rule: all of them are built with one profile, which is `profile.toml`.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::options::Options;
use crate::peers::{Kind, Peer};

/// The folder of this workspace.
const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// The folder of the programs, which are built if nobody has said where they are.
pub(crate) fn find(options: &Options) -> Result<PathBuf, String> {
    let programs = match &options.programs {
        Some(programs) => programs.clone(),
        None => build()?,
    };
    for peer in &options.peers {
        let program = program(options, &programs, peer);
        if !program.is_file() {
            return Err(format!("{} is not there", program.display()));
        }
    }
    Ok(programs)
}

/// The file that is run for a server.
pub(crate) fn program(options: &Options, programs: &Path, peer: &Peer) -> PathBuf {
    match (&options.python, peer.kind) {
        (Some(python), Kind::Python) => python.join("bin/python"),
        _ => programs.join(peer.program),
    }
}

/// The folder of the applications in Python.
pub(crate) fn python_applications() -> PathBuf {
    Path::new(WORKSPACE).join("python")
}

/// An error if a program that does the measuring is not on this machine.
pub(crate) fn expect_installed(name: &str) -> Result<(), String> {
    let said = Command::new(name).arg("--version").output();
    said.map(drop)
        .map_err(|error| format!("{name} is needed, and cannot be run: {error}; apt-get install {name}"))
}

/// The program that compares routers, which is built if nobody has said where it is.
pub(crate) fn routers(options: &Options) -> Result<PathBuf, String> {
    match &options.programs {
        Some(programs) => Ok(programs.join("bakestone-routers")),
        None => Ok(cargo_build(&["--manifest-path", "../routers/Cargo.toml"])?.join("bakestone-routers")),
    }
}

fn build() -> Result<PathBuf, String> {
    cargo_build(&["--manifest-path", "servers/Cargo.toml"])?;
    cargo_build(&["--manifest-path", "../../Cargo.toml", "--bin", "conformance"])
}

/// The folder of what was built.
fn cargo_build(arguments: &[&str]) -> Result<PathBuf, String> {
    let workspace = Path::new(WORKSPACE);
    let target = workspace.join("target/measured");
    let mut cargo = cargo();
    cargo.current_dir(workspace).args(["build", "--release", "--locked", "--config", "profile.toml"]);
    cargo.args(arguments).arg("--target-dir").arg(&target);
    let status = cargo.status().map_err(|error| format!("cargo: {error}"))?;
    if !status.success() {
        return Err(format!("cargo build {}: {status}", arguments.join(" ")));
    }
    Ok(target.join("release"))
}

/// The cargo that runs this.
pub(crate) fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}
