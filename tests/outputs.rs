//! What `bzc build` makes of generated programs, for the checks in `tests/real`: a folder for each program that fits,
//! with the program beside its files. Every other one has several nodes.
//!
//! `cargo run --example outputs FOLDER COUNT`
#![expect(
    clippy::disallowed_methods,
    reason = "it writes what other tools are to read"
)]

#[expect(dead_code, unused_imports, reason = "the tests use the rest of it")]
mod generate;

use std::path::PathBuf;
use std::{env, fs, io};

use bzc::{MemoryWorld, Options};
use generate::Size;

fn main() -> io::Result<()> {
    let mut words = env::args().skip(1);
    let folder = PathBuf::from(words.next().unwrap_or_else(|| "target/outputs".to_owned()));
    let count = words
        .next()
        .and_then(|word| word.parse().ok())
        .unwrap_or(200);
    let mut written = 0;
    for seed in 0_u64.. {
        if written == count {
            break;
        }
        let size = if seed % 8 < 2 {
            Size::Full
        } else {
            Size::Small
        };
        let make = if seed % 2 == 0 {
            generate::program
        } else {
            generate::cluster
        };
        let program = make(90_000 + seed, size, (60, 105));
        let text = program.text();
        let options = Options {
            env: program.env(),
            ..Default::default()
        };
        let compiled = bzc::compile(&MemoryWorld::default(), "budget.bz", text.clone(), &options);
        let Some(output) = compiled.output else {
            continue;
        };
        let top = folder.join(format!("generated-{seed}"));
        for (path, bytes) in output
            .files
            .iter()
            .map(|(path, bytes)| (path.as_str(), bytes.as_slice()))
            .chain([("budget.bz", text.as_bytes())])
        {
            let path = top.join(path);
            path.parent().map_or(Ok(()), fs::create_dir_all)?;
            fs::write(path, bytes)?;
        }
        written += 1;
    }
    Ok(())
}
