//! The same rules, said as a comparison of every route with the whole path: no tree, no table, no shared work.

use super::random::Random;
use super::*;

/// The segments of patterns, the most specific first, so few that they often meet; `#` is the segment's number.
const SEGMENTS: [&str; 18] = [
    "a",
    "b",
    "7",
    "",
    "a b",
    "{n#}--{m#}",
    "v{n#}",
    "{n#:int}-{m#}",
    "{n#}-{m#:int}",
    "{n#}-{m#}",
    "{n#:int}{m#}",
    "{n#}{m#}",
    "{n#:int}",
    "{n#:float}",
    r"{n#:\d\d}",
    "{n#:a|b}",
    "{n#}",
    "{n#:path}",
];
/// How many of them have no parameters.
const STATIC: usize = 5;
/// Whole regular expressions, with what they are said to match, the most specific first.
const WHOLE: [&str; 2] = ["re:/(?P<n>7+|a)/b", "pre:/v"];
const PIECES: [&str; 20] = [
    "a",
    "b",
    "7",
    "",
    "%61",
    "a%20b",
    "%37",
    "07",
    "c",
    "a%2Fb",
    "99999999999999999999",
    "%25",
    "v",
    "va",
    "a--b--7",
    "7-a",
    "a-b-7",
    "1.5",
    "77",
    "7-%C3%A9",
];
const METHODS: [&str; 5] = ["GET", "HEAD", "POST", "*", "PURGE"];
const ASKED: [&str; 6] = ["GET", "HEAD", "POST", "OPTIONS", "PURGE", "BREW"];
const SLASHES: [&str; 4] = ["", "", "~trim", "~redirect"];
const HOSTS: [&str; 5] = ["", "", "", "h.c", "*.c"];
const ASKED_HOSTS: [&str; 4] = ["c", "h.c", "x.c", "d"];

fn pattern(random: &mut Random) -> String {
    if random.below(12) == 0 {
        return random.of(&WHOLE).to_owned();
    }
    let length = 1 + random.below(3);
    let mut pattern = random.of(&HOSTS).to_owned();
    for index in 0..length {
        // Half of the segments are static, and `path` is last.
        let bound =
            if random.below(2) == 0 { STATIC } else { SEGMENTS.len() - usize::from(index + 1 < length) };
        pattern.push('/');
        pattern.push_str(&SEGMENTS[random.below(bound)].replace('#', &index.to_string()));
    }
    pattern
}

/// A path that looks like one of the routes' now and then.
fn path(random: &mut Random, lines: &[&str]) -> String {
    let line = lines[random.below(lines.len())];
    let pattern = &line[line.find('/').unwrap()..];
    if line.contains("re:") || random.below(4) == 0 {
        return (0..1 + random.below(3)).map(|_| format!("/{}", random.of(&PIECES))).collect();
    }
    let mut path = String::new();
    for segment in pattern.split('/').skip(1) {
        let piece = if segment.contains('{') { random.of(&PIECES) } else { segment };
        path.push_str(&format!("/{}", piece.replace(' ', "%20")));
    }
    match (random.below(4), path.len()) {
        (0, _) => path + "/",
        (1, 2..) if path.ends_with('/') => path.trim_end_matches('/').to_owned() + "/a",
        _ => path,
    }
}

fn unescape(segment: &str) -> String {
    let plain = [("%61", "a"), ("%20", " "), ("%37", "7"), ("%2F", "/"), ("%C3%A9", "é"), ("%25", "%")];
    plain.iter().fold(segment.to_owned(), |text, (escape, plain)| text.replace(escape, plain))
}

/// Takes each part as long as the rest leaves it: the values, by name and converter.
fn greedy(pattern: &str, text: &str) -> Option<Vec<(String, String, String)>> {
    let Some(inner) = pattern.strip_prefix('{') else {
        let Some(literal) = pattern.chars().next() else { return text.is_empty().then(Vec::new) };
        return greedy(&pattern[literal.len_utf8()..], text.strip_prefix(literal)?);
    };
    let (inner, rest) = inner.split_once('}').unwrap();
    let (name, converter) = inner.split_once(':').unwrap_or((inner, "str"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    (0..=text.len()).rev().filter(|&at| text.is_char_boundary(at)).find_map(|at| {
        let value = &text[..at];
        let written = match converter {
            "str" => !value.is_empty(),
            "int" => digits(value),
            "float" => value.split('.').count() < 3 && value.split('.').all(digits),
            "a|b" => value == "a" || value == "b",
            _ => digits(value) && value.len() == 2,
        };
        let mut values = written.then(|| greedy(rest, &text[at..])).flatten()?;
        values.insert(0, (name.to_owned(), converter.to_owned(), value.to_owned()));
        Some(values)
    })
}

/// How specific a route is for a path: the less, the more. First whether it has parameters, or is an expression.
type Rank = (usize, Vec<usize>);

/// The rank, and the parameters, if the pattern takes the path.
fn matches(pattern: &str, path: &str) -> Option<(Rank, String)> {
    let pattern: Vec<&str> = pattern[1..].split('/').collect();
    let path: Vec<&str> = path[1..].split('/').collect();
    let (mut ranks, mut params) = (Vec::new(), String::new());
    for (index, segment) in pattern.iter().enumerate() {
        let number = index.to_string();
        let kind = |known: &&str| known.replace('#', &number) == *segment;
        let rank = SEGMENTS.iter().position(kind).unwrap();
        // Which text it is makes no difference.
        ranks.push(if rank < STATIC { 0 } else { rank });
        let raw = path.get(index)?;
        if segment.ends_with(":path}") {
            params.push_str(&format!(" n{index}={}", unescape(&path[index..].join("/"))));
            return Some(((2, ranks), params));
        }
        for (name, converter, value) in greedy(segment, &unescape(raw))? {
            if converter == "int" && value.parse::<u64>().is_err() {
                return None;
            }
            params.push_str(&format!(" {name}={value}"));
        }
    }
    let class = if ranks.iter().all(|rank| *rank == 0) { 0 } else { 2 };
    (pattern.len() == path.len()).then_some(((class, ranks), params))
}

fn matches_whole(regex: &str, path: &str) -> Option<(Rank, String)> {
    let index = WHOLE.iter().position(|whole| *whole == regex)?;
    let params = match (index, unescape(path).as_str()) {
        (0, "/a/b") => " n=a".to_owned(),
        (0, path) => {
            let value = path.strip_prefix('/')?.strip_suffix("/b")?;
            (!value.is_empty() && value.bytes().all(|byte| byte == b'7')).then(|| format!(" n={value}"))?
        }
        (_, path) => path.starts_with("/v").then(String::new)?,
    };
    (!path.contains("%2F")).then_some(((1, vec![index]), params))
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

/// A route that takes the path.
struct Taking {
    /// How specific the route's host is.
    host: u8,
    rank: Rank,
    /// Whether it is the other end that the route has.
    other: bool,
    method: String,
    outcome: String,
}

fn taking(line: &str, path: &str, asked_host: &str) -> Option<Taking> {
    let (methods, rest) = line.split_once(' ').unwrap();
    let (method, slashes) = methods.split_once('~').unwrap_or((methods, ""));
    let method = method.to_owned();
    if rest.contains("re:") {
        let (rank, params) = matches_whole(rest, path)?;
        return Some(Taking { host: 2, rank, other: false, method, outcome: format!("{line}{params}") });
    }
    let (host, pattern) = rest.split_at(rest.find('/').unwrap());
    let host = match host {
        "" => 2,
        "*.c" if asked_host.ends_with(".c") => 1,
        host if host == asked_host => 0,
        _ => return None,
    };
    if let Some((rank, params)) = matches(pattern, path) {
        return Some(Taking { host, rank, other: false, method, outcome: format!("{line}{params}") });
    }
    if slashes.is_empty() || pattern == "/" || pattern.ends_with(":path}") {
        return None;
    }
    let (own, other) = match pattern.strip_suffix('/') {
        Some(without) => (format!("{path}/"), without.to_owned()),
        None => (path.strip_suffix('/')?.to_owned(), format!("{pattern}/")),
    };
    let (_, params) = matches(pattern, Some(own.as_str()).filter(|own| !own.is_empty())?)?;
    let (rank, _) = matches(&other, path)?;
    let location = if own.starts_with("//") { format!("/.{own}") } else { own };
    let outcome = if slashes == "trim" { format!("{line}{params}") } else { format!("308 {location}") };
    Some(Taking { host, rank, other: true, method, outcome })
}

fn expected(lines: &[&str], request: &str) -> String {
    let (asked, rest) = request.split_once(' ').unwrap();
    let (path, host) = rest.split_once(" on ").unwrap();
    let all: Vec<Taking> = lines.iter().filter_map(|line| taking(line, path, host)).collect();
    let ranked = all.iter().filter_map(|route| {
        let closeness = closeness(&route.method, asked)?;
        Some(((route.host, &route.rank, route.other, closeness), &route.outcome))
    });
    if let Some((_, outcome)) = ranked.min() {
        return outcome.clone();
    }
    let known = asked != "BREW" && asked != "PURGE";
    let taken = lines.iter().any(|line| line.starts_with('*') || line.starts_with(asked));
    if all.is_empty() {
        "404".to_owned()
    } else if !known && !taken {
        "501".to_owned()
    } else {
        let named = all.iter().filter(|route| route.method != "*");
        format!("405 {}", Allow::of(named.map(|route| method(&route.method))))
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
        let lines = (0..1 + random.below(16)).map(|_| {
            let line = format!("{}{} {}", random.of(&METHODS), random.of(&SLASHES), pattern(&mut random));
            &*Box::leak(line.into_boxed_str())
        });
        let lines = without_conflicts(lines.collect());
        let router = routes(&lines).build().unwrap();
        for _ in 0..40 {
            let (method, path) = (random.of(&ASKED), path(&mut random, &lines));
            let request = format!("{method} {path} on {}", random.of(&ASKED_HOSTS));
            let outcome = outcome(&router, &request);
            assert_eq!(outcome, expected(&lines, &request), "set {set}: {request} in {lines:#?}");
            found += usize::from(outcome.contains('/'));
            total += 1;
        }
    }
    // Were almost nothing found, little would be compared.
    assert!(found * 8 > total, "{found} of {total}");
}
