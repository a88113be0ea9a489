//! A duty officer merges two events in the console, and splits one: the posts move, new posts follow, and it holds whatever
//! is killed when.

use std::sync::LazyLock;

use backbone::clickhouse::rows::AssessmentRow;
use backbone::id;
use backbone::message::{
    self, Assessment, Certainty, Polarity, Post, Reactions, Sentiment, SourceKind, encode,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use wensheng_tests::duty::PASSWORD;
use wensheng_tests::{
    Broker, Browser, Office, Page, Program, REGION, Store, number, send_raw, wait_for,
};

const DRY: [&str; 2] = [
    "投诉望江花园停水没有人管",
    "青禾县望江花园小区又停水了，三天没有水用，物业不接电话，没有人管，老百姓怎么生活",
];
const WORKS: [&str; 2] = [
    "青禾县城东工地夜里打桩",
    "青禾县城东工地每天夜里打桩到两点，噪音太大，孩子睡不着觉，请城管来查处违规施工",
];

/// When the posts of the day were published: a post keeps its time.
static PUBLISHED: LazyLock<Timestamp> =
    LazyLock::new(|| Timestamp::now() - SignedDuration::from_mins(5));

fn post(id: &str, telling: [&str; 2], revision: u32) -> Post {
    let now = *PUBLISHED;
    Post {
        id: id.to_owned(),
        revision,
        region: REGION.to_owned(),
        source: "留言板".to_owned(),
        kind: SourceKind::Board,
        url: String::new(),
        title: telling[0].to_owned(),
        text: format!("{}。留言{id}", telling[1]),
        author: Some(id.to_owned()),
        published_at: now,
        certainty: Certainty::Exact,
        collected_at: now,
        reactions: Reactions::default(),
        answered_at: None,
    }
}

/// An assessment of another county that the archive holds.
fn elsewhere() -> AssessmentRow {
    let now = Timestamp::now();
    let post = Post {
        region: "990000".to_owned(),
        ..post("elsewhere", DRY, 1)
    };
    let mut assessment = Assessment::unread(post, "none", now);
    assessment.relevant = true;
    assessment.sentiment = Sentiment {
        score: 0.0,
        label: Polarity::Neutral,
        confidence: 1.0,
        because: Vec::new(),
    };
    assessment.event = Some(message::EventMembership {
        id: "elsewhere".to_owned(),
        title: "外县的事".to_owned(),
        similarity: 1.0,
        level: None,
        edit: None,
    });
    AssessmentRow::from(&assessment)
}

struct Town {
    kafka: Broker,
    store: Store,
    office: Office,
}

impl Town {
    /// Ends the analyzer: at once, or in order on the embedded broker, which does not give the partitions of a member that
    /// was killed to another; there the programs and the broker die together.
    fn end(&self, analyzer: &mut Program) {
        match self.kafka {
            Broker::Apache { .. } => analyzer.kill(),
            Broker::Embedded { .. } => analyzer.stop(),
        }
    }

    async fn say(&self, id: &str, telling: [&str; 2], revision: u32) {
        let message = encode(&post(id, telling, revision)).unwrap();
        let message = String::from_utf8(message).unwrap();
        send_raw(self.kafka.address(), "posts", &message).await;
    }

    /// Waits until the archive has so many posts of an event.
    async fn has(&self, event: &str, posts: u64) {
        let query = format!("SELECT count() FROM assessments FINAL WHERE event_id = '{event}'");
        wait_for(&format!("{posts} posts of event {event}"), || async {
            number(&self.store.url, &query)
                .await
                .filter(|count| *count == posts)
        })
        .await;
    }

    /// Whether a revision of a post is in an event.
    async fn is_in(&self, post: &str, revision: u32, event: &str) {
        let query = format!(
            "SELECT count() FROM assessments FINAL WHERE post_id = '{post}' AND revision = {revision} \
             AND event_id = '{event}'"
        );
        wait_for(
            &format!("revision {revision} of {post} in event {event}"),
            || async {
                number(&self.store.url, &query)
                    .await
                    .filter(|count| *count == 1)
            },
        )
        .await;
    }

    async fn post_form(
        &self,
        officer: &mut Browser,
        event: &str,
        what: &str,
        fields: &[(&str, &str)],
    ) -> Page {
        let page = officer.get(&format!("/events/{event}/edit")).await;
        let csrf = page.hidden("csrf").expect("the form").to_owned();
        let mut form = vec![("csrf", csrf.as_str())];
        form.extend_from_slice(fields);
        officer
            .post(&format!("/events/{event}/{what}"), &form)
            .await
    }

    /// Goes through the form and its confirmation; gives the page's next address.
    async fn edit(
        &self,
        officer: &mut Browser,
        event: &str,
        what: &str,
        fields: &[(&str, &str)],
    ) -> String {
        let page = self.post_form(officer, event, what, fields).await;
        assert_eq!(page.status, 200, "{}", page.html);
        assert!(page.html.contains("data-form=\"confirm\""), "{}", page.html);
        assert!(page.html.contains("案件不随之合并或拆分"), "{}", page.html);
        let page = self
            .post_form(
                officer,
                event,
                what,
                &[fields, &[("confirmed", "1")]].concat(),
            )
            .await;
        assert_eq!(page.status, 303, "{}", page.html);
        page.location
    }
}

async fn an_officer_merges_and_splits_events(kafka: Broker) {
    backbone::tls::install();
    let store = Store::start();
    let office = Office::new(kafka.address(), &store.url, "");
    let town = Town {
        kafka,
        store,
        office,
    };
    let (console, office) = (town.office.console(), &town.office);
    let responder = office.start("responder");
    wait_for("the responder", || office.ready(3)).await;
    // An edit that nobody can read is put aside and in nobody's way.
    send_raw(town.kafka.address(), "event-edits", "no JSON at all").await;
    let mut analyzer = office.start("analyzer");
    for number in 0..6 {
        town.say(&format!("w{number}"), DRY, 1).await;
    }
    for number in 0..3 {
        town.say(&format!("n{number}"), WORKS, 1).await;
    }
    let (dry, works) = (id::of_event(REGION, "w0"), id::of_event(REGION, "n0"));
    town.has(&dry, 6).await;
    town.has(&works, 3).await;
    let archive = serde_json::from_value(json!({ "url": town.store.url })).unwrap();
    let archive = backbone::clickhouse::client(&archive).unwrap();
    backbone::clickhouse::insert::<AssessmentRow>(&archive, AssessmentRow::TABLE, [elsewhere()])
        .await
        .unwrap();

    let mut administrator = Browser::sign_in(&console, "admin", PASSWORD).await;
    administrator
        .add_user("officer", "duty-officer", "", PASSWORD)
        .await;
    administrator
        .add_user("leader", "leader", "", PASSWORD)
        .await;
    let mut officer = Browser::sign_in(&console, "officer", PASSWORD).await;
    let mut leader = Browser::sign_in(&console, "leader", PASSWORD).await;
    let page = officer.get(&format!("/events/{works}")).await;
    assert!(
        page.html.contains(&format!("/events/{works}/edit")),
        "{}",
        page.html
    );
    let page = leader.get(&format!("/events/{works}")).await;
    assert!(!page.html.contains("/edit"), "a leader is not offered it");
    assert_eq!(
        leader.get(&format!("/events/{works}/edit")).await.status,
        403
    );
    let page = officer.get(&format!("/events/{works}/edit")).await;
    assert!(
        page.values("value").contains(&dry.as_str()),
        "it is offered: {}",
        page.html
    );
    assert!(!page.values("value").contains(&"elsewhere"));

    // What cannot be is said, and nothing happens.
    for (what, fields, problem) in [
        (
            "merge",
            vec![("into", works.as_str())],
            "不能将事件并入其自身",
        ),
        (
            "merge",
            vec![("other", "nosuchevent")],
            "没有找到要并入的事件",
        ),
        ("merge", vec![("other", "elsewhere")], "不在同一地区"),
        ("merge", vec![], "请选择要并入的事件"),
        ("split", vec![], "请至少勾选一条帖文"),
        (
            "split",
            vec![("posts", "n0"), ("posts", "n1"), ("posts", "n2")],
            "不能拆出全部帖文",
        ),
        ("split", vec![("posts", "w0")], "已不在本事件中"),
    ] {
        let fields = [fields.as_slice(), &[("confirmed", "1")]].concat();
        let page = town.post_form(&mut officer, &works, what, &fields).await;
        assert_eq!(page.status, 422, "{problem}: {}", page.html);
        assert!(page.html.contains(problem), "{problem}: {}", page.html);
    }
    let edits = |page: &Page| {
        page.values("data-edits")
            .first()
            .map(|count| (*count).to_owned())
    };
    assert_eq!(edits(&officer.get(&format!("/events/{works}")).await), None);

    // The officer merges; the address of the page may be pasted.
    let address = format!("{console}/events/{dry}?page=1");
    let fields = [("other", address.as_str())];
    let next = town.edit(&mut officer, &works, "merge", &fields).await;
    assert_eq!(next, format!("/events/{dry}?done=merge"));
    town.has(&dry, 9).await;
    let page = officer.get(&next).await;
    assert!(page.html.contains("已提交并入"), "{}", page.html);
    assert_eq!(edits(&page).as_deref(), Some("1"));
    let page = officer.get(&format!("/events/{works}")).await;
    assert_eq!(page.location, format!("/events/{dry}"), "old links lead on");
    town.say("n3", WORKS, 1).await;
    town.is_in("n3", 1, &dry).await;

    // Killed, and started again: all is still so.
    town.end(&mut analyzer);
    town.say("n0", WORKS, 1).await;
    town.say("n1", WORKS, 2).await;
    town.say("n4", WORKS, 1).await;
    town.say("w6", DRY, 1).await;
    let mut analyzer = office.start("analyzer");
    town.is_in("n1", 2, &dry).await;
    town.is_in("n4", 1, &dry).await;
    town.is_in("w6", 1, &dry).await;
    town.has(&dry, 12).await;
    town.has(&works, 0).await;

    // Asked why it is as grave as it is.
    let explain = |event: &str| office.run("analyzer", &["risk", "--explain", event]);
    let told = explain(&dry);
    let said = String::from_utf8_lossy(&told.stdout).into_owned();
    assert!(
        told.status.success(),
        "{}",
        String::from_utf8_lossy(&told.stderr)
    );
    assert!(said.contains("12人") && said.contains("首次"), "{said}");
    let told = office.run("analyzer", &["risk", "--json", "--explain", &dry]);
    let told: serde_json::Value = serde_json::from_slice(&told.stdout).unwrap();
    assert_eq!(told["event"]["posts"], 12);
    let told = explain(&works);
    let said = String::from_utf8_lossy(&told.stderr).into_owned();
    assert!(!told.status.success() && said.contains(&dry), "{said}");

    // The officer finds that it was two matters after all, while the analyzer is down.
    town.end(&mut analyzer);
    let posts = ["n0", "n1", "n2", "n3", "n4"];
    let mut fields: Vec<(&str, &str)> = posts.iter().map(|post| ("posts", *post)).collect();
    fields.push(("title", "城东工地夜间施工"));
    let next = town.edit(&mut officer, &dry, "split", &fields).await;
    let own = next.rsplit_once("new=").unwrap().1.to_owned();
    assert!(officer.get(&next).await.html.contains("已提交拆分"));
    let page = officer.get(&format!("/events/{own}")).await;
    assert!(page.html.contains("事件正在调整"), "{}", page.html);
    let again = town.edit(&mut officer, &dry, "split", &fields).await;
    assert_eq!(again, next, "a form sent twice is one edit");
    let split = json!({ "posts": posts, "title": "城东工地夜间施工" });
    let (status, edit) = officer.ask(&format!("/events/{dry}/split"), &split).await;
    assert_eq!(
        (status.as_u16(), &edit["target"]),
        (202, &json!(own)),
        "{edit}"
    );
    let mut analyzer = office.start("analyzer");
    town.has(&own, 5).await;
    town.has(&dry, 7).await;
    let page = officer.get(&format!("/events/{own}")).await;
    assert!(page.html.contains("城东工地夜间施工"), "{}", page.html);
    town.say("n5", WORKS, 1).await;
    town.say("w7", DRY, 1).await;
    town.is_in("n5", 1, &own).await;
    town.is_in("w7", 1, &dry).await;
    town.end(&mut analyzer);
    town.say("n6", WORKS, 1).await;
    town.say("n2", WORKS, 2).await;
    let mut analyzer = office.start("analyzer");
    town.is_in("n6", 1, &own).await;
    town.is_in("n2", 2, &own).await;
    town.has(&dry, 8).await;
    town.has(&own, 7).await;

    // One matter in the end, as a program of the office says.
    let merge = format!("/events/{own}/merge");
    for (body, status) in [
        (json!({ "into": own }), 422),
        (json!({ "into": "nosuchevent" }), 422),
        (json!({}), 400),
    ] {
        let (refused, problem) = officer.ask(&merge, &body).await;
        assert_eq!(refused, status, "{problem}");
    }
    let (status, edit) = officer.ask(&merge, &json!({ "into": dry })).await;
    assert_eq!(status, 202, "{edit}");
    assert_eq!(
        [&edit["kind"], &edit["source"], &edit["officer"]],
        ["merge", own.as_str(), "officer"]
    );
    town.has(&dry, 15).await;
    town.has(&own, 0).await;
    let many: Vec<String> = (0..201).map(|number| number.to_string()).collect();
    let split = json!({ "posts": many });
    let (refused, problem) = officer.ask(&format!("/events/{dry}/split"), &split).await;
    assert_eq!(
        (refused.as_u16(), &problem["field"]),
        (400, &json!("posts"))
    );

    let page = administrator.get("/audit").await;
    for (action, times) in [("并入事件", 2), ("拆分事件", 1)] {
        let line = format!("<td data-label=\"操作\">{action}</td>");
        assert_eq!(page.html.matches(&line).count(), times, "{action}");
    }
    let dead = office.run(
        "analyzer",
        &["dead-letters", "list", "--topic", "event-edits"],
    );
    let dead = String::from_utf8_lossy(&dead.stdout).into_owned();
    assert!(dead.contains("malformed event-edit message"), "{dead}");
    analyzer.stop();
    let mut responder = responder;
    responder.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_officer_merges_and_splits_events_on_the_embedded_broker() {
    an_officer_merges_and_splits_events(Broker::embedded()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_officer_merges_and_splits_events_on_apache_kafka() {
    an_officer_merges_and_splits_events(Broker::apache(1)).await;
}
