//! Addresses as posts are known by: without what changes from visit to visit.

use url::Url;

/// The canonical form: no fragment, no parameters that only track visits.
#[must_use]
pub fn canonical(mut url: Url) -> Url {
    url.set_fragment(None);
    let tracks = |name: &str| {
        name.starts_with("utm_") || matches!(name, "spm" | "from_source" | "share_token")
    };
    if url.query_pairs().any(|(name, _)| tracks(&name)) {
        let kept: Vec<(String, String)> = url
            .query_pairs()
            .filter(|(name, _)| !tracks(name))
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        if kept.is_empty() {
            url.set_query(None);
        } else {
            url.query_pairs_mut().clear().extend_pairs(kept);
        }
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_from_visit_to_visit_goes() {
        for (found, expected) in [
            ("http://a.test:80/p?id=3#top", "http://a.test/p?id=3"),
            (
                "http://a.test/p?utm_source=x&id=3&spm=1",
                "http://a.test/p?id=3",
            ),
            ("http://a.test/p?utm_source=x", "http://a.test/p"),
            ("http://a.test/p?b=2&a=1", "http://a.test/p?b=2&a=1"),
        ] {
            assert_eq!(canonical(found.parse().unwrap()).as_str(), expected);
        }
    }
}
