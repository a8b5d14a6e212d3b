//! Does what it is told, a line each, and says `done` after each: `fill BYTES` takes memory until its cgroup uses so much,
//! `more MIB` takes more, `read PATH` reads a file. Ends with its input. Its argument is the file that has the usage.

use std::fs;
use std::io::{BufRead, Read, Write};

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let usage = || -> u64 {
        let text = fs::read_to_string(&arguments[1]).expect("the usage of the cgroup");
        text.trim().parse().expect("a number")
    };
    let mut held: Vec<Vec<u8>> = Vec::new();
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("a line");
        match line.split_once(' ') {
            Some(("fill", bytes)) => {
                let target: u64 = bytes.parse().expect("a number");
                while usage() < target {
                    // Large steps at first, then small ones: what the kernel itself needs comes on top.
                    let left = target.saturating_sub(usage()) / 4 * 3;
                    held.push(vec![1; left.clamp(64 << 10, 64 << 20) as usize]);
                }
            }
            Some(("more", mib)) => held.push(vec![1; mib.parse::<usize>().expect("a number") << 20]),
            Some(("read", path)) => {
                let (mut file, mut buffer) = (fs::File::open(path).expect("a file"), [0; 65536]);
                while file.read(&mut buffer).expect("bytes") > 0 {}
            }
            _ => {}
        }
        println!("done");
        std::io::stdout().flush().expect("somebody listens");
    }
    drop(held);
}
