//! What the library suggests for services of which the input says nothing: a tier, a port, a runtime. Where it knows
//! nothing, a range to fill in.

use super::tree::{Block, Value};
use crate::base::quantity::MIB;
use crate::stdlib::{Image, images, runtime_tiers};
use crate::world::{World, resolve};

/// What is put in for the memory of an image that nobody knows.
const FILL_IN: (u64, u64) = (64 * MIB, 256 * MIB);

/// How much memory something may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Size {
    /// A tier of `std.tiers`.
    Tier(&'static str),
    Unknown,
}

/// Libraries by which a runtime is known, the more particular first: the file that names it, the word, the runtime.
const SIGNS: [(&str, &str, &str); 18] = [
    ("requirements.txt", "fastapi", "fastapi"),
    ("pyproject.toml", "fastapi", "fastapi"),
    ("requirements.txt", "flask", "flask"),
    ("pyproject.toml", "flask", "flask"),
    ("requirements.txt", "starlette", "starlette"),
    ("pyproject.toml", "starlette", "starlette"),
    ("requirements.txt", "", "python"),
    ("pyproject.toml", "", "python"),
    ("package.json", "\"next\"", "nextjs"),
    ("package.json", "\"fastify\"", "fastify"),
    ("package.json", "\"express\"", "express"),
    ("package.json", "", "node"),
    ("go.mod", "", "go"),
    ("Cargo.toml", "", "rust"),
    ("pom.xml", "", "java"),
    ("build.gradle", "", "java"),
    ("build.gradle.kts", "", "java"),
    ("index.html", "", "static"),
];

/// The name of an image without registry defaults, tag and digest.
fn bare(image: &str) -> &str {
    let image = image.split('@').next().unwrap_or(image);
    let image = match image.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => name,
        _ => image,
    };
    let image = image.strip_prefix("docker.io/").unwrap_or(image);
    image.strip_prefix("library/").unwrap_or(image)
}

fn known(image: &str) -> Option<Image> {
    let name = bare(image);
    images().find(|known| known.name == name)
}

/// The port that an image listens on.
pub(super) fn port(image: &str) -> Option<u16> {
    known(image).map(|known| known.port)
}

/// What an image needs.
pub(super) fn of_image(image: &str) -> Size {
    known(image)
        .and_then(|known| known.tier)
        .map_or(Size::Unknown, Size::Tier)
}

/// What an image needs that is built for a runtime.
pub(super) fn of_runtime(runtime: &str) -> Size {
    let tier = runtime_tiers().find(|(name, _)| *name == runtime);
    tier.map_or(Size::Unknown, |(_, tier)| Size::Tier(tier))
}

/// Gives a service the memory that its input asks for. Where that is a request alone, a range to fill in, with the comment
/// `unlimited`; where it is nothing, what is known of its size, with `unsaid`.
pub(super) fn put_memory(
    block: &mut Block,
    (request, limit): (Option<u64>, Option<u64>),
    size: Size,
    [unlimited, unsaid]: [&str; 2],
) {
    match (request, limit) {
        (Some(request), Some(limit)) if request < limit => {
            let mut memory = Block::plain("memory");
            memory.put("request", Value::memory(request));
            memory.put("limit", Value::memory(limit));
            block.put_block(memory);
        }
        (_, Some(limit)) => block.put("memory", Value::memory(limit)),
        (Some(request), None) => {
            let high = Value::memory(request.saturating_mul(2));
            let range = Value::range(&Value::memory(request), &high);
            block.put_noted("memory", range, unlimited);
        }
        (None, None) => put(block, size, unsaid),
    }
}

/// Gives a service memory, with a comment that says where it comes from.
fn put(block: &mut Block, size: Size, why: &str) {
    match size {
        Size::Tier(tier) => block.put_noted(
            "tier",
            Value::word(tier),
            format!("{why}: what the library knows of such a service"),
        ),
        Size::Unknown => {
            let (low, high) = FILL_IN;
            let range = Value::range(&Value::memory(low), &Value::memory(high));
            block.put_noted("memory", range, format!("{why}: put in what it takes"));
        }
    }
}

/// The runtime and the path of a source, if its folder is there and shows what it is. `context` counts from `folder`.
pub(super) fn runtime_of(
    world: &dyn World,
    folder: &str,
    context: &str,
) -> Option<(&'static str, String)> {
    let source = resolve(&format!("{folder}/x"), context)?;
    let source = source.trim_matches('/').to_owned();
    let entries = world.list(&source).ok()?;
    let sign = SIGNS.iter().find(|(file, word, _)| {
        let is_there = entries
            .iter()
            .any(|entry| !entry.is_folder && entry.name == *file);
        let path = match source.as_str() {
            "" => (*file).to_owned(),
            source => format!("{source}/{file}"),
        };
        let holds = || {
            let bytes = world.read(&path).unwrap_or_default();
            String::from_utf8_lossy(&bytes)
                .to_lowercase()
                .contains(word)
        };
        is_there && (word.is_empty() || holds())
    });
    let (.., runtime) = sign?;
    match source.is_empty() {
        true => Some((runtime, ".".to_owned())),
        false => Some((runtime, source)),
    }
}

#[cfg(test)]
mod tests {
    use crate::import::figures::{SIGNS, Size, of_image, of_runtime, port, runtime_of};
    use crate::stdlib::{images, runtime_tiers};
    use crate::world::MemoryWorld;

    #[test]
    fn images_are_known_by_their_bare_names() {
        assert_eq!(port("docker.io/library/postgres:16.4@sha256:x"), Some(5432));
        assert_eq!(port("ghcr.io/acme/postgres:1"), None);
        assert_eq!(port("registry:5000/redis"), None);
        assert_eq!(of_image("nginx:1.27"), Size::Tier("nano"));
        assert_eq!(of_image("x"), Size::Unknown);
    }

    #[test]
    fn every_tier_is_one_of_the_library() {
        let tiers: Vec<&str> = crate::stdlib::tiers().map(|(name, _)| name).collect();
        assert!(runtime_tiers().all(|(_, tier)| tiers.contains(&tier)));
        assert!(
            SIGNS
                .iter()
                .all(|(.., runtime)| of_runtime(runtime) != Size::Unknown)
        );
        assert!(images().all(|image| image.tier.is_none_or(|tier| tiers.contains(&tier))));
    }

    #[test]
    fn a_source_shows_its_runtime() {
        let mut world = MemoryWorld::default();
        world.insert("shop/api/requirements.txt", "FastAPI==0.1\n");
        world.insert(
            "shop/web/package.json",
            "{\"dependencies\": {\"next\": \"1\"}}",
        );
        let of = |context| runtime_of(&world, "shop", context);
        assert_eq!(of("./api"), Some(("fastapi", "shop/api".to_owned())));
        assert_eq!(of("web"), Some(("nextjs", "shop/web".to_owned())));
        assert_eq!(of("none"), None);
        assert_eq!(of("../../x"), None);
    }
}
