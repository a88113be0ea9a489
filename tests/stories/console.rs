//! The console as its users meet it: what each role may open, what is refused, and that nothing from
//! outside is ever more than text on a page.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use backbone::clickhouse::rows::{AssessmentRow, SignalRow};
use backbone::message::{self, Alert, Assessment, Condition, Signal, SourceHealth};
use backbone::settings::ClickHouse;
use jiff::Timestamp;
use responder::account::{Accounts, NewUser};
use responder::case::{Action, Actor, Cases, Deed, Query, Role};
use responder::console::{Console, ROUTES, Who};
use responder::correction::Corrections;
use responder::live::{Limits, Live};
use responder::metrics::Metrics;
use responder::notify::Composer;
use responder::routing::{Routed, Routing};
use responder::source::Sources;
use responder::store::{self, Place};
use responder::{settings, web};
use serde_json::json;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use wensheng_tests::{Browser, Page, Store, project};

const REGION: &str = "990101";
const PASSWORD: &str = "a password for tests";
const HOSTILE: &str = "</p><script>alert('1')</script><img src=x onerror=alert(2)>";

/// A stream ends so soon that it can be read whole.
const LIMITS: Limits = Limits {
    per_session: 2,
    in_all: 10,
    lasting: Duration::from_millis(100),
    beat: Duration::from_millis(50),
};

struct Office {
    address: String,
    cases: Cases,
    corrections: Corrections,
    sources: Sources,
    notices: Arc<Composer>,
    stop: CancellationToken,
    _clickhouse: Store,
    _folder: TempDir,
}

impl Drop for Office {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn example<M: message::Message>(path: &str) -> M {
    let bytes = std::fs::read(project().join("backbone/examples").join(path)).unwrap();
    message::decode(&bytes).unwrap()
}

async fn office() -> Office {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::File(folder.path().join("responder.sqlite"));
    let store = store::Store::open(&place).await.unwrap();
    let routing = Routing::load(&project().join("deploy/sample/region").join(REGION)).unwrap();
    let routings = Arc::new(BTreeMap::from([(REGION.to_owned(), routing)]));
    let clickhouse = Store::start();
    let archive: ClickHouse = serde_json::from_value(json!({ "url": clickhouse.url })).unwrap();
    backbone::clickhouse::migrate(&archive).await.unwrap();
    let archive = backbone::clickhouse::client(&archive).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let settings: settings::Console =
        serde_json::from_value(json!({ "listen": "127.0.0.1:0", "public_url": address })).unwrap();
    let accounts = Accounts::new(store.clone(), settings.session_limits());
    for (name, role, unit) in [
        ("admin", Role::Administrator, ""),
        ("officer", Role::DutyOfficer, ""),
        ("leader", Role::Leader, ""),
        ("housing", Role::UnitLead, "zhujian"),
        ("contact", Role::UnitContact, "zhujian"),
        ("auditor", Role::Auditor, ""),
        ("health", Role::UnitLead, "weijian"),
    ] {
        let user = NewUser {
            name: name.to_owned(),
            display_name: name.to_owned(),
            role,
            region: if unit.is_empty() { "" } else { REGION }.to_owned(),
            unit: unit.to_owned(),
            password: PASSWORD.to_owned(),
            must_change: false,
        };
        accounts.add(&user, Timestamp::now()).await.unwrap();
    }
    let mut assessment: Assessment = example("assessments/v1/relevant.json");
    REGION.clone_into(&mut assessment.post.region);
    assessment.post.title = HOSTILE.to_owned();
    assessment.post.text = HOSTILE.to_owned();
    assessment.post.url = "javascript:alert(3)".to_owned();
    let mut marked: Assessment = example("assessments/v1/read.json");
    REGION.clone_into(&mut marked.post.region);
    "read0000000000000000000000000000".clone_into(&mut marked.post.id);
    // Earlier, so that the hostile one stands first.
    marked.post.published_at = Timestamp::UNIX_EPOCH;
    backbone::clickhouse::insert::<AssessmentRow>(
        &archive,
        AssessmentRow::TABLE,
        &[
            AssessmentRow::from(&assessment),
            AssessmentRow::from(&marked),
        ],
    )
    .await
    .unwrap();
    let over: Signal = example("signals/v1/over.json");
    let mut burst: Signal = example("signals/v1/burst.json");
    burst.place = HOSTILE.to_owned();
    burst.places[0].name = HOSTILE.to_owned();
    burst.events[0].title = HOSTILE.to_owned();
    burst.title.push_str(HOSTILE);
    backbone::clickhouse::insert::<SignalRow>(
        &archive,
        SignalRow::TABLE,
        &[SignalRow::from(&over), SignalRow::from(&burst)],
    )
    .await
    .unwrap();
    let stop = CancellationToken::new();
    let metrics = Metrics::new(&prometheus::Registry::new()).unwrap();
    let console = Console {
        live: Live::new(LIMITS, metrics.clone(), stop.clone()),
        metrics,
        ..Console::new(settings, store, routings, archive).unwrap()
    };
    let (cases, sources) = (console.cases.clone(), console.sources.clone());
    let (corrections, notices) = (console.corrections.clone(), Arc::clone(&console.notices));
    tokio::spawn(web::serve(console, listener, None, stop.clone()));
    Office {
        address,
        cases,
        corrections,
        sources,
        notices,
        stop,
        _clickhouse: clickhouse,
        _folder: folder,
    }
}

impl Office {
    /// Opens a case of its own event, led by a unit, and gives its id.
    async fn case(&self, event: &str, lead: &str, level: u8) -> String {
        let mut alert: Alert = example("alerts/v1/yellow.json");
        REGION.clone_into(&mut alert.region);
        alert.level = level;
        alert.event.id = event.to_owned();
        alert.id = backbone::id::of_alert(event, level);
        alert.event.title = format!("{event}{HOSTILE}");
        alert.event.gist = HOSTILE.to_owned();
        let routed = Routed {
            lead: lead.to_owned(),
            assists: Vec::new(),
            because: vec![HOSTILE.to_owned()],
            ..Routed::default()
        };
        let now = Timestamp::now();
        self.cases.take(&alert, &routed, now).await.unwrap();
        let query = Query {
            event: event.to_owned(),
            limit: 1,
            ..Query::default()
        };
        let page = self.cases.list(&query, &Actor::system()).await.unwrap();
        page.cases[0].id.clone()
    }

    /// Tells of one source in trouble, one that is well, and a site that is watched.
    async fn sources(&self) {
        let changed: SourceHealth = example("source-health/v1/changed.json");
        let mut well = SourceHealth {
            id: "well".to_owned(),
            source: format!("订阅{HOSTILE}"),
            kind: HOSTILE.to_owned(),
            condition: Condition::Well,
            problem: String::new(),
            ..changed.clone()
        };
        well.last_success = None;
        let mut watched: SourceHealth = example("source-health/v1/faulty.json");
        let mut hostile = watched.findings[0].clone();
        hostile.url = "javascript:alert(4)".to_owned();
        hostile.detail = HOSTILE.to_owned();
        watched.findings.push(hostile);
        for mut health in [well, changed, watched] {
            REGION.clone_into(&mut health.region);
            if !health.problem.is_empty() {
                health.problem = format!("{}{HOSTILE}", health.problem);
            }
            self.sources.take(&health, Timestamp::now()).await.unwrap();
        }
    }

    async fn dispatch(&self, case: &str) {
        let officer = Actor {
            name: "officer".to_owned(),
            role: Role::DutyOfficer,
            region: String::new(),
            unit: String::new(),
            via: String::new(),
        };
        let found = self.cases.get(case, &officer).await.unwrap().unwrap();
        let mut deed = Deed::plain(Action::Dispatch, found.version, "");
        found.lead().clone_into(&mut deed.lead);
        self.cases
            .perform(case, &deed, &officer, &self.notices, Timestamp::now())
            .await
            .unwrap();
    }

    async fn browser(&self, name: &str) -> Browser {
        Browser::sign_in(&self.address, name, PASSWORD).await
    }
}

async fn csrf(browser: &mut Browser) -> String {
    let page = browser.get("/account").await;
    page.hidden("csrf").unwrap().to_owned()
}

fn is_only_text(page: &Page) {
    let scripts = page.html.matches("<script").count();
    let own = page.html.matches("<script src=\"/assets/").count();
    assert_eq!(scripts, own, "{}", page.html);
    assert!(!page.html.contains("<img src=x"), "{}", page.html);
    assert!(!page.html.contains("href=\"javascript:"), "{}", page.html);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_opens_what_its_row_of_the_table_says_and_nothing_else() {
    let office = office().await;
    let case = office.case("水管", "zhujian", 3).await;
    office.sources().await;
    let address = |path: &str| {
        path.replace("/cases/{id}", &format!("/cases/{case}"))
            .replace("/assets/{name}", "/assets/console.css")
            .replace("{id}", "none")
            .replace("{name}", "officer")
            .replace("{region}", REGION)
            .replace("{code}", "zhujian")
            .replace("{file}", "docx")
    };
    // Signing out comes last, for it ends the session.
    let mut routes = ROUTES.to_vec();
    routes.sort_by_key(|route| route.path == "/logout");
    for (name, role) in [
        ("admin", Role::Administrator),
        ("officer", Role::DutyOfficer),
        ("leader", Role::Leader),
        ("housing", Role::UnitLead),
        ("contact", Role::UnitContact),
        ("auditor", Role::Auditor),
    ] {
        let mut browser = office.browser(name).await;
        let csrf = csrf(&mut browser).await;
        for route in &routes {
            let Who::Roles(roles) = route.who else {
                continue;
            };
            let path = address(route.path);
            let at = format!("{name}: {} {path}", route.method);
            let page = if route.method == "GET" {
                browser.get(&path).await
            } else {
                let forged = browser.post(&path, &[]).await;
                assert_eq!(forged.status, 403, "{at} without the page's secret");
                let forged = browser.post(&path, &[("csrf", &"0".repeat(64))]).await;
                assert_eq!(forged.status, 403, "{at} with another secret");
                // Fields that change nothing, so that the next role meets the same office.
                browser
                    .post(&path, &[("csrf", &csrf), ("active", "1")])
                    .await
            };
            assert_eq!(
                page.status == 403,
                !roles.contains(&role),
                "{at}: {}",
                page.status
            );
            assert!(!page.status.is_server_error(), "{at}: {}", page.status);
            is_only_text(&page);
        }
        assert_eq!(
            browser.get("/").await.location,
            "/login?next=%2F",
            "{name} is signed out"
        );
    }
    let mut nobody = Browser::new(&office.address);
    for route in &routes {
        let path = address(route.path);
        let page = match route.method {
            "GET" => nobody.get(&path).await,
            _ => nobody.post(&path, &[("csrf", "")]).await,
        };
        match (route.who, route.method) {
            // This office has no identity provider.
            (Who::Anyone, _) if path.starts_with("/login/identity") => {
                assert_eq!(page.status, 404, "{path}");
            }
            (Who::Anyone, "GET") => assert_eq!(page.status, 200, "{path}"),
            (Who::Anyone, _) => assert_eq!(page.status, 403, "{path}"),
            (Who::Roles(_), "GET") => {
                assert!(page.location.starts_with("/login?next="), "{path}");
            }
            (Who::Roles(_), _) => assert_eq!(page.status, 401, "{path}"),
        }
    }
    assert_eq!(nobody.get("/no-such-page").await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unit_meets_only_the_cases_dispatched_to_it() {
    let office = office().await;
    let own = office.case("水管", "zhujian", 3).await;
    let other = office.case("门诊", "weijian", 3).await;
    let waiting = office.case("路灯", "zhujian", 3).await;
    office.dispatch(&own).await;
    office.dispatch(&other).await;
    let mut housing = office.browser("housing").await;
    let page = housing.get("/cases").await;
    assert_eq!(page.values("data-case"), [own.as_str()]);
    let board = housing.get("/cases/board").await;
    assert_eq!(board.values("data-case"), [own.as_str()]);
    assert!(!board.html.contains("待研判"), "that is for the office");
    assert_eq!(housing.get(&format!("/cases/{own}")).await.status, 200);
    let sheet = housing.get(&format!("/cases/{own}/sheet")).await;
    assert!(
        sheet.html.contains("<td>县住房和城乡建设局</td>"),
        "{}",
        sheet.html
    );
    let csrf = csrf(&mut housing).await;
    for case in [&other, &waiting] {
        assert_eq!(housing.get(&format!("/cases/{case}")).await.status, 404);
        let sheet = housing.get(&format!("/cases/{case}/sheet")).await;
        assert_eq!(sheet.status, 404);
        let fields = [
            ("csrf", csrf.as_str()),
            ("version", "1"),
            ("action", "sign"),
        ];
        let page = housing.post(&format!("/cases/{case}/moves"), &fields).await;
        assert_eq!(page.status, 404);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_officers_at_one_case_do_not_overwrite_each_other() {
    let office = office().await;
    let case = office.case("水管", "zhujian", 3).await;
    let moves = format!("/cases/{case}/moves");
    let mut first = office.browser("officer").await;
    let mut second = office.browser("leader").await;
    let page = first.get(&format!("/cases/{case}")).await;
    let (csrf, version) = (
        page.hidden("csrf").unwrap(),
        page.hidden("version").unwrap(),
    );
    second.act(&case, "dispatch", &[("lead", "zhujian")]).await;
    second.act(&case, "urge", &[]).await;

    let page = first
        .post(
            &moves,
            &[
                ("csrf", csrf),
                ("version", version),
                ("action", "extend"),
                ("note", "需要专家会商"),
            ],
        )
        .await;
    assert_eq!(page.status, 409);
    assert!(page.html.contains("需要专家会商"), "what was typed is kept");

    // A note that must be written, a unit that is not there, a move that is none.
    let version = page.hidden("version").unwrap().to_owned();
    for (action, lead, status) in [("extend", "", 422), ("sign", "", 409), ("fly", "", 404)] {
        let fields = [
            ("csrf", csrf),
            ("version", version.as_str()),
            ("action", action),
            ("lead", lead),
        ];
        assert_eq!(first.post(&moves, &fields).await.status, status, "{action}");
    }
    let other = office.case("门诊", "weijian", 3).await;
    let page = first.get(&format!("/cases/{other}")).await;
    let fields = [
        ("csrf", csrf),
        ("version", page.hidden("version").unwrap()),
        ("action", "dispatch"),
        ("lead", "no-such-unit"),
    ];
    let page = first.post(&format!("/cases/{other}/moves"), &fields).await;
    assert_eq!(page.status, 422);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_to_a_grave_case_is_approved_by_the_leader() {
    let office = office().await;
    let case = office.case("燃气", "zhujian", 2).await;
    office.dispatch(&case).await;
    let mut housing = office.browser("housing").await;
    housing.act(&case, "sign", &[]).await;
    housing.act(&case, "reply", &[("note", HOSTILE)]).await;
    let mut officer = office.browser("officer").await;
    let page = officer.get(&format!("/cases/{case}")).await;
    assert!(!page.values("data-action").contains(&"approve"));
    let fields = [
        ("csrf", page.hidden("csrf").unwrap()),
        ("version", page.hidden("version").unwrap()),
        ("action", "approve"),
    ];
    let refused = officer.post(&format!("/cases/{case}/moves"), &fields).await;
    assert_eq!(refused.status, 409);
    let mut leader = office.browser("leader").await;
    let page = leader.act(&case, "approve", &[]).await;
    assert_eq!(page.values("data-state"), ["answered"]);
    is_only_text(&page);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_people_wrote_is_text_on_every_page() {
    let office = office().await;
    let case = office.case("水管", "zhujian", 3).await;
    office.sources().await;
    let mut officer = office.browser("officer").await;
    let posts = officer.get("/posts").await;
    let post = posts.values("data-post")[0].to_owned();
    for path in [
        "/".to_owned(),
        "/sources".to_owned(),
        "/posts".to_owned(),
        format!("/posts?text={}", "%3Cscript%3E%22%27"),
        format!("/posts/{post}"),
        "/events".to_owned(),
        "/cases".to_owned(),
        format!("/cases?text={}", "%22%3E%3Cscript%3E"),
        format!("/cases/{case}"),
    ] {
        let page = officer.get(&path).await;
        assert_eq!(page.status, 200, "{path}");
        is_only_text(&page);
    }
    let page = officer.get(&format!("/posts/{post}")).await;
    assert!(page.html.contains("&#60;script") || page.html.contains("&lt;script"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_is_checked_against_the_posts_of_its_event() {
    let office = office().await;
    let read: Assessment = example("assessments/v1/relevant.json");
    let case = office
        .case(&read.event.as_ref().unwrap().id, "zhujian", 3)
        .await;
    office.dispatch(&case).await;
    let mut housing = office.browser("housing").await;
    let draft = json!({ "draft": "您好，已收悉。" });
    let check = format!("/cases/{case}/reply-check");
    let (_, checked) = housing.ask(&check, &draft).await;
    assert_eq!(checked["against"], "posts", "{checked}");
    let points = checked["points"].as_array().unwrap();
    let asked = points.iter().find(|point| point["kind"] == "question");
    let words = asked.unwrap()["at"]["words"].as_str().unwrap();
    assert!(words.contains("什么时候能处理"), "{words}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_opens_a_case_of_a_matter_once() {
    let office = office().await;
    let read: Assessment = example("assessments/v1/relevant.json");
    let event = read.event.as_ref().unwrap().id.clone();
    let open = format!("/events/{event}/case");
    let mut officer = office.browser("officer").await;
    let good = json!({ "level": 3, "note": "来信人已两次来电" });
    for (path, body, status) in [
        (
            open.as_str(),
            json!({ "level": 5, "note": "重复来信" }),
            400,
        ),
        (&open, json!({ "level": 3, "note": " " }), 422),
        ("/events/none/case", good.clone(), 404),
    ] {
        let (refused, problem) = officer.ask(path, &body).await;
        assert_eq!(refused, status, "{problem}");
    }
    let (status, opened) = officer.ask(&open, &good).await;
    assert_eq!(status, 201, "{opened}");
    assert_eq!(opened["case"], backbone::id::of_case(&event));
    let (status, again) = officer.ask(&open, &good).await;
    assert_eq!((status.as_u16(), &again), (200, &opened));
    let page = officer.get(&format!("/events/{event}")).await;
    let case = opened["case"].as_str().unwrap();
    assert!(page.html.contains(&format!("href=\"/cases/{case}\"")));
    let mut leader = office.browser("leader").await;
    assert_eq!(leader.ask(&open, &good).await.0, 403, "as in the console");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_officer_opens_a_case_of_a_matter_that_no_alert_was_raised_for() {
    let office = office().await;
    let read: Assessment = example("assessments/v1/relevant.json");
    let event = format!("/events/{}", read.event.as_ref().unwrap().id);
    let mut officer = office.browser("officer").await;
    let page = officer.get(&event).await;
    assert!(page.html.contains("此事件没有立案"), "{}", page.html);
    let csrf = page.hidden("csrf").unwrap().to_owned();
    let open = format!("{event}/case");
    for (level, note) in [("4", ""), ("9", "来信人已两次来电")] {
        let fields = [("csrf", csrf.as_str()), ("level", level), ("note", note)];
        let refused = officer.post(&open, &fields).await;
        assert_eq!(refused.status, 422, "{level} {note}");
        assert!(refused.html.contains("此事件没有立案"));
    }
    let fields = [("csrf", csrf.as_str()), ("level", "3"), ("note", HOSTILE)];
    let opened = officer.post(&open, &fields).await;
    assert_eq!(opened.status, 303, "{}", opened.html);
    let case = officer.get(&opened.location).await;
    assert_eq!(case.values("data-state"), ["pending"]);
    for expected in ["立案", "officer", "Ⅲ级"] {
        assert!(case.html.contains(expected), "{expected}: {}", case.html);
    }
    is_only_text(&case);
    // Once more is the same case.
    assert_eq!(officer.post(&open, &fields).await.location, opened.location);
    let page = officer.get(&event).await;
    assert!(page.html.contains(&format!("href=\"{}\"", opened.location)));

    let found = office.cases.list(&Query::default(), &Actor::system()).await;
    let event = &found.unwrap().cases[0].alert.event;
    assert_eq!((event.posts, event.sentiments.negative), (2, 2));
    assert_eq!(
        event.post_ids.last(),
        Some(&read.post.id),
        "the newest last"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_office_sees_bursts_and_common_problems_those_that_last_first() {
    let office = office().await;
    let mut officer = office.browser("officer").await;
    let (burst, over): (Signal, Signal) = (
        example("signals/v1/burst.json"),
        example("signals/v1/over.json"),
    );
    for path in ["/", "/events"] {
        let page = officer.get(path).await;
        assert_eq!(page.values("data-signal"), [&burst.id, &over.id], "{path}");
        for shown in [
            burst.title.as_str(),
            over.title.as_str(),
            "3 → 4 → 4 → 6 → 7 → 8 → 11 → 14",
            "所涉事件 5 件",
            "仍在持续",
            "已回落",
        ] {
            assert!(page.html.contains(shown), "{path} lacks {shown}");
        }
        assert!(page.html.contains("href=\"/events/a3f2\">夜间施工噪声"));
    }
    let looked_for = officer.get("/events?text=%E5%99%AA%E5%A3%B0").await;
    assert!(looked_for.values("data-signal").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_officer_corrects_what_the_analyzer_read_and_it_is_kept_to_learn_from() {
    let office = office().await;
    let mut officer = office.browser("officer").await;
    let page = officer.get("/posts").await;
    let address = format!("/posts/{}", page.values("data-post")[0]);
    let page = officer.get(&address).await;
    assert!(page.html.contains("不更正（负面）"), "{}", page.html);
    let csrf = page.hidden("csrf").unwrap().to_owned();
    let correction = format!("{address}/correction");
    let fields = [
        ("csrf", csrf.as_str()),
        ("sentiment", "neutral"),
        ("subject", "政务服务"),
        ("unit", "zhujian"),
    ];
    let kept = officer.post(&correction, &fields).await;
    assert_eq!(kept.status, 303);
    assert_eq!(kept.location, address);
    let page = officer.get(&address).await;
    for expected in [
        "情感为中性",
        "事项为政务服务",
        "县住房和城乡建设局",
        "officer",
    ] {
        assert!(page.html.contains(expected), "{expected}: {}", page.html);
    }
    is_only_text(&page);

    let mut lines = Vec::new();
    office.corrections.write(&mut lines).await.unwrap();
    let line: serde_json::Value = serde_json::from_slice(&lines).unwrap();
    assert_eq!(line["subject"], "政务服务");
    assert_eq!(line["text"], HOSTILE);
    assert!(line.get("officer").is_none(), "who corrected is no lesson");

    let fields = [("csrf", csrf.as_str()), ("sentiment", "furious")];
    assert_eq!(officer.post(&correction, &fields).await.status, 404);
    // Nothing corrected takes the correction back.
    officer.post(&correction, &[("csrf", &csrf)]).await;
    assert!(!officer.get(&address).await.html.contains("data-corrected"));

    let mut leader = office.browser("leader").await;
    let page = leader.get(&address).await;
    assert!(!page.html.contains("保存更正"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_words_that_decided_are_marked_in_the_post() {
    let office = office().await;
    let mut officer = office.browser("officer").await;
    let page = officer.get("/posts").await;
    let post = page
        .values("data-post")
        .into_iter()
        .find(|post| post.starts_with("read"))
        .unwrap()
        .to_owned();
    let page = officer.get(&format!("/posts/{post}")).await;
    for expected in [
        "<mark class=\"place\" title=\"地点：冯川镇\">冯川镇</mark>",
        "<mark class=\"sentiment\" title=\"情感\">气味很重</mark>",
        "环境保护 / 固体废物",
        "牵头 县生态环境局",
        "投诉 81%",
    ] {
        assert!(page.html.contains(expected), "{expected}: {}", page.html);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_office_sees_which_sources_are_in_trouble() {
    let office = office().await;
    let mut officer = office.browser("officer").await;
    let page = officer.get("/sources").await;
    assert!(page.html.contains("还没有来源报告过情况"));
    assert!(!officer.get("/").await.html.contains("来源异常"));

    office.sources().await;
    let page = officer.get("/sources").await;
    assert_eq!(
        page.values("data-condition"),
        ["faulty", "changed", "well"],
        "those in trouble first"
    );
    for expected in [
        "站点异常",
        "站点监测",
        "疑似改版",
        "留言板/论坛",
        "正常",
        "2 / 11.5",
        "5分钟",
        "栏目未更新",
        "自2026-11-20 08:20",
        "2026-11-20 08:10",
        "http://board.example.test/thread-1025.html: has no text at",
        "last updated 2026-10-20, which is 31 days ago; meant to be every 14",
    ] {
        assert!(page.html.contains(expected), "{expected}: {}", page.html);
    }
    assert_eq!(page.values("data-finding"), ["stale", "stale"]);
    let link = "<a href=\"https://county.example.test/zwdt/\" rel=\"noopener noreferrer nofollow\"";
    assert!(page.html.contains(link), "{}", page.html);
    assert!(page.html.contains("javascript:alert(4)"), "as text only");
    is_only_text(&page);
    let page = officer.get("/").await;
    assert!(page.html.contains("<a href=\"/sources\">来源异常 2</a>"));

    let mut housing = office.browser("housing").await;
    assert_eq!(housing.get("/sources").await.status, 403);
    let page = housing.get("/").await;
    assert!(!page.html.contains("/sources") && !page.html.contains("来源异常"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_officer_pauses_a_source_and_has_it_read_again() {
    let office = office().await;
    office.sources().await;
    let mut officer = office.browser("officer").await;
    let page = officer.get("/sources").await;
    let source = page.values("data-source")[1].to_owned();
    let csrf = page.hidden("csrf").unwrap().to_owned();
    let change = async |officer: &mut Browser, source: &str, what: &str, reason: &str| {
        let path = format!("/sources/{source}/{what}");
        let fields = [("csrf", csrf.as_str()), ("reason", reason)];
        officer.post(&path, &fields).await
    };
    let long = "长".repeat(201);
    for (source, what, reason, problem) in [
        ("none", "pause", "停用", "没有找到这个来源"),
        ("none", "resume", "", "没有找到这个来源"),
        (source.as_str(), "pause", " ", "请填写暂停的原因"),
        (source.as_str(), "pause", &long, "原因过长"),
        (source.as_str(), "resume", "", "没有暂停"),
    ] {
        let page = change(&mut officer, source, what, reason).await;
        assert_eq!(page.status, 422, "{problem}");
        assert!(page.html.contains(problem), "{problem}: {}", page.html);
        assert!(!page.html.contains("data-paused"), "{}", page.html);
        assert!(
            !page.html.contains("hx-trigger"),
            "it is no page to return to"
        );
    }
    let page = change(&mut officer, &source, "pause", &long).await;
    assert!(page.html.contains(&long), "what was typed is kept");

    let reason = format!("网站改版{HOSTILE}");
    let page = change(&mut officer, &source, "pause", &reason).await;
    assert_eq!(page.location, "/sources?done=paused");
    let page = officer.get(&page.location).await;
    for expected in [
        "已提交暂停",
        "网站改版",
        "<small>officer，20",
        "待采集程序停止读取",
        "1个异常，1个暂停",
    ] {
        assert!(page.html.contains(expected), "{expected}: {}", page.html);
    }
    is_only_text(&page);
    let again = change(&mut officer, &source, "pause", "再停一次").await;
    assert_eq!(again.status, 422);
    assert!(again.html.contains("已经暂停"), "{}", again.html);
    let page = officer.get("/").await;
    assert!(page.html.contains("来源异常 1</a>") && page.html.contains("已暂停 1</a>"));

    // The collector tells that it does so.
    let mut health: SourceHealth = example("source-health/v1/paused.json");
    REGION.clone_into(&mut health.region);
    health.id.clone_from(&source);
    health.at = Timestamp::now();
    office
        .sources
        .take(&health, Timestamp::now())
        .await
        .unwrap();
    for reader in ["leader", "auditor"] {
        let page = office.browser(reader).await.get("/sources").await;
        assert_eq!(
            page.values("data-condition"),
            ["faulty", "paused", "well"],
            "{reader}"
        );
        assert!(page.html.contains("已暂停") && page.html.contains("网站改版"));
        assert!(!page.html.contains("待采集程序"), "{}", page.html);
        assert!(
            !page
                .html
                .contains("<form method=\"post\" action=\"/sources")
        );
    }

    let page = change(&mut officer, &source, "resume", "").await;
    assert_eq!(page.location, "/sources?done=resumed");
    let page = officer.get(&page.location).await;
    assert!(page.html.contains("待采集程序恢复读取"), "{}", page.html);
    assert!(!page.html.contains("data-paused"));
    let audit = office.browser("auditor").await.get("/audit").await;
    for action in ["暂停来源", "恢复来源"] {
        let told = format!("<td data-label=\"操作\">{action}");
        assert_eq!(audit.html.matches(&told).count(), 1, "{}", audit.html);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_office_sees_how_the_archive_is() {
    let office = office().await;
    let page = office.browser("leader").await.get("/system").await;
    for expected in [
        "最新帖文采集于20",
        "<dt>ClickHouse</dt><dd>2",
        "24小时没有新的帖文",
        "舆情库磁盘",
    ] {
        assert!(page.html.contains(expected), "{expected}: {}", page.html);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_cannot_be_guessed_and_an_account_set_aside_is_out_at_once() {
    let office = office().await;
    let mut officer = office.browser("officer").await;
    let mut admin = office.browser("admin").await;
    let csrf = csrf(&mut admin).await;
    let fields = [("csrf", csrf.as_str()), ("active", "0")];
    assert_eq!(
        admin.post("/users/officer/active", &fields).await.status,
        303
    );
    assert!(officer.get("/cases").await.location.starts_with("/login"));

    let mut guesser = Browser::new(&office.address);
    let page = guesser.get("/login").await;
    let secret = page.hidden("csrf").unwrap().to_owned();
    let mut statuses = Vec::new();
    for attempt in 0..12 {
        let password = format!("wrong password {attempt}");
        let fields = [
            ("csrf", secret.as_str()),
            ("name", "leader"),
            ("password", &password),
        ];
        statuses.push(guesser.post("/login", &fields).await.status.as_u16());
    }
    assert_eq!(statuses[0], 401);
    assert_eq!(statuses.last(), Some(&429));
    let fields = [
        ("csrf", secret.as_str()),
        ("name", "leader"),
        ("password", PASSWORD),
    ];
    assert_eq!(
        guesser.post("/login", &fields).await.status,
        429,
        "nor with the right one, for a while"
    );
}
