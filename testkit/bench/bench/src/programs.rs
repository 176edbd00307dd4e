//! Where the programs of the servers are.
//!
//! The rule: all of them are built with one profile, which is `profile.toml`.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::options::Options;

/// The folder of this workspace.
const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// The folder of the programs, which are built if nobody has said where they are.
pub(crate) fn find(options: &Options) -> Result<PathBuf, String> {
    let programs = match &options.programs {
        Some(programs) => programs.clone(),
        None => build()?,
    };
    for peer in &options.peers {
        let program = programs.join(peer.program);
        if !program.is_file() {
            return Err(format!("{} is not there", program.display()));
        }
    }
    Ok(programs)
}

/// An error if a program that does the measuring is not on this machine.
pub(crate) fn expect_installed(name: &str) -> Result<(), String> {
    let said = Command::new(name).arg("--version").output();
    said.map(drop)
        .map_err(|error| format!("{name} is needed, and cannot be run: {error}; apt-get install {name}"))
}

fn build() -> Result<PathBuf, String> {
    let workspace = Path::new(WORKSPACE);
    let target = workspace.join("target/measured");
    for arguments in [
        &["--manifest-path", "servers/Cargo.toml"][..],
        &["--manifest-path", "../../Cargo.toml", "--bin", "conformance"],
    ] {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.current_dir(workspace).args(["build", "--release", "--locked", "--config", "profile.toml"]);
        cargo.args(arguments).arg("--target-dir").arg(&target);
        let status = cargo.status().map_err(|error| format!("cargo: {error}"))?;
        if !status.success() {
            return Err(format!("cargo build {}: {status}", arguments.join(" ")));
        }
    }
    Ok(target.join("release"))
}
