//! `healthcheck` of compose as a probe. Compose restarts nothing that is unhealthy, and neither does `readiness`.

use super::environment::Environment;
use super::words::{seconds, split};
use crate::import::data::Data;
use crate::import::tree::{Block, Value, said};
use crate::import::variables::closed;

/// Takes `healthcheck`. `port` is the first port of the service.
pub(super) fn take(
    body: &mut Data,
    block: &mut Block,
    port: Option<u16>,
    environment: &Environment<'_>,
) {
    let Some(mut check) = body.take("healthcheck") else {
        return;
    };
    let off = check.text_at(&["disable"]) == Some("true");
    let test = check.take("test");
    let Some(command) = test.as_ref().and_then(command).filter(|_| !off) else {
        return;
    };
    if command.iter().any(|word| environment.has_password(word)) {
        block.leave("`healthcheck`: it has a password in it");
        return;
    }
    let mut probe = Block::plain("readiness");
    match asked(&command) {
        Some((asked, path)) if port.is_some() || asked.is_some() => {
            probe.put("path", Value::text(&path));
            if let Some(asked) = asked.filter(|asked| Some(*asked) != port) {
                probe.put("port", Value::count(asked.into()));
            }
        }
        _ => {
            let words = command.iter().map(|word| Value::text(word));
            probe.put("exec", Value::list(words));
        }
    }
    for (key, field) in [
        ("start_period", "delay"),
        ("interval", "period"),
        ("timeout", "timeout"),
    ] {
        let Some(text) = check.take_text(&[key]) else {
            continue;
        };
        match seconds(&closed(&text)) {
            Some(0) => {}
            Some(n) => probe.put(field, Value::unit(n, "s")),
            None => probe.leave(said(&format!("healthcheck.{key}: {text}"))),
        }
    }
    if let Some(n) = check.take_count(&["retries"]).filter(|n| *n > 0) {
        probe.put("failures", Value::count(n));
    }
    for what in check.fields("healthcheck") {
        probe.leave(what);
    }
    block.put_block(probe);
}

/// The command of a test. `None` where there is none.
fn command(test: &Data) -> Option<Vec<String>> {
    let shell = |line: &str| vec!["/bin/sh".to_owned(), "-c".to_owned(), line.to_owned()];
    match test {
        Data::Text(line, _) => Some(shell(&closed(line))),
        Data::List(items) => {
            let words: Option<Vec<&str>> = items.iter().map(Data::as_text).collect();
            let words = words?;
            let (first, rest) = words.split_first()?;
            match *first {
                "NONE" => None,
                "CMD-SHELL" => Some(shell(&closed(&rest.join(" ")))),
                "CMD" => Some(rest.iter().map(|word| closed(word)).collect()),
                _ => Some(words.iter().map(|word| closed(word)).collect()),
            }
        }
        _ => None,
    }
}

/// The port and the path of a command that asks its own server by HTTP and does nothing else: the kubelet can ask that
/// without a process in the container.
fn asked(command: &[String]) -> Option<(Option<u16>, String)> {
    let words = match command {
        [sh, c, line] if sh == "/bin/sh" && c == "-c" => {
            let line = line.split("||").next()?;
            match line.contains(['|', ';', '&', '$', '`', '>', '<']) {
                true => return None,
                false => split(line)?,
            }
        }
        words => words.to_vec(),
    };
    let program = words.first()?.rsplit('/').next()?;
    let switches = [
        "-f",
        "--fail",
        "-s",
        "-S",
        "-sf",
        "-fs",
        "-fsS",
        "-sS",
        "-sSf",
        "-q",
        "-qO-",
        "--spider",
        "-nv",
        "--silent",
        "--show-error",
        "--quiet",
        "--no-verbose",
        "--tries=1",
        "-O",
        "-o",
        "/dev/null",
        "-I",
        "-L",
        "-",
    ];
    if !["curl", "wget"].contains(&program) {
        return None;
    }
    let mut addresses = words[1..]
        .iter()
        .filter(|word| !switches.contains(&word.as_str()));
    let address = addresses.next()?;
    if addresses.next().is_some() {
        return None;
    }
    let rest = address.strip_prefix("http://").unwrap_or(address);
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (host, port) = match host.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().ok()?),
        None => (host, 80),
    };
    let own = ["localhost", "127.0.0.1", "0.0.0.0", "[::1]"].contains(&host);
    own.then(|| (Some(port), format!("/{path}")))
}

#[cfg(test)]
mod tests {
    use crate::import::compose::health::asked;

    fn of(words: &[&str]) -> Option<(Option<u16>, String)> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        asked(&words)
    }

    #[test]
    fn a_command_that_asks_by_http_is_seen() {
        let found = of(&["curl", "-f", "http://localhost:8080/health"]);
        assert_eq!(found, Some((Some(8080), "/health".to_owned())));
        let found = of(&[
            "/bin/sh",
            "-c",
            "wget -q --spider http://127.0.0.1/ || exit 1",
        ]);
        assert_eq!(found, Some((Some(80), "/".to_owned())));
        assert_eq!(of(&["pg_isready"]), None);
        assert_eq!(of(&["curl", "-H", "A: b", "http://localhost/"]), None);
        assert_eq!(of(&["/bin/sh", "-c", "curl localhost | grep ok"]), None);
        assert_eq!(of(&["curl", "https://localhost/"]), None);
    }
}
