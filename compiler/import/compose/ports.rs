//! Ports of compose: `ports`, which the node opens too, and `expose`.

use crate::import::data::Data;
use crate::import::tree::{Block, Name, Value, said};
use crate::import::variables::{closed, shown};

/// A range of ports with more than these is left out: a program names each.
const MOST_OF_A_RANGE: u16 = 64;

/// A port of a container.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Port {
    inside: u16,
    /// The port of the node that leads to it.
    outside: Option<u16>,
    udp: bool,
}

/// Takes `ports` and `expose`. `known` is the port that the image is known to listen on, `is_called` whether other
/// services name this one, `alone` whether it has one pod, so that a port of the node can be its own.
pub(super) fn take(
    body: &mut Data,
    block: &mut Block,
    known: Option<u16>,
    is_called: bool,
    alone: bool,
) {
    let mut all: Vec<Port> = Vec::new();
    for (key, published) in [("ports", true), ("expose", false)] {
        for item in body.take(key).unwrap_or(Data::Null).items() {
            match read(item, published) {
                Ok(ports) => all.extend(ports),
                Err(why) => block.leave(format!("{key}: {why}")),
            }
        }
    }
    let mut seen: Vec<Port> = Vec::new();
    for port in all {
        match seen
            .iter_mut()
            .find(|one| one.inside == port.inside && one.udp == port.udp)
        {
            Some(before) => before.outside = before.outside.or(port.outside),
            None => seen.push(port),
        }
    }
    if let (true, Some(port)) = (seen.is_empty(), known) {
        let note = "the port of its image: the Service that makes its name resolvable needs one";
        block.put_noted("port", Value::count(port.into()), note);
        return;
    }
    if seen.is_empty() && is_called {
        block.note(
            "port: other services name this one, and Kubernetes makes its name resolvable only with \
             a port: put it in",
        );
    }
    write(&seen, block, alone);
}

fn write(ports: &[Port], block: &mut Block, alone: bool) {
    let main = ports.iter().position(|port| !port.udp);
    let outside = |port: &Port| port.outside.filter(|_| alone);
    if let Some(port) = main.and_then(|main| ports.get(main)) {
        block.put("port", Value::count(port.inside.into()));
        if let Some(outside) = outside(port) {
            block.put("host-port", Value::count(outside.into()));
        }
    }
    let mut several = Block::plain("ports");
    for (index, port) in ports.iter().enumerate() {
        if Some(index) == main {
            continue;
        }
        let kind = if port.udp { "udp" } else { "tcp" };
        let Some(name) = Name::of(&format!("{kind}-{}", port.inside)) else {
            continue;
        };
        let mut one = Block::keyed(name.as_str());
        one.put("port", Value::count(port.inside.into()));
        if let Some(outside) = outside(port) {
            one.put("host-port", Value::count(outside.into()));
        }
        if port.udp {
            one.put("udp", Value::fixed("true"));
        }
        several.put_block(one);
    }
    block.put_block(several);
    if !alone && ports.iter().any(|port| port.outside.is_some()) {
        block.leave(
            "ports of the node: several pods cannot have one; `node-port` leads to all of them",
        );
    }
}

/// `[[IP:]HOST:]CONTAINER[/PROTOCOL]`, with ranges, or a mapping.
fn read(item: &Data, published: bool) -> Result<Vec<Port>, String> {
    let number = |text: &str| text.parse::<u16>().ok().filter(|port| *port > 0);
    if let Data::Map(_) = item {
        let target = item.text_at(&["target"]).and_then(number);
        let inside = target.ok_or_else(|| format!("{}: it has no `target`", said("ports")))?;
        let loopback = item.text_at(&["host_ip"]).is_some_and(is_loopback);
        let outside = item.text_at(&["published"]).and_then(number);
        let udp = item.text_at(&["protocol"]) == Some("udp");
        return Ok(vec![Port {
            inside,
            outside: outside.filter(|_| !loopback),
            udp,
        }]);
    }
    let whole = item.as_text().unwrap_or_default();
    let not_a_port = || said(&shown(whole));
    let text = closed(whole);
    let (text, protocol) = text.split_once('/').unwrap_or((&text, "tcp"));
    let (before, inside) = text.rsplit_once(':').unwrap_or(("", text));
    let (ip, outside) = before.rsplit_once(':').unwrap_or(("", before));
    let span = |text: &str| {
        let (low, high) = text.split_once('-').unwrap_or((text, text));
        let (low, high) = (number(low)?, number(high)?);
        (high >= low && high - low < MOST_OF_A_RANGE).then_some(low..=high)
    };
    let inside = span(inside).ok_or_else(not_a_port)?;
    let outside = span(outside).filter(|_| published && !is_loopback(ip));
    let mut ports = Vec::new();
    for (at, port) in inside.enumerate() {
        let outside = outside.clone().and_then(|mut outside| outside.nth(at));
        ports.push(Port {
            inside: port,
            outside,
            udp: protocol == "udp",
        });
    }
    Ok(ports)
}

/// A port that is open to the machine itself alone. A port of a pod never is.
fn is_loopback(ip: &str) -> bool {
    let ip = ip.trim_start_matches('[').trim_end_matches(']');
    ip.starts_with("127.") || ip == "localhost" || ip == "::1"
}

#[cfg(test)]
mod tests {
    use crate::import::compose::ports::read;
    use crate::import::data::Data;

    fn ports(text: &str) -> Vec<(u16, Option<u16>, bool)> {
        let read = read(&Data::Text(text.to_owned(), false), true).expect(text);
        read.iter()
            .map(|port| (port.inside, port.outside, port.udp))
            .collect()
    }

    #[test]
    fn ports_are_read_in_all_short_forms() {
        assert_eq!(ports("443"), [(443, None, false)]);
        assert_eq!(ports("8080:80"), [(80, Some(8080), false)]);
        assert_eq!(ports("0.0.0.0:53:53/udp"), [(53, Some(53), true)]);
        assert_eq!(ports("127.0.0.1:8001:80"), [(80, None, false)]);
        assert_eq!(ports("[::1]:8001:80"), [(80, None, false)]);
        assert_eq!(
            ports("7000-7001:80-81"),
            [(80, Some(7000), false), (81, Some(7001), false)]
        );
        assert!(read(&Data::Text("x".to_owned(), false), true).is_err());
    }
}
