//! Pages of other sites, other names and paths get nothing.

use crate::common::Bench;
use crate::support::Server;

#[test]
fn requests_for_other_hosts_and_from_other_sites_are_refused() {
    let server = Server::start(Bench::new(), "");
    let port = server.port;
    let with = |host: &str, more: &str| {
        let request =
            format!("GET /api/runs HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{more}\r\n");
        server.raw(request.as_bytes()).status
    };
    let local = format!("127.0.0.1:{port}");
    assert_eq!(with(&local, ""), 200);
    assert_eq!(with(&format!("localhost:{port}"), ""), 200);
    assert_eq!(with(&format!("evil.example:{port}"), ""), 421);
    assert_eq!(with("127.0.0.1:1", ""), 421);
    assert_eq!(with(&local, &format!("Origin: http://{local}\r\n")), 200);
    assert_eq!(with(&local, "Origin: http://evil.example\r\n"), 403);
    assert_eq!(with(&local, "Origin: null\r\n"), 403);
    assert_eq!(
        with(
            &local,
            "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\n"
        ),
        403
    );
    assert_eq!(
        with(
            &local,
            "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n"
        ),
        200
    );
}

#[test]
fn no_path_leads_out_of_the_folders() {
    let bench = Bench::new();
    bench.write("secret/config.json", "{}");
    bench.write("secret/metrics.jsonl", "");
    bench.write("runs/one/config.json", "{}");
    #[cfg(unix)]
    std::os::unix::fs::symlink(bench.path("secret"), bench.path("runs/link")).unwrap();
    let server = Server::start(bench, "runs");
    assert_eq!(server.get("/api/runs/one").status, 200);
    for id in [
        "..",
        "../secret",
        "..%2Fsecret",
        "%2e%2e%2fsecret",
        "one%2F..%2F..%2Fsecret",
        "link",
        "%2Fetc",
        "one%00",
        "one/../../secret",
    ] {
        for target in [
            format!("/api/runs/{id}"),
            format!("/runs/{id}/mistakes"),
            format!("/api/sweeps/{id}"),
            format!("/assets/{id}"),
            format!("/api/compare?run=one&run={id}"),
        ] {
            let answer = server.get(&target);
            assert_eq!(answer.status, 404, "{target}: {}", answer.text());
        }
    }
}

#[test]
fn with_a_token_nothing_is_answered_without_it() {
    let server = Server::start(Bench::new(), "--token open-sesame-0123456789");
    for target in ["/", "/api/runs", "/metrics", "/read", "/api/openapi.json"] {
        assert_eq!(server.get(target).status, 401, "{target}");
    }
    assert_eq!(server.get("/healthz").status, 200);
    let with = |more: &str, target: &str| {
        let request = format!("{}{more}\r\n\r\n", server.head("GET", target));
        server.raw(request.as_bytes())
    };
    assert_eq!(
        with("Authorization: Bearer open-sesame-0123456789", "/api/runs").status,
        200
    );
    assert_eq!(
        with("Authorization: bearer open-sesame-0123456789", "/api/runs").status,
        200,
        "the scheme in any case"
    );
    assert_eq!(
        with("Authorization: Bearer open-sesame-012345678", "/api/runs").status,
        401
    );
    let asked = with("Accept: text/html", "/read?run=a");
    assert_eq!(asked.status, 303);
    assert_eq!(asked.headers["location"], "/login?next=%2Fread%3Frun%3Da");
    let wrong = server.post("/login", b"token=wrong&next=%2Fread");
    assert_eq!(wrong.status, 401);
    let right = server.post(
        "/login",
        b"token=open-sesame-0123456789&next=%2F%2Fevil.example",
    );
    assert_eq!(
        (right.status, right.headers["location"].as_str()),
        (303, "/")
    );
    let cookie = &right.headers["set-cookie"];
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite"),
        "{cookie}"
    );
    let pair = cookie.split(';').next().unwrap();
    // Browsers send cookies to all ports of a host.
    let name = format!("kiln_token_{}=", server.port);
    assert!(pair.starts_with(&name), "{pair}");
    assert_eq!(with(&format!("Cookie: {pair}"), "/api/runs").status, 200);
}

#[test]
fn an_address_that_others_reach_needs_a_token() {
    let bench = Bench::new();
    for (arguments, word) in [
        ("serve --bind 0.0.0.0:0", "--token"),
        ("serve --bind 0.0.0.0:0 --token short", "16 characters"),
        ("serve --bind nowhere", "address and a port"),
        ("serve missing", "missing: not found"),
    ] {
        let output = bench.kiln(arguments).assert().code(2).get_output().clone();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(word), "{arguments}: {said}");
    }
}

#[test]
fn browsers_are_told_to_run_nothing_but_this_servers_scripts() {
    let server = Server::start(Bench::new(), "");
    for target in ["/", "/read", "/classify", "/assets/read.js", "/nothing"] {
        let answer = server.get(target);
        let policy = &answer.headers["content-security-policy"];
        assert!(
            policy.contains("default-src 'none'") && !policy.contains("unsafe"),
            "{policy}"
        );
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
        let text = answer.text();
        for inline in [
            "<style",
            "style=",
            "onclick=",
            "javascript:",
            "http://",
            "https://",
        ] {
            let is_script = target.ends_with(".js");
            assert!(is_script || !text.contains(inline), "{target}: {inline}");
        }
    }
}
