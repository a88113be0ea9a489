//! How timely units are (办理时效): what part of their clocks they met. A clock counts for the unit that had to act: signing for
//! each unit of the case, first information and response for its lead. A clock that still runs says nothing yet.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::Share;
use crate::case::{Action, Clock, Part, State, Timing};

/// What of a case tells how timely it was.
#[derive(Debug, Clone, PartialEq)]
pub struct Tracked {
    /// Code of its region.
    pub region: String,
    /// Where it stands.
    pub state: State,
    /// Its level.
    pub level: u8,
    /// Its units, the lead first.
    pub parts: Vec<Part>,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// Until when first information must go out, where it still must.
    pub first_information_by: Option<Timestamp>,
    /// Until when the people must be answered.
    pub respond_by: Timestamp,
    /// When they were.
    pub answered_at: Option<Timestamp>,
    /// What those asked at the follow-up said; empty before.
    pub satisfaction: String,
    /// Since when its clocks stand; absent where they run.
    pub paused_at: Option<Timestamp>,
    /// Its moves, in order.
    pub moves: Vec<Traced>,
}

/// A move of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Traced {
    /// What was done.
    pub action: Action,
    /// Whether it changed the state.
    pub moved: bool,
    /// The state after it.
    pub to: State,
    /// The unit that acted; empty for the office.
    pub unit: String,
    /// When.
    pub at: Timestamp,
}

/// A clock that has ended, or is past its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// The unit that had to act.
    pub unit: String,
    /// The clock.
    pub clock: Clock,
    /// Level of the case.
    pub level: u8,
    /// Whether it was in time.
    pub in_time: bool,
    /// When the case was opened.
    pub opened_at: Timestamp,
}

/// How many of a unit's clocks were met.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Those that were met.
    pub in_time: u64,
    /// All that have ended or are past their time.
    pub all: u64,
}

impl Tally {
    /// The share that was met, as far as any was to be.
    #[must_use]
    pub fn share(self) -> Option<Share> {
        Share::of(self.in_time, self.all, 1.0)
    }
}

impl Tracked {
    /// The case as it stood at a moment: what came later is not known yet, and the clocks that were met later still run.
    /// Its level and its units are those it has now.
    #[must_use]
    pub fn as_of(mut self, moment: Timestamp, timing: &Timing) -> Self {
        let later = |made: &Traced| made.at >= moment;
        let Some(first) = self.moves.iter().position(later) else {
            return self;
        };
        let after = self.moves.split_off(first);
        let Some(last) = self.moves.last() else {
            return self;
        };
        self.state = last.to;
        self.answered_at = self.answered_at.filter(|at| *at < moment);
        if after.iter().any(|made| made.action == Action::FollowUp) {
            self.satisfaction.clear();
        }
        let paused = (self.moves.iter()).rposition(|made| made.action == Action::Pause);
        self.paused_at = paused
            .filter(|at| self.moves.iter().skip(at + 1).all(|made| !made.goes_on()))
            .and_then(|at| Some(self.moves.get(at)?.at));
        for part in &mut self.parts {
            let signs = |made: &&Traced| made.action == Action::Sign && made.unit == part.unit;
            if part.sign_by.is_none() && !self.moves.iter().any(|made| signs(&made)) {
                let sent = (self.moves.iter().rev()).find(|made| SENDS.contains(&made.action));
                part.sign_by = sent.map(|sent| timing.sign(self.level, sent.at));
            }
        }
        let informs = [Action::Report, Action::Reply];
        if self.first_information_by.is_none()
            && !(self.moves.iter()).any(|made| informs.contains(&made.action))
        {
            let set = (self.moves.iter().rev()).find(|made| BEGINS.contains(&made.action));
            self.first_information_by =
                set.and_then(|set| timing.first_information(self.level, set.at));
        }
        self
    }
}

/// Moves that set the clock of signing, and that of first information.
const SENDS: [Action; 3] = [Action::Dispatch, Action::Redispatch, Action::Absorb];
const BEGINS: [Action; 4] = [Action::Open, Action::Raise, Action::Reopen, Action::Split];

impl Traced {
    /// Whether clocks that stood go on with it.
    fn goes_on(&self) -> bool {
        match self.action {
            Action::Resume | Action::Raise | Action::Redispatch => true,
            Action::Sign | Action::Report => false,
            _ => self.moved,
        }
    }
}

/// How timely the units of a case were, by its clocks. What the case still knows, it says itself: when an answer was due, with
/// all extensions and pauses, and what is due now. What it has forgotten, when a signature or first information that came was
/// due, is worked out from its moves: the term of its level from the last move that set the clock, and the time that it stood.
#[must_use]
pub fn judge(case: &Tracked, timing: &Timing, now: Timestamp) -> Vec<Judged> {
    if matches!(case.state, State::Dismissed | State::Merged) {
        return Vec::new();
    }
    let mut judged = Vec::new();
    let mut say = |unit: &str, clock, in_time| {
        judged.push(Judged {
            unit: unit.to_owned(),
            clock,
            level: case.level,
            in_time,
            opened_at: case.opened_at,
        });
    };
    // While the clocks stand, nothing is late.
    let late = |due: Timestamp| case.paused_at.is_none() && due < now;
    for part in &case.parts {
        let signed = (case.moves.iter())
            .rposition(|made| made.action == Action::Sign && made.unit == part.unit);
        match (part.sign_by, signed) {
            (Some(due), _) if late(due) => say(&part.unit, Clock::Sign, false),
            (None, Some(signed)) => {
                if let Some((since, at)) = ended(case, signed, &SENDS) {
                    let due = timing.sign(case.level, since) + stood(case, since, at);
                    say(&part.unit, Clock::Sign, at <= due);
                }
            }
            _ => {}
        }
    }
    let Some(lead) = case.parts.first().map(|part| part.unit.as_str()) else {
        return judged;
    };
    // What was told before the case began anew was told of another round.
    let anew = (case.moves.iter())
        .rposition(|made| matches!(made.action, Action::Reopen | Action::Split))
        .unwrap_or(0);
    let informed = (case.moves.iter().enumerate().skip(anew))
        .find(|(_, made)| {
            (made.action == Action::Report && made.unit == lead) || made.action == Action::Reply
        })
        .map(|(number, _)| number);
    match (case.first_information_by, informed) {
        (Some(due), _) if late(due) => say(lead, Clock::FirstInformation, false),
        (None, Some(informed)) => {
            if let Some((since, at)) = ended(case, informed, &BEGINS)
                && let Some(due) = timing.first_information(case.level, since)
            {
                let due = due + stood(case, since, at);
                say(lead, Clock::FirstInformation, at <= due);
            }
        }
        _ => {}
    }
    match case.answered_at {
        Some(at) => say(lead, Clock::Response, at <= case.respond_by),
        None if case.state.open() && late(case.respond_by) => say(lead, Clock::Response, false),
        None => {}
    }
    judged
}

/// When the last of these moves before a move was made, and when that move was.
fn ended(case: &Tracked, number: usize, sets: &[Action]) -> Option<(Timestamp, Timestamp)> {
    let at = case.moves.get(number)?.at;
    let before = case.moves.get(..number)?;
    let set = before
        .iter()
        .rev()
        .find(|made| sets.contains(&made.action))?;
    Some((set.at, at))
}

/// How long the clocks stood between two moments: from a pause to its end, or to the next change of the state.
fn stood(case: &Tracked, since: Timestamp, until: Timestamp) -> SignedDuration {
    let mut stood = SignedDuration::ZERO;
    let mut paused: Option<Timestamp> = None;
    for made in &case.moves {
        if made.action == Action::Pause {
            paused = Some(made.at);
            continue;
        }
        if made.goes_on()
            && let Some(from) = paused.take()
        {
            let length = made.at.min(until).duration_since(from.max(since));
            stood += length.max(SignedDuration::ZERO);
        }
    }
    stood
}

/// The clocks of each unit, by unit and clock.
#[must_use]
pub fn tally<'a>(judged: impl IntoIterator<Item = &'a Judged>) -> BTreeMap<(String, Clock), Tally> {
    let mut tallies: BTreeMap<(String, Clock), Tally> = BTreeMap::new();
    for judged in judged {
        let tally = tallies
            .entry((judged.unit.clone(), judged.clock))
            .or_default();
        tally.all += 1;
        tally.in_time += u64::from(judged.in_time);
    }
    tallies
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::Progress;

    fn at(hour: i64) -> Timestamp {
        let monday: Timestamp = "2026-11-16T00:00:00Z".parse().unwrap();
        monday + SignedDuration::from_hours(hour)
    }

    fn part(unit: &str, progress: Progress, sign_by: Option<i64>) -> Part {
        Part {
            unit: unit.to_owned(),
            progress,
            sign_by: sign_by.map(at),
        }
    }

    /// A case of level Ⅱ, opened at 0 and sent at 1 to housing, which signs at 1, and to health.
    fn case(moves: &[(Action, &str, i64)]) -> Tracked {
        let first = [
            (Action::Open, "", 0),
            (Action::Dispatch, "", 1),
            (Action::Sign, "housing", 2),
        ];
        Tracked {
            region: "990101".to_owned(),
            state: State::Handling,
            level: 2,
            parts: vec![
                part("housing", Progress::Signed, None),
                part("health", Progress::Sent, Some(2)),
            ],
            opened_at: at(0),
            first_information_by: Some(at(5)),
            respond_by: at(24),
            answered_at: None,
            satisfaction: String::new(),
            paused_at: None,
            moves: (first.iter().chain(moves))
                .map(|(action, unit, hour)| Traced {
                    action: *action,
                    moved: !matches!(action, Action::Pause | Action::Resume),
                    to: State::Handling,
                    unit: (*unit).to_owned(),
                    at: at(*hour),
                })
                .collect(),
        }
    }

    fn told(case: &Tracked, hour: i64) -> Vec<(String, Clock, bool)> {
        (judge(case, &Timing::default(), at(hour)).into_iter())
            .map(|judged| (judged.unit, judged.clock, judged.in_time))
            .collect()
    }

    fn says(unit: &str, clock: Clock, in_time: bool) -> (String, Clock, bool) {
        (unit.to_owned(), clock, in_time)
    }

    use Clock::{FirstInformation, Response, Sign};

    #[test]
    fn what_still_runs_says_nothing_and_what_is_past_is_late() {
        // An hour to sign: housing took just that, health has until then.
        assert_eq!(told(&case(&[]), 2), [says("housing", Sign, true)]);
        assert_eq!(
            told(&case(&[]), 6),
            [
                says("housing", Sign, true),
                says("health", Sign, false),
                says("housing", FirstInformation, false)
            ]
        );
        let late = told(&case(&[]), 25);
        assert_eq!(late.last(), Some(&says("housing", Response, false)));
        let dismissed = Tracked {
            state: State::Dismissed,
            ..case(&[])
        };
        assert_eq!(told(&dismissed, 25), []);
    }

    #[test]
    fn what_came_is_held_against_its_term_less_the_time_that_the_clock_stood() {
        // First information within five hours of the opening: at 6 it is late, unless the clock stood for two.
        let reported = |moves: &[(Action, &str, i64)]| Tracked {
            first_information_by: None,
            ..case(moves)
        };
        let late = reported(&[(Action::Report, "housing", 6)]);
        assert!(told(&late, 7).contains(&says("housing", FirstInformation, false)));
        let stood = reported(&[
            (Action::Pause, "", 3),
            (Action::Resume, "", 5),
            (Action::Report, "housing", 6),
        ]);
        assert!(told(&stood, 7).contains(&says("housing", FirstInformation, true)));
        // What a unit that assists reports is not the lead's word.
        let other = reported(&[
            (Action::Report, "health", 4),
            (Action::Report, "housing", 9),
        ]);
        assert!(told(&other, 10).contains(&says("housing", FirstInformation, false)));
        // While it is paused, nothing is late.
        let paused = Tracked {
            paused_at: Some(at(3)),
            ..case(&[(Action::Pause, "", 3)])
        };
        assert_eq!(told(&paused, 30), [says("housing", Sign, true)]);
    }

    #[test]
    fn what_came_after_a_moment_is_not_known_at_it() {
        // Housing signed at 2 and answered at 20; at 1:30 it had done neither, at 10 it had signed.
        let answered = Tracked {
            state: State::Answered,
            first_information_by: None,
            answered_at: Some(at(30)),
            satisfaction: "满意".to_owned(),
            ..case(&[
                (Action::Reply, "housing", 26),
                (Action::Approve, "", 30),
                (Action::FollowUp, "", 60),
            ])
        };
        let timing = Timing::default();
        let then = answered.clone().as_of(at(25), &timing);
        assert_eq!((then.state, then.answered_at), (State::Handling, None));
        assert_eq!(then.satisfaction, "");
        assert_eq!(
            told(&then, 25),
            [
                says("housing", Sign, true),
                says("health", Sign, false),
                says("housing", FirstInformation, false),
                says("housing", Response, false)
            ]
        );
        let before = answered.clone().as_of(at(2), &timing);
        assert_eq!(
            before.parts[0].sign_by,
            Some(at(2)),
            "it has not signed yet"
        );
        assert_eq!(answered.clone().as_of(at(90), &timing), answered);
        let paused = case(&[(Action::Pause, "", 3), (Action::Resume, "", 9)]);
        assert_eq!(paused.clone().as_of(at(5), &timing).paused_at, Some(at(3)));
        assert_eq!(paused.as_of(at(9), &timing).paused_at, Some(at(3)));
    }

    #[test]
    fn an_answer_is_held_against_what_the_case_says_was_due() {
        let answered = |hour| Tracked {
            state: State::Answered,
            first_information_by: None,
            answered_at: Some(at(hour)),
            respond_by: at(48),
            ..case(&[(Action::Reply, "housing", 4)])
        };
        assert!(told(&answered(40), 90).contains(&says("housing", Response, true)));
        assert!(told(&answered(49), 90).contains(&says("housing", Response, false)));
        let judged = judge(&answered(40), &Timing::default(), at(90));
        let tallies = tally(&judged);
        let housing = tallies[&("housing".to_owned(), Response)];
        assert_eq!(housing, Tally { in_time: 1, all: 1 });
    }
}
