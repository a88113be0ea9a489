//! The watch over alerts and clocks: who is told when nobody signs, and that nobody is told twice.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use backbone::settings::faultless;

use crate::ground::project;
use crate::office::{Office, REGION, actor, alert, morning, office, routed};
use crate::stores::{Kept, on_each_store};
use jiff::{SignedDuration, Timestamp};
use responder::calendar::Calendar;
use responder::case::{Action, Deed, Role, Taken};
use responder::commitment::{self, Commitments};
use responder::notify::{self, Body, Kind};
use responder::roster::{Planned, Post, Roster};
use responder::routing::{Match, NewSilence, Routing, Silences, Texts};
use responder::watch::Watch;

on_each_store!(
    an_alert_is_told_to_who_is_on_duty_and_a_silenced_one_later,
    low_pressure_is_not_told_of_while_the_water_is_cut_off,
    a_case_that_nobody_signs_is_told_along_the_roster,
    two_responders_that_look_at_once_tell_everything_once,
    a_clock_that_is_moved_is_told_at_its_new_time_only,
    what_came_due_while_nobody_ran_is_told_at_the_start,
    what_a_published_reply_promises_is_reminded_of_and_escalated_when_it_is_broken,
);

fn watch(office: &Office) -> Watch {
    let county = project().join("deploy/config/region").join(REGION);
    watch_by(office, Routing::load(&county).unwrap())
}

fn watch_by(office: &Office, routing: Routing) -> Watch {
    Watch {
        store: office.kept.store.clone(),
        cases: office.cases.clone(),
        roster: Roster::new(office.kept.store.clone()),
        silences: Silences::new(office.kept.store.clone()),
        routings: Arc::new(BTreeMap::from([(REGION.to_owned(), routing)])),
        calendar: Calendar::default(),
        notices: Arc::clone(&office.notices),
    }
}

fn after(minutes: i64) -> Timestamp {
    morning() + SignedDuration::from_mins(minutes)
}

/// What the notices of the one case are, to whom, and of what, each once.
async fn told(office: &Office) -> BTreeSet<(Kind, String, String, String)> {
    let case = office.only().await.id;
    let notices = notify::of_case(&office.kept.store, &case).await.unwrap();
    let all: Vec<_> = (notices.into_iter())
        .map(|notice| {
            let (kind, to) = (notice.body.kind(), notice.addressee);
            let Body::Case(body) = notice.body else {
                panic!("of a case");
            };
            let of = format!("{} {}", body.unit, body.note);
            (kind, to.unit, to.contact, of)
        })
        .collect();
    let each: BTreeSet<_> = all.iter().cloned().collect();
    assert_eq!(all.len(), each.len(), "nobody is told twice: {all:?}");
    each
}

async fn an_alert_is_told_to_who_is_on_duty_and_a_silenced_one_later(kept: Kept) {
    let office = office(kept);
    let watch = watch(&office);
    let shift = |post, who: &str| Planned {
        post,
        who: who.to_owned(),
        from: after(-60),
        until: after(600),
    };
    let shifts = [shift(Post::DutyOfficer, "值班员乙")];
    (watch.roster.import(REGION, &shifts, false, morning()).await).unwrap();
    let silence = NewSilence {
        region: REGION.to_owned(),
        author: "duty".to_owned(),
        reason: "已知的停水通知".to_owned(),
        matches: Match {
            level: vec![3],
            ..Match::default()
        },
        from: morning(),
        until: after(30),
    };
    let region = watch.routings[REGION].region();
    (watch.silences.add(&silence, region, morning()).await).unwrap();
    office.take(3).await;
    for minute in 0..30 {
        watch.look(after(minute)).await.unwrap();
    }
    assert_eq!(told(&office).await, BTreeSet::new(), "held, not lost");
    watch.look(after(31)).await.unwrap();
    let told = told(&office).await;
    let to: Vec<_> = (told.iter())
        .map(|(kind, unit, contact, _)| (*kind, unit.as_str(), contact.as_str()))
        .collect();
    assert_eq!(to, [(Kind::Alert, "zhengfuban", "值班员乙")]);
}

async fn low_pressure_is_not_told_of_while_the_water_is_cut_off(kept: Kept) {
    let office = office(kept);
    let county = project().join("deploy/config/region").join(REGION);
    let text = |name: &str| std::fs::read_to_string(county.join(name)).unwrap();
    let texts = Texts {
        region: text(Texts::REGION),
        units: text(Texts::UNITS),
        routing: "[route]\nlead = \"by-place-and-subject\"\n[[inhibit]]\nsource = { words = [\"停水\"] }\n\
            target = { words = [\"水压\"] }\nequal = [\"subject\"]\n"
            .to_owned(),
    };
    let watch = watch_by(
        &office,
        faultless(|problems| Routing::parse(&county, &texts, problems)).unwrap(),
    );
    let mut cases = Vec::new();
    for (event, title, level) in [("cut", "全镇停水", 2), ("low", "水压太低", 4)] {
        let mut matter = alert(level);
        matter.id = backbone::id::of_alert(event, level);
        event.clone_into(&mut matter.event.id);
        title.clone_into(&mut matter.event.title);
        matter.event.gist.clear();
        let taken = office.cases.take(&matter, &routed(), morning()).await;
        assert_eq!(taken.unwrap(), Taken::Opened);
        cases.push(backbone::id::of_case(event));
    }
    let told = async |case: &str| {
        let notices = notify::of_case(&office.kept.store, case).await.unwrap();
        !notices.is_empty()
    };
    watch.look(after(0)).await.unwrap();
    assert!(told(&cases[0]).await);
    assert!(!told(&cases[1]).await, "the same trouble");

    let officer = actor(Role::DutyOfficer, "");
    let dismiss = Deed::plain(Action::Dismiss, 1, "已恢复供水");
    let dismissed = (office.cases)
        .perform(&cases[0], &dismiss, &officer, &office.notices, after(5))
        .await;
    dismissed.unwrap();
    watch.look(after(6)).await.unwrap();
    assert!(told(&cases[1]).await, "the water is back");
}

async fn a_case_that_nobody_signs_is_told_along_the_roster(kept: Kept) {
    let office = office(kept);
    let watch = watch(&office);
    office.take(3).await;
    let officer = actor(Role::DutyOfficer, "");
    office.act(&officer, Action::Dispatch, "").await.unwrap();
    let mut before = told(&office).await;
    let mut at = async |minutes: i64| {
        watch.look(after(minutes)).await.unwrap();
        let now = told(&office).await;
        let new: Vec<_> = now.difference(&before).cloned().collect();
        before = now;
        new.into_iter()
            .map(|(kind, unit, contact, _)| format!("{} {unit} {contact}", kind.name()))
            .collect::<Vec<_>>()
    };
    at(0).await;
    assert_eq!(at(109).await, [""; 0], "two hours to sign");
    assert_eq!(
        at(110).await,
        ["reminder fengchuan 值班室", "reminder zhujian 值班室"]
    );
    assert_eq!(at(119).await, [""; 0]);
    assert_eq!(
        at(120).await,
        ["escalation fengchuan 负责人", "escalation zhujian 负责人"]
    );
    let town = actor(Role::UnitContact, "fengchuan");
    office.act(&town, Action::Sign, "").await.unwrap();
    assert_eq!(at(150).await, ["escalation zhengfuban 带班领导"]);
    let lead = actor(Role::UnitLead, "zhujian");
    office.act(&lead, Action::Sign, "").await.unwrap();
    assert_eq!(at(240).await, [""; 0], "signed: the leader hears nothing");
}

async fn two_responders_that_look_at_once_tell_everything_once(kept: Kept) {
    let office = office(kept);
    let watches = [watch(&office), watch(&office), watch(&office)];
    office.take(2).await;
    let officer = actor(Role::DutyOfficer, "");
    office.act(&officer, Action::Dispatch, "").await.unwrap();
    for minutes in [1, 55, 61, 300, 2_000] {
        let looks = watches.iter().map(|watch| watch.look(after(minutes)));
        for looked in futures::future::join_all(looks).await {
            looked.unwrap();
        }
    }
    let told = told(&office).await;
    let escalated = |contact: &str| {
        (told.iter()).any(|(kind, _, to, _)| *kind == Kind::Escalation && to == contact)
    };
    assert!(escalated("负责人") && escalated("带班领导") && escalated("分管领导"));
}

async fn a_clock_that_is_moved_is_told_at_its_new_time_only(kept: Kept) {
    let office = office(kept);
    let watch = watch(&office);
    office.take(4).await;
    let officer = actor(Role::DutyOfficer, "");
    office.act(&officer, Action::Dispatch, "").await.unwrap();
    for unit in ["zhujian", "fengchuan"] {
        let unit = actor(Role::UnitLead, unit);
        office.act(&unit, Action::Sign, "").await.unwrap();
    }
    office
        .act(&officer, Action::Extend, "配件未到")
        .await
        .unwrap();
    let before = told(&office).await;
    watch.look(after(60 * 48 + 1)).await.unwrap();
    assert_eq!(told(&office).await, before, "48 hours became 72");
    watch.look(after(60 * 72 + 1)).await.unwrap();
    assert!(told(&office).await.len() > before.len());
}

async fn what_came_due_while_nobody_ran_is_told_at_the_start(kept: Kept) {
    let place = kept.place.clone();
    let office = office(kept);
    let mut other = alert(4);
    "other".clone_into(&mut other.event.id);
    office.take(4).await;
    let id = office.only().await.id;
    office
        .cases
        .take(&other, &routed(), morning())
        .await
        .unwrap();
    // The machine was off for three days: another program opens the store.
    let store = responder::store::Store::open(&place).await.unwrap();
    let mut later = watch(&office);
    later.cases = responder::case::Cases::new(store.clone(), Default::default());
    for _ in 0..3 {
        later.look(after(60 * 72)).await.unwrap();
    }
    let notices = notify::of_case(&store, &id).await.unwrap();
    let escalations = (notices.iter())
        .filter(|notice| notice.body.kind() == Kind::Escalation)
        .count();
    assert_eq!(
        escalations, 4,
        "two duty officers, duty leader, office leader"
    );
}

async fn what_a_published_reply_promises_is_reminded_of_and_escalated_when_it_is_broken(
    kept: Kept,
) {
    let office = office(kept);
    let watch = watch(&office);
    office.take(3).await;
    let officer = actor(Role::DutyOfficer, "");
    let lead = actor(Role::UnitLead, "zhujian");
    office.act(&officer, Action::Dispatch, "").await.unwrap();
    office.act(&lead, Action::Sign, "").await.unwrap();
    let town = actor(Role::UnitLead, "fengchuan");
    office
        .act(&town, Action::Return, "与本镇无关")
        .await
        .unwrap();
    let reply = "经核实，路灯线路老化。我局将于2026年11月30日前完成更换。";
    office.act(&lead, Action::Reply, reply).await.unwrap();
    let commitments = Commitments::new(office.kept.store.clone());
    let every = commitment::Query {
        limit: 10,
        ..Default::default()
    };
    let all = || commitments.list(&every);
    assert_eq!(all().await.unwrap(), [], "not before it is published");
    office.act(&officer, Action::Approve, "").await.unwrap();
    let kept = all().await.unwrap();
    assert_eq!(kept.len(), 1);
    assert_eq!(
        (kept[0].unit.as_str(), kept[0].due().to_string()),
        ("zhujian", "2026-11-30".to_owned())
    );

    let day = |text: &str| -> Timestamp { text.parse().unwrap() };
    let count = async |kind: Kind| {
        (told(&office).await.iter())
            .filter(|(of, _, _, note)| *of == kind && note.contains("11-30"))
            .count()
    };
    watch.look(day("2026-11-29T08:00:00+08:00")).await.unwrap();
    assert_eq!(count(Kind::Commitment).await, 0);
    for _ in 0..2 {
        watch.look(day("2026-11-30T08:00:00+08:00")).await.unwrap();
    }
    assert_eq!(count(Kind::Commitment).await, 1, "the unit's contact");
    for _ in 0..2 {
        watch.look(day("2026-12-01T00:01:00+08:00")).await.unwrap();
    }
    assert_eq!(
        count(Kind::Escalation).await,
        2,
        "the unit's lead and the duty leader"
    );
    assert_eq!(all().await.unwrap()[0].state, commitment::State::Broken);
}
