//! What alerts change: many of them are laid on one desk, where what they need is read at once, what they change is changed,
//! and all of it is written at once.

use std::collections::{BTreeMap, BTreeSet};

use backbone::id;
use backbone::message::Alert;
use jiff::Timestamp;
use sqlx::AnyConnection;

use super::ring::Due;
use super::rows::{Made, Record, find_all, insert, record, update, write_alerts};
use super::{Cases, StoreError, Taken};
use crate::case::apply::raise;
use crate::case::{Action, Case, Part, State};
use crate::routing::Routed;
use crate::store::insert_rows;

/// Cases on their way from the store and back, within one transaction.
pub(super) struct Desk<'a> {
    store: &'a Cases,
    now: Timestamp,
    /// Alerts that were never taken in before.
    fresh: BTreeSet<String>,
    cases: BTreeMap<String, Held>,
    rings: BTreeMap<String, Due>,
    made: Vec<Made>,
}

/// A case on the desk.
struct Held {
    case: Case,
    /// The version that was read; none of a new case.
    read: Option<i64>,
    /// Whether what is known of its event changed.
    told: bool,
}

impl Held {
    fn tell(&mut self, alert: &Alert) {
        self.case.alert = alert.clone();
        self.told = true;
    }

    /// Whether it was opened or made a move.
    fn moved(&self) -> bool {
        self.read != Some(self.case.version)
    }
}

impl<'a> Desk<'a> {
    /// Notes that the alerts are taken in, and lays out what they are about.
    pub(super) async fn for_alerts(
        connection: &mut AnyConnection,
        cases: &'a Cases,
        alerts: &[Alert],
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let mut fresh = BTreeSet::new();
        if !alerts.is_empty() {
            let statement = insert_rows(
                "alerts_taken",
                &["id"],
                alerts.len(),
                "ON CONFLICT DO NOTHING RETURNING id",
            );
            let mut query = sqlx::query_scalar(statement);
            for alert in alerts {
                query = query.bind(&alert.id);
            }
            fresh.extend(query.fetch_all(&mut *connection).await?);
        }
        let events = alerts.iter().map(|alert| alert.event.id.as_str());
        let desk = Self::for_events(connection, cases, events, now).await?;
        Ok(Self { fresh, ..desk })
    }

    /// Lays out the cases of events, and those that these are merged into.
    pub(super) async fn for_events(
        connection: &mut AnyConnection,
        cases: &'a Cases,
        events: impl Iterator<Item = &str>,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let ids: BTreeSet<String> = events.map(id::of_case).collect();
        let mut found = find_all(connection, &ids).await?;
        let hosts: BTreeSet<String> = (found.iter())
            .map(|case| case.merged_into.clone())
            .filter(|host| !host.is_empty() && !ids.contains(host))
            .collect();
        found.extend(find_all(connection, &hosts).await?);
        let held = |case: Case| Held {
            read: Some(case.version),
            case,
            told: false,
        };
        Ok(Self {
            store: cases,
            now,
            fresh: BTreeSet::new(),
            cases: (found.into_iter())
                .map(|case| (case.id.clone(), held(case)))
                .collect(),
            rings: BTreeMap::new(),
            made: Vec::new(),
        })
    }

    /// Opens or raises the case of an alert's event, or brings what it knows of that up to date.
    pub(super) fn take(&mut self, alert: &Alert, routed: &Routed) -> Result<Taken, StoreError> {
        let first = self.fresh.remove(&alert.id);
        let id = id::of_case(&alert.event.id);
        let Some(held) = self.cases.get_mut(&id) else {
            if !first {
                return Ok(Taken::Known);
            }
            self.open(alert, routed, &Record::by_system(Action::Open, None));
            return Ok(Taken::Opened);
        };
        let known = &held.case.alert;
        // One that an officer opened is told by the first alert of its level.
        if known.id == alert.id && (first || known.update < alert.update) {
            held.tell(alert);
            // That is no move: what an officer is typing at this moment stays good.
            held.case.updated_at = self.now;
            return Ok(Taken::Updated);
        }
        if !first || alert.level >= held.case.level {
            return Ok(Taken::Known);
        }
        self.raise(&id, alert, routed)?;
        Ok(Taken::Raised)
    }

    /// Whether an event has its case.
    pub(super) fn has(&self, event: &str) -> bool {
        self.cases.contains_key(&id::of_case(event))
    }

    /// Opens the case of an alert's event, which has none.
    pub(super) fn open(&mut self, alert: &Alert, routed: &Routed, opened: &Record<'_>) {
        let (timing, now) = (&self.store.timing, self.now);
        let units = std::iter::once(&routed.lead).chain(&routed.assists);
        let case = Case {
            id: id::of_case(&alert.event.id),
            region: alert.region.clone(),
            state: State::Pending,
            level: alert.level,
            parts: units.map(|unit| Part::sent(unit, None)).collect(),
            routed_because: routed.because.join("；"),
            alert: alert.clone(),
            reply: String::new(),
            hand_backs: 0,
            merged_into: String::new(),
            satisfaction: String::new(),
            opened_at: now,
            first_information_by: timing.first_information(alert.level, now),
            respond_by: timing.response(alert.level, now),
            extension_by: None,
            review_by: None,
            follow_up_by: None,
            paused_at: None,
            answered_at: None,
            updated_at: now,
            version: 1,
        };
        let due = Due::of(&case, routed, &timing.calendar, now);
        self.rings.extend(due.map(|due| (case.id.clone(), due)));
        self.made.push(Made::of(&case, opened, now));
        let held = Held {
            read: None,
            told: true,
            case,
        };
        self.cases.insert(held.case.id.clone(), held);
    }

    /// Raises a case, or the one it is merged into. What is known of the event is kept with the event's own case.
    fn raise(&mut self, id: &str, alert: &Alert, routed: &Routed) -> Result<(), StoreError> {
        let host = {
            let held = self.on_desk(id)?;
            held.tell(alert);
            held.case.merged_into.clone()
        };
        if host.is_empty() {
            return self.raise_to(id, alert.level, routed);
        }
        let held = self.on_desk(id)?;
        held.case.level = alert.level;
        let from = held.case.state;
        self.raised(id, from)?;
        if alert.level < self.on_desk(&host)?.case.level {
            self.raise_to(&host, alert.level, routed)?;
        }
        Ok(())
    }

    fn raise_to(&mut self, id: &str, level: u8, routed: &Routed) -> Result<(), StoreError> {
        let (timing, now) = (&self.store.timing, self.now);
        let case = &mut self.on_desk(id)?.case;
        let from = case.state;
        raise(case, level, timing, now);
        let due = Due::of(case, routed, &timing.calendar, now);
        self.rings.extend(due.map(|due| (id.to_owned(), due)));
        self.raised(id, from)
    }

    fn raised(&mut self, id: &str, from: State) -> Result<(), StoreError> {
        let now = self.now;
        let held = self.on_desk(id)?;
        held.case.version += 1;
        held.case.updated_at = now;
        let raise = Record::by_system(Action::Raise, Some(from));
        let made = Made::of(&held.case, &raise, now);
        self.made.push(made);
        Ok(())
    }

    fn on_desk(&mut self, id: &str) -> Result<&mut Held, StoreError> {
        self.cases.get_mut(id).ok_or(StoreError::Unknown {
            what: "case that another is merged into",
        })
    }

    /// Writes all that changed.
    pub(super) async fn write(self, connection: &mut AnyConnection) -> Result<(), StoreError> {
        for held in self.cases.values() {
            if let Some(read) = held.read
                && (held.told || held.moved())
            {
                update(connection, &held.case, read).await?;
            }
        }
        let of = |wanted: fn(&&Held) -> bool| -> Vec<&Case> {
            let wanted = self.cases.values().filter(wanted);
            wanted.map(|held| &held.case).collect()
        };
        insert(connection, &of(|held| held.read.is_none())).await?;
        write_alerts(connection, &of(|held| held.told)).await?;
        let moved = of(|held| held.moved());
        self.store.plan(connection, &moved, self.now).await?;
        Due::write(connection, &self.rings).await?;
        record(connection, &self.made).await
    }
}
