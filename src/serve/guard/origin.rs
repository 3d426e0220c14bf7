//! Which hosts a request may be for, and which pages it may come from.
//!
//! A page of another site can make a browser send requests here. Without a token, only names of this machine are answered, so that no
//! other name can be made to lead here (DNS rebinding); and whatever a browser says comes from another site is refused.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, Method, StatusCode, Version, header};

use crate::serve::problem::Problem;

/// What browsers say about where a request comes from (Fetch Metadata, W3C).
const FETCH_SITE: &str = "sec-fetch-site";
/// What browsers say a request is for.
const FETCH_MODE: &str = "sec-fetch-mode";
/// A link that was followed.
const NAVIGATE: &str = "navigate";

/// Which hosts and origins are answered.
#[derive(Debug, Clone)]
pub struct Origins {
    port: u16,
    /// A client that knows the token is not fooled by a name: its cookie belongs to one.
    any_name: bool,
}

impl Origins {
    /// Those of a server at this address.
    pub fn new(address: SocketAddr, has_token: bool) -> Self {
        Self {
            port: address.port(),
            any_name: has_token,
        }
    }

    /// Refuses a request for another host, or from another site.
    pub fn check(
        &self,
        method: &Method,
        version: Version,
        authority: Option<&str>,
        headers: &HeaderMap,
    ) -> Result<(), Problem> {
        let mut hosts = headers.get_all(header::HOST).iter();
        let host = match (hosts.next(), hosts.next(), authority) {
            (Some(host), None, None) => host.to_str().ok(),
            (Some(host), None, Some(authority)) => {
                host.to_str().ok().filter(|host| *host == authority)
            }
            (None, None, Some(authority)) if version == Version::HTTP_10 => Some(authority),
            _ => None,
        };
        let host = host.filter(|host| self.is_ours(host)).ok_or_else(|| {
            Problem::new(
                StatusCode::MISDIRECTED_REQUEST,
                "this host is not served here; use localhost or 127.0.0.1, or start `kiln serve` with --token for other names",
            )
        })?;
        if let Some(origin) = headers.get(header::ORIGIN)
            && !origin.to_str().is_ok_and(|origin| is_same(origin, host))
        {
            return Err(foreign());
        }
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let is_foreign = matches!(text(FETCH_SITE), Some("cross-site" | "same-site"));
        let is_link = text(FETCH_MODE) == Some(NAVIGATE) && method == Method::GET;
        if is_foreign && !is_link {
            return Err(foreign());
        }
        Ok(())
    }

    fn is_ours(&self, host: &str) -> bool {
        let Some((name, port)) = split(host) else {
            return false;
        };
        if self.any_name {
            return true;
        }
        let is_local = name.eq_ignore_ascii_case("localhost")
            || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        is_local && port.unwrap_or(80) == self.port
    }
}

fn foreign() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "requests from pages of other sites are refused",
    )
}

/// Whether an origin is a page of this host.
fn is_same(origin: &str, host: &str) -> bool {
    let authority = origin
        .strip_prefix("http://")
        .or_else(|| origin.strip_prefix("https://"));
    authority.is_some_and(|authority| authority.eq_ignore_ascii_case(host))
}

/// Name and port of a `Host` header, without the brackets of an IPv6 address; `None` for what is neither a name nor an address.
fn split(host: &str) -> Option<(&str, Option<u16>)> {
    let (name, port) = match host.strip_prefix('[') {
        Some(rest) => {
            let (name, rest) = rest.split_once(']')?;
            (
                name,
                rest.strip_prefix(':').or(rest.is_empty().then_some("")),
            )
        }
        None => match host.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (host, Some("")),
        },
    };
    let port = match port? {
        "" => None,
        digits => Some(digits.parse().ok()?),
    };
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:".contains(&byte);
    (!name.is_empty() && name.bytes().all(is_name)).then_some((name, port))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn status(any_name: bool, pairs: &[(&'static str, &'static str)]) -> Option<u16> {
        let origins = Origins {
            port: 7070,
            any_name,
        };
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_static(value));
        }
        let found = origins.check(&Method::GET, Version::HTTP_11, None, &headers);
        found.err().map(|problem| problem.status.as_u16())
    }

    #[test]
    fn names_of_this_machine_are_answered_and_no_others() {
        for host in [
            "localhost:7070",
            "LOCALHOST:7070",
            "127.0.0.1:7070",
            "127.8.9.1:7070",
            "[::1]:7070",
        ] {
            assert_eq!(status(false, &[("host", host)]), None, "{host}");
        }
        for host in [
            "evil.example:7070",
            "localhost.evil.example:7070",
            "127.0.0.1.evil.example:7070",
            "192.168.1.2:7070",
            "localhost",
            "localhost:80",
            "localhost:7070:7070",
            "[::1]x:7070",
            "user@localhost:7070",
            "",
        ] {
            assert_eq!(status(false, &[("host", host)]), Some(421), "{host}");
        }
        assert_eq!(status(false, &[]), Some(421));
        let twice = [("host", "localhost:7070"), ("host", "localhost:7070")];
        assert_eq!(status(false, &twice), Some(421));
        assert_eq!(status(true, &[("host", "kiln.example")]), None);
        assert_eq!(status(true, &[("host", "a b")]), Some(421));
    }

    #[test]
    fn pages_of_other_sites_are_refused_but_not_their_links() {
        let from = |origin| status(false, &[("host", "localhost:7070"), ("origin", origin)]);
        assert_eq!(from("http://localhost:7070"), None);
        for origin in [
            "http://localhost:3000",
            "http://evil.example",
            "http://127.0.0.1:7070",
            "null",
            "http://localhost:7070.evil.example",
        ] {
            assert_eq!(from(origin), Some(403), "{origin}");
        }
        let fetched = |site, mode| {
            let host = ("host", "localhost:7070");
            status(false, &[host, (FETCH_SITE, site), (FETCH_MODE, mode)])
        };
        assert_eq!(fetched("cross-site", "no-cors"), Some(403));
        assert_eq!(fetched("same-site", "cors"), Some(403));
        assert_eq!(fetched("cross-site", "navigate"), None);
        assert_eq!(fetched("same-origin", "cors"), None);
        assert_eq!(fetched("none", "navigate"), None);
    }
}
