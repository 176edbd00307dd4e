//! What is published, and what it stands on: the packages' own data, and the licences and sources of all crates.
//!
//! The rule: `deny.toml` says what is allowed, here as for `cargo deny`, which also knows of advisories; and nothing
//! is asked of the network.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// What cargo prints.
fn cargo(args: &[&str]) -> String {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo).args(args).args(["--locked", "--offline"]).current_dir(ROOT).output();
    let output = output.expect("cargo runs");
    assert!(output.status.success(), "cargo {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("cargo prints UTF-8")
}

/// The packages of the workspace that are published.
fn published() -> Vec<Value> {
    let told: Value =
        serde_json::from_str(&cargo(&["metadata", "--no-deps", "--format-version=1"])).expect("JSON");
    let packages = told["packages"].as_array().expect("a list of packages");
    packages.iter().filter(|package| package["publish"].is_null()).cloned().collect()
}

/// The texts of a list.
fn texts(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

#[test]
fn a_package_says_what_it_is() {
    let packages = published();
    let names: Vec<_> = packages.iter().filter_map(|package| package["name"].as_str()).collect();
    let expected = ["bakestone", "bakestone-std", "bakestone-tokio", "bakestone-smol", "bakestone-testkit"];
    assert_eq!(names, expected);
    for package in &packages {
        let name = &package["name"];
        assert!(package["description"].is_string(), "{name} has no description");
        assert_eq!(package["license"], "MIT OR Apache-2.0", "{name}");
        assert_eq!(package["rust_version"], packages[0]["rust_version"], "{name}");
        assert_eq!(package["version"], packages[0]["version"], "{name}");
        assert_eq!(package["metadata"]["docs"]["rs"]["all-features"], true, "{name}");
        assert!((1..=5).contains(&texts(&package["keywords"]).len()), "{name} has one to five keywords");
        assert!((1..=5).contains(&texts(&package["categories"]).len()), "{name} has one to five categories");
    }
}

#[test]
fn a_package_holds_its_licences_and_its_readme() {
    for package in published() {
        let name = package["name"].as_str().expect("a name");
        let listed = cargo(&["package", "--list", "--allow-dirty", "-p", name]);
        let files: BTreeSet<_> = listed.lines().collect();
        for file in ["LICENSE-APACHE", "LICENSE-MIT", "README.md", "src/lib.rs"] {
            assert!(files.contains(file), "{name} holds no {file}");
        }
        let folder = Path::new(package["manifest_path"].as_str().expect("a path")).with_file_name("");
        for file in ["LICENSE-APACHE", "LICENSE-MIT"] {
            let own = fs::read(folder.join(file)).expect("a licence");
            assert!(
                own == fs::read(Path::new(ROOT).join(file)).expect("a licence"),
                "{name} has another {file}"
            );
        }
    }
}

#[test]
fn every_crate_may_be_used_and_comes_from_the_registry() {
    let allowed = allowed();
    let tree = ["tree", "--workspace", "--all-features", "-e", "normal,build,dev", "--prefix=none"];
    let lines = cargo(&[&tree[..], &["--format={p}|{l}"]].concat());
    assert!(lines.lines().count() > 50, "{lines}");
    for line in lines.lines().filter(|line| !line.is_empty()) {
        let mut parts = line.trim_end_matches(" (*)").split('|');
        let (package, license) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        assert!(satisfied(license, &allowed), "the licence of {package} is {license}");
        // Cargo names a crate's place if it is not the registry; a path is that of this workspace.
        let from_elsewhere = package.contains('(') && !package.starts_with("bakestone");
        assert!(!from_elsewhere || package.ends_with("(proc-macro)"), "{package} is not from the registry");
    }
}

/// The licences that `deny.toml` allows.
fn allowed() -> BTreeSet<String> {
    let text = fs::read_to_string(Path::new(ROOT).join("deny.toml")).expect("deny.toml");
    let list =
        text.split("allow = [").nth(1).and_then(|rest| rest.split(']').next()).expect("a list of licences");
    list.split(',').map(|name| name.trim().trim_matches('"').to_owned()).collect()
}

/// Whether a licence expression (SPDX, annex D; `/` is how crates said OR before) needs only what is allowed.
fn satisfied(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let expression = expression.replace('/', " OR ");
    // In parentheses there is only OR, and AND only between them.
    let of_group = |group: &str| {
        group.trim_matches(['(', ')']).split(" OR ").any(|license| allowed.contains(license.trim()))
    };
    expression.split(" AND ").all(|group| of_group(group.trim()))
}

#[test]
fn licences_are_weighed() {
    let allowed = BTreeSet::from(["MIT".to_owned(), "Zlib".to_owned()]);
    let cases = [
        ("MIT", true),
        ("GPL-3.0-only OR MIT", true),
        ("Apache-2.0/MIT", true),
        ("(MIT OR Apache-2.0) AND Zlib", true),
        ("(MIT OR Apache-2.0) AND GPL-3.0-only", false),
        ("Apache-2.0 WITH LLVM-exception", false),
        ("", false),
    ];
    for (expression, expected) in cases {
        assert_eq!(satisfied(expression, &allowed), expected, "{expression}");
    }
}
