//! The names by which a server may be called.
//!
//! A page of a stranger can give a name of its own the server's address, and then read what the server answers to that
//! name. So names are not trusted unless they are known; addresses cannot be given away.

use std::net::{Ipv4Addr, Ipv6Addr};

/// True for a `Host` that is an address, `localhost` or one of `names`, with or without a port.
pub(crate) fn is_own(host: &str, names: &[String]) -> bool {
    let name = without_port(host);
    let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    address.is_some_and(|address| address.parse::<Ipv6Addr>().is_ok())
        || name.parse::<Ipv4Addr>().is_ok()
        || name.eq_ignore_ascii_case("localhost")
        || names.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// True for an `Origin` that is the page of this server: of the same host and port, or of one of `names`.
pub(crate) fn is_own_origin(origin: &str, host: &str, names: &[String]) -> bool {
    let rest = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    rest.is_some_and(|authority| {
        let name = without_port(authority);
        authority.eq_ignore_ascii_case(host) || names.iter().any(|known| known.eq_ignore_ascii_case(name))
    })
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && !name.ends_with(':') => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_localhost_and_known_names_are_its_own() {
        let names = ["lens.example.org".to_owned()];
        for host in [
            "127.0.0.1",
            "127.0.0.1:8080",
            "10.1.2.3:80",
            "[::1]",
            "[::1]:8080",
            "localhost:1",
            "LOCALHOST",
            "Lens.example.org:443",
        ] {
            assert!(is_own(host, &names), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example:80",
            "[evil]",
            "::1:80",
            "1.2.3",
        ] {
            assert!(!is_own(host, &names), "{host}");
        }
    }

    #[test]
    fn the_page_of_another_server_is_foreign() {
        let names = ["lens.example.org".to_owned()];
        let own = |origin: &str| is_own_origin(origin, "127.0.0.1:8080", &names);
        assert!(own("http://127.0.0.1:8080") && own("https://lens.example.org"));
        for origin in
            ["null", "", "http://127.0.0.1:9090", "http://evil.example", "file://", "http://localhost:8080"]
        {
            assert!(!own(origin), "{origin}");
        }
    }
}
