//! Deterministic identifiers: the same thing always has the same id, so a repeat changes nothing.

use sha2::{Digest, Sha256};

/// The id of something of one `kind` named by `parts`: 32 hexadecimal digits, the first 128 bits
/// of SHA-256 over the length-prefixed kind and parts.
///
/// ```
/// let once = backbone::id::of("post", &["https://example.test/1", "1"]);
/// assert_eq!(once, backbone::id::of("post", &["https://example.test/1", "1"]));
/// assert_ne!(once, backbone::id::of("post", &["https://example.test/11", ""]));
/// ```
#[must_use]
pub fn of(kind: &str, parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in std::iter::once(&kind).chain(parts) {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let digest = hash.finalize();
    hex::encode(digest.iter().take(16).copied().collect::<Vec<u8>>())
}

/// The id of a post: its source, its canonical URL and the item's own id at that source.
#[must_use]
pub fn of_post(source: &str, canonical_url: &str, item: &str) -> String {
    of("post", &[source, canonical_url, item])
}

/// The id of a source, by its region and name.
#[must_use]
pub fn of_source(region: &str, name: &str) -> String {
    of("source", &[region, name])
}

/// The id of the event that the given post opened in a region.
#[must_use]
pub fn of_event(region: &str, first_post: &str) -> String {
    of("event", &[region, first_post])
}

/// The id of the event that an edit splits from another, by the edit's id.
#[must_use]
pub fn of_split(edit: &str) -> String {
    of("split", &[edit])
}

/// The id of the one alert an event raises when it reaches a level.
#[must_use]
pub fn of_alert(event: &str, level: u8) -> String {
    of("alert", &[event, &level.to_string()])
}

/// The id of the one erasure of a post.
#[must_use]
pub fn of_erasure(post: &str) -> String {
    of("erasure", &[post])
}

/// The id of what was seen across the posts of a region: its kind, what it is about, and the hour it was first found.
#[must_use]
pub fn of_signal(region: &str, kind: &str, about: [&str; 3], hour: i64) -> String {
    let [subject, second, place] = about;
    of(
        "signal",
        &[region, kind, subject, second, place, &hour.to_string()],
    )
}

/// The id of the case that handles an event.
#[must_use]
pub fn of_case(event: &str) -> String {
    of("case", &[event])
}
