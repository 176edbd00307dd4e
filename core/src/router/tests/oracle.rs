//! The same rules, said as a comparison of every route with the whole path: no tree, no backtracking.

use super::*;

/// The pieces of which patterns and paths are made, so few that they often meet.
const STATIC: [&str; 5] = ["a", "b", "7", "", "a b"];
const PIECES: [&str; 12] =
    ["a", "b", "7", "", "%61", "a%20b", "%37", "07", "c", "a%2Fb", "99999999999999999999", "%25"];
const METHODS: [&str; 5] = ["GET", "HEAD", "POST", "*", "PURGE"];
const ASKED: [&str; 6] = ["GET", "HEAD", "POST", "OPTIONS", "PURGE", "BREW"];

/// A generator of which only a seed is needed (xorshift, G. Marsaglia).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) as usize % bound
    }

    fn of<'a>(&mut self, set: &[&'a str]) -> &'a str {
        set[self.below(set.len())]
    }
}

fn pattern(random: &mut Random) -> String {
    let length = 1 + random.below(4);
    let mut pattern = String::new();
    for index in 0..length {
        pattern.push('/');
        match random.below(8) {
            0 | 1 => pattern.push_str(&format!("{{n{index}}}")),
            2 => pattern.push_str(&format!("{{m{index}:int}}")),
            3 if index + 1 == length => pattern.push_str(&format!("{{p{index}:path}}")),
            _ => pattern.push_str(random.of(&STATIC)),
        }
    }
    pattern
}

fn path(random: &mut Random) -> String {
    (0..1 + random.below(4)).map(|_| format!("/{}", random.of(&PIECES))).collect()
}

fn unescape(segment: &str) -> String {
    segment
        .replace("%61", "a")
        .replace("%20", " ")
        .replace("%37", "7")
        .replace("%2F", "/")
        .replace("%25", "%")
}

/// How specific each segment of the route is for this path, and the parameters, if it matches.
fn matches(pattern: &str, path: &str) -> Option<(Vec<u8>, String)> {
    let pattern: Vec<&str> = pattern[1..].split('/').collect();
    let path: Vec<&str> = path[1..].split('/').collect();
    let (mut rank, mut params) = (Vec::new(), String::new());
    for (index, segment) in pattern.iter().enumerate() {
        let name = segment.trim_matches(['{', '}']).split(':').next()?;
        let value = unescape(path.get(index)?);
        if segment.ends_with(":path}") {
            rank.push(3);
            params.push_str(&format!(" {name}={}", unescape(&path[index..].join("/"))));
            return Some((rank, params));
        }
        let (takes, specificity) = match *segment {
            s if s.ends_with(":int}") => {
                (value.bytes().all(|b| b.is_ascii_digit()) && value.parse::<u64>().is_ok(), 1)
            }
            s if s.starts_with('{') => (!value.is_empty(), 2),
            s => (s == value, 0),
        };
        if !takes {
            return None;
        }
        rank.push(specificity);
        if specificity > 0 {
            params.push_str(&format!(" {name}={value}"));
        }
    }
    (pattern.len() == path.len()).then_some((rank, params))
}

/// Whether a route takes the method, and how closely it names it.
fn closeness(route: &str, asked: &str) -> Option<u8> {
    match (route, asked) {
        (route, asked) if route == asked => Some(0),
        ("GET", "HEAD") => Some(1),
        ("*", _) => Some(2),
        _ => None,
    }
}

fn expected(lines: &[&str], request: &str) -> String {
    let (asked, path) = request.split_once(' ').unwrap();
    let parsed = |line: &&str| {
        let (method, pattern) = line.split_once(' ').unwrap();
        let (rank, params) = matches(pattern, path)?;
        Some((rank, method.to_owned(), format!("{line}{params}")))
    };
    let all: Vec<_> = lines.iter().filter_map(parsed).collect();
    let taking = all.iter().filter_map(|(rank, method, text)| Some((rank, closeness(method, asked)?, text)));
    if let Some((_, _, text)) = taking.min() {
        return text.clone();
    }
    let known = asked != "BREW" && asked != "PURGE";
    let taken = lines.iter().any(|line| line.starts_with('*') || line.starts_with(asked));
    if all.is_empty() {
        "404".to_owned()
    } else if !known && !taken {
        "501".to_owned()
    } else {
        format!("405 {}", Allow::of(all.iter().map(|(_, name, _)| method(name))))
    }
}

/// The set without what conflicts with what is before it: the errors say which those are.
fn without_conflicts(mut lines: Vec<&'static str>) -> Vec<&'static str> {
    lines.sort_unstable();
    lines.dedup();
    let mut kept: Vec<&'static str> = Vec::new();
    for line in lines {
        kept.push(line);
        if routes(&kept).build().is_err() {
            kept.pop();
        }
    }
    kept
}

#[test]
fn agrees_with_the_oracle() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let (mut found, mut total) = (0, 0);
    for set in 0..400 {
        let lines = (0..1 + random.below(12)).map(|_| {
            let line = format!("{} {}", random.of(&METHODS), pattern(&mut random));
            &*Box::leak(line.into_boxed_str())
        });
        let lines = without_conflicts(lines.collect());
        let router = routes(&lines).build().unwrap();
        for _ in 0..40 {
            let request = format!("{} {}", random.of(&ASKED), path(&mut random));
            let outcome = outcome(&router, &request);
            assert_eq!(outcome, expected(&lines, &request), "set {set}: {request} in {lines:#?}");
            found += usize::from(outcome.contains('/'));
            total += 1;
        }
    }
    // Were almost nothing found, little would be compared.
    assert!(found * 10 > total, "{found} of {total}");
}
