//! What a server receives.

use super::*;

#[rustfmt::skip]
const HEADS: &[Case] = &[
    ("plain", "GET / HTTP/1.1\r\nHost: h\r\n\r\n", "GET / 1.1 0 . need"),
    ("no space after the colon", "GET / HTTP/1.1\r\nHost:h\r\n\r\n", "GET / 1.1 0 . need"),
    ("whitespace around a value", "GET / HTTP/1.1\r\nHost: \t h \t\r\n\r\n", "GET / 1.1 0 . need"),
    ("empty value", "GET / HTTP/1.1\r\nHost: h\r\nA:\r\nB: \r\n\r\n", "GET / 1.1 0 . need"),
    ("obs-text", "GET / HTTP/1.1\r\nHost: h\r\nA: é\r\n\r\n", "GET / 1.1 0 . need"),
    ("underscore is a token", "GET / HTTP/1.1\r\nHost: h\r\nTransfer_Encoding: chunked\r\n\r\n", "GET / 1.1 0 . need"),
    ("empty lines before", "\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", "GET / 1.1 0 . need"),
    ("own method", "BREW-2 / HTTP/1.1\r\nHost: h\r\n\r\n", "BREW-2 / 1.1 0 . need"),
    ("methods are case-sensitive", "get / HTTP/1.1\r\nHost: h\r\n\r\n", "get / 1.1 0 . need"),
    ("higher minor version", "GET / HTTP/1.9\r\nHost: h\r\n\r\n", "GET / 1.1 0 . need"),
    ("1.0 without host", "GET / HTTP/1.0\r\n\r\n", "GET / 1.0 0 . need"),
    ("query", "GET /a?b=c&d HTTP/1.1\r\nHost: h\r\n\r\n", "GET /a?b=c&d 1.1 0 . need"),
    ("two slashes", "GET //evil HTTP/1.1\r\nHost: h\r\n\r\n", "GET //evil 1.1 0 . need"),
    ("two requests", "GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n", "GET /1 1.1 0 . GET /2 1.1 0 . need"),
    ("bare LF after the request line", "GET / HTTP/1.1¦\nHost: h\r\n\r\n", "!400 bare-lf"),
    ("bare LF after a field", "GET / HTTP/1.1\r\nHost: h¦\nA: b\r\n\r\n", "!400 bare-lf"),
    ("bare LF for the empty line", "GET / HTTP/1.1\r\nHost: h\r\n¦\n", "!400 bare-lf"),
    ("LF first", "¦\nGET / HTTP/1.1\r\n", "!400 bare-lf"),
    ("bare CR before", "\r¦GET / HTTP/1.1\r\n", "!400 bare-cr"),
    ("bare CR after the version", "GET / HTTP/1.1\r¦\rHost: h\r\n\r\n", "!400 bare-cr"),
    ("bare CR in a value", "GET / HTTP/1.1\r\nHost: h\r\nA: b¦\rc\r\n\r\n", "!400 bare-cr"),
    ("bare CR in a name", "GET / HTTP/1.1\r\nHost: h\r\nA¦\rB: c\r\n\r\n", "!400 invalid-field-name"),
    ("TLS hello", "¦\u{16}\u{3}\u{1}", "!400 invalid-method"),
    ("space first", "¦ GET / HTTP/1.1\r\n", "!400 invalid-method"),
    ("method no token", "GE¦(T / HTTP/1.1\r\n", "!400 invalid-method"),
    ("tab as separator", "GET¦\t/ HTTP/1.1\r\n", "!400 invalid-method"),
    ("two spaces before the target", "GET ¦ / HTTP/1.1\r\n", "!400 malformed-request-line"),
    ("two spaces before the version", "GET / ¦ HTTP/1.1\r\n", "!400 malformed-request-line"),
    ("space after the version", "GET / HTTP/1.1¦ \r\n", "!400 malformed-request-line"),
    ("method alone", "GET¦\r\n", "!400 malformed-request-line"),
    ("no version", "GET /¦\r\n", "!400 malformed-request-line"),
    ("no target", "GET ¦\r\n", "!400 malformed-request-line"),
    ("three words", "GET / ¦a HTTP/1.1\r\n", "!400 malformed-version"),
    ("lower-case version", "GET / ¦http/1.1\r\n", "!400 malformed-version"),
    ("version with one number", "GET / HTTP/1¦\r\n", "!400 malformed-version"),
    ("version with a leading zero", "GET / HTTP/0¦1.1\r\n", "!400 malformed-version"),
    ("version with two digits", "GET / HTTP/1.1¦0\r\n", "!400 malformed-version"),
    ("version 2.0", "GET / ¦HTTP/2.0\r\nHost: h\r\n\r\n", "!505 unsupported-version"),
    ("version 0.9", "GET / ¦HTTP/0.9\r\n\r\n", "!505 unsupported-version"),
    ("preface of HTTP/2", "PRI * ¦HTTP/2.0\r\n\r\nSM\r\n\r\n", "!505 unsupported-version"),
    ("fragment", "GET /a¦#b HTTP/1.1\r\n", "!400 invalid-target"),
    ("quote in the path", "GET /a¦\"b HTTP/1.1\r\n", "!400 invalid-target"),
    ("quote in the query", "GET /?a=¦\"b HTTP/1.1\r\n", "!400 invalid-target"),
    ("angle bracket", "GET /?a=¦<b> HTTP/1.1\r\n", "!400 invalid-target"),
    ("backslash", "GET /a¦\\b HTTP/1.1\r\n", "!400 invalid-target"),
    ("control in the target", "GET /a¦\u{1}b HTTP/1.1\r\n", "!400 invalid-target"),
    ("DEL in the target", "GET /a¦\u{7f} HTTP/1.1\r\n", "!400 invalid-target"),
    ("target not ASCII", "GET /¦é HTTP/1.1\r\n", "!400 invalid-target"),
    ("tab in the target", "GET /a¦\tb HTTP/1.1\r\n", "!400 invalid-target"),
    ("whitespace before the first field", "GET / HTTP/1.1\r\n¦ Host: h\r\n\r\n", "!400 leading-whitespace"),
    ("obs-fold", "GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n¦ c\r\n\r\n", "!400 obs-fold"),
    ("obs-fold with a tab", "GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n¦\tc\r\n\r\n", "!400 obs-fold"),
    ("space before the colon", "GET / HTTP/1.1\r\nHost¦ : h\r\n\r\n", "!400 space-before-colon"),
    ("tab before the colon", "GET / HTTP/1.1\r\nHost: h\r\nA¦\t: h\r\n\r\n", "!400 space-before-colon"),
    ("space in a name", "GET / HTTP/1.1\r\nHost: h\r\nA¦ B: h\r\n\r\n", "!400 invalid-field-name"),
    ("empty name", "GET / HTTP/1.1\r\nHost: h\r\n¦: h\r\n\r\n", "!400 invalid-field-name"),
    ("name not ASCII", "GET / HTTP/1.1\r\nHost: h\r\n¦é: h\r\n\r\n", "!400 invalid-field-name"),
    ("no colon", "GET / HTTP/1.1\r\nHost: h\r\n¦A\r\n\r\n", "!400 missing-colon"),
    ("NUL in a value", "GET / HTTP/1.1\r\nHost: h\r\nA: b¦\0\r\n\r\n", "!400 invalid-field-value"),
    ("DEL in a value", "GET / HTTP/1.1\r\nHost: h\r\nA: b¦\u{7f}\r\n\r\n", "!400 invalid-field-value"),
];

#[rustfmt::skip]
const TARGETS: &[Case] = &[
    ("absolute", "GET http://h/a HTTP/1.1\r\nHost: h\r\n\r\n", "GET http://h/a 1.1 0 . need"),
    ("absolute, default port", "GET http://h:80/a HTTP/1.1\r\nHost: H\r\n\r\n", "GET http://h:80/a 1.1 0 . need"),
    ("absolute, no path", "GET https://h HTTP/1.1\r\nHost: h:443\r\n\r\n", "GET https://h/ 1.1 0 . need"),
    ("absolute in 1.0 without host", "GET http://h/ HTTP/1.0\r\n\r\n", "GET http://h/ 1.0 0 . need"),
    ("absolute, other host", "GET http://h/ HTTP/1.1\r\nHost: ¦i\r\n\r\n", "!400 host-mismatch"),
    ("absolute, other port", "GET http://h:81/ HTTP/1.1\r\nHost: ¦h\r\n\r\n", "!400 host-mismatch"),
    ("absolute, userinfo", "GET ¦http://u@h/ HTTP/1.1\r\nHost: h\r\n\r\n", "!400 invalid-target"),
    ("absolute, no host", "GET ¦http:/// HTTP/1.1\r\nHost: h\r\n\r\n", "!400 invalid-target"),
    ("absolute, other scheme", "GET ¦ftp://h/ HTTP/1.1\r\nHost: h\r\n\r\n", "!400 unknown-scheme"),
    ("relative", "GET ¦a/b HTTP/1.1\r\nHost: h\r\n\r\n", "!400 invalid-target-form"),
    ("relative with a URL inside", "GET ¦a?u=http://h/ HTTP/1.1\r\nHost: h\r\n\r\n", "!400 invalid-target-form"),
    ("asterisk", "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", "OPTIONS * 1.1 0 . need"),
    ("asterisk of another method", "GET ¦* HTTP/1.1\r\nHost: h\r\n\r\n", "!400 invalid-target-form"),
    ("asterisk with more", "OPTIONS ¦*a HTTP/1.1\r\nHost: h\r\n\r\n", "!400 invalid-target-form"),
    ("CONNECT", "CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n", "CONNECT h:443 1.1 0 upgrade . need"),
    ("CONNECT, other host", "CONNECT h:443 HTTP/1.1\r\nHost: ¦i\r\n\r\n", "!400 host-mismatch"),
    ("CONNECT without a port", "CONNECT ¦h HTTP/1.1\r\nHost: h\r\n\r\n", "!400 invalid-target-form"),
    ("CONNECT with a path", "CONNECT ¦/ HTTP/1.1\r\nHost: h\r\n\r\n", "!400 invalid-target-form"),
    ("authority of another method", "GET ¦h:443 HTTP/1.1\r\nHost: h\r\n\r\n", "!400 invalid-target-form"),
    ("no host", "GET / HTTP/1.1\r\nA: b\r\n\r\n¦", "!400 missing-host"),
    ("no fields", "GET / HTTP/1.1\r\n\r\n¦", "!400 missing-host"),
    ("two hosts", "GET / HTTP/1.1\r\nHost: h\r\nHost: ¦h\r\n\r\n", "!400 repeated-host"),
    ("two hosts in 1.0", "GET / HTTP/1.0\r\nHost: h\r\nHost: ¦h\r\n\r\n", "!400 repeated-host"),
    ("host with a comma", "GET / HTTP/1.1\r\nHost: ¦a, b\r\n\r\n", "!400 invalid-host"),
    ("host with userinfo", "GET / HTTP/1.1\r\nHost: ¦u@h\r\n\r\n", "!400 invalid-host"),
    ("host with a path", "GET / HTTP/1.1\r\nHost: ¦h/\r\n\r\n", "!400 invalid-host"),
    ("host with a bad port", "GET / HTTP/1.1\r\nHost: ¦h:65536\r\n\r\n", "!400 invalid-host"),
    ("bad host in 1.0", "GET / HTTP/1.0\r\nHost: ¦a b\r\n\r\n", "!400 invalid-host"),
    ("IPv6 host", "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", "GET / 1.1 0 . need"),
];

#[rustfmt::skip]
const FRAMING: &[Case] = &[
    ("length", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabcGET", "POST / 1.1 3 =abc . need"),
    ("length 0", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", "POST / 1.1 0 . need"),
    ("content of GET", "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\na", "GET / 1.1 1 =a . need"),
    ("chunked", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked \r\n\r\n1\r\na\r\n0\r\n\r\n", "POST / 1.1 ? =a . need"),
    ("incomplete", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nab", "POST / 1.1 3 =ab need"),
    ("length with a sign", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ¦+5\r\n\r\n", "!400 invalid-content-length"),
    ("negative length", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ¦-0\r\n\r\n", "!400 invalid-content-length"),
    ("hexadecimal length", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ¦0x5\r\n\r\n", "!400 invalid-content-length"),
    ("length with a blank", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ¦1 0\r\n\r\n", "!400 invalid-content-length"),
    ("length list", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ¦5, 5\r\n\r\n", "!400 invalid-content-length"),
    ("length too large", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ¦9223372036854775808\r\n\r\n", "!400 invalid-content-length"),
    ("largest length", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9223372036854775807\r\n\r\n", "POST / 1.1 9223372036854775807 need"),
    ("length twice", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: ¦5\r\n\r\n", "!400 repeated-content-length"),
    ("both", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: ¦chunked\r\n\r\n", "!400 conflicting-framing"),
    ("both, the other way", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: ¦5\r\n\r\n", "!400 conflicting-framing"),
    ("chunked twice", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: ¦chunked, chunked\r\n\r\n", "!400 malformed-transfer-encoding"),
    ("chunked on two lines", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: ¦chunked\r\n\r\n", "!400 malformed-transfer-encoding"),
    ("chunked not last", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: ¦chunked, gzip\r\n\r\n", "!400 malformed-transfer-encoding"),
    ("chunked with a parameter", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: ¦chunked;q=1\r\n\r\n", "!400 malformed-transfer-encoding"),
    ("chunked and a comma", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: ¦chunked,\r\n\r\n", "!400 malformed-transfer-encoding"),
    ("two words", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: ¦chunked chunked\r\n\r\n", "!400 malformed-transfer-encoding"),
    ("vertical tab", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: ¦\u{b}chunked\r\n\r\n", "!400 invalid-field-value"),
    ("other codings", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: ¦gzip, chunked\r\n\r\n", "!501 unknown-transfer-coding"),
    ("codings on two lines", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: ¦chunked\r\n\r\n", "!501 unknown-transfer-coding"),
    ("identity", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: ¦identity\r\n\r\n", "!501 unknown-transfer-coding"),
    ("xchunked", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: ¦xchunked\r\n\r\n", "!501 unknown-transfer-coding"),
    ("chunked in 1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: ¦chunked\r\n\r\n", "!400 transfer-encoding-in-http10"),
    ("expectation", "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\na", "POST / 1.1 1 =a . need"),
    ("other expectation", "POST / HTTP/1.1\r\nHost: h\r\nExpect: ¦tea\r\n\r\n", "!417 unknown-expectation"),
    ("other expectation in a list", "POST / HTTP/1.1\r\nHost: h\r\nExpect: ¦100-continue, tea\r\n\r\n", "!417 unknown-expectation"),
    ("other expectation in 1.0", "POST / HTTP/1.0\r\nExpect: tea\r\n\r\n", "POST / 1.0 0 . need"),
    ("upgrade", "GET / HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, Upgrade\r\nUpgrade: x\r\n\r\n", "GET / 1.1 0 upgrade . need"),
    ("upgrade without the option", "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: x\r\n\r\n", "GET / 1.1 0 . need"),
    ("upgrade option alone", "GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\n\r\n", "GET / 1.1 0 . need"),
    ("upgrade in 1.0", "GET / HTTP/1.0\r\nConnection: upgrade, keep-alive\r\nUpgrade: x\r\n\r\n", "GET / 1.0 0 . need"),
];

/// Bodies, each after [`CHUNKED_HEAD`].
#[rustfmt::skip]
const CHUNKS: &[Case] = &[
    ("several", "5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n", "=hello! . need"),
    ("upper and lower case", "0a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n", "=01234567890123456789 . need"),
    ("sixteen digits", "0000000000000001\r\na\r\n0000000000000000\r\n\r\n", "=a . need"),
    ("extensions", "1;a=b;c=\"d\";\te\r\na\r\n0;x\r\n\r\n", "=a . need"),
    ("extensions with spaces", "1; a = b ;c\r\na\r\n0;x\r\n\r\n", "=a . need"),
    ("a quoted extension", "1;a=\"\\\";\t\"\r\na\r\n0\r\n\r\n", "=a . need"),
    ("an extension without a name", "1;¦\r\na\r\n", "!400 invalid-chunk-extension"),
    ("an extension without a name, before another", "1;¦;b\r\na\r\n", "!400 invalid-chunk-extension"),
    ("an extension without a value", "1;a=¦\r\na\r\n", "!400 invalid-chunk-extension"),
    ("an extension that is no token", "1;¦[=b\r\na\r\n", "!400 invalid-chunk-extension"),
    ("an extension with an open quote", "1;a=\"b¦\r\na\r\n", "!400 invalid-chunk-extension"),
    ("bytes after a quote", "1;a=\"b\"¦c\r\na\r\n", "!400 invalid-chunk-extension"),
    ("space after an extension", "1;a ¦\r\na\r\n", "!400 invalid-chunk-extension"),
    ("CRLF as data", "2\r\n\r\n\r\n0\r\n\r\n", "=\\r\\n . need"),
    ("waits for the last CRLF", "0\r\n", "need"),
    ("trailers", "0\r\nA: b\r\na:c \r\n\r\n", ".{a: b}{a: c} need"),
    ("forbidden trailers", "0\r\nContent-Length: 9\r\nHost: x\r\nX: y\r\nAuthorization: z\r\nIf-Match: q\r\n\r\n", ".{x: y} need"),
    ("nothing but forbidden trailers", "0\r\nTransfer-Encoding: chunked\r\nContent-Type: a\r\n\r\n", ". need"),
    ("digest", "0\r\nContent-Digest: d\r\n\r\n", ".{content-digest: d} need"),
    ("empty size", "¦\r\n", "!400 invalid-chunk-size"),
    ("only an extension", "¦;a\r\n", "!400 invalid-chunk-size"),
    ("sign", "¦+1\r\na\r\n", "!400 invalid-chunk-size"),
    ("0x", "0¦x1\r\na\r\n", "!400 invalid-chunk-size"),
    ("space before", "¦ 1\r\na\r\n", "!400 invalid-chunk-size"),
    ("space after", "1¦ \r\na\r\n", "!400 invalid-chunk-size"),
    ("space before an extension", "1¦ ;a\r\na\r\n", "!400 invalid-chunk-size"),
    ("underscore", "1¦_0\r\n", "!400 invalid-chunk-size"),
    ("seventeen digits", "0000000000000000¦1\r\n", "!400 chunk-size-too-large"),
    ("LF after the size", "1¦\na\r\n", "!400 bare-lf"),
    ("CR after the size", "1\r¦a\r\n", "!400 bare-cr"),
    ("LF in an extension", "1;a¦\nb\r\n", "!400 bare-lf"),
    ("NUL in an extension", "1;a¦\0\r\n", "!400 invalid-chunk-extension"),
    ("CR in an extension", "1;a\r¦b\r\n", "!400 bare-cr"),
    ("data too long", "1\r\na¦b\r\n", "=a !400 missing-chunk-end"),
    ("LF after the data", "1\r\na¦\n0\r\n\r\n", "=a !400 missing-chunk-end"),
    ("CR after the data", "1\r\na\r¦\r0\r\n\r\n", "=a !400 missing-chunk-end"),
    ("LF for the last line", "0\r\n¦\n", "!400 bare-lf"),
    ("fold in trailers", "0\r\nA: b\r\n¦ c\r\n\r\n", "!400 obs-fold"),
    ("no colon in trailers", "0\r\n¦A\r\n\r\n", "!400 missing-colon"),
    ("too many trailers", "0\r\nA: 1\r\nA: 2\r\n¦A: 3\r\n\r\n", "!431 too-many-trailers"),
    ("trailers too large", "0\r\nA: 01234567890123456789012345678901234567890123456789012345\r\n\r¦\n", "!431 trailers-too-large"),
    ("largest trailers", "0\r\nA: 0123456789012345678901234567890123456789012345678901234\r\n\r\n", ".{a: 0123456789012345678901234567890123456789012345678901234} need"),
    ("extensions too large", "1;23456789\r\na\r\n1;2345678901¦2\r\n", "=a !400 chunk-extensions-too-large"),
];

const CHUNKED_HEAD: &str = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";

/// What a FIN makes of it.
#[rustfmt::skip]
const ENDS: &[Case] = &[
    ("nothing", "", "closed"),
    ("empty lines", "\r\n\r\n", "closed"),
    ("between requests", "GET / HTTP/1.1\r\nHost: h\r\n\r\n", "GET / 1.1 0 . closed"),
    ("in a method", "GE¦", "!400 unexpected-end"),
    ("in an empty line", "\r¦", "!400 unexpected-end"),
    ("in a field", "GET / HTTP/1.1\r\nHos¦", "!400 unexpected-end"),
    ("in content", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\na¦", "POST / 1.1 2 =a !400 unexpected-end"),
    ("before the last chunk", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n¦", "POST / 1.1 ? =a !400 unexpected-end"),
    ("before the last CRLF", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n¦", "POST / 1.1 ? !400 unexpected-end"),
    ("in trailers", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\n¦", "POST / 1.1 ? !400 unexpected-end"),
];

/// With 64 bytes for a head, 16 for a target and 3 fields.
#[rustfmt::skip]
const LIMITS: &[Case] = &[
    ("64 bytes", "GET / HTTP/1.1\r\nHost: h\r\nA: 01234567890123456789012345678901\r\n\r\n", "GET / 1.1 0 . need"),
    ("65 bytes", "GET / HTTP/1.1\r\nHost: h\r\nA: 012345678901234567890123456789012\r\n\r¦\n", "!431 head-too-large"),
    ("empty lines count", "\r\nGET / HTTP/1.1\r\nHost: h\r\nA: 01234567890123456789012345678901\r\n¦\r\n", "!431 head-too-large"),
    ("empty lines alone", "\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n¦\r\n", "!431 head-too-large"),
    ("faults past the limit are not seen", "GET / HTTP/1.1\r\nHost: h\r\nA: 012345678901234567890123456789012345¦789\n", "!431 head-too-large"),
    ("three fields", "GET / HTTP/1.1\r\nHost: h\r\na:\r\na:\r\n\r\n", "GET / 1.1 0 . need"),
    ("four fields", "GET / HTTP/1.1\r\nHost: h\r\na:\r\na:\r\n¦a:\r\n\r\n", "!431 too-many-fields"),
    ("target of 16 bytes", "GET /23456789012345f HTTP/1.1\r\nHost: h\r\n\r\n", "GET /23456789012345f 1.1 0 . need"),
    ("target of 17 bytes", "GET /23456789012345f¦7 HTTP/1.1\r\n", "!414 target-too-long"),
    ("target without an end", "GET /23456789012345f¦01234567890123456789012345678901234567890123456789012345678901234567890123456789", "!414 target-too-long"),
    ("bad target before a long one", "GET /234¦\\012345678901234567890123456789", "!400 invalid-target"),
];

#[test]
fn heads() {
    check_requests(&Limits::default(), HEADS, false);
    check_requests(&Limits::default(), TARGETS, false);
    check_requests(&Limits::default(), FRAMING, false);
}

#[test]
fn ends() {
    check_requests(&Limits::default(), ENDS, true);
}

#[test]
fn chunks() {
    let mut limits = Limits::default();
    (limits.trailer_fields, limits.trailer_bytes, limits.chunk_extension_bytes) = (5, 4096, 4096);
    let mut tight = limits.clone();
    (tight.trailer_fields, tight.trailer_bytes, tight.chunk_extension_bytes) = (2, 62, 20);
    for (name, body, expected) in CHUNKS {
        let text = format!("{CHUNKED_HEAD}{body}");
        let expected = format!("POST / 1.1 ? {expected}");
        // The tables are static; so are what is made of them, for the length of the test run.
        let case: Case = (name, text.leak(), expected.leak());
        let limits = if name.contains("too") || name.starts_with("largest") { &tight } else { &limits };
        check_requests(limits, &[case], false);
    }
}

#[test]
fn limits() {
    let mut limits = Limits::default();
    (limits.head_bytes, limits.target_bytes, limits.head_fields) = (64, 16, 3);
    check_requests(&limits, LIMITS, false);
}

#[test]
fn a_method_longer_than_any() {
    let text = format!("{}¦M / HTTP/1.1\r\n", "M".repeat(64)).leak();
    check_requests(&Limits::default(), &[("65 bytes", text, "!501 method-too-long")], false);
}

#[test]
fn many_fields() {
    let fields: String = (0..99).map(|number| format!("f{number}: v\r\n")).collect();
    let text = format!("GET / HTTP/1.1\r\nHost: h\r\n{fields}\r\n");
    let mut conn = ServerConn::new(Arc::default());
    let mut input = BytesMut::from(&text[..]);
    let Ok(Event::Head(head)) = conn.next(&mut input) else { panic!() };
    assert_eq!(head.headers.len(), 100);
    assert_eq!(head.headers["f98"], "v");
}

#[test]
fn a_fault_far_behind_is_found() {
    let text = format!("{CHUNKED_HEAD}1\r\na\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\nA¦ : b\r\n\r\n");
    let mark = text.rfind("GET").unwrap() as u64;
    let at = text.find(MARK).unwrap() as u64;
    let bytes = text.replace(MARK, "");
    let (log, refused_at) =
        run(ServerConn::new(Arc::default()), (bytes.as_bytes(), &[], false), request_head, answer);
    assert_eq!(log, "POST / 1.1 ? =a . !400 space-before-colon");
    assert_eq!(refused_at, Some(at - mark));
}

#[test]
fn fields_keep_their_order_and_bytes() {
    let mut conn = ServerConn::new(Arc::default());
    let mut input = BytesMut::from("GET / HTTP/1.1\r\nHost: h\r\nA: 1\r\nB: \u{e9}\r\na: 2\r\n\r\nrest");
    let Ok(Event::Head(head)) = conn.next(&mut input) else { panic!() };
    assert_eq!(fields(&head.headers), "{host: h}{a: 1}{a: 2}{b: \\xc3\\xa9}");
    assert_eq!(input, "rest");
    assert_eq!(conn.message_offset(), 46);
}
