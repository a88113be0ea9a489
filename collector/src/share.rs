//! Which of several collectors reads a source: rendezvous hashing by its site, so that each site is asked by
//! one collector only, and only the sources of a collector that comes or goes change hands.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::source::Definition;

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
    /// What is wrong with it, and the remedy.
    ///
    /// # Errors
    /// Names the field.
    pub fn check(&self) -> Result<(), String> {
        if !self.among.contains(&self.name) {
            return Err(format!(
                "`share.name` is \"{}\", which `share.among` does not have; add it there",
                self.name
            ));
        }
        let mut names = self.among.clone();
        names.sort();
        names.dedup();
        if names.len() < self.among.len() {
            return Err("`share.among` has a name twice; give each collector its own".to_owned());
        }
        Ok(())
    }

    /// Whether a source is this collector's to read.
    #[must_use]
    pub fn has(&self, definition: &Definition) -> bool {
        let key = definition.site().unwrap_or_else(|| definition.name.clone());
        let weight = |name: &String| {
            let mut hash = Sha256::new();
            hash.update((name.len() as u64).to_be_bytes());
            hash.update(name);
            hash.update(&key);
            hash.finalize()
        };
        self.among.iter().max_by_key(|name| weight(name)) == Some(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definitions() -> Vec<Definition> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sources.toml");
        let mut text = String::new();
        for number in 0..2_000 {
            // Two sources to a site.
            let site = number / 2;
            text += &format!(
                "[[source]]\nname = \"来源{number}\"\nregion = \"990101\"\n[source.feed]\nurl = \"http://site{site}.test/{number}\"\n"
            );
        }
        std::fs::write(&path, text).unwrap();
        Definition::load(&path).unwrap()
    }

    fn shares(names: &[&str]) -> Vec<Share> {
        let among: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let of = |name: &String| Share {
            name: name.clone(),
            among: among.clone(),
        };
        among.iter().map(of).collect()
    }

    fn reader<'a>(shares: &'a [Share], definition: &Definition) -> &'a str {
        let mut readers = shares.iter().filter(|share| share.has(definition));
        let reader = readers.next().unwrap();
        assert!(readers.next().is_none(), "each source has one reader");
        &reader.name
    }

    #[test]
    fn each_site_has_one_reader_and_few_change_hands() {
        let definitions = definitions();
        let (three, four) = (shares(&["a", "b", "c"]), shares(&["d", "c", "b", "a"]));
        let (mut of_a, mut moved) = (0, 0);
        for pair in definitions.chunks(2) {
            let before = reader(&three, &pair[0]);
            assert_eq!(reader(&three, &pair[1]), before, "a site is asked by one");
            let after = reader(&four, &pair[0]);
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
        assert_eq!(share.check(), Ok(()));
        share.name = "x".to_owned();
        assert!(share.check().unwrap_err().contains("`share.among`"));
        share.name = "b".to_owned();
        share.among.push("b".to_owned());
        assert!(share.check().unwrap_err().contains("twice"));
    }
}
