//! Names and file names, as `Content-Disposition` carries them.

use crate::multipart::ErrorKind;
use crate::multipart::disposition::parse;

#[test]
fn f14_names_and_file_names() {
    for (value, name, filename) in [
        (r#"form-data; name="a""#, "a", None),
        ("Form-DATA;NAME=a;FileName=b.txt", "a", Some("b.txt")),
        (r#"form-data ; filename="b" ;	name="a" ;"#, "a", Some("b")),
        (r#"form-data;; name="a"; x=y; z="; name=b""#, "a", None),
        (r#"form-data; name=""; filename="""#, "", Some("")),
        (
            r#"form-data; name="a%22b%0D%0Ac%20%0d%2%"; x="%"#.trim_end_matches("; x=\"%"),
            "a\"b\r\nc%20%0d%2%",
            None,
        ),
        (r#"form-data; name="a\"b\\c\d""#, r#"a"b\c\d"#, None),
        (r#"form-data; name="a"; filename="C:\dir\b.txt""#, "a", Some(r"C:\dir\b.txt")),
        (r#"form-data; name="a\\"; filename="\\srv\x""#, r"a\", Some(r"\srv\x")),
        ("form-data; name=\"n\u{e4}me \u{2603}\"", "n\u{e4}me \u{2603}", None),
        (r#"form-data; name="a;b=c, d""#, "a;b=c, d", None),
        ("form-data; name=!#$%&'*+-.^_`|~", "!#$%&'*+-.^_`|~", None),
        ("form-data; name=a; filename*=UTF-8''n%C3%A4me%2F..txt", "a", Some("n\u{e4}me/..txt")),
        ("form-data; name=a; filename*=utf-8'de'x", "a", Some("x")),
        ("form-data; name=a; filename*=ISO-8859-1''%e4", "a", Some("\u{e4}")),
        ("form-data; name=a; filename*=utf-8''", "a", Some("")),
    ] {
        let parsed = parse(value.as_bytes()).unwrap_or_else(|fault| panic!("{value}: {fault:?}"));
        assert_eq!((&parsed.name[..], parsed.filename.as_deref()), (name, filename), "{value}");
    }
    let latin = parse(b"form-data; name=\"\xe4\"").unwrap();
    assert_eq!(latin.name, "\u{fffd}");
}

#[test]
fn ghsa_vffw_93wf_4j4q_pysec_2026_3041_filename_star_smuggling() {
    let both = [
        "form-data; name=a; filename=safe.txt; filename*=utf-8''evil.php",
        "form-data; name=a; filename*=utf-8''evil.php; filename=\"safe.txt\"",
    ];
    for value in both {
        assert_eq!(parse(value.as_bytes()).unwrap().filename.as_deref(), Some("safe.txt"), "{value}");
    }
    for (value, kind) in [
        ("form-data; name=comment; name*=utf-8''role", ErrorKind::ExtendedName),
        ("form-data; name*=utf-8''role", ErrorKind::ExtendedName),
        ("form-data; name*0=ro; name*1=le", ErrorKind::ExtendedName),
        ("form-data; name=a; filename*0=e; filename*1=vil.php", ErrorKind::ExtendedName),
        ("form-data; name=a; filename*0*=utf-8''e; filename*1=vil.php", ErrorKind::ExtendedName),
        ("form-data; name=a; filename=b; filename*=utf-8''%00", ErrorKind::MalformedFilename),
    ] {
        assert_eq!(parse(value.as_bytes()).map_err(|fault| fault.kind), Err(kind), "{value}");
    }
}

#[test]
fn f12_f13_what_is_malformed_is_refused_where_it_is() {
    for (value, kind, at) in [
        ("", ErrorKind::NotFormData, 0),
        ("; name=a", ErrorKind::NotFormData, 0),
        ("attachment; name=a", ErrorKind::NotFormData, 0),
        ("form-data", ErrorKind::MissingName, 9),
        ("form-data; filename=a", ErrorKind::MissingName, 21),
        ("form-data name=a", ErrorKind::MalformedDisposition, 10),
        ("form-data; name", ErrorKind::MalformedDisposition, 15),
        ("form-data; name=", ErrorKind::MalformedDisposition, 16),
        ("form-data; name =a", ErrorKind::MalformedDisposition, 15),
        ("form-data; name= a", ErrorKind::MalformedDisposition, 16),
        ("form-data; =a", ErrorKind::MalformedDisposition, 11),
        ("form-data; name=a b", ErrorKind::MalformedDisposition, 18),
        ("form-data; name=a/b", ErrorKind::MalformedDisposition, 17),
        ("form-data; name=\u{e4}", ErrorKind::MalformedDisposition, 16),
        (r#"form-data; name="a"#, ErrorKind::MalformedDisposition, 16),
        (r#"form-data; name="a\""#, ErrorKind::MalformedDisposition, 16),
        (r#"form-data; name="a"b"#, ErrorKind::MalformedDisposition, 19),
        (r#"form-data; name="a"b"; filename=c"#, ErrorKind::MalformedDisposition, 19),
        (r#"form-data; name="a", x=y"#, ErrorKind::MalformedDisposition, 19),
        ("form-data; name=a; name=a", ErrorKind::RepeatedParameter, 19),
        ("form-data; name=a; NAME=b", ErrorKind::RepeatedParameter, 19),
        ("form-data; name=a; filename=b; filename=c", ErrorKind::RepeatedParameter, 31),
        ("form-data; name=a; filename*=utf-8''b; filename*=utf-8''b", ErrorKind::RepeatedParameter, 39),
        ("form-data; name=a; filename*=b", ErrorKind::MalformedFilename, 29),
        ("form-data; name=a; filename*=utf-8'b", ErrorKind::MalformedFilename, 29),
        ("form-data; name=a; filename*=utf-7''b", ErrorKind::MalformedFilename, 29),
        ("form-data; name=a; filename*=utf-8''%", ErrorKind::MalformedFilename, 29),
        ("form-data; name=a; filename*=utf-8''%+1", ErrorKind::MalformedFilename, 29),
        ("form-data; name=a; filename*=utf-8''%e4", ErrorKind::MalformedFilename, 29),
        ("form-data; name=a; filename*=utf-8''a'b", ErrorKind::MalformedFilename, 29),
        ("form-data; name=a; filename*=iso-8859-1''%85", ErrorKind::MalformedFilename, 29),
        (r#"form-data; name=a; filename*="utf-8''b""#, ErrorKind::MalformedFilename, 29),
    ] {
        let fault = parse(value.as_bytes()).unwrap_err();
        assert_eq!((fault.kind, fault.at), (kind, at), "{value}");
    }
}
