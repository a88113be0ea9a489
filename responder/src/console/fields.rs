//! The fields of a form or of an address, in order; a name may come more than once.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use url::form_urlencoded::{Serializer, parse};

/// Fields in which people write in words.
const WRITTEN: [&str; 7] = [
    "note", "title", "text", "reason", "question", "answer", "basis",
];

/// The fields of a request, put there by the guard.
#[derive(Debug, Clone, Default)]
pub(super) struct Fields(Vec<(String, String)>);

impl From<Vec<(String, String)>> for Fields {
    fn from(fields: Vec<(String, String)>) -> Self {
        Self(fields)
    }
}

impl Fields {
    /// Reads `application/x-www-form-urlencoded`.
    pub(super) fn read(bytes: &[u8]) -> Self {
        // PostgreSQL keeps no text with the character 0.
        let plain = |text: &str| text.replace('\0', "");
        let pairs = parse(bytes).map(|(name, value)| (plain(&name), plain(&value)));
        Self(pairs.collect())
    }

    /// The first value of that name, trimmed; empty where there is none.
    pub(super) fn get(&self, name: &str) -> &str {
        self.raw(name).trim()
    }

    /// The first value of that name as it was typed.
    pub(super) fn raw(&self, name: &str) -> &str {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map_or("", |(_, value)| value.as_str())
    }

    /// All values of that name.
    pub(super) fn all(&self, name: &str) -> Vec<String> {
        self.0
            .iter()
            .filter(|(key, _)| key == name)
            .map(|(_, value)| value.clone())
            .collect()
    }

    /// What was written in words, as it was typed.
    pub(super) fn texts(&self) -> Vec<String> {
        let written = |(name, value): &&(String, String)| {
            WRITTEN.contains(&name.as_str()) && !value.trim().is_empty()
        };
        let texts = self.0.iter().filter(written);
        texts.map(|(_, value)| value.clone()).collect()
    }

    /// The page asked for, from 1.
    pub(super) fn page(&self) -> u32 {
        self.get("page").parse().unwrap_or(1).clamp(1, 100_000)
    }

    /// Those of some names that have a value, one each, in the order of the names.
    pub(super) fn only(&self, names: &[&str]) -> Self {
        let given = names.iter().map(|name| (*name, self.get(name)));
        Self(
            given
                .filter(|(_, value)| !value.is_empty())
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        )
    }

    /// The same with a value of that name instead of those it had.
    pub(super) fn with(&self, name: &str, value: &str) -> Self {
        let mut fields = self.without(name);
        fields.0.push((name.to_owned(), value.to_owned()));
        fields
    }

    /// The same without that name.
    pub(super) fn without(&self, name: &str) -> Self {
        let others = self.0.iter().filter(|(key, _)| key != name);
        Self(others.cloned().collect())
    }

    /// As the query of an address; names without a value are left out.
    pub(super) fn query(&self) -> String {
        let mut query = Serializer::new(String::new());
        query.extend_pairs(self.0.iter().filter(|(_, value)| !value.is_empty()));
        query.finish()
    }

    /// The address of another page with the same filters.
    fn address(&self, path: &str, page: u32) -> String {
        let query = self.with("page", &page.to_string()).query();
        format!("{path}?{query}")
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Fields {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_default())
    }
}

/// The id in what was typed, which may be the address of its page.
pub(super) fn typed_id(typed: &str) -> &str {
    let path = typed.trim().split(['?', '#']).next().unwrap_or_default();
    path.trim_end_matches('/')
        .rsplit('/')
        .next()
        .unwrap_or_default()
}

/// Where a list stands among its pages.
pub(super) struct Pages {
    pub(super) page: u32,
    pub(super) last: u32,
    pub(super) total: u64,
    /// What stands before and after the total where it is not exact.
    pub(super) about: (&'static str, &'static str),
    /// Address of the page before; empty on the first.
    pub(super) before: String,
    /// Address of the page after; empty on the last.
    pub(super) after: String,
}

impl Pages {
    pub(super) fn new(path: &str, fields: &Fields, per_page: u32, total: u64) -> Self {
        let page = fields.page();
        let last = u32::try_from(total.div_ceil(u64::from(per_page)))
            .unwrap_or(u32::MAX)
            .max(1);
        let address = |page, there: bool| {
            if there {
                fields.address(path, page)
            } else {
                String::new()
            }
        };
        Self {
            page,
            last,
            total,
            about: ("", ""),
            before: address(page.saturating_sub(1).min(last), page > 1),
            after: address(page + 1, page < last),
        }
    }

    /// The total is near the number given.
    pub(super) fn about(self) -> Self {
        Self {
            about: ("约", ""),
            ..self
        }
    }

    /// The total is the number given or more.
    pub(super) fn at_least(self) -> Self {
        Self {
            about: ("", "+"),
            ..self
        }
    }
}

/// One of the values of a select.
pub(super) struct Choice {
    pub(super) value: String,
    pub(super) title: String,
    pub(super) chosen: bool,
}

impl Choice {
    pub(super) fn new(value: impl Into<String>, title: impl Into<String>, chosen: &str) -> Self {
        let value = value.into();
        let chosen = value == chosen;
        Self {
            value,
            title: title.into(),
            chosen,
        }
    }

    /// Choices whose titles are their values.
    pub(super) fn plain<V: Into<String>>(
        values: impl IntoIterator<Item = V>,
        chosen: &str,
    ) -> Vec<Self> {
        values
            .into_iter()
            .map(|value| {
                let value: String = value.into();
                Self::new(value.clone(), value, chosen)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_keep_the_filters() {
        let fields = Fields::read("text=路灯&level=&page=2".as_bytes());
        let pages = Pages::new("/posts", &fields, 20, 41);
        assert_eq!((pages.page, pages.last), (2, 3));
        assert_eq!(pages.before, "/posts?text=%E8%B7%AF%E7%81%AF&page=1");
        assert_eq!(pages.after, "/posts?text=%E8%B7%AF%E7%81%AF&page=3");
        let only = Pages::new("/posts", &Fields::default(), 20, 0);
        assert_eq!(
            (only.last, only.before, only.after),
            (1, String::new(), String::new())
        );
    }
}
