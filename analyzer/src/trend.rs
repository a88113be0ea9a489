//! Trends: more posts than usual (突增), and problems that events have in common (共性问题).
//!
//! What is counted: the people heard on a subject, each once a day, in the hour in which the post was published; official posts
//! are not. A post without an author counts once for each matter and day. A post of which only the day is known counts in its
//! day, in no hour. An import of old posts so counts in its own hours, and teaches what is usual.
//!
//! # What is usual
//!
//! Week w weighs `2^(w / half_life_weeks)`, so that what is long past is forgotten. With S the weighted posts of a slot of the
//! week (its 168 hours, and its 7 days for posts whose hour is not known) and E the weighted weeks that were seen, the posts of
//! a slot are Poisson with a mean of gamma distribution, of shape `κ·m + S` and rate `κ + E`, where κ is `prior_weeks`. Its prior
//! mean m is
//!
//! - for all posts of the region: its posts a week / 7 · the share of that hour of the day on all days; each hour is taken to have
//!   had one post before any was seen;
//! - for a subject: its own posts a week · the region's share of that slot. A subject never seen is taken to have had a fifteenth of
//!   all posts for one week.
//!
//! With little history the prior speaks, with more of it the slot itself. What is expected is then negative binomial, with the mean
//! `(κ·m + S) / (κ + E)` and a variance of `mean · max(dispersion, 1 + 1 / (κ + E))`: people's posts come more clumped than by
//! chance. Sources that were added meanwhile raise the mean by what they bring a week. An hour goes into the sums after three
//! days, and no hour teaches more than its threshold: a burst does not become usual at once.
//!
//! # Burst
//!
//! In an hour, a quarter of a day (0, 6, 12 and 18 o'clock) or a day, at its time of the week, so many are heard that the chance of as
//! many or more is at most `burst_tail`, and at least `burst_least` and `burst_ratio` times the mean, of which the largest event is at
//! most the part `burst_largest`: of one event its alerts tell. Nothing is said before `least_weeks` weeks with posts were seen, without a
//! gap of more than three weeks (single old posts are no history), of posts that come a day late, or of sources that were not seen
//! in three weeks before. It is told once, again when the count has
//! doubled, and when it is over: `burst_over_hours` after it was last seen. What a subject's burst tells is not told of the region.
//!
//! # Common problems
//!
//! - Many places: events of a second-level subject in at least `least_places` places (towns, or what a county is divided into) in
//!   `common_days` days.
//! - Many subjects: events of at least `least_subjects` subjects in one place in these days.
//!
//! Each event counts once, by its first post that has a subject, and praise not at all. Either is told when the chance of as many is at most
//! `common_tail`, predicted by up to three equal stretches of days before (Poisson under the prior of Jeffreys); so what always
//! is so, is not told. Told again when it has grown by half, and when it was not so for a week.
//!
//! - Rise: a subject's posts grow over six to `rise_weeks` whole weeks, see `trend/rise.rs`. Looked for every morning at six, told once and
//!   brought up to date each week.
//!
//! The numbers were tuned on the message board that the project read, see the operators' guide for what they find there.

mod baseline;
mod burst;
mod common;
mod hour;
mod region;
mod rise;
mod tail;
mod told;

use std::collections::BTreeMap;

use backbone::message::{Assessment, Signal};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::settings;
use hour::hour_of;
use region::{Region, Telling};

/// Hours after which nothing changes any more when nothing comes.
const AT_REST: i64 = 24 * 70;

/// What is known of the posts of a partition, by region. A function of its posts and of the times they were taken in.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Trends {
    /// The hour that began last.
    clock: Option<i64>,
    regions: BTreeMap<String, Region>,
    /// What is to be told.
    raised: Vec<Signal>,
}

impl Trends {
    /// Lets time pass.
    pub fn pass(&mut self, settings: &settings::Trends, now: Timestamp) {
        self.move_on(settings, now, true);
    }

    /// Takes note of a post that was put into its event and was not known before.
    pub fn hear(&mut self, settings: &settings::Trends, assessment: &Assessment, now: Timestamp) {
        self.move_on(settings, now, true);
        self.count(settings, assessment, Some(now));
    }

    /// Takes note of one that was assessed before: what it showed has been told.
    pub fn restore(&mut self, settings: &settings::Trends, assessment: &Assessment) {
        self.move_on(settings, assessment.assessed_at, false);
        self.count(settings, assessment, None);
    }

    /// Takes note of a signal that was told before.
    pub fn told(&mut self, signal: &Signal) {
        self.region(&signal.region).told(signal);
    }

    /// What is to be told, taken out.
    pub fn take(&mut self) -> Vec<Signal> {
        std::mem::take(&mut self.raised)
    }

    fn region(&mut self, code: &str) -> &mut Region {
        (self.regions.entry(code.to_owned())).or_insert_with(|| Region::new(code))
    }

    fn count(
        &mut self,
        settings: &settings::Trends,
        assessment: &Assessment,
        now: Option<Timestamp>,
    ) {
        let clock = self.clock.unwrap_or(0);
        let mut raised = Vec::new();
        let mut telling = now.map(|now| Telling {
            now,
            signals: &mut raised,
        });
        self.region(&assessment.post.region)
            .hear(settings, assessment, clock, telling.as_mut());
        self.raised.append(&mut raised);
    }

    fn move_on(&mut self, settings: &settings::Trends, now: Timestamp, tells: bool) {
        let hour = hour_of(now);
        let before = self.clock.unwrap_or(hour);
        for clock in before + 1..=hour.min(before + AT_REST) {
            for region in self.regions.values_mut() {
                let mut telling = tells.then_some(Telling {
                    now,
                    signals: &mut self.raised,
                });
                region.step(settings, clock, telling.as_mut());
            }
        }
        self.clock = Some(hour.max(before));
    }
}
