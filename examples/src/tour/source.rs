//! Source text as HTML.
//!
//! The rule: whatever the text says, the page shows those very characters; the colours are a help for the eye, taken from
//! the look of a token and never from its meaning.

/// Words that hold Rust's sentences together.
const WORDS: &[&str] = &[
    "as", "async", "await", "break", "const", "continue", "crate", "dyn", "else", "enum", "fn", "for", "if",
    "impl", "in", "let", "loop", "match", "mod", "move", "mut", "pub", "ref", "return", "self", "Self",
    "static", "struct", "super", "trait", "true", "false", "type", "use", "where", "while",
];

/// `text` with what means something to HTML replaced.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// Rust, with its words, strings and remarks in colours.
pub(crate) fn coloured(source: &str) -> String {
    let (mut html, mut rest) = (String::with_capacity(source.len() * 2), source);
    while !rest.is_empty() {
        let (length, class) = token(rest);
        let (token, behind) = rest.split_at(length);
        rest = behind;
        match class {
            None => html.push_str(&escaped(token)),
            Some(class) => html.push_str(&format!("<span class=\"{class}\">{}</span>", escaped(token))),
        }
    }
    html
}

/// The length of the first token of `rest`, and its class.
fn token(rest: &str) -> (usize, Option<&'static str>) {
    if rest.starts_with("//") {
        return (rest.find('\n').unwrap_or(rest.len()), Some("remark"));
    }
    if let Some(length) = raw_string(rest).or_else(|| string(rest)).or_else(|| character(rest)) {
        return (length, Some("string"));
    }
    let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    match word {
        0 => (rest.chars().next().map_or(rest.len(), char::len_utf8), None),
        _ if WORDS.contains(&&rest[..word]) => (word, Some("word")),
        // The `b` or `r` of a string belongs to the string.
        1 if rest[1..].starts_with('"') => (1, Some("string")),
        _ => (word, None),
    }
}

/// `r"..."`, with as many `#` around it as there are.
fn raw_string(rest: &str) -> Option<usize> {
    let behind = rest.strip_prefix('r')?;
    let hashes = behind.len() - behind.trim_start_matches('#').len();
    let content = behind[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let length = content.find(&end).map_or(content.len(), |at| at + end.len());
    Some(rest.len() - content.len() + length)
}

fn string(rest: &str) -> Option<usize> {
    let content = rest.strip_prefix('"')?;
    let mut is_escaped = false;
    for (at, character) in content.char_indices() {
        match character {
            '"' if !is_escaped => return Some(at + 2),
            '\\' => is_escaped = !is_escaped,
            _ => is_escaped = false,
        }
    }
    Some(rest.len())
}

/// A character, which begins like a lifetime.
fn character(rest: &str) -> Option<usize> {
    let content = rest.strip_prefix('\'')?;
    let mut characters = content.char_indices();
    let (_, first) = characters.next()?;
    if first == '\\' {
        characters.next()?;
        return content[2..].find('\'').filter(|at| *at < 10).map(|at| at + 4);
    }
    let (at, second) = characters.next()?;
    (second == '\'').then_some(at + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_have_the_look_that_they_have() {
        for (source, html) in [
            ("let x = 1;", "<span class=\"word\">let</span> x = 1;"),
            ("letter", "letter"),
            (
                "// a \"b\"\nfn",
                "<span class=\"remark\">// a &quot;b&quot;</span>\n<span class=\"word\">fn</span>",
            ),
            (r#""a\"b//" c"#, "<span class=\"string\">&quot;a\\&quot;b//&quot;</span> c"),
            ("r#\"a\"b\"# c", "<span class=\"string\">r#&quot;a&quot;b&quot;#</span> c"),
            ("'a' 'b", "<span class=\"string\">&#39;a&#39;</span> &#39;b"),
            (
                r"'\n' '\u{e4}'",
                "<span class=\"string\">&#39;\\n&#39;</span> <span class=\"string\">&#39;\\u{e4}&#39;</span>",
            ),
            ("<'a>", "&lt;&#39;a&gt;"),
            ("\u{e4}<b>", "\u{e4}&lt;b&gt;"),
            ("\"open", "<span class=\"string\">&quot;open</span>"),
        ] {
            assert_eq!(coloured(source), html, "{source}");
        }
    }
}
