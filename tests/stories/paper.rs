//! A report from the form to who reads it: made from the archive, worded on the console, signed, sent, and the same for ever.

use std::collections::BTreeMap;
use std::sync::Arc;

use backbone::message::{self, Assessment};
use backbone::region::{Contact, ContactRole, Reach};
use jiff::{SignedDuration, Timestamp};
use responder::account::{Accounts, NewUser};
use responder::case::Role;
use responder::console::Console;
use responder::paper::Maker;
use responder::routing::Routing;
use responder::store::{self, Place};
use responder::{settings, web};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use wensheng_tests::{Archived, Browser, Page, duty, project};

const REGION: &str = "990101";
const PASSWORD: &str = "a password for tests";
const HOSTILE: &str = "</textarea></title><script>alert('1')</script><img src=x onerror=alert(2)>";

struct Office {
    address: String,
    archived: Archived,
    maker: Maker,
    stop: CancellationToken,
    _folder: TempDir,
}

impl Drop for Office {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// A post of the third week of November.
fn post(number: u32) -> Assessment {
    let example = project().join("backbone/examples/assessments/v1/relevant.json");
    let mut read: Assessment = message::decode(&std::fs::read(example).unwrap()).unwrap();
    let day: Timestamp = "2026-11-17T09:00:00+08:00".parse().unwrap();
    REGION.clone_into(&mut read.post.region);
    read.post.id = format!("{number:032}");
    read.post.title = format!("路灯不亮{number}{HOSTILE}");
    read.post.published_at = day + SignedDuration::from_mins(i64::from(number));
    read.post.collected_at = read.post.published_at;
    read
}

async fn office() -> Office {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::File(folder.path().join("responder.sqlite"));
    let store = store::Store::open(&place).await.unwrap();
    let routing = Routing::load(&project().join("deploy/sample/region").join(REGION)).unwrap();
    let routings = Arc::new(BTreeMap::from([(REGION.to_owned(), routing)]));
    let mut archived = Archived::start().await;
    archived
        .archive(&(0..12).map(post).collect::<Vec<_>>())
        .await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let settings: settings::Console = serde_json::from_value(
        serde_json::json!({ "listen": "127.0.0.1:0", "public_url": address }),
    )
    .unwrap();
    let accounts = Accounts::new(store.clone(), settings.session_limits());
    for (name, role) in [
        ("officer", Role::DutyOfficer),
        ("leader", Role::Leader),
        ("auditor", Role::Auditor),
    ] {
        let user = NewUser {
            name: name.to_owned(),
            display_name: name.to_owned(),
            role,
            region: String::new(),
            unit: String::new(),
            password: PASSWORD.to_owned(),
            must_change: false,
        };
        accounts.add(&user, Timestamp::now()).await.unwrap();
    }
    let mut console = Console::new(settings, store, routings, archived.client()).unwrap();
    // The sample has nobody to tell: here the duty office has.
    let mut regions = (*console.regions).clone();
    let office = (regions.values_mut())
        .flat_map(|region| &mut region.units)
        .find(|unit| unit.duty_office)
        .unwrap();
    office.contact.push(Contact {
        name: "分管领导".to_owned(),
        role: ContactRole::OfficeLeader,
        reach: vec![Reach {
            channel: "mail".to_owned(),
            to: "leader@county.example".to_owned(),
        }],
    });
    console.regions = Arc::new(regions);
    let maker = Maker {
        papers: console.papers.clone(),
        archive: console.archive.clone(),
        cases: console.cases.clone(),
        commitments: console.commitments.clone(),
        routings: Arc::clone(&console.routings),
        public_url: console.settings.public_url.clone(),
        schedules: Vec::new(),
        holder: "maker".to_owned(),
    };
    let stop = CancellationToken::new();
    tokio::spawn(web::serve(console, listener, None, stop.clone()));
    Office {
        address,
        archived,
        maker,
        stop,
        _folder: folder,
    }
}

impl Office {
    async fn browser(&self, name: &str) -> Browser {
        Browser::sign_in(&self.address, name, PASSWORD).await
    }

    /// Asks for the report of the week, makes it, and gives the address of its page.
    async fn report(&self, browser: &mut Browser) -> String {
        let page = duty::ask_for_report(browser, REGION).await;
        let making = browser.get(&page).await;
        assert_eq!(making.values("data-state"), ["making"]);
        assert!(making.html.contains("hx-trigger=\"every 2s\""));
        self.maker.look(Timestamp::now()).await.unwrap();
        page
    }
}

fn is_only_text(page: &Page) {
    let scripts = page.html.matches("<script").count();
    let own = page.html.matches("<script src=\"/assets/").count();
    assert_eq!(scripts, own, "{}", page.html);
    assert!(!page.html.contains("<img src=x"), "{}", page.html);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_weekly_report_is_worded_signed_sent_and_stays_the_same() {
    let mut office = office().await;
    let mut officer = office.browser("officer").await;
    let page = office.report(&mut officer).await;
    let shown = officer.get(&page).await;
    assert_eq!(shown.values("data-state"), ["draft"], "{}", shown.html);
    is_only_text(&shown);
    let list = officer.get("/reports?kind=weekly&state=draft").await;
    assert_eq!(list.values("data-paper").len(), 1);
    assert_eq!(
        officer
            .get("/reports?state=sent")
            .await
            .values("data-paper")
            .len(),
        0
    );

    // Asked for again it is the same one.
    let again = officer.send(
        "/reports/new",
        "../../reports",
        &[
            ("kind", "weekly"),
            ("from", "2026-11-16"),
            ("to", "2026-11-22"),
        ],
    );
    assert_eq!(again.await.location, format!("{page}?done=known"));

    // The look at it is framed by the console alone, and posts are text in it.
    let look = officer.get(&format!("{page}/preview")).await;
    assert_eq!(look.status, 200);
    assert!(look.html.contains("<svg") && look.html.contains("<base target=\"_blank\">"));
    is_only_text(&look);

    // A number is not changed unnoticed.
    let edit = format!("{page}/edit");
    let text = duty::wording(&officer.get(&edit).await);
    assert!(text.contains("12"), "{text}");
    let title = "路灯专题周报";
    let wrong = text.replacen("12", "21", 1);
    let refused = officer
        .send(&edit, "../text", &[("title", title), ("text", &wrong)])
        .await;
    assert_eq!(refused.status, 422);
    assert!(refused.html.contains("缺少12"), "{}", refused.html);
    assert!(
        refused.html.contains("name=\"reason\""),
        "a reason is asked for"
    );
    assert_eq!(duty::wording(&refused), wrong, "what was typed is kept");
    let nowhere = format!("{text}\n\n![](chart:nothing)");
    let refused = officer
        .send(&edit, "../text", &[("title", title), ("text", &nowhere)])
        .await;
    assert_eq!(refused.status, 422);
    let line = format!("第{}行", nowhere.lines().count());
    assert!(refused.html.contains(&line), "{line} {}", refused.html);

    // Words are, whatever they are.
    let worded = format!("{text}\n\n特此报告。{HOSTILE}\n");
    let hostile_title = format!("周报{}", HOSTILE.chars().take(50).collect::<String>());
    let fields = [
        ("title", hostile_title.as_str()),
        ("number", "某府办舆〔2026〕47号"),
        ("text", &worded),
    ];
    let refused = officer.send(&edit, "../text", &fields).await;
    // The hostile words have numbers of their own.
    assert_eq!(refused.status, 422);
    let mut with_reason = fields.to_vec();
    with_reason.push(("reason", HOSTILE));
    let saved = officer.send(&edit, "../text", &with_reason).await;
    assert_eq!(saved.status, 303, "{}", saved.html);
    for path in [
        page.clone(),
        edit.clone(),
        format!("{page}/preview"),
        "/reports".to_owned(),
    ] {
        let shown = officer.get(&path).await;
        assert_eq!(shown.status, 200, "{path}");
        is_only_text(&shown);
    }
    let shown = officer.get(&page).await;
    assert!(
        shown.html.contains("data-reason") && shown.html.contains("<ins>"),
        "{}",
        shown.html
    );

    // The duty officer submits, the leader signs; neither does the other's.
    let moves = |action| vec![("action", action)];
    assert_eq!(
        officer.send(&page, "moves", &moves("submit")).await.status,
        303
    );
    assert_eq!(
        officer.send(&page, "moves", &moves("approve")).await.status,
        403
    );
    let mut leader = office.browser("leader").await;
    assert_eq!(
        leader.send(&page, "moves", &moves("return")).await.status,
        422
    );
    let returned = [("action", "return"), ("note", "请署日期")];
    assert_eq!(leader.send(&page, "moves", &returned).await.status, 303);
    assert!(officer.get(&page).await.html.contains("请署日期"));
    assert_eq!(
        officer.send(&page, "moves", &moves("submit")).await.status,
        303
    );
    let signed = leader.send(&page, "moves", &moves("approve")).await;
    assert_eq!(signed.status, 303, "{}", signed.html);
    let before = leader.get(&format!("{page}/files/html")).await.html;
    assert!(before.contains("某府办舆〔2026〕47号"));
    let snapshot = leader.get(&format!("{page}/snapshot")).await.html;

    // A list is made, and who is on it is told.
    let form = officer.get("/reports/lists").await;
    let (csrf, contact) = (
        form.hidden("csrf").unwrap(),
        form.hidden("contact").unwrap(),
    );
    let fields = [
        ("csrf", csrf),
        ("region", REGION),
        ("name", "周报送阅"),
        ("contact", contact),
    ];
    assert_eq!(officer.post("/reports/lists", &fields).await.status, 303);
    let ids = officer.get("/reports/lists").await;
    let list = ids.values("data-list")[0].to_owned();
    assert_eq!(
        officer.send(&page, "send", &[("list", &list)]).await.status,
        303
    );
    let shown = officer.get(&page).await;
    assert_eq!(shown.values("data-state"), ["sent"]);
    assert!(shown.html.contains("分管领导"), "{}", shown.html);

    // Later the archive knows more; what was signed does not.
    office
        .archived
        .archive(&(12..40).map(post).collect::<Vec<_>>())
        .await;
    assert_eq!(
        officer.send(&page, "moves", &moves("remake")).await.status,
        409
    );
    office.maker.look(Timestamp::now()).await.unwrap();
    assert_eq!(leader.get(&format!("{page}/files/html")).await.html, before);
    assert_eq!(leader.get(&format!("{page}/snapshot")).await.html, snapshot);

    // The auditor reads, and does nothing.
    let mut auditor = office.browser("auditor").await;
    let shown = auditor.get(&page).await;
    assert_eq!(shown.status, 200);
    assert!(!shown.html.contains("data-moves") && !shown.html.contains("data-send"));
    assert_eq!(auditor.get(&format!("{page}/edit")).await.status, 403);
    let audit = auditor
        .get(&format!(
            "/audit?subject={}",
            page.rsplit('/').next().unwrap()
        ))
        .await;
    for done in [
        "提出报告",
        "生成报告",
        "修改报告",
        "报告送审",
        "退回报告",
        "签发报告",
        "发送报告",
        "查看报告",
    ] {
        assert!(audit.html.contains(done), "{done}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_asked_for_while_the_archive_is_down_and_is_made_when_it_is_back() {
    let mut office = office().await;
    let mut officer = office.browser("officer").await;
    office.archived.store.kill();
    let page = office.report(&mut officer).await;
    let shown = officer.get(&page).await;
    assert_eq!(shown.values("data-state"), ["making"]);
    assert!(shown.html.contains("系统会自动重试"), "{}", shown.html);
    office.archived.store.start_again();
    let later = Timestamp::now() + SignedDuration::from_mins(1);
    office.maker.look(later).await.unwrap();
    assert_eq!(officer.get(&page).await.values("data-state"), ["draft"]);
}
