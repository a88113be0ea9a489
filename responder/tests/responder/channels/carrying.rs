//! Notices from the queue to who takes them, on both kinds of store.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use backbone::region::{Contact, ContactRole, Reach, Region};
use jiff::Timestamp;
use prometheus::Registry;
use responder::case::Case;
use responder::metrics::Metrics;
use responder::notify::channel::Channel;
use responder::notify::{self, Carrier, Composer, Kind, State, trial};
use serde_json::json;

use super::matter::{REGION, after, morning, of_units, part};
use super::service::{Answer, Call, Service, dingtalk, settings, webhook, wecom_robot};
use crate::ground::{PATIENCE, project};
use crate::stores::{Kept, on_each_store};

on_each_store!(
    the_first_way_is_down_and_the_second_takes_it,
    a_channel_that_fails_is_left_alone_and_tried_with_one_message,
    what_will_never_be_taken_is_given_up_with_the_remedy,
    no_minute_has_more_messages_than_the_robot_takes,
    a_service_that_is_asked_too_often_is_left_alone_for_as_long_as_it_says,
    a_channel_that_hangs_holds_up_no_other,
    one_contact_hears_of_one_case_in_order,
    a_crash_between_sending_and_writing_down_repeats_that_try_only,
    two_responders_send_each_notice_once,
    a_flood_becomes_one_message_and_what_is_grave_stays_by_itself,
    what_waits_for_a_channel_that_is_gone_goes_another_way,
    what_could_not_be_sent_for_three_days_is_given_up,
    the_same_notice_queued_again_is_sent_once,
);

struct Office {
    kept: Kept,
    composer: Composer,
    channels: Vec<Channel>,
    registry: Registry,
}

fn case(number: u32, level: u8) -> Case {
    of_units(&format!("case-{number}"), level, &["zhujian"])
}

/// An office whose contact is reached by the given channels in that order.
fn office(kept: Kept, channels: Vec<Channel>) -> Office {
    let reach = channels.iter().map(|channel| Reach {
        channel: channel.name.clone(),
        to: String::new(),
    });
    let mut region = Region::load(&project().join("deploy/config/region").join(REGION)).unwrap();
    for unit in &mut region.units {
        unit.contact = vec![Contact {
            name: "值班室".to_owned(),
            role: ContactRole::Contact,
            reach: reach.clone().collect(),
        }];
    }
    let regions = Arc::new(BTreeMap::from([(REGION.to_owned(), region)]));
    Office {
        kept,
        composer: Composer::new(regions, "https://wensheng.test/".parse().unwrap()),
        channels,
        registry: Registry::new(),
    }
}

impl Office {
    /// A responder that carries, as after a start.
    fn carrier(&self) -> Carrier {
        let registry = Registry::new();
        self.carrier_counted(&registry)
    }

    fn carrier_counted(&self, registry: &Registry) -> Carrier {
        Carrier::new(
            self.kept.store.clone(),
            &self.channels,
            &"https://wensheng.test/".parse().unwrap(),
            Metrics::new(registry).unwrap(),
        )
        .unwrap()
    }

    /// Queues what a unit is told of a case.
    async fn tell(&self, case: &Case, unit: &str, kind: Kind, at: Timestamp) {
        for notice in self.composer.to_unit(case, unit, kind, "") {
            let mut transaction = self.kept.store.begin().await.unwrap();
            notify::queue(&mut transaction, &notice, at).await.unwrap();
            transaction.commit().await.unwrap();
        }
    }

    async fn tell_of(&self, cases: std::ops::Range<u32>, level: u8) {
        for number in cases {
            let case = case(number, level);
            self.tell(&case, "zhujian", Kind::Dispatch, morning()).await;
        }
    }

    async fn notices(&self, number: u32) -> Vec<notify::Notice> {
        let case = format!("case-{number}");
        notify::of_case(&self.kept.store, &case).await.unwrap()
    }

    async fn states(&self, cases: std::ops::Range<u32>) -> Vec<State> {
        let mut states = Vec::new();
        for number in cases {
            let notices = self.notices(number).await;
            states.extend(notices.iter().map(|notice| notice.state));
        }
        states
    }

    fn counted(&self, outcome: &str) -> f64 {
        let families = self.registry.gather();
        let family = families
            .iter()
            .find(|family| family.name() == "wensheng_responder_notices_total");
        let of_outcome = family.into_iter().flat_map(|family| family.get_metric());
        of_outcome
            .filter(|metric| {
                metric
                    .get_label()
                    .iter()
                    .any(|label| label.value() == outcome)
            })
            .map(|metric| metric.get_counter().get_value())
            .sum()
    }
}

async fn service(kind: &str, judge: fn(&Call, &[Call]) -> serde_json::Value) -> (Service, Channel) {
    let service = Service::start(judge).await;
    service.is_at(morning());
    let settings = settings(kind, &service.url);
    (service, settings)
}

async fn until(happened: impl Fn() -> bool) {
    let waiting = async {
        while !happened() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting)
        .await
        .expect("it happens");
}

fn down() -> Option<Answer> {
    Some(Answer::Status(503, vec![]))
}

async fn the_first_way_is_down_and_the_second_takes_it(kept: Kept) {
    let (robot, first) = service("wecom-robot", wecom_robot).await;
    let (hook, second) = service("webhook", webhook).await;
    robot.always(down());
    let office = office(kept, vec![first, second]);
    office.tell_of(0..1, 3).await;
    let carrier = office.carrier_counted(&office.registry);
    for seconds in [0, 7, 20] {
        assert!(hook.calls().is_empty(), "the first way has three tries");
        carrier.carry_due(after(seconds)).await.unwrap();
    }
    carrier.carry_due(after(21)).await.unwrap();
    assert_eq!((robot.calls().len(), hook.calls().len()), (3, 1));
    let notice = &office.notices(0).await[0];
    assert_eq!((notice.state, notice.channel()), (State::Sent, "webhook"));
    let tries = notify::tries(&office.kept.store, &notice.id).await.unwrap();
    let told: Vec<(&str, &str)> = tries
        .iter()
        .map(|one| (one.channel.as_str(), one.outcome.as_str()))
        .collect();
    let refused = ("wecom-robot", "refused");
    assert_eq!(told, [refused, refused, refused, ("webhook", "sent")]);
    assert!(tries[0].problem.contains("503"));
    assert!(tries[3].text.starts_with("【派单通知】") && tries[3].ended_at.is_some());
    assert_eq!(
        ["retried", "moved-on", "sent", "given-up"].map(|outcome| office.counted(outcome)),
        [2.0, 1.0, 1.0, 0.0]
    );
}

async fn a_channel_that_fails_is_left_alone_and_tried_with_one_message(kept: Kept) {
    let (robot, first) = service("wecom-robot", wecom_robot).await;
    let (hook, second) = service("webhook", webhook).await;
    robot.always(down());
    let office = office(kept, vec![first, second]);
    office.tell_of(0..16, 2).await;
    let carrier = office.carrier();
    carrier.carry_due(morning()).await.unwrap();
    // Four at once, so that the fifth to fail has three beside it.
    assert_eq!(robot.calls().len(), 8);
    carrier.carry_due(after(1)).await.unwrap();
    assert_eq!(
        (robot.calls().len(), hook.calls().len()),
        (8, 16),
        "none waits for it"
    );

    // Half a minute later one message tries it, and finds it well.
    robot.always(None);
    office.tell_of(16..20, 2).await;
    carrier.carry_due(after(5)).await.unwrap();
    carrier.carry_due(after(6)).await.unwrap();
    assert_eq!((robot.calls().len(), hook.calls().len()), (8, 20));
    office.tell_of(20..22, 2).await;
    robot.always(down());
    carrier.carry_due(after(40)).await.unwrap();
    assert_eq!(robot.calls().len(), 9, "one try only");
    robot.always(None);
    carrier.carry_due(after(200)).await.unwrap();
    office.tell_of(22..26, 2).await;
    carrier.carry_due(after(201)).await.unwrap();
    carrier.carry_due(after(202)).await.unwrap();
    assert!(
        office
            .states(0..26)
            .await
            .iter()
            .all(|state| *state == State::Sent)
    );
    assert!(
        robot.calls().len() >= 13,
        "it is used again: {}",
        robot.calls().len()
    );
}

async fn what_will_never_be_taken_is_given_up_with_the_remedy(kept: Kept) {
    let (robot, only) = service("dingtalk", dingtalk).await;
    robot.always(Some(Answer::Json(
        json!({ "errcode": 310000, "errmsg": "keywords not in content" }),
    )));
    let office = office(kept, vec![only]);
    office.tell_of(0..1, 3).await;
    let carrier = office.carrier_counted(&office.registry);
    carrier.carry_due(morning()).await.unwrap();
    carrier.carry_due(after(9_000)).await.unwrap();
    assert_eq!(robot.calls().len(), 1, "to try again would change nothing");
    let notice = &office.notices(0).await[0];
    assert_eq!(notice.state, State::Failed);
    assert!(
        notice.problem.contains("give `secret` for 加签"),
        "{}",
        notice.problem
    );
    assert_eq!(office.counted("given-up"), 1.0);
}

async fn no_minute_has_more_messages_than_the_robot_takes(kept: Kept) {
    let (robot, only) = service("wecom-robot", wecom_robot).await;
    let office = office(kept, vec![only]);
    office.tell_of(0..45, 2).await;
    let mut carrier = office.carrier();
    for seconds in (0..150).step_by(3) {
        if seconds == 30 {
            carrier = office.carrier(); // A restart forgets nothing of what was sent.
        }
        robot.is_at(after(seconds));
        carrier.carry_due(after(seconds)).await.unwrap();
    }
    assert_eq!(robot.calls().len(), 45, "and none was refused");
    assert!(
        office
            .states(0..45)
            .await
            .iter()
            .all(|state| *state == State::Sent)
    );
    for number in 0..45 {
        assert_eq!(office.notices(number).await[0].attempts, 1);
    }
}

async fn a_service_that_is_asked_too_often_is_left_alone_for_as_long_as_it_says(kept: Kept) {
    let (robot, only) = service("dingtalk", dingtalk).await;
    robot.then([Answer::Status(429, vec![("retry-after", "30")])]);
    let office = office(kept, vec![only]);
    office.tell_of(0..1, 2).await;
    let carrier = office.carrier();
    carrier.carry_due(morning()).await.unwrap();
    office.tell_of(1..2, 2).await;
    for seconds in [1, 10, 29] {
        carrier.carry_due(after(seconds)).await.unwrap();
    }
    assert_eq!(robot.calls().len(), 1);
    robot.is_at(after(31));
    carrier.carry_due(after(31)).await.unwrap();
    assert_eq!(robot.calls().len(), 3);
    // Beyond twenty a minute DingTalk takes nothing for ten.
    robot.then([Answer::Json(
        json!({ "errcode": 130101, "errmsg": "send too fast, exceed 20 times per minute" }),
    )]);
    office.tell_of(2..3, 2).await;
    carrier.carry_due(after(40)).await.unwrap();
    carrier.carry_due(after(639)).await.unwrap();
    assert_eq!(robot.calls().len(), 4);
    robot.is_at(after(642));
    carrier.carry_due(after(642)).await.unwrap();
    assert!(
        office
            .states(0..3)
            .await
            .iter()
            .all(|state| *state == State::Sent)
    );
}

async fn a_channel_that_hangs_holds_up_no_other(kept: Kept) {
    let (robot, hanging) = service("wecom-robot", wecom_robot).await;
    let (hook, quick) = service("webhook", webhook).await;
    robot.always(Some(Answer::Hang));
    let slow = Channel {
        timeout_seconds: 100,
        ..hanging
    };
    let office = office(kept, vec![slow]);
    for number in 0..4 {
        let case = case(number, 2);
        office
            .tell(&case, "zhujian", Kind::Dispatch, Timestamp::now())
            .await;
    }
    let other = Office {
        channels: vec![office.channels[0].clone(), quick],
        ..office
    };
    let carrier = other.carrier();
    let stop = tokio_util::sync::CancellationToken::new();
    let stopping = stop.clone();
    let running = tokio::spawn(async move { carrier.run(stopping).await });
    until(|| robot.calls().len() == 4).await;
    // The queue of the one is full of messages that hang; the other goes on.
    let mut unit = case(9, 2);
    unit.parts = vec![part("jiaoti")];
    for notice in other.composer.to_unit(&unit, "jiaoti", Kind::Dispatch, "") {
        let notice = notify::Notice {
            reach: vec![Reach {
                channel: "webhook".to_owned(),
                to: String::new(),
            }],
            ..notice
        };
        let mut transaction = other.kept.store.begin().await.unwrap();
        notify::queue(&mut transaction, &notice, Timestamp::now())
            .await
            .unwrap();
        transaction.commit().await.unwrap();
    }
    until(|| hook.calls().len() == 1).await;
    stop.cancel();
    running.abort();
}

async fn one_contact_hears_of_one_case_in_order(kept: Kept) {
    let (hook, only) = service("webhook", webhook).await;
    let office = office(kept, vec![only]);
    let case = case(0, 3);
    for (kind, seconds) in [(Kind::Dispatch, 0), (Kind::Urge, 1), (Kind::Supervise, 2)] {
        office.tell(&case, "zhujian", kind, after(seconds)).await;
    }
    hook.then([Answer::Status(500, vec![])]);
    let carrier = office.carrier();
    carrier.carry_due(after(3)).await.unwrap();
    office.tell(&case, "jiaoti", Kind::Dispatch, after(3)).await;
    carrier.carry_due(after(4)).await.unwrap();
    let kinds = || -> Vec<String> {
        let calls = hook.calls();
        let told = calls.iter().map(|call| {
            format!(
                "{} {}",
                call.body["unit"].as_str().unwrap(),
                call.body["kind"].as_str().unwrap()
            )
        });
        told.collect()
    };
    assert_eq!(
        kinds(),
        ["zhujian dispatch", "jiaoti dispatch"],
        "others do not wait"
    );
    carrier.carry_due(after(12)).await.unwrap();
    assert_eq!(
        kinds()[2..],
        ["zhujian dispatch", "zhujian urge", "zhujian supervise"]
    );
}

async fn a_crash_between_sending_and_writing_down_repeats_that_try_only(kept: Kept) {
    let (hook, only) = service("webhook", webhook).await;
    let office = office(kept, vec![only]);
    office.tell_of(0..1, 3).await;
    office.carrier().carry_due(morning()).await.unwrap();
    // The second is with the receiver when the responder is killed.
    office.tell_of(1..2, 3).await;
    hook.then([Answer::Hang]);
    let carrier = office.carrier();
    let killed = tokio::spawn(async move { carrier.carry_due(after(5)).await });
    until(|| hook.calls().len() == 2).await;
    killed.abort();
    assert!(killed.await.unwrap_err().is_cancelled());

    let carrier = office.carrier();
    carrier.carry_due(after(30)).await.unwrap();
    assert_eq!(hook.calls().len(), 2, "somebody may still be at it");
    for seconds in [90, 91, 9_000, 90_000] {
        carrier.carry_due(after(seconds)).await.unwrap();
    }
    let ids: Vec<_> = hook
        .calls()
        .iter()
        .map(|call| call.headers["idempotency-key"].clone())
        .collect();
    assert_eq!(ids.len(), 3, "what is known as sent is not repeated");
    assert_eq!(ids[1], ids[2], "the receiver can tell");
    let notice = &office.notices(1).await[0];
    assert_eq!(notice.state, State::Sent);
    let tries = notify::tries(&office.kept.store, &notice.id).await.unwrap();
    let outcomes: Vec<&str> = tries.iter().map(|one| one.outcome.as_str()).collect();
    assert_eq!(outcomes, ["interrupted", "sent"]);
}

async fn two_responders_send_each_notice_once(kept: Kept) {
    let (hook, only) = service("webhook", webhook).await;
    let office = office(kept, vec![only]);
    office.tell_of(0..40, 2).await;
    let (one, other) = (office.carrier(), office.carrier());
    for seconds in 0..3 {
        let (first, second) = tokio::join!(
            one.carry_due(after(seconds)),
            other.carry_due(after(seconds))
        );
        first.unwrap();
        second.unwrap();
    }
    let mut cases: Vec<String> = hook
        .calls()
        .iter()
        .map(|call| call.body["case"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(cases.len(), 40);
    cases.sort_unstable();
    cases.dedup();
    assert_eq!(cases.len(), 40);
}

async fn a_flood_becomes_one_message_and_what_is_grave_stays_by_itself(kept: Kept) {
    let (hook, only) = service("webhook", webhook).await;
    let office = office(kept, vec![only]);
    office.tell_of(0..12, 4).await;
    office.tell_of(12..13, 1).await;
    hook.then([Answer::Status(500, vec![]), Answer::Status(500, vec![])]);
    let carrier = office.carrier();
    carrier.carry_due(morning()).await.unwrap();
    let kinds = || {
        let calls = hook.calls();
        let mut kinds: Vec<String> = calls
            .iter()
            .map(|call| call.body["kind"].as_str().unwrap().to_owned())
            .collect();
        kinds.sort_unstable();
        kinds
    };
    assert_eq!(kinds(), ["digest", "dispatch"]);
    assert_eq!(office.states(0..1).await, [State::Folded]);
    // What is told of one of them afterwards waits for it.
    office
        .tell(&case(3, 4), "zhujian", Kind::Urge, after(1))
        .await;
    carrier.carry_due(after(2)).await.unwrap();
    assert_eq!(hook.calls().len(), 2);
    carrier.carry_due(after(7)).await.unwrap();
    assert_eq!(
        kinds(),
        ["digest", "digest", "dispatch", "dispatch", "urge"]
    );
    let calls = hook.calls();
    assert_eq!(calls[4].body["kind"], "urge");
    let digests: Vec<&Call> = calls
        .iter()
        .filter(|call| call.body["kind"] == "digest")
        .collect();
    assert_eq!(
        digests[0].headers["idempotency-key"],
        digests[1].headers["idempotency-key"]
    );
    assert_eq!(digests[1].body["notices"].as_array().unwrap().len(), 12);
    assert!(
        office
            .states(0..13)
            .await
            .iter()
            .all(|state| *state == State::Sent)
    );
    let folded = &office.notices(0).await[0];
    let tries = notify::tries(&office.kept.store, &folded.id).await.unwrap();
    assert_eq!(tries.len(), 2, "those of the message that told of it");
    assert!(tries[1].text.starts_with("【多件事项】共12件待办理"));
}

async fn what_waits_for_a_channel_that_is_gone_goes_another_way(kept: Kept) {
    let (_, first) = service("wecom-robot", wecom_robot).await;
    let (hook, second) = service("webhook", webhook).await;
    let before = office(kept, vec![first, second.clone()]);
    before.tell_of(0..1, 3).await;
    let now = Office {
        channels: vec![second],
        ..before
    };
    let carrier = now.carrier();
    carrier.carry_due(morning()).await.unwrap();
    carrier.carry_due(after(1)).await.unwrap();
    assert_eq!(hook.calls().len(), 1);
    now.tell_of(1..2, 3).await;
    let none = Office {
        channels: Vec::new(),
        ..now
    };
    none.carrier().carry_due(after(2)).await.unwrap();
    none.carrier().carry_due(after(3)).await.unwrap();
    let notice = &none.notices(1).await[0];
    assert_eq!(notice.state, State::Failed);
    assert!(
        notice.problem.contains("is not in the settings"),
        "{}",
        notice.problem
    );
}

async fn what_could_not_be_sent_for_three_days_is_given_up(kept: Kept) {
    let (robot, only) = service("wecom-robot", wecom_robot).await;
    robot.always(Some(Answer::Status(429, vec![("retry-after", "3600")])));
    let office = office(kept, vec![only]);
    office.tell_of(0..1, 3).await;
    let carrier = office.carrier();
    for hours in 0..72 {
        carrier.carry_due(after(hours * 3_601)).await.unwrap();
        assert_eq!(office.states(0..1).await, [State::Queued]);
    }
    carrier.carry_due(after(73 * 3_600)).await.unwrap();
    assert_eq!(office.states(0..1).await, [State::Failed]);
}

async fn the_same_notice_queued_again_is_sent_once(kept: Kept) {
    let (hook, only) = service("webhook", webhook).await;
    let office = office(kept, vec![only]);
    office.tell_of(0..1, 3).await;
    let carrier = office.carrier();
    carrier.carry_due(morning()).await.unwrap();
    office.tell_of(0..1, 3).await;
    carrier.carry_due(after(60)).await.unwrap();
    assert_eq!(hook.calls().len(), 1);
}

#[tokio::test]
async fn a_contact_can_be_tried_out_and_hears_by_each_way() {
    let (_, first) = service("wecom-robot", wecom_robot).await;
    let (hook, second) = service("webhook", webhook).await;
    let gone = settings("dingtalk", "http://127.0.0.1:9/");
    let channels = [first, gone, second];
    let mut region = Region::load(&project().join("deploy/config/region").join(REGION)).unwrap();
    let reach = channels.iter().map(|channel| Reach {
        channel: channel.name.clone(),
        to: String::new(),
    });
    for unit in region.units.iter_mut().take(2) {
        unit.contact = vec![Contact {
            name: "值班室".to_owned(),
            role: ContactRole::Contact,
            reach: reach.clone().collect(),
        }];
    }
    let code = region.units[0].code.clone();
    let said = trial::contact(&region, None, "值班室")
        .unwrap_err()
        .to_string();
    assert!(said.contains("--unit") && said.contains(&code), "{said}");
    assert!(trial::contact(&region, None, "没有的人").is_err());
    let (_, contact) = trial::contact(&region, Some(&code), "值班室").unwrap();
    let console = "https://wensheng.test/".parse().unwrap();
    let mut out = Vec::new();
    trial::run(contact, &channels, &console, &mut out, morning())
        .await
        .unwrap();
    let out = String::from_utf8(out).unwrap();
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), 3, "{out}");
    assert_eq!(lines[0], "wecom-robot  done");
    assert!(lines[1].starts_with("dingtalk  cannot be reached"), "{out}");
    assert_eq!(lines[2], "webhook  done");
    assert_eq!(hook.calls()[0].body["kind"], "test");

    hook.always(down());
    let only = Contact {
        reach: vec![contact.reach[2].clone()],
        ..contact.clone()
    };
    let nobody = trial::run(&only, &channels, &console, &mut Vec::new(), morning()).await;
    assert!(nobody.unwrap_err().is::<trial::NotReached>());
}
