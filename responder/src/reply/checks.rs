//! What drafts of every region are checked by, read once.

use std::collections::BTreeMap;

use anyhow::Context;
use backbone::region::Region;

use super::command::unit_names;
use super::model::Model;
use super::rules::Rules;
use super::{Check, Post, check};

/// The rules of each region, and the weights.
#[derive(Debug, Clone)]
pub struct Checks {
    rules: BTreeMap<String, Rules>,
    model: Model,
}

impl Checks {
    /// Reads the rules of regions.
    ///
    /// # Errors
    /// When `reply.toml` of a region is at fault: names the file, the line or field, and the remedy.
    pub fn load(regions: &BTreeMap<String, Region>) -> anyhow::Result<Self> {
        let rules = (regions.iter())
            .map(|(code, region)| Ok((code.clone(), Rules::load(&region.gazetteer.rules)?)))
            .collect::<anyhow::Result<_>>()?;
        let model = Model::shipped().context("the built-in weights are at fault")?;
        Ok(Self { rules, model })
    }

    /// Checks a draft that answers posts of a region; nothing where the region's rules were not read.
    #[must_use]
    pub fn check(&self, region: &Region, posts: &[Post], draft: &str) -> Option<Check> {
        let rules = self.rules.get(region.code())?;
        Some(check(posts, draft, &unit_names(region), rules, &self.model))
    }
}
