//! The opinion-handling office on a store, as the stories of cases need it.

use std::collections::BTreeMap;
use std::sync::Arc;

use backbone::message::{self, Alert, CaseEvent};
use backbone::region::{Contact, ContactRole, Reach, Region};
use jiff::Timestamp;
use responder::case::{Action, Actor, Case, Cases, Deed, MoveError, Query, Role, Taken, Timing};
use responder::notify::Composer;
use responder::routing::Routed;
use sqlx::Row;

use crate::ground::{project, yellow};
use crate::stores::Kept;

pub(crate) const REGION: &str = "360921";

pub(crate) struct Office {
    pub(crate) cases: Cases,
    pub(crate) kept: Kept,
    pub(crate) notices: Arc<Composer>,
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn morning() -> Timestamp {
    at("2026-11-23T00:30:00Z")
}

pub(crate) fn office(kept: Kept) -> Office {
    let mut region = Region::load(&project().join("deploy/config/region").join(REGION)).unwrap();
    for unit in &mut region.units {
        let contact = |name: &str, role| Contact {
            name: name.to_owned(),
            role,
            reach: vec![Reach {
                channel: "phone".to_owned(),
                to: String::new(),
            }],
        };
        unit.contact = vec![contact("值班室", ContactRole::Contact)];
        if unit.duty_office {
            unit.contact
                .push(contact("值班员甲", ContactRole::DutyOfficer));
            unit.contact
                .push(contact("值班员乙", ContactRole::DutyOfficer));
            unit.contact
                .push(contact("带班领导", ContactRole::DutyLeader));
            unit.contact
                .push(contact("分管领导", ContactRole::OfficeLeader));
        } else {
            unit.contact.push(contact("负责人", ContactRole::Lead));
        }
    }
    let regions = Arc::new(BTreeMap::from([(REGION.to_owned(), region)]));
    Office {
        cases: Cases::new(kept.store.clone(), Timing::default()),
        kept,
        notices: Arc::new(Composer::new(
            regions,
            "http://127.0.0.1:8080/".parse().unwrap(),
        )),
    }
}

pub(crate) fn alert(level: u8) -> Alert {
    let mut alert = yellow(REGION);
    alert.level = level;
    alert.id = backbone::id::of_alert(&alert.event.id, level);
    alert
}

pub(crate) fn routed() -> Routed {
    Routed {
        lead: "zhujian".to_owned(),
        assists: vec!["fengchuan".to_owned()],
        because: vec!["主管城乡建设".to_owned()],
        ..Routed::default()
    }
}

pub(crate) fn actor(role: Role, unit: &str) -> Actor {
    let region = if unit.is_empty() { "" } else { REGION };
    Actor {
        name: role.name().to_owned(),
        role,
        region: region.to_owned(),
        unit: unit.to_owned(),
        via: String::new(),
    }
}

impl Office {
    pub(crate) async fn take(&self, level: u8) -> Taken {
        self.cases
            .take(&alert(level), &routed(), morning())
            .await
            .unwrap()
    }

    pub(crate) async fn only(&self) -> Case {
        let officer = actor(Role::DutyOfficer, "");
        let page = self
            .cases
            .list(
                &Query {
                    limit: 10,
                    ..Query::default()
                },
                &officer,
            )
            .await
            .unwrap();
        assert_eq!(page.total, 1);
        page.cases.into_iter().next().unwrap()
    }

    pub(crate) async fn act(
        &self,
        who: &Actor,
        action: Action,
        note: &str,
    ) -> Result<Case, MoveError> {
        let case = self.only().await;
        let mut deed = Deed::plain(action, case.version, note);
        if matches!(action, Action::Dispatch | Action::Redispatch) {
            deed.lead = case.lead().to_owned();
            deed.assists = (case.assisting().iter())
                .map(|part| part.unit.clone())
                .collect();
        }
        if action == Action::FollowUp {
            deed.choice = "满意".to_owned();
        }
        self.cases
            .perform(&case.id, &deed, who, &self.notices, morning())
            .await
    }

    pub(crate) async fn outbox(&self) -> Vec<CaseEvent> {
        let rows = sqlx::query("SELECT message FROM outbox ORDER BY number")
            .fetch_all(self.kept.store.pool())
            .await
            .unwrap();
        rows.iter()
            .map(|row| message::decode(row.get::<String, _>("message").as_bytes()).unwrap())
            .collect()
    }
}
