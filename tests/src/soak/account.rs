//! The account that is drawn up after each trouble: what was promised against what is there. Pure; `facts.rs` reads what it needs.

use std::collections::{BTreeMap, BTreeSet};

/// Which move: the case, and its place among the case's moves.
pub(crate) type Place = (String, u32);
/// What was done by a move, and the state it led to.
pub(crate) type Done = (String, String);

/// What was promised, and what the topics, the archive and the case store hold.
#[derive(Debug, Clone, Default)]
pub(crate) struct Facts {
    /// Ids of the posts that a collector took, or that stand in a file it reads.
    pub(crate) handed_over: BTreeSet<String>,
    /// Moves that a responder confirmed, by case and version, with what was done.
    pub(crate) confirmed: BTreeMap<Place, String>,
    /// Where messages were put that nobody can read: topic, partition and offset.
    pub(crate) poison: BTreeSet<String>,
    /// Ids on the topic `posts`.
    pub(crate) posts: BTreeSet<String>,
    /// Ids on the topic `alerts`, with event and level.
    pub(crate) alerts: BTreeSet<(String, String, u8)>,
    /// Ids on the topic `signals`.
    pub(crate) signals: BTreeSet<String>,
    /// Moves on the topic `case-events`; the same told twice stands here once.
    pub(crate) events: BTreeSet<(Place, Done)>,
    /// Where the messages were that stand among the dead letters.
    pub(crate) dead_letters: BTreeSet<String>,
    /// The archive's posts, alerts and signals by id, and its moves, each with how many rows there are.
    pub(crate) archive: Archive,
    /// The cases of the store by id, with event and version.
    pub(crate) cases: BTreeMap<String, (String, u32)>,
    /// The moves in the store.
    pub(crate) moves: BTreeMap<Place, Done>,
    /// Ids of the alerts that the store has taken in.
    pub(crate) alerts_taken: BTreeSet<String>,
    /// What is wrong with the audit; nothing where it is whole.
    pub(crate) audit: Option<String>,
}

/// How many rows the archive has of what.
#[derive(Debug, Clone, Default)]
pub(crate) struct Archive {
    /// Posts, by id.
    pub(crate) posts: BTreeMap<String, u64>,
    /// Alerts, by id.
    pub(crate) alerts: BTreeMap<String, u64>,
    /// Signals, by id.
    pub(crate) signals: BTreeMap<String, u64>,
    /// Moves, by case and place among its moves, what was done and the state it led to.
    pub(crate) moves: BTreeMap<(Place, Done), u64>,
}

/// Something that is not as it was promised.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Finding {
    /// Something is missing.
    Lost(String),
    /// Something is there more than once, or although nobody sent it.
    Doubled(String),
}

impl std::fmt::Display for Finding {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Lost(what) => write!(formatter, "lost: {what}"),
            Self::Doubled(what) => write!(formatter, "too many: {what}"),
        }
    }
}

/// Compares what was promised with what is there.
#[must_use]
pub(crate) fn draw_up(facts: &Facts) -> BTreeSet<Finding> {
    let mut account = Account::default();
    account.posts(facts);
    account.alerts(facts);
    account.moves(facts);
    account.dead_letters(facts);
    if let Some(problem) = &facts.audit {
        account.lost(format!("a line of the audit: {problem}"));
    }
    account.0
}

#[derive(Default)]
struct Account(BTreeSet<Finding>);

impl Account {
    fn lost(&mut self, what: String) {
        self.0.insert(Finding::Lost(what));
    }

    fn doubled(&mut self, what: String) {
        self.0.insert(Finding::Doubled(what));
    }

    /// Each of those expected is there once, and nothing else is.
    fn once<K: Ord + std::fmt::Debug>(
        &mut self,
        what: &str,
        expected: &BTreeSet<K>,
        there: &BTreeMap<K, u64>,
    ) {
        for key in expected {
            match there.get(key) {
                None => self.lost(format!("{what} {key:?}")),
                Some(1) => {}
                Some(times) => self.doubled(format!("{what} {key:?}, {times} times")),
            }
        }
        for key in there.keys().filter(|key| !expected.contains(key)) {
            self.doubled(format!("{what} {key:?}, which nobody sent"));
        }
    }

    fn posts(&mut self, facts: &Facts) {
        for id in facts.handed_over.difference(&facts.posts) {
            self.lost(format!("post {id}, taken and not published"));
        }
        for id in facts.posts.difference(&facts.handed_over) {
            self.doubled(format!("post {id}, published and never handed over"));
        }
        self.once("archived post", &facts.posts, &facts.archive.posts);
        self.once("archived signal", &facts.signals, &facts.archive.signals);
    }

    /// An event raises an alert once for each level, and has one case.
    fn alerts(&mut self, facts: &Facts) {
        let mut raised: BTreeMap<(&str, u8), u64> = BTreeMap::new();
        for (_, event, level) in &facts.alerts {
            *raised.entry((event, *level)).or_default() += 1;
        }
        for ((event, level), times) in raised.iter().filter(|(_, times)| **times > 1) {
            self.doubled(format!(
                "alert of event {event} at level {level}, raised {times} times"
            ));
        }
        let ids = facts.alerts.iter().map(|(id, ..)| id.clone()).collect();
        self.once("archived alert", &ids, &facts.archive.alerts);
        let taken = (facts.alerts_taken.iter().cloned()).map(|id| (id, 1));
        self.once("alert taken in", &ids, &taken.collect());
        let events = (facts.alerts.iter().map(|(_, event, _)| event.clone())).collect();
        let mut cases: BTreeMap<String, u64> = BTreeMap::new();
        for (event, _) in facts.cases.values() {
            *cases.entry(event.clone()).or_default() += 1;
        }
        self.once("case of event", &events, &cases);
    }

    /// The moves of a case have no gap, and the topic and the archive have each of them.
    fn moves(&mut self, facts: &Facts) {
        for (case, (_, version)) in &facts.cases {
            for sequence in 1..=*version {
                if !facts.moves.contains_key(&(case.clone(), sequence)) {
                    self.lost(format!("move {sequence} of case {case}"));
                }
            }
        }
        for (case, sequence) in facts.moves.keys() {
            let last = facts.cases.get(case).map_or(0, |(_, version)| *version);
            if *sequence > last {
                self.doubled(format!("move {sequence} of case {case}, which has {last}"));
            }
        }
        for (place, action) in &facts.confirmed {
            if facts.moves.get(place).map(|(done, _)| done) != Some(action) {
                self.lost(format!("move {place:?} `{action}`, which was confirmed"));
            }
        }
        let moves: BTreeSet<_> = facts.moves.clone().into_iter().collect();
        let told = facts.events.iter().cloned().map(|told| (told, 1));
        self.once("case event", &moves, &told.collect());
        self.once("archived move", &moves, &facts.archive.moves);
    }

    /// What cannot be read is put aside, and nothing else is.
    fn dead_letters(&mut self, facts: &Facts) {
        for place in facts.poison.difference(&facts.dead_letters) {
            self.lost(format!("poison {place}, not put aside"));
        }
        for place in facts.dead_letters.difference(&facts.poison) {
            self.lost(format!("message {place}, put aside"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set<T: Ord>(of: impl IntoIterator<Item = T>) -> BTreeSet<T> {
        of.into_iter().collect()
    }

    /// Two posts, of which one raised an alert that opened a case of two moves; one poison.
    fn balanced() -> Facts {
        let posts = set(["a".to_owned(), "b".to_owned()]);
        let once = |ids: &BTreeSet<String>| ids.iter().map(|id| (id.clone(), 1)).collect();
        let done = |number, action: &str, to: &str| {
            (
                ("case".to_owned(), number),
                (action.to_owned(), to.to_owned()),
            )
        };
        let moves = [done(1, "open", "pending"), done(2, "dismiss", "dismissed")];
        let alerts = set(["alert".to_owned()]);
        Facts {
            handed_over: posts.clone(),
            confirmed: [(("case".to_owned(), 2), "dismiss".to_owned())].into(),
            poison: set(["posts[1]@7".to_owned()]),
            alerts: set([("alert".to_owned(), "event".to_owned(), 4)]),
            signals: BTreeSet::new(),
            events: set(moves.clone()),
            dead_letters: set(["posts[1]@7".to_owned()]),
            archive: Archive {
                posts: once(&posts),
                alerts: once(&alerts),
                signals: BTreeMap::new(),
                moves: moves.clone().map(|made| (made, 1)).into(),
            },
            posts,
            cases: [("case".to_owned(), ("event".to_owned(), 2))].into(),
            moves: moves.into(),
            alerts_taken: alerts,
            audit: None,
        }
    }

    #[test]
    fn all_that_is_as_it_should_be_balances() {
        assert_eq!(draw_up(&balanced()), BTreeSet::new());
    }

    #[test]
    fn what_is_lost_or_doubled_anywhere_is_found() {
        type Damage = fn(&mut Facts);
        let damages: [(&str, Damage); 16] = [
            ("lost: post a, taken", |facts| {
                facts.posts.remove("a");
            }),
            ("too many: post c, published", |facts| {
                facts.posts.insert("c".to_owned());
            }),
            ("lost: archived post \"b\"", |facts| {
                facts.archive.posts.remove("b");
            }),
            ("too many: archived post \"b\", 2 times", |facts| {
                facts.archive.posts.insert("b".to_owned(), 2);
            }),
            ("too many: archived post \"c\", which nobody", |facts| {
                facts.archive.posts.insert("c".to_owned(), 1);
            }),
            ("too many: alert of event event at level 4", |facts| {
                (facts.alerts).insert(("another".to_owned(), "event".to_owned(), 4));
            }),
            ("lost: archived alert", |facts| {
                facts.archive.alerts.clear();
            }),
            ("lost: alert taken in", |facts| {
                facts.alerts_taken.clear();
            }),
            ("lost: case of event", |facts| {
                facts.cases.clear();
            }),
            ("too many: case of event \"event\", 2 times", |facts| {
                (facts.cases).insert("second".to_owned(), ("event".to_owned(), 0));
            }),
            ("lost: move 1 of case", |facts| {
                facts.moves.remove(&("case".to_owned(), 1));
            }),
            ("lost: move (\"case\", 2) `dismiss`, which", |facts| {
                facts.moves.remove(&("case".to_owned(), 2));
            }),
            ("lost: case event", |facts| {
                facts.events.pop_first();
            }),
            ("lost: archived move", |facts| {
                facts.archive.moves.clear();
            }),
            ("lost: poison posts[1]@7", |facts| {
                facts.dead_letters.clear();
            }),
            ("lost: message posts[1]@8, put aside", |facts| {
                facts.dead_letters.insert("posts[1]@8".to_owned());
            }),
        ];
        for (expected, damage) in damages {
            let mut facts = balanced();
            damage(&mut facts);
            let found = draw_up(&facts);
            assert!(
                found
                    .iter()
                    .any(|finding| finding.to_string().starts_with(expected)),
                "{expected}: {found:?}"
            );
        }
    }
}
