//! Addresses as posts are known by: without what changes from visit to visit.

use url::Url;

/// The canonical form: no fragment, no parameters that only track visits.
#[must_use]
pub fn canonical(mut url: Url) -> Url {
    url.set_fragment(None);
    let tracks = |name: &str| {
        name.starts_with("utm_") || matches!(name, "spm" | "from_source" | "share_token")
    };
    // Kept as written: many a board's parameters are GBK under their percent signs.
    let kept: Option<Vec<&str>> = url.query().map(|query| {
        query
            .split('&')
            .filter(|pair| !tracks(pair.split('=').next().unwrap_or_default()))
            .collect()
    });
    let query = kept
        .map(|kept| kept.join("&"))
        .filter(|kept| !kept.is_empty());
    url.set_query(query.as_deref());
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
            (
                "http://a.test/p?q=%B7%EE%D0%C2&utm_term=1",
                "http://a.test/p?q=%B7%EE%D0%C2",
            ),
            ("http://a.test/p?b=2&a=1", "http://a.test/p?b=2&a=1"),
        ] {
            assert_eq!(canonical(found.parse().unwrap()).as_str(), expected);
        }
    }
}
