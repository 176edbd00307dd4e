//! The parser's table of web-platform-tests (`mimesniff/mime-types/resources`, BSD-3-Clause), and our own rows.

use super::*;

/// An input, and what it is read as.
type Row = (&'static str, Option<&'static str>);

const WPT: &[Row] = &[
    ("text/html;charset=gbk", Some("text/html;charset=gbk")),
    ("TEXT/HTML;CHARSET=GBK", Some("text/html;charset=GBK")),
    ("text/html;charset =gbk", Some("text/html")),
    ("text/html ;charset=gbk", Some("text/html;charset=gbk")),
    ("text/html; charset=gbk", Some("text/html;charset=gbk")),
    ("text/html;charset=\x0bgbk", Some("text/html")),
    ("text/html;charset=\x0cgbk", Some("text/html")),
    ("text/html;\x0bcharset=gbk", Some("text/html")),
    ("text/html;\x0ccharset=gbk", Some("text/html")),
    ("text/html;charset='gbk'", Some("text/html;charset='gbk'")),
    ("text/html;charset='gbk", Some("text/html;charset='gbk")),
    ("text/html;charset=gbk'", Some("text/html;charset=gbk'")),
    ("text/html;test;charset=gbk", Some("text/html;charset=gbk")),
    ("text/html;test=;charset=gbk", Some("text/html;charset=gbk")),
    ("text/html;';charset=gbk", Some("text/html;charset=gbk")),
    ("text/html;\";charset=gbk", Some("text/html;charset=gbk")),
    ("text/html ; ; charset=gbk", Some("text/html;charset=gbk")),
    ("text/html;;;;charset=gbk", Some("text/html;charset=gbk")),
    ("text/html;charset= \"\x7f;charset=GBK", Some("text/html;charset=GBK")),
    ("text/html;charset=\"\x7f;charset=foo\";charset=GBK", Some("text/html;charset=GBK")),
    ("text/html;charset=\"gbk\"", Some("text/html;charset=gbk")),
    ("text/html;charset=\" gbk\"", Some("text/html;charset=\" gbk\"")),
    ("text/html;charset=\"gbk \"", Some("text/html;charset=\"gbk \"")),
    ("text/html;charset=\"\\ gbk\"", Some("text/html;charset=\" gbk\"")),
    ("text/html;charset=\"\\g\\b\\k\"", Some("text/html;charset=gbk")),
    ("text/html;a]=bar;b[=bar;c=bar", Some("text/html;c=bar")),
    ("text/html;valid=\";\";foo=bar", Some("text/html;valid=\";\";foo=bar")),
    ("text/html;in]valid=\";asd=foo\";foo=bar", Some("text/html;foo=bar")),
    ("x/x;test", Some("x/x")),
    ("x/x;x= ", Some("x/x")),
    ("x/x;x=\t", Some("x/x")),
    ("x/x;test=\u{fffd};x=x", Some("x/x;x=x")),
    ("\x0bx/x", None),
    ("\x0cx/x", None),
    ("x/x\x0b", None),
    ("x/x\x0c", None),
    ("", None),
    ("\t", None),
    ("/", None),
    ("bogus", None),
    ("bogus/", None),
    ("bogus/ ", None),
    ("bogus/bogus/;", None),
    ("</>", None),
    ("(/)", None),
    ("\u{ff}/\u{ff}", None),
    ("text/html(;doesnot=matter", None),
    ("{/}", None),
    ("\u{100}/\u{100}", None),
    ("text /html", None),
    ("text/ html", None),
    ("\"text/html\"", None),
];

/// Where we differ: an input, what the standard reads, and what we do. It repairs, for the sake of old pages: a value
/// that is no token is taken, a quoted-string may have no end and something behind it, whitespace is that of HTML
/// too, and all but the first of a name are dropped. Here a parameter is well-formed (RFC 9110, section 5.6.6) or
/// none, whitespace is SP and HTAB, and all of a name are told.
const STRICTER: &[(&str, Option<&str>, Option<&str>)] = &[
    ("text/html;charset=gbk(", Some("text/html;charset=\"gbk(\""), Some("text/html")),
    ("text/html;x=(;charset=gbk", Some("text/html;x=\"(\";charset=gbk"), Some("text/html;charset=gbk")),
    (
        "text/html;charset=gbk;charset=windows-1255",
        Some("text/html;charset=gbk"),
        Some("text/html;charset=gbk;charset=windows-1255"),
    ),
    ("text/html;charset=();charset=GBK", Some("text/html;charset=\"()\""), Some("text/html;charset=GBK")),
    ("text/html;charset= gbk", Some("text/html;charset=\" gbk\""), Some("text/html")),
    ("text/html;charset= \"gbk\"", Some("text/html;charset=\" \\\"gbk\\\"\""), Some("text/html")),
    ("text/html;charset=';charset=GBK", Some("text/html;charset='"), Some("text/html;charset=';charset=GBK")),
    ("text/html;charset=\"gbk", Some("text/html;charset=gbk"), Some("text/html")),
    ("text/html;charset=gbk\"", Some("text/html;charset=\"gbk\\\"\""), Some("text/html")),
    ("text/html;charset=\"gbk\"x", Some("text/html;charset=gbk"), Some("text/html")),
    (
        "text/html;charset=\"\";charset=GBK",
        Some("text/html;charset=\"\""),
        Some("text/html;charset=\"\";charset=GBK"),
    ),
    ("text/html;charset=\";charset=GBK", Some("text/html;charset=\";charset=GBK\""), Some("text/html")),
    ("text/html;charset={gbk}", Some("text/html;charset=\"{gbk}\""), Some("text/html")),
    ("x/x;test=\"\\", Some("x/x;test=\"\\\\\""), Some("x/x")),
    ("x/x\n\r\t ;x=x", Some("x/x;x=x"), None),
    ("\n\r\t x/x;x=x\n\r\t ", Some("x/x;x=x"), None),
    ("x/x;\n\r\t x=x\n\r\t ;x=y", Some("x/x;x=x"), Some("x/x;x=y")),
    (
        "text/html;test=\u{ff};charset=gbk",
        Some("text/html;test=\"\u{ff}\";charset=gbk"),
        Some("text/html;charset=gbk"),
    ),
];

fn read(input: &str) -> Option<String> {
    MediaType::parse(input).map(|read| read.to_string())
}

#[test]
fn the_table_of_web_platform_tests() {
    for (input, expected) in WPT {
        assert_eq!(read(input).as_deref(), *expected, "{input:?}");
    }
    for (input, theirs, ours) in STRICTER {
        assert_ne!(theirs, ours, "{input:?}");
        assert_eq!(read(input).as_deref(), *ours, "{input:?}");
    }
}

/// Their generated table: each character in each place. Quotes that hold what a token may not, hold it here too.
#[test]
fn each_character_in_each_place() {
    for character in (0..=0xff).filter_map(char::from_u32) {
        let is_token = character.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(character);
        let is_text = character == '\t' || !character.is_ascii_control();
        let lower = character.to_ascii_lowercase();
        let bonus =
            |text: String, holds: bool| format!("x/x{};bonus=x", if holds { text } else { String::new() });
        for (input, expected) in [
            (format!("{character}/x"), is_token.then(|| format!("{lower}/x"))),
            (format!("x/{character}"), is_token.then(|| format!("x/{lower}"))),
            (format!("x/x;{character}=x;bonus=x"), Some(bonus(format!(";{lower}=x"), is_token))),
            (
                format!("x/x;x={character};bonus=x"),
                match character {
                    // A quote that has no end takes all of the rest.
                    '"' => Some("x/x".into()),
                    _ => Some(bonus(format!(";x={character}"), is_token)),
                },
            ),
            (format!("x/x;x=\"\\{character}\";bonus=x"), {
                let quoted = match character {
                    '"' | '\\' => format!("\"\\{character}\""),
                    _ if is_token => character.to_string(),
                    _ => format!("\"{character}\""),
                };
                Some(bonus(format!(";x={quoted}"), is_text))
            }),
        ] {
            assert_eq!(read(&input), expected, "{input:?}");
        }
    }
}

#[test]
fn parameters_are_told_as_they_were_written() {
    let read = MediaType::parse(r#"a/b; x=1; bad; X="2 \" "; x*=UTF-8''%41; x*0=y"#).unwrap();
    let told: Vec<_> = read.parameters().collect();
    let expected = [("x", "1"), ("X", "2 \" "), ("x*", "UTF-8''%41"), ("x*0", "y")];
    assert_eq!(told, expected.map(|(name, value)| (name, value.into())));
}

#[test]
fn r09_r10_r11_types_and_parameters() {
    for (field, essence, charset) in [
        ("text/html", Some("text/html"), None),
        (" Text/HTML ;x=y", Some("text/html"), None),
        ("a/b;charset=utf-8", Some("a/b"), Some("utf-8")),
        ("a/b ;\tCharSet=UTF-8 ", Some("a/b"), Some("UTF-8")),
        (r#"a/b; x="a;charset=no"; charset="\u\"8""#, Some("a/b"), Some("u\"8")),
        (r#"a/b; charset="""#, Some("a/b"), Some("")),
        ("a/b; charset=1; charset=2", Some("a/b"), Some("1")),
        ("a/b; charset; charset=2", Some("a/b"), Some("2")),
        ("a/b;; ;charset=2;", Some("a/b"), Some("2")),
        ("a/b; charset=", Some("a/b"), None),
        ("a/b; charset=a b", Some("a/b"), None),
        (r#"a/b; charset="open"#, Some("a/b"), None),
        (r#"a/b; charset="x"y"#, Some("a/b"), None),
        ("a/b; charset =x", Some("a/b"), None),
        ("a/b; charset= x", Some("a/b"), None),
        ("a/b; charset=\"a\x01\"", Some("a/b"), None),
        ("a/b; charset=a; charset*=UTF-8''b", Some("a/b"), Some("b")),
        ("", None, None),
        ("text", None, None),
        ("/html", None, None),
        ("text/", None, None),
        ("te xt/html", None, None),
        ("text/html/x", None, None),
    ] {
        let parsed = MediaType::parse(field);
        assert_eq!(parsed.as_ref().map(MediaType::essence), essence, "{field}");
        let found = parsed.and_then(|parsed| parsed.parameter("charset"));
        assert_eq!(found.as_deref(), charset, "{field}");
    }
}

#[test]
fn json_by_name_and_by_suffix() {
    for (field, expected) in [
        ("application/json", true),
        ("Application/JSON; charset=utf-8", true),
        ("application/problem+json", true),
        ("text/json", false),
        ("application/jsonx", false),
        ("text/plain; x=application/json", false),
    ] {
        assert_eq!(MediaType::parse(field).is_some_and(|parsed| parsed.is_json()), expected, "{field}");
    }
}

#[test]
fn a_long_field_is_read_once() {
    for piece in [
        ";",
        ";x",
        ";x=y",
        ";x=\"y\"",
        ";x=\"",
        ";x=\"\\",
        ";x*=UTF-8''%41",
        ";x*=%",
        ";x*1=y",
        ";x*0*=UTF-8''",
    ] {
        let field = format!("a/b{}", piece.repeat(20_000));
        let read = MediaType::parse(&field).unwrap();
        assert_eq!(read.parameter("z"), None);
        assert!(read.parameter("x").is_none_or(|value| value.len() < field.len()), "{piece}");
        assert!(read.to_string().len() <= field.len(), "{piece}");
    }
}
