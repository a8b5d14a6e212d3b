//! The last lines of the ledger: how many more services there would be room for.

use std::fmt::Write;

use crate::base::quantity::in_mib;
use crate::plan::model::Plan;
use crate::plan::{Room, headroom, largest_more};

/// How many more services like those that there are would fit, the largest other one, and what lacks for one more.
pub(super) fn room(plan: &Plan<'_, '_>) -> String {
    let rooms = headroom(plan);
    let some = rooms.iter().filter(|room| room.more > 0);
    let mut phrases: Vec<String> = some
        .map(|room| format!("{} more like {}", room.more, like(room)))
        .collect();
    if let Some(bytes) = largest_more(plan) {
        phrases.push(format!("one service of up to {}", in_mib(bytes)));
    }
    let mut out = String::new();
    if !phrases.is_empty() {
        let _ = writeln!(out, "\nroom for {}", phrases.join(", or "));
    }
    for room in rooms.iter().filter(|room| room.more == 0) {
        let like = like(room);
        let _ = match room.short {
            0 => writeln!(out, "\nno room for one more like {like}"),
            short => writeln!(out, "\n{} short of one more like {like}", in_mib(short)),
        };
    }
    out
}

/// The service and its tier, and the budget that is the tightest limit for another one.
fn like(room: &Room<'_>) -> String {
    let tier = room.tier.map_or(String::new(), |tier| format!(" ({tier})"));
    let within = room
        .budget
        .map_or_else(String::new, |budget| format!(" in {budget}"));
    format!("`{}`{tier}{within}", room.like)
}
