//! What a slash at the end makes of a path.

use super::*;

#[test]
fn h20_trim_and_redirect() {
    check(
        &[
            "GET~trim /t",
            "GET~trim /u/",
            "GET~trim /p/{x:int}",
            "GET~trim /tail/{x:path}",
            "GET~trim /",
            "GET~redirect /r",
            "GET~redirect /s/",
            "GET~redirect /m/{a}-{b}",
            "GET /strict",
        ],
        &[
            ("GET /t", "GET~trim /t"),
            ("GET /t/", "GET~trim /t"),
            ("GET /t//", "404"),
            ("POST /t/", "405 GET, HEAD, OPTIONS"),
            ("GET /u", "GET~trim /u/"),
            ("GET /u//", "404"),
            ("GET /p/7/", "GET~trim /p/{x:int} x=7"),
            ("GET /p/x/", "404"),
            ("GET /tail/", "GET~trim /tail/{x:path} x="),
            ("GET /tail/a/", "GET~trim /tail/{x:path} x=a/"),
            ("GET /tail", "404"),
            ("GET /", "GET~trim /"),
            ("GET //", "404"),
            ("GET /r", "GET~redirect /r"),
            ("GET /r/?q=1", "308 /r"),
            ("HEAD /r/", "308 /r"),
            ("POST /r/", "405 GET, HEAD, OPTIONS"),
            ("GET /s", "308 /s/"),
            ("GET /m/a%20-b/", "308 /m/a%20-b"),
            ("GET /strict/", "404"),
        ],
    );
}

#[test]
fn a_route_of_its_own_comes_first() {
    check(
        &[
            "GET~trim /a",
            "GET~trim /a/",
            "GET~redirect /b",
            "POST,GET /b/",
            "GET~redirect /c",
            "POST /c/",
            "GET /{x:path}",
        ],
        &[
            ("GET /a", "GET~trim /a"),
            ("GET /a/", "GET~trim /a/"),
            ("GET /b/", "POST,GET /b/"),
            ("GET /c/", "308 /c"),
            ("POST /c/", "POST /c/"),
            ("DELETE /c/", "405 GET, HEAD, POST, OPTIONS"),
            ("GET /d/", "GET /{x:path} x=d/"),
        ],
    );
}

#[test]
fn no_redirect_leads_to_another_host() {
    check(
        &["GET~redirect //{host}", "GET~redirect /{x}", "GET~redirect //{host}/b/", "GET~redirect //"],
        &[
            ("GET //evil.com/", "308 /.//evil.com"),
            ("GET //evil.com/b", "308 /.//evil.com/b/"),
            (r"GET /\evil.com/", "308 /%5Cevil.com"),
            (r"GET /a\b/", "308 /a%5Cb"),
            ("GET /%2Fevil.com/", "308 /%2Fevil.com"),
            ("GET /", "308 /.//"),
            ("GET http://evil.com/a/", "308 /a"),
        ],
    );
}
