//! The parser's table of web-platform-tests (`url/resources/urlencoded-parser-data.json`, BSD-3-Clause), our own
//! rows, every cut, and the way there and back.

use super::*;

type Row = (&'static str, &'static [(&'static str, &'static str)]);

const WPT: &[Row] = &[
    ("test", &[("test", "")]),
    ("\u{feff}test=\u{feff}", &[("\u{feff}test", "\u{feff}")]),
    ("%EF%BB%BFtest=%EF%BB%BF", &[("\u{feff}test", "\u{feff}")]),
    ("%EF%BF%BF=%EF%BF%BF", &[("\u{ffff}", "\u{ffff}")]),
    ("%FE%FF", &[("\u{fffd}\u{fffd}", "")]),
    ("%FF%FE", &[("\u{fffd}\u{fffd}", "")]),
    ("\u{2020}&\u{2020}=x", &[("\u{2020}", ""), ("\u{2020}", "x")]),
    ("%C2", &[("\u{fffd}", "")]),
    ("%C2x", &[("\u{fffd}x", "")]),
    ("_charset_=windows-1252&test=%C2x", &[("_charset_", "windows-1252"), ("test", "\u{fffd}x")]),
    ("", &[]),
    ("a", &[("a", "")]),
    ("a=b", &[("a", "b")]),
    ("a=", &[("a", "")]),
    ("=b", &[("", "b")]),
    ("&", &[]),
    ("&a", &[("a", "")]),
    ("a&", &[("a", "")]),
    ("a&a", &[("a", ""), ("a", "")]),
    ("a&b&c", &[("a", ""), ("b", ""), ("c", "")]),
    ("a=b&c=d", &[("a", "b"), ("c", "d")]),
    ("a=b&c=d&", &[("a", "b"), ("c", "d")]),
    ("&&&a=b&&&&c=d&", &[("a", "b"), ("c", "d")]),
    ("a=a&a=b&a=c", &[("a", "a"), ("a", "b"), ("a", "c")]),
    ("a==a", &[("a", "=a")]),
    ("a=a+b+c+d", &[("a", "a b c d")]),
    ("%=a", &[("%", "a")]),
    ("%a=a", &[("%a", "a")]),
    ("%a_=a", &[("%a_", "a")]),
    ("%61=a", &[("a", "a")]),
    ("%61+%4d%4D=", &[("a MM", "")]),
    ("id=0&value=%", &[("id", "0"), ("value", "%")]),
    ("b=%2sf%2a", &[("b", "%2sf*")]),
    ("b=%2%2af%2a", &[("b", "%2*f*")]),
    ("b=%%2a", &[("b", "%*")]),
];

const OWN: &[Row] = &[
    ("q03=%2526", &[("q03", "%26")]),
    ("d=%26x", &[("d", "&x")]),
    ("a=1;b=2", &[("a", "1;b=2")]),
    ("a&b", &[("a", ""), ("b", "")]),
    ("a=1&b", &[("a", "1"), ("b", "")]),
    ("=1", &[("", "1")]),
    ("=", &[("", "")]),
    ("a=b=c", &[("a", "b=c")]),
    ("a%3Db=c%3Dd", &[("a=b", "c=d")]),
    ("a=%2B+%20", &[("a", "+  ")]),
    ("a=%", &[("a", "%")]),
    ("a=%f", &[("a", "%f")]),
    ("a=%+1", &[("a", "% 1")]),
    ("a=%%41", &[("a", "%A")]),
    ("a=%00", &[("a", "\0")]),
    ("a=%E2%82&b=%AC", &[("a", "\u{fffd}"), ("b", "\u{fffd}")]),
    ("a=%E2%8\u{e9}", &[("a", "\u{fffd}%8\u{e9}")]),
];

fn rows() -> impl Iterator<Item = &'static Row> {
    WPT.iter().chain(OWN)
}

fn owned(fields: &[(&str, &str)]) -> Vec<(String, String)> {
    fields.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn in_pieces<'a>(pieces: impl IntoIterator<Item = &'a [u8]>, limits: (usize, usize)) -> Outcome {
    let mut fields = Vec::new();
    let mut decoder = Decoder::new(limits.0, limits.1);
    for piece in pieces {
        if let Err(error) = decoder.push(piece, &mut fields) {
            return (fields, Some(error));
        }
    }
    decoder.finish(&mut fields);
    (fields, None)
}

type Outcome = (Vec<(String, String)>, Option<LimitExceeded>);

#[test]
fn f06_f07_r07_the_table_at_every_cut() {
    for (input, expected) in rows() {
        let (bytes, expected) = (input.as_bytes(), owned(expected));
        let parsed: Vec<_> =
            parse(bytes).map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
        assert_eq!(parsed, expected, "{input}");
        let limits = (1_000, 1_000);
        assert_eq!(in_pieces(bytes.chunks(1), limits), (expected.clone(), None), "{input}");
        for at in 0..=bytes.len() {
            let (before, after) = bytes.split_at(at);
            assert_eq!(in_pieces([before, after], limits), (expected.clone(), None), "{input} cut at {at}");
        }
    }
}

#[test]
fn bytes_that_are_not_utf8_are_replaced() {
    let fields: Vec<_> = parse(b"\xff=\xc3\xa9\xc3").collect();
    assert_eq!(fields, [("\u{fffd}".into(), "\u{e9}\u{fffd}".into())]);
}

#[test]
fn f04_q11_limits_are_inclusive_and_the_same_at_every_cut() {
    let fields = |fields: u64| Some(LimitExceeded::new("form_fields", fields, fields + 1));
    let bytes = |bytes: u64| Some(LimitExceeded::new("form_field_bytes", bytes, bytes + 1));
    for (input, limits, count, error) in [
        ("a&b&c", (3, 9), 3, None),
        ("a&b&c", (2, 9), 2, fields(2)),
        ("a&b&&", (2, 9), 2, None),
        ("a", (0, 9), 0, fields(0)),
        ("", (0, 0), 0, None),
        ("&&&", (0, 0), 0, None),
        ("ab=cd", (9, 5), 1, None),
        ("ab=cde", (9, 5), 0, bytes(5)),
        ("ab=cd&a=%41%41", (9, 5), 1, bytes(5)),
        ("a", (9, 0), 0, bytes(0)),
    ] {
        let whole = in_pieces([input.as_bytes()], limits);
        assert_eq!((whole.0.len(), whole.1), (count, error), "{input}");
        assert_eq!(in_pieces(input.as_bytes().chunks(1), limits), whole, "{input}");
    }
}

#[test]
fn there_and_back() {
    let texts = ["", "a", " ", "+", "%41", "&", "=", "a=b&c", "\u{e9}\u{1f370}", "\0\r\n", "*-._~", "%"];
    let mut fields = Vec::new();
    for name in texts {
        for value in texts {
            fields.push((name.to_owned(), value.to_owned()));
            let text = serialize([(name, value)]);
            assert!(
                text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"*-._+%=".contains(&byte)),
                "{text}"
            );
        }
    }
    let text = serialize(fields.iter().map(|(name, value)| (name, value)));
    assert_eq!(in_pieces(text.as_bytes().chunks(3), (1_000, 1_000)), (fields, None));
    assert_eq!(serialize([("*-._~ +", "\u{e9}")]), "*-._%7E+%2B=%C3%A9");
}

/// Any bytes have a meaning, and what they mean survives a second trip.
#[test]
fn any_bytes_mean_something() {
    let set = b"ab%4=&+;\xc3\xa9\xff";
    for length in 0..=4_u32 {
        for mut index in 0..set.len().pow(length) {
            let mut bytes = Vec::new();
            for _ in 0..length {
                bytes.push(set[index % set.len()]);
                index /= set.len();
            }
            let fields: Vec<_> = parse(&bytes).collect();
            let again = serialize(fields.iter().map(|(name, value)| (name, value)));
            assert!(parse(again.as_bytes()).eq(fields), "{bytes:x?}");
        }
    }
}
