//! Many users who move cases at random, as the walker program and the story of it need them.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context;
use backbone::message::{self, Alert};
use backbone::region::{Contact, ContactRole, Reach, Region};
use jiff::{SignedDuration, Timestamp};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use responder::calendar::Calendar;
use responder::case::{
    Action, Actor, Case, Cases, Deed, MoveError, Query, Role, State, StoreError, Timing, allowed,
};
use responder::notify::Composer;
use responder::roster::Roster;
use responder::routing::{Routing, Silences};
use responder::store::{Place, Store};
use responder::watch::Watch;

use crate::project;

/// The sample county.
pub const REGION: &str = "990101";
/// Seconds of the office's time in a second of the walk.
const SPEED: i64 = 3_600;

/// The alert of the event of that number.
///
/// # Errors
/// When the example it is made of cannot be read.
pub fn alert_of(region: &str, number: u32, level: u8) -> anyhow::Result<Alert> {
    let example = project().join("backbone/examples/alerts/v1/yellow.json");
    let mut alert: Alert = message::decode(&std::fs::read(example)?)?;
    region.clone_into(&mut alert.region);
    alert.level = level;
    alert.event.id = format!("event-{number}");
    alert.event.title = format!("第{number}件事");
    alert.id = backbone::id::of_alert(&alert.event.id, level);
    Ok(alert)
}

/// An office whose cases are walked.
pub struct Walk {
    /// Its cases.
    pub cases: Cases,
    /// What looks after its clocks.
    pub watch: Watch,
    notices: Arc<Composer>,
    units: Vec<String>,
    begun: Timestamp,
}

impl Walk {
    /// Opens the office on a store; its time began with the walk.
    ///
    /// # Errors
    /// When the store or the region cannot be opened.
    pub async fn open(place: &Place, begun: Timestamp) -> anyhow::Result<Self> {
        let store = Store::open(place).await?;
        let folder = project().join("deploy/sample/region").join(REGION);
        let mut region = Region::load(&folder)?;
        staff(&mut region);
        let units = region.units.iter().map(|unit| unit.code.clone()).collect();
        let regions = Arc::new(BTreeMap::from([(REGION.to_owned(), region)]));
        let notices = Arc::new(Composer::new(regions, "http://127.0.0.1/".parse()?));
        let cases = Cases::new(store.clone(), Timing::default());
        let watch = Watch {
            store: store.clone(),
            cases: cases.clone(),
            roster: Roster::new(store.clone()),
            silences: Silences::new(store),
            routings: Arc::new(BTreeMap::from([(
                REGION.to_owned(),
                Routing::load(&folder)?,
            )])),
            calendar: Calendar::default(),
            notices: Arc::clone(&notices),
        };
        Ok(Self {
            cases,
            watch,
            notices,
            units,
            begun,
        })
    }

    /// The office's time: that of the walk, faster.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let passed = Timestamp::now().duration_since(self.begun);
        self.begun + SignedDuration::from_millis(passed.as_millis() as i64 * SPEED)
    }

    /// Opens the case of the event of that number.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn open_case(&self, number: u32, level: u8) -> anyhow::Result<()> {
        let alert = alert_of(REGION, number, level)?;
        let routing = self.watch.routings.get(REGION).context("a routing")?;
        let now = self.now();
        let routed = routing.route(&alert);
        // As the consumer does: what another was faster with is tried again.
        loop {
            match self.cases.take(&alert, &routed, now).await {
                Err(StoreError::Raced) => {}
                taken => return Ok(taken.map(|_| ())?),
            }
        }
    }

    /// All cases, as the administrator sees them.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn all(&self) -> anyhow::Result<Vec<Case>> {
        let mut cases = Vec::new();
        loop {
            let query = Query {
                offset: u32::try_from(cases.len())?,
                limit: 200,
                ..Query::default()
            };
            let page = self.cases.list(&query, &administrator()).await?;
            if page.cases.is_empty() {
                return Ok(cases);
            }
            cases.extend(page.cases);
        }
    }

    /// Makes a move.
    ///
    /// # Errors
    /// As [`Cases::perform`].
    pub async fn perform(&self, id: &str, deed: &Deed, actor: &Actor) -> Result<Case, MoveError> {
        (self
            .cases
            .perform(id, deed, actor, &self.notices, self.now()))
        .await
    }

    /// One user at random moves cases at random until the program is killed.
    ///
    /// # Errors
    /// When a case is moved in a way that its table does not know, or the store fails for good.
    pub async fn user(&self, seed: u64) -> anyhow::Result<()> {
        let mut random = StdRng::seed_from_u64(seed);
        let cases: Vec<String> = self.all().await?.into_iter().map(|case| case.id).collect();
        loop {
            self.step(&cases, &mut random).await?;
        }
    }

    async fn step(&self, cases: &[String], random: &mut StdRng) -> anyhow::Result<()> {
        let id = pick(cases, random).context("no cases")?;
        if random.random_ratio(1, 20) {
            let number = id_number(cases, id);
            return self.open_case(number, random.random_range(1..=4)).await;
        }
        if random.random_ratio(1, 20) {
            match self.watch.look(self.now()).await {
                Err(StoreError::Raced) => {}
                looked => looked?,
            }
        }
        let known = self.cases.get(id, &administrator()).await?;
        let case = known.context("a case is gone")?;
        let actor = self.actor(&case, random);
        let rules = allowed(&case, &actor);
        let Some(rule) = pick(&rules, random) else {
            return Ok(());
        };
        let mut deed = Deed::plain(rule.action, case.version, "随机走查");
        if random.random_ratio(1, 10) {
            deed.version -= 1;
        }
        if let Some(choice) = pick(rule.choices, random) {
            (*choice).clone_into(&mut deed.choice);
        }
        if matches!(rule.action, Action::Dispatch | Action::Redispatch) {
            let mut unit = || pick(&self.units, random).cloned().unwrap_or_default();
            deed.lead = unit();
            deed.assists = vec![unit()];
        }
        if rule.action == Action::Merge {
            pick(cases, random).unwrap_or(id).clone_into(&mut deed.into);
        }
        match self.perform(id, &deed, &actor).await {
            Err(MoveError::Store(error)) => Err(error).context("the store failed"),
            // Others are as fast; a stale form and a case that cannot be merged into are refused.
            _ => Ok(()),
        }
    }

    /// Someone who may be at work on the case.
    fn actor(&self, case: &Case, random: &mut StdRng) -> Actor {
        let part = pick(&case.parts, random).filter(|_| random.random_ratio(2, 3));
        let role = match part {
            Some(_) => {
                *pick(&[Role::UnitLead, Role::UnitContact], random).unwrap_or(&Role::UnitLead)
            }
            None => *pick(&[Role::DutyOfficer, Role::Leader], random).unwrap_or(&Role::Leader),
        };
        Actor {
            name: role.name().to_owned(),
            role,
            region: part.map(|_| REGION.to_owned()).unwrap_or_default(),
            unit: part.map(|part| part.unit.clone()).unwrap_or_default(),
            via: String::new(),
        }
    }
}

/// The states of the cases, for the table that the story prints.
#[must_use]
pub fn states(cases: &[Case]) -> BTreeMap<State, usize> {
    let mut states = BTreeMap::new();
    for case in cases {
        *states.entry(case.state).or_default() += 1;
    }
    states
}

/// Gives every unit a contact and a lead, and the duty office its people.
pub fn staff(region: &mut Region) {
    for unit in &mut region.units {
        let mut add = |name: &str, role| {
            unit.contact.push(Contact {
                name: name.to_owned(),
                role,
                reach: vec![Reach {
                    channel: "phone".to_owned(),
                    to: String::new(),
                }],
            });
        };
        add("联络员", ContactRole::Contact);
        if unit.duty_office {
            add("值班员", ContactRole::DutyOfficer);
            add("带班领导", ContactRole::DutyLeader);
            add("分管领导", ContactRole::OfficeLeader);
        } else {
            add("负责人", ContactRole::Lead);
        }
    }
}

/// Who sees all.
#[must_use]
pub fn administrator() -> Actor {
    Actor {
        name: "admin".to_owned(),
        role: Role::Administrator,
        region: String::new(),
        unit: String::new(),
        via: String::new(),
    }
}

fn pick<'a, T>(of: &'a [T], random: &mut StdRng) -> Option<&'a T> {
    (!of.is_empty())
        .then(|| random.random_range(0..of.len()))
        .and_then(|at| of.get(at))
}

fn id_number(cases: &[String], id: &str) -> u32 {
    (0..u32::try_from(cases.len()).unwrap_or(u32::MAX))
        .find(|number| backbone::id::of_case(&format!("event-{number}")) == *id)
        .unwrap_or(0)
}
