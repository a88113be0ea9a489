//! The watch: what nobody has to press a button for. It tells the duty office of new and graver alerts, by groups and again
//! while nobody signs, and the clocks of cases along the roster.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use backbone::message::Alert;
use backbone::region::ContactRole;
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::calendar::Calendar;
use crate::case::{Actor, Case, Cases, Clock, Ring, Rung, State, Step, StoreError, Telling};
use crate::clock;
use crate::commitment;
use crate::notify::{self, Composer, Kind, Notice};
use crate::roster::{Post, Roster, Shift};
use crate::routing::{Group, Hold, Moment, Open, Routing, Silence, Silences};
use crate::store::Store;

/// Wait between looks.
const LOOK: Duration = Duration::from_secs(1);
/// How long before the end of its day a unit is reminded of what it promised.
const PROMISED: SignedDuration = SignedDuration::from_hours(32);
/// How long until an alert that is held back is looked at again.
const HELD: SignedDuration = SignedDuration::from_mins(1);

/// Looks after alerts and clocks.
#[derive(Debug)]
pub struct Watch {
    /// The store.
    pub store: Store,
    /// The cases.
    pub cases: Cases,
    /// Who is on duty.
    pub roster: Roster,
    /// What officers silenced.
    pub silences: Silences,
    /// The routings of the regions, by code.
    pub routings: Arc<BTreeMap<String, Routing>>,
    /// The working calendar.
    pub calendar: Calendar,
    /// Composes the notices.
    pub notices: Arc<Composer>,
}

impl Watch {
    /// Looks until `stop`.
    ///
    /// # Errors
    /// Never; a store that fails is asked again.
    pub async fn run(&self, stop: CancellationToken) -> anyhow::Result<()> {
        while !stop.is_cancelled() {
            if let Err(failure) = self.look(Timestamp::now()).await {
                warn!(%failure, "clocks and alerts cannot be told now");
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
        }
        Ok(())
    }

    /// Tells what is due at `now`.
    ///
    /// # Errors
    /// When the store fails; what was told is told.
    pub async fn look(&self, now: Timestamp) -> Result<(), StoreError> {
        let on_duty = self.roster.on_duty_by_region(now).await?;
        let shifts = |case: &Case| on_duty.get(&case.region).map_or(&[][..], Vec::as_slice);
        let groups = self.cases.rings_due(now).await?;
        let mut due: BTreeMap<&str, Vec<&Case>> = BTreeMap::new();
        for ring in groups.iter().flatten() {
            due.entry(&ring.case.region).or_default().push(&ring.case);
        }
        let regions: Vec<&str> = due.keys().copied().collect();
        let silences = self.silences.active(&regions, now).await?;
        let mut known = BTreeMap::new();
        for (region, cases) in due {
            known.insert(region, self.open(region, &cases).await?);
        }
        for group in &groups {
            self.tell_group(group, &silences, &known, &shifts, now)
                .await?;
        }
        let compose = |case: &Case, telling: &Telling| self.of_clock(case, telling, shifts(case));
        self.cases.tell_due(&compose, now).await?;
        self.tell_commitments(&shifts, now).await
    }

    /// The open alerts that may hold back those of the given cases of a region.
    async fn open(&self, region: &str, cases: &[&Case]) -> Result<Open, StoreError> {
        let Some(routing) = self.routings.get(region) else {
            return Ok(Open::default());
        };
        // An event has one case: only rules hold one back for another.
        if !(cases.iter()).any(|case| routing.inhibitable(&case.alert)) {
            return Ok(Open::default());
        }
        let wanted = |alert: &Alert| routing.inhibits(alert);
        Ok(routing.open(self.cases.open_alerts(region, wanted).await?))
    }

    /// Tells of commitments: the unit the day before, and who is above it when one is broken.
    async fn tell_commitments<'a>(
        &self,
        shifts: &impl Fn(&Case) -> &'a [Shift],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        // Most looks find nothing: they keep no writer waiting.
        if !commitment::any_to_tell(self.store.pool(), PROMISED, now).await? {
            return Ok(());
        }
        let mut transaction = self.store.begin().await?;
        let reminders = commitment::take_reminders(&mut transaction, PROMISED, now).await?;
        let broken = commitment::take_broken(&mut transaction, now).await?;
        let of = |kind| move |commitment| (kind, commitment);
        let due = (reminders.into_iter().map(of(Kind::Commitment)))
            .chain(broken.into_iter().map(of(Kind::Escalation)));
        for (kind, commitment) in due {
            let system = Actor::system();
            let Some(case) = self.cases.get(&commitment.case_id, &system).await? else {
                continue;
            };
            let (unit, what, day) = (&commitment.unit, &commitment.what, commitment.due());
            let notices = if kind == Kind::Commitment {
                let note = format!("{what}（{day}前）");
                self.notices.to_unit(&case, unit, kind, &note)
            } else {
                let note = format!("承诺{day}前完成，尚未登记完成：{what}");
                let role = |role| self.notices.to_role(&case, unit, role, kind, &note);
                let leaders = role(ContactRole::DutyLeader);
                let leaders = on_duty_only(leaders, shifts(&case), Post::DutyLeader);
                role(ContactRole::Lead).into_iter().chain(leaders).collect()
            };
            for notice in notices {
                notify::queue(&mut transaction, &notice, now).await?;
            }
        }
        transaction.commit().await?;
        Ok(())
    }

    async fn tell_group<'a>(
        &self,
        group: &[Ring],
        silences: &[Silence],
        known: &BTreeMap<&str, Open>,
        shifts: &impl Fn(&Case) -> &'a [Shift],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut rung = Vec::new();
        let mut notices = Vec::new();
        for ring in group {
            let Some(open) = known.get(ring.case.region.as_str()) else {
                continue;
            };
            let moment = Moment {
                now,
                calendar: &self.calendar,
                silences,
                open,
            };
            let outcome = self.outcome(&ring.case, &moment);
            if outcome.told {
                notices.extend(self.of_alert(&ring.case, shifts(&ring.case), now));
            }
            rung.push((ring, outcome));
        }
        let notices = self.notices.gathered(notices, now);
        self.cases.rung(&rung, &notices, now).await?;
        Ok(())
    }

    /// Whether the alert of a case is told now, and when next.
    fn outcome(&self, case: &Case, moment: &Moment<'_>) -> Rung {
        let now = moment.now;
        let over = Rung {
            told: false,
            next: None,
        };
        let Some(routing) = self.routings.get(&case.region) else {
            return over;
        };
        if !matches!(case.state, State::Pending | State::Dispatched) {
            return over;
        }
        let routed = routing.route(&case.alert);
        let holds = routing.holds(&case.alert, &routed, moment);
        if !holds.is_empty() {
            let again = now + HELD;
            let until = holds.iter().filter_map(|hold| match hold {
                Hold::Silence { until, .. } => Some(*until),
                Hold::Time { until, .. } => *until,
                Hold::Alert { .. } => None,
            });
            let next = until.min().unwrap_or(again).clamp(now, again);
            return Rung {
                told: false,
                next: Some(next),
            };
        }
        let again = |told_at| {
            let told = Group {
                told_at: Some(told_at),
                unsigned: true,
                ..Group::default()
            };
            routed.grouping.due(&told, &self.calendar)
        };
        // The dispatch has told the units: they hear of it again when the repetition is due.
        let since_dispatch = again(case.updated_at);
        let told = case.state == State::Pending || since_dispatch.is_some_and(|due| due <= now);
        Rung {
            told,
            next: if told { again(now) } else { since_dispatch },
        }
    }

    /// The notices of an alert: to who is on duty while it waits for a judgement, to the lead unit while that has not signed.
    fn of_alert(&self, case: &Case, shifts: &[Shift], now: Timestamp) -> Vec<Notice> {
        let since = clock::time(case.updated_at);
        if case.state == State::Dispatched {
            let note = format!("{since}派单，尚未签收（{}）", clock::time(now));
            return self
                .notices
                .to_unit(case, case.lead(), Kind::Reminder, &note);
        }
        let note = format!("{since}起待研判（{}）", clock::time(now));
        let told = (self.notices).to_role(
            case,
            case.lead(),
            ContactRole::DutyOfficer,
            Kind::Alert,
            &note,
        );
        on_duty_only(told, shifts, Post::DutyOfficer)
    }

    /// The notices of a clock: before it is due to who has to act, after it to who is next above.
    fn of_clock(&self, case: &Case, telling: &Telling, shifts: &[Shift]) -> Vec<Notice> {
        let (title, due) = (telling.clock.title(), clock::time(telling.due_at));
        let answer = telling.clock == Clock::Response;
        let of_office = telling.clock.of_office()
            || (answer && matches!(case.state, State::Pending | State::Review));
        let unit = match telling.unit.as_str() {
            "" => case.lead(),
            unit => unit,
        };
        let (kind, note) = match telling.step {
            Step::Remind => (Kind::Reminder, format!("{title}时限：{due}")),
            _ => (Kind::Escalation, format!("{title}时限{due}已过，尚未完成")),
        };
        let to = |role, post| {
            let told = self.notices.to_role(case, unit, role, kind, &note);
            on_duty_only(told, shifts, post)
        };
        match telling.step {
            Step::Remind if !of_office => self.notices.to_unit(case, unit, kind, &note),
            Step::Lead if !of_office => {
                self.notices
                    .to_role(case, unit, ContactRole::Lead, kind, &note)
            }
            Step::Remind | Step::Lead => to(ContactRole::DutyOfficer, Post::DutyOfficer),
            Step::DutyLeader => to(ContactRole::DutyLeader, Post::DutyLeader),
            Step::OfficeLeader => to(ContactRole::OfficeLeader, Post::OfficeLeader),
        }
    }
}

/// Of notices to those of a post, those to who is on duty; all where the roster names nobody of them.
fn on_duty_only(notices: Vec<Notice>, shifts: &[Shift], post: Post) -> Vec<Notice> {
    let on_duty = |notice: &&Notice| {
        (shifts.iter()).any(|shift| shift.post == post && shift.who == notice.addressee.contact)
    };
    let of_those: Vec<Notice> = notices.iter().filter(on_duty).cloned().collect();
    if of_those.is_empty() {
        notices
    } else {
        of_those
    }
}
