//! Which of several collectors reads a source: rendezvous hashing by its site, so that each site is asked by
//! one collector only, and only the sources of a collector that comes or goes change hands.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The share of this collector.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// The name of this collector, one of `among`.
    pub name: String,
    /// The names of all collectors that share the sources, the same in the settings of each.
    pub among: Vec<String>,
}

impl Share {
    /// What is wrong with it: the field and the remedy.
    #[must_use]
    pub fn check(&self) -> Vec<String> {
        let mut flaws = Vec::new();
        if !self.among.contains(&self.name) {
            flaws.push(format!(
                "`share.name` is \"{}\", which `share.among` does not have; add it there",
                self.name
            ));
        }
        let mut names = self.among.clone();
        names.sort();
        names.dedup();
        if names.len() < self.among.len() {
            flaws.push("`share.among` has a name twice; give each collector its own".to_owned());
        }
        flaws
    }

    /// Whether the sources of a site are this collector's to read; what has no site goes by its name.
    #[must_use]
    pub fn has(&self, site: &str) -> bool {
        let weight = |name: &String| {
            let mut hash = Sha256::new();
            hash.update((name.len() as u64).to_be_bytes());
            hash.update(name);
            hash.update(site);
            hash.finalize()
        };
        self.among.iter().max_by_key(|name| weight(name)) == Some(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(names: &[&str]) -> Vec<Share> {
        let among: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let of = |name: &String| Share {
            name: name.clone(),
            among: among.clone(),
        };
        among.iter().map(of).collect()
    }

    fn reader<'a>(shares: &'a [Share], site: &str) -> &'a str {
        let mut readers = shares.iter().filter(|share| share.has(site));
        let reader = readers.next().unwrap();
        assert!(readers.next().is_none(), "each site has one reader");
        &reader.name
    }

    #[test]
    fn each_site_has_one_reader_and_few_change_hands() {
        let (three, four) = (shares(&["a", "b", "c"]), shares(&["d", "c", "b", "a"]));
        let (mut of_a, mut moved) = (0, 0);
        for number in 0..1_000 {
            let site = format!("site{number}.test");
            let (before, after) = (reader(&three, &site), reader(&four, &site));
            of_a += usize::from(before == "a");
            moved += usize::from(before != after);
            assert!(before == after || after == "d", "only to the one that came");
        }
        assert!((250..420).contains(&of_a), "{of_a} of 1,000 sites");
        assert!((180..320).contains(&moved), "{moved} of 1,000 sites");
    }

    #[test]
    fn a_mistake_is_named_with_field_and_remedy() {
        let mut share = shares(&["a", "b"]).remove(0);
        assert_eq!(share.check(), Vec::<String>::new());
        share.name = "x".to_owned();
        assert!(share.check().concat().contains("`share.among`"));
        share.name = "b".to_owned();
        share.among.push("b".to_owned());
        assert!(share.check().concat().contains("twice"));
    }
}
