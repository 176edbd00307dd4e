//! What the compiler says to common mistakes: the programs in `ui`, each with one.
//!
//! The rule: only what we wrote is looked at. Each line `//~ text` of a program is part of one of its errors, of
//! their labels, their notes or their codes; a program without such a line compiles.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use serde_json::Value;

const EXAMPLES: &str = env!("CARGO_MANIFEST_DIR");

struct Program {
    name: String,
    path: PathBuf,
    /// What is to be part of its errors.
    expected: Vec<String>,
}

/// What became of a program.
#[derive(Default)]
struct Outcome {
    compiled: bool,
    /// The messages, labels, notes and codes of its errors.
    errors: Vec<String>,
}

#[test]
fn mistakes_are_told_in_our_words() {
    let programs = programs();
    let outcomes = check(&package(&programs));
    let (mut wrong, nothing) = (Vec::new(), Outcome::default());
    for Program { name, expected, .. } in &programs {
        let Outcome { compiled, errors } = outcomes.get(name).unwrap_or(&nothing);
        if *compiled != expected.is_empty() {
            wrong.push(format!("{name}: compiled: {compiled}; its errors: {errors:#?}"));
        }
        let is_missing = |text: &&String| !errors.iter().any(|error| error.contains(*text));
        let missing: Vec<_> = expected.iter().filter(is_missing).collect();
        if !missing.is_empty() {
            wrong.push(format!("{name}: nothing says {missing:#?}, but {errors:#?}"));
        }
    }
    assert!(programs.len() > 20, "where are the programs?");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The programs in `ui`, by name.
fn programs() -> Vec<Program> {
    let folder = fs::read_dir(Path::new(EXAMPLES).join("ui")).expect("the folder of the programs");
    let mut paths: Vec<_> = folder.map(|entry| entry.expect("a file").path()).collect();
    paths.sort();
    paths.into_iter().map(program).collect()
}

fn program(path: PathBuf) -> Program {
    let text = fs::read_to_string(&path).expect("a program");
    let expected = text.lines().filter_map(|line| line.strip_prefix("//~ ")).map(str::to_owned).collect();
    let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
    Program { name, path, expected }
}

/// Makes one package of all programs, so that what they depend on is compiled once, and in the versions of the
/// workspace.
fn package(programs: &[Program]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("diagnostics");
    let mut manifest = format!(
        r#"[package]
name = "diagnostics"
version = "0.0.0"
edition = "2024"
autobins = false

[workspace]

[dependencies]
bakestone = {{ path = '{EXAMPLES}/../core', features = ["json", "stream"] }}
bakestone-tokio = {{ path = '{EXAMPLES}/../adapters/tokio', default-features = false }}
futures-core = {{ version = "0.3", default-features = false }}
"#
    );
    for Program { name, path, .. } in programs {
        manifest += &format!("\n[[bin]]\nname = \"{name}\"\npath = '{}'\n", path.display());
    }
    fs::create_dir_all(&folder).expect("a folder for the package");
    fs::write(folder.join("Cargo.toml"), manifest).expect("the package's manifest");
    let lock = Path::new(EXAMPLES).join("../Cargo.lock");
    fs::copy(lock, folder.join("Cargo.lock")).expect("the package's lock file");
    folder
}

/// Has the compiler check all programs, without the network.
fn check(package: &Path) -> BTreeMap<String, Outcome> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["check", "--offline", "--bins", "--keep-going", "--message-format=json"])
        .arg("--target-dir")
        .arg(package.join("target"))
        .current_dir(package)
        .output()
        .expect("cargo runs");
    let mut outcomes = BTreeMap::<String, Outcome>::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let told: Value = serde_json::from_str(line).expect("a line of JSON");
        if told["target"]["kind"][0] == "bin" {
            let name = told["target"]["name"].as_str().expect("a program's name");
            outcomes.entry(name.to_owned()).or_default().note(&told);
        }
    }
    assert!(!outcomes.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    outcomes
}

impl Outcome {
    /// Notes what cargo told of the program.
    fn note(&mut self, told: &Value) {
        if told["reason"] == "compiler-artifact" {
            self.compiled = true;
        } else if told["message"]["level"] == "error" {
            self.collect(&told["message"]);
        }
    }

    /// Collects the texts of a message, and of its notes.
    fn collect(&mut self, message: &Value) {
        let labels = list(&message["spans"]).map(|span| &span["label"]);
        let texts = labels.chain([&message["message"], &message["code"]["code"]]).filter_map(Value::as_str);
        self.errors.extend(texts.map(str::to_owned));
        list(&message["children"]).for_each(|note| self.collect(note));
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}
