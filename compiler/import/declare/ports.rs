//! Ports of containers, which probes and Services call by number or by name.

use crate::import::data::Data;
use crate::import::tree::{Block, Item, Name, Value, said};

/// The ports of a container.
#[derive(Debug, Default)]
pub(super) struct Ports {
    /// The number, its name, and how it is called in the program; empty for `port`.
    all: Vec<(u16, String, String)>,
}

impl Ports {
    /// The number of a port that is written as a number or as a name.
    pub(super) fn number(&self, written: &str) -> Option<u16> {
        let named = self.all.iter().find(|(_, name, _)| name == written);
        named.map(|(n, ..)| *n).or_else(|| written.parse().ok())
    }

    /// The number of `port`.
    pub(super) fn main(&self) -> Option<u16> {
        let main = self.all.iter().find(|(.., called)| called.is_empty());
        main.map(|(n, ..)| *n)
    }
}

/// The ports: `port` is the first TCP port without a name or called `http`, for bz calls it so.
pub(super) fn take(container: &mut Data, block: &mut Block) -> Ports {
    let mut found = Ports::default();
    let Some(Data::List(items)) = container.take("ports") else {
        return found;
    };
    let number = |data: &Data, key: &str| {
        data.text_at(&[key])
            .and_then(|text| text.parse::<u16>().ok())
    };
    let is_main = |item: &&Data| {
        let name = item.text_at(&["name"]).unwrap_or_default();
        let protocol = item.text_at(&["protocol"]).unwrap_or("TCP");
        protocol == "TCP" && matches!(name, "" | "http")
    };
    let main = items.iter().find(is_main).cloned();
    let mut several = Block::plain("ports");
    for item in &items {
        let Some(inside) = number(item, "containerPort") else {
            continue;
        };
        let written = item.text_at(&["name"]).unwrap_or_default().to_owned();
        let outside = number(item, "hostPort");
        let udp = item.text_at(&["protocol"]) == Some("UDP");
        if Some(item) == main.as_ref() {
            block.put("port", Value::count(inside.into()));
            if let Some(outside) = outside {
                block.put("host-port", Value::count(outside.into()));
            }
            found.all.push((inside, written, String::new()));
            continue;
        }
        let own = format!("{}-{inside}", if udp { "udp" } else { "tcp" });
        let Some(name) = Name::near(&written, 15).or_else(|| Name::of(&own)) else {
            continue;
        };
        let mut one = Block::keyed(name.as_str());
        one.put("port", Value::count(inside.into()));
        if let Some(outside) = outside {
            one.put("host-port", Value::count(outside.into()));
        }
        if udp {
            one.put("udp", Value::fixed("true"));
        }
        found.all.push((inside, written, name.as_str().to_owned()));
        several.put_block(one);
    }
    block.put_block(several);
    found
}

/// Gives a port of the workload a port of the nodes.
pub(super) fn node_port(block: &mut Block, ports: &Ports, target: &str, outside: u16) {
    let number = ports.number(target);
    let known = ports.all.iter().find(|(n, ..)| Some(*n) == number);
    match known {
        Some((.., name)) if name.is_empty() => block.put("node-port", Value::count(outside.into())),
        Some((.., name)) => {
            let of_ports = block.items.iter_mut().find_map(|item| match item {
                Item::Block(block) if block.is("ports") => Some(block),
                _ => None,
            });
            let one = of_ports.and_then(|ports| {
                ports.items.iter_mut().find_map(|item| match item {
                    Item::Block(block) if block.is(name) => Some(block),
                    _ => None,
                })
            });
            if let Some(one) = one {
                one.put("node-port", Value::count(outside.into()));
            }
        }
        None => block.leave(said(&format!("nodePort: {outside}"))),
    }
}
