//! What programs do by the API beside moving cases: files, silences, the roster, the knowledge base, commitments, and the check of a
//! reply.

use jiff::{SignedDuration, Timestamp};
use responder::account::Scope;
use responder::case::{Action, Actor, Deed, LARGEST, Role};
use responder::roster::{Planned, Post, Roster};
use serde_json::{Value, json};

use crate::served::{Answer, Office, Person, REGION, office};
use crate::stores::{Kept, on_each_store};

on_each_store!(
    a_unit_brings_a_file_and_the_office_saves_it,
    an_officer_silences_roadworks_and_ends_it_early,
    an_officer_swaps_two_nights_and_sees_who_is_missing,
    an_answer_is_proposed_by_the_office_and_approved_by_its_unit,
    a_unit_keeps_what_it_promised_and_no_other_units,
    a_draft_is_checked_against_what_is_known_of_the_matter,
);

async fn post(person: &mut Person, path: &str, body: &Value) -> Answer {
    person.ask("POST", path, body).await
}

/// Asserts that something was not done, and why.
fn refused(answer: &Answer, status: u16, problem: &str) {
    let told = (answer.status, answer.problem());
    assert_eq!(told, (status, problem.to_owned()), "{}", answer.text);
    let detail = answer.json()["detail"].as_str().unwrap().to_owned();
    assert!(!detail.is_empty());
}

/// How often an account did something to something, by the audit.
async fn audited(office: &Office, user: &str, action: &str, subject: &str) -> usize {
    let lines = office.accounts.audit_log(200).await.unwrap();
    (lines.iter())
        .filter(|line| (&*line.user, &*line.action, &*line.subject) == (user, action, subject))
        .count()
}

async fn bring(person: &mut Person, path: &str, content: impl Into<reqwest::Body>) -> Answer {
    let request = person.request("POST", path);
    let request = request
        .header("content-type", "application/octet-stream")
        .body(content);
    person.send(request).await
}

async fn a_unit_brings_a_file_and_the_office_saves_it(kept: Kept) {
    let office = office(kept).await;
    let case = office.case("水管", "zhujian").await;
    office.dispatch(&case).await;
    let files = format!("/api/v1/cases/{case}/attachments");
    let named = format!("{files}?name=整改 通知.pdf");
    let mut housing = office
        .program("housing", &[Scope::CasesRead, Scope::CasesMove])
        .await;

    let added = bring(&mut housing, &named, "%PDF-1.7").await;
    assert_eq!(added.status, 201, "{}", added.text);
    let again = bring(&mut housing, &named, "%PDF-1.7").await;
    assert_eq!(again.json(), added.json(), "the same file again");
    let id = added.json()["id"].as_str().unwrap().to_owned();

    let json = post(&mut housing, &named, &json!({})).await;
    refused(&json, 415, "media-type");
    let page = bring(&mut housing, &named, "<html>").await;
    refused(&page, 422, "refused");
    let nameless = bring(&mut housing, &files, "%PDF-1.7").await;
    refused(&nameless, 400, "parameter");
    assert_eq!(nameless.json()["field"], "name");
    let large = bring(&mut housing, &named, vec![b'0'; LARGEST + 1]).await;
    refused(&large, 413, "too-large");

    let mut officer = office.person("officer").await;
    let list = officer.get(&files).await.json();
    assert_eq!(list.as_array().unwrap().len(), 1);
    let file = &list[0];
    assert_eq!(
        [&file["id"], &file["name"], &file["type"], &file["actor"]],
        [&*id, "整改 通知.pdf", "application/pdf", "housing"]
    );
    let saved = officer.get(&format!("{files}/{id}")).await;
    assert_eq!((saved.status, saved.text.as_str()), (200, "%PDF-1.7"));
    assert_eq!(
        saved.headers["content-disposition"],
        "attachment; filename*=UTF-8''%E6%95%B4%E6%94%B9%20%E9%80%9A%E7%9F%A5.pdf"
    );
    refused(
        &officer.get(&format!("{files}/none")).await,
        404,
        "not-found",
    );
    let elsewhere = office.case("路灯", "zhujian").await;
    let path = format!("/api/v1/cases/{elsewhere}/attachments/{id}");
    refused(&officer.get(&path).await, 404, "not-found");

    assert_eq!(
        audited(&office, "officer", "read-attachments", &case).await,
        1
    );
    assert_eq!(audited(&office, "officer", "read-attachment", &id).await, 1);
    assert_eq!(audited(&office, "housing", "attach", &case).await, 2);
}

async fn an_officer_silences_roadworks_and_ends_it_early(kept: Kept) {
    let office = office(kept).await;
    let mut officer = office.person("officer").await;
    let until = Timestamp::now() + SignedDuration::from_hours(8);
    let silence = json!({
        "region": REGION, "reason": "文化路施工，已公告", "until": until,
        "matches": { "subject": ["交通运输"], "level": [3, 4.0] }
    });
    let made = post(&mut officer, "/api/v1/silences", &silence).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let made = made.json();
    assert_eq!(made["author"], "officer");
    assert_eq!(made["active"], true);
    assert_eq!(made["matches"]["level"], json!([3, 4]));

    for (field, value) in [
        ("reason", json!(" ")),
        ("matches", json!({})),
        ("matches", json!({ "subject": ["天气"] })),
        ("until", json!("2020-01-01T00:00:00Z")),
        ("region", json!("000000")),
    ] {
        let mut wrong = silence.clone();
        wrong[field] = value;
        let answer = post(&mut officer, "/api/v1/silences", &wrong).await;
        refused(&answer, 422, "refused");
    }
    let mut wrong = silence.clone();
    wrong["matches"]["words"] = json!(["长".repeat(101)]);
    let answer = post(&mut officer, "/api/v1/silences", &wrong).await;
    refused(&answer, 400, "body");
    assert_eq!(answer.json()["field"], "matches.words");

    let active = format!("/api/v1/silences?active=true&region={REGION}");
    let mut auditor = office.program("auditor", &[Scope::SilencesRead]).await;
    assert_eq!(auditor.get(&active).await.json()[0], made);
    let id = made["id"].as_str().unwrap();
    let path = format!("/api/v1/silences/{id}");
    let mut leader = office.person("leader").await;
    assert_eq!(leader.ask("DELETE", &path, &Value::Null).await.status, 204);
    refused(
        &leader.ask("DELETE", &path, &Value::Null).await,
        404,
        "not-found",
    );
    assert_eq!(auditor.get(&active).await.json(), json!([]));
    let kept = auditor.get("/api/v1/silences").await.json();
    assert_eq!(
        (&kept[0]["id"], &kept[0]["ended_by"]),
        (&made["id"], &json!("leader"))
    );
    assert_eq!(audited(&office, "officer", "add-silence", id).await, 1);
    assert_eq!(audited(&office, "leader", "end-silence", id).await, 1);
}

async fn an_officer_swaps_two_nights_and_sees_who_is_missing(kept: Kept) {
    let office = office(kept).await;
    let now = Timestamp::now();
    let at = |hours: i64| now + SignedDuration::from_hours(hours);
    let planned = |post, who: &str, from: i64, until: i64| Planned {
        post,
        who: who.to_owned(),
        from: at(from),
        until: at(until),
    };
    let shifts = [
        planned(Post::DutyOfficer, "张三", -12, 12),
        planned(Post::DutyOfficer, "李四", 12, 36),
        planned(Post::DutyLeader, "王五", 0, 48),
        planned(Post::DutyOfficer, "赵六", 400, 424),
    ];
    let roster = Roster::new(office.kept.store.clone());
    roster.import(REGION, &shifts, false, now).await.unwrap();

    let mut officer = office.person("officer").await;
    let days = format!("/api/v1/roster?region={REGION}");
    let shown = officer.get(&days).await.json();
    let who = |shifts: &Value| -> Vec<String> {
        (shifts.as_array().unwrap().iter())
            .map(|shift| shift["who"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(who(&shown["on_duty"]), ["张三", "王五"]);
    assert_eq!(who(&shown["shifts"]).len(), 3, "two weeks");
    let gaps = shown["gaps"].as_array().unwrap();
    let posts: Vec<_> = gaps
        .iter()
        .map(|gap| gap["post"].as_str().unwrap())
        .collect();
    assert_eq!(posts, ["duty-officer", "duty-leader", "office-leader"]);

    let id = |who: &str| -> String {
        let shifts = shown["shifts"].as_array().unwrap();
        let of = shifts.iter().find(|shift| shift["who"] == who).unwrap();
        of["id"].as_str().unwrap().to_owned()
    };
    let swap = |one: &str, other: &str| json!({ "region": REGION, "shifts": [one, other], "reason": "家中有事" });
    let swaps = "/api/v1/roster/swaps";
    for wrong in [swap(&id("张三"), &id("王五")), swap(&id("张三"), "none")] {
        refused(&post(&mut officer, swaps, &wrong).await, 422, "refused");
    }
    let alone = json!({ "region": REGION, "shifts": [id("张三")], "reason": "家中有事" });
    refused(&post(&mut officer, swaps, &alone).await, 400, "body");
    let made = post(&mut officer, swaps, &swap(&id("张三"), &id("李四"))).await;
    assert_eq!(made.status, 201, "{}", made.text);

    let mut leader = office.program("leader", &[Scope::RosterRead]).await;
    let shown = leader.get(&days).await.json();
    assert_eq!(who(&shown["on_duty"]), ["李四", "王五"]);
    assert_eq!(shown["swaps"], json!([made.json()]));
    assert_eq!(
        (&shown["swaps"][0]["by"], &shown["swaps"][0]["who"]),
        (&json!("officer"), &json!(["张三", "李四"]))
    );
    let later = format!("{days}&from={}&until={}", at(390), at(430));
    let later = leader.get(&later).await.json();
    assert_eq!(who(&later["shifts"]), ["赵六"]);
    assert_eq!(later["swaps"], json!([]), "of shifts of that time");
    for (query, status, problem) in [
        ("/api/v1/roster", 400, "parameter"),
        ("/api/v1/roster?region=000000", 422, "refused"),
        (
            &format!("{days}&from={}&until={}", at(1), at(0)),
            422,
            "refused",
        ),
        (&format!("{days}&until={}", at(367 * 24)), 422, "refused"),
    ] {
        refused(&leader.get(query).await, status, problem);
    }
    let made = made.json();
    let id = made["id"].as_str().unwrap();
    assert_eq!(audited(&office, "officer", "swap-shifts", id).await, 1);
}

/// Proposes an entry of a unit and gives its id.
async fn propose(officer: &mut Person, unit: &str, question: &str) -> String {
    let entry = json!({
        "region": REGION, "question": question, "unit": unit, "subject": "城乡建设",
        "answer": "请拨打县住建局电话，24小时内上门维修。", "basis": "《城市供水条例》"
    });
    let answer = post(officer, "/api/v1/knowledge", &entry).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let entry = answer.json();
    assert_eq!(
        (&entry["state"], &entry["version"]),
        (&json!("proposed"), &json!(1))
    );
    entry["id"].as_str().unwrap().to_owned()
}

async fn an_answer_is_proposed_by_the_office_and_approved_by_its_unit(kept: Kept) {
    let office = office(kept).await;
    let mut officer = office.person("officer").await;
    let question = "小区自来水管漏水找谁维修？";
    let id = propose(&mut officer, "zhujian", question).await;
    let entry = format!("/api/v1/knowledge/{id}");
    let scopes = [Scope::KnowledgeRead, Scope::KnowledgeWrite];
    let mut housing = office.program("housing", &scopes).await;
    let mut health = office.program("health", &scopes).await;

    let again = json!({
        "region": REGION, "question": question, "unit": "zhujian", "subject": "城乡建设", "answer": "请致电。"
    });
    refused(
        &post(&mut officer, "/api/v1/knowledge", &again).await,
        422,
        "refused",
    );
    refused(
        &post(&mut health, "/api/v1/knowledge", &again).await,
        409,
        "not-allowed",
    );
    let mut sourced = again.clone();
    sourced["question"] = json!("医院停车怎么收费？");
    sourced["source"] = json!("none");
    refused(
        &post(&mut officer, "/api/v1/knowledge", &sourced).await,
        422,
        "refused",
    );

    let list = "/api/v1/knowledge?state=proposed";
    let search = "/api/v1/knowledge?text=水管漏水&subject=城乡建设";
    let first = json!({ "version": 1 });
    let approve = format!("{entry}/approve");
    for path in [list, search, "/api/v1/knowledge"] {
        assert_eq!(health.get(path).await.json(), json!([]), "{path}");
        assert_eq!(housing.get(path).await.json()[0]["id"], id, "{path}");
    }
    refused(&health.get(&entry).await, 404, "not-found");
    refused(&post(&mut health, &approve, &first).await, 404, "not-found");
    refused(
        &post(&mut officer, &approve, &first).await,
        409,
        "not-allowed",
    );
    let older = json!({ "version": 0 });
    refused(&post(&mut housing, &approve, &older).await, 409, "stale");
    let approved = post(&mut housing, &approve, &first).await;
    assert_eq!(approved.status, 200, "{}", approved.text);
    assert_eq!(approved.json()["state"], "approved");

    let found = health.get(search).await.json();
    assert_eq!(found[0]["question"], question);
    assert!(found[0]["score"].as_f64().unwrap() > 0.5, "{found}");
    assert_eq!(health.get(&entry).await.json()["score"], Value::Null);
    let other = "/api/v1/knowledge?text=水管漏水&subject=卫生计生";
    assert_eq!(health.get(other).await.json(), json!([]));
    let elsewhere = "/api/v1/knowledge?region=360921";
    assert_eq!(health.get(elsewhere).await.json(), json!([]));

    let retire = format!("{entry}/retire");
    let second = json!({ "version": 2 });
    refused(
        &post(&mut health, &retire, &second).await,
        409,
        "not-allowed",
    );
    let retired = post(&mut officer, &retire, &second).await;
    assert_eq!(retired.json()["state"], "retired", "{}", retired.text);
    assert_eq!(officer.get(search).await.json(), json!([]));
    refused(&health.get(&entry).await, 404, "not-found");
    for (user, action) in [
        ("officer", "propose-knowledge"),
        ("housing", "approve-knowledge"),
        ("officer", "retire-knowledge"),
    ] {
        assert_eq!(audited(&office, user, action, &id).await, 1, "{action}");
    }
}

async fn a_unit_keeps_what_it_promised_and_no_other_units(kept: Kept) {
    let office = office(kept).await;
    let case = office.case("水管", "zhujian").await;
    let other = office.case("门诊", "weijian").await;
    office.dispatch(&case).await;
    office.dispatch(&other).await;
    let scopes = [
        Scope::CommitmentsRead,
        Scope::CommitmentsWrite,
        Scope::CasesMove,
    ];
    let mut housing = office.program("housing", &scopes).await;
    let mut health = office.program("health", &scopes).await;
    let mut officer = office.person("officer").await;

    let of = |case: &str| format!("/api/v1/cases/{case}/commitments");
    let promise = json!({ "what": "更换水管", "due": "2027-01-31" });
    let added = post(&mut housing, &of(&case), &promise).await;
    assert_eq!(added.status, 201, "{}", added.text);
    let added = added.json();
    assert_eq!(
        [
            &added["unit"],
            &added["due"],
            &added["state"],
            &added["case"]
        ],
        ["zhujian", "2027-01-31", "open", &case]
    );
    let again = post(&mut housing, &of(&case), &promise).await;
    assert_eq!(again.json()["id"], added["id"], "the same again");
    let for_others = json!({ "what": "增设门诊", "due": "2027-01-31", "unit": "weijian" });
    let answer = post(&mut housing, &of(&case), &for_others).await;
    refused(&answer, 409, "not-allowed");
    let answer = post(&mut officer, &of(&case), &for_others).await;
    refused(&answer, 422, "refused");
    let theirs = post(&mut officer, &of(&other), &for_others).await.json();
    assert_eq!(
        (&theirs["unit"], &theirs["added_by"]),
        (&json!("weijian"), &json!("officer"))
    );

    let ids = |list: Value| -> Vec<Value> {
        let list = list.as_array().unwrap().clone();
        list.iter().map(|one| one["id"].clone()).collect()
    };
    let list = "/api/v1/commitments";
    assert_eq!(ids(officer.get(list).await.json()).len(), 2);
    assert_eq!(ids(housing.get(list).await.json()), [added["id"].clone()]);
    for hidden in [
        format!("{list}?case={other}"),
        format!("{list}?unit=weijian"),
        format!("{list}?region=360921"),
        format!("{list}?state=kept"),
    ] {
        assert_eq!(housing.get(&hidden).await.json(), json!([]), "{hidden}");
    }
    let of_case = format!("{list}?case={case}&region={REGION}&unit=zhujian&state=open");
    assert_eq!(
        ids(housing.get(&of_case).await.json()),
        [added["id"].clone()]
    );
    assert_eq!(
        audited(&office, "housing", "read-commitments", &case).await,
        1
    );
    assert_eq!(
        audited(&office, "housing", "read-commitments", &other).await,
        0
    );

    let id = added["id"].as_str().unwrap();
    let (keep, withdraw) = (format!("{list}/{id}/keep"), format!("{list}/{id}/withdraw"));
    let proof = json!({ "proof": "1月20日已更换" });
    let reason = json!({ "reason": "改由水务公司办理" });
    refused(&post(&mut health, &keep, &proof).await, 404, "not-found");
    refused(
        &post(&mut health, &withdraw, &reason).await,
        404,
        "not-found",
    );
    let unknown = json!({ "proof": "见照片", "attachment": "none" });
    refused(&post(&mut housing, &keep, &unknown).await, 422, "refused");
    let silent = json!({ "proof": " " });
    refused(&post(&mut housing, &keep, &silent).await, 422, "refused");
    let files = format!("/api/v1/cases/{case}/attachments?name=验收.pdf");
    let file = bring(&mut housing, &files, "%PDF-1.7").await.json()["id"].clone();
    let shown = json!({ "proof": "1月20日已更换", "attachment": file });
    let kept = post(&mut housing, &keep, &shown).await;
    assert_eq!(kept.status, 200, "{}", kept.text);
    assert_eq!(
        [&kept.json()["state"], &kept.json()["ended_by"]],
        ["kept", "housing"]
    );
    assert_eq!(kept.json()["attachment"], file);
    refused(&post(&mut officer, &keep, &proof).await, 409, "stale");
    let theirs = theirs["id"].as_str().unwrap();
    let path = format!("{list}/{theirs}/withdraw");
    let withdrawn = post(&mut officer, &path, &reason).await.json();
    assert_eq!(withdrawn["state"], "withdrawn");
    for (user, action, subject) in [
        ("housing", "keep-commitment", id),
        ("officer", "withdraw-commitment", theirs),
    ] {
        assert_eq!(audited(&office, user, action, subject).await, 1, "{action}");
    }
}

/// Brings a case through to its answer, by its unit.
async fn answer(office: &Office, case: &str, unit: &str, reply: &str) {
    office.dispatch(case).await;
    for (role, action, note) in [
        (Role::UnitLead, Action::Sign, ""),
        (Role::UnitLead, Action::Reply, reply),
        (Role::DutyOfficer, Action::Approve, ""),
    ] {
        let of = |text: &str| if role.of_unit() { text } else { "" }.to_owned();
        let actor = Actor {
            name: "someone".to_owned(),
            role,
            region: of(REGION),
            unit: of(unit),
            via: String::new(),
        };
        let version = (office.cases.get(case, &actor).await.unwrap().unwrap()).version;
        let deed = Deed::plain(action, version, note);
        let now = Timestamp::now();
        let made = office
            .cases
            .perform(case, &deed, &actor, &office.notices, now);
        made.await.unwrap();
    }
}

async fn a_draft_is_checked_against_what_is_known_of_the_matter(kept: Kept) {
    let office = office(kept).await;
    let case = office.case("水管漏水没人维修", "zhujian").await;
    office.dispatch(&case).await;
    let mut officer = office.person("officer").await;
    let proposed = "水管漏水没人维修怎么办？";
    let id = propose(&mut officer, "zhujian", proposed).await;
    let mut housing = office.person("housing").await;
    let check = format!("/api/v1/cases/{case}/reply-check");
    let draft = json!({ "draft": "您好，请联系张先生，电话13812345678。" });
    let checked = post(&mut housing, &check, &draft).await;
    assert_eq!(checked.status, 200, "{}", checked.text);
    let checked = checked.json();
    assert_eq!(checked["against"], "gist", "no archive is there");
    assert_eq!(
        checked["suggestions"],
        json!([]),
        "no unit stands for it yet"
    );
    assert_eq!(checked["may_go_to_review"], false);
    let findings = checked["findings"].as_array().unwrap();
    let personal = findings.iter().find(|found| found["kind"] == "personal");
    assert_eq!(personal.unwrap()["at"]["words"], "13812345678");
    assert!(findings.iter().any(|found| found["kind"] == "unanswered"));

    let approve = format!("/api/v1/knowledge/{id}/approve");
    let approved = post(&mut housing, &approve, &json!({ "version": 1 })).await;
    assert_eq!(approved.status, 200, "{}", approved.text);
    let checked = post(&mut housing, &check, &draft).await.json();
    let suggested = &checked["suggestions"][0];
    assert_eq!(suggested["knowledge"], id, "{checked}");
    assert_eq!(suggested["case"], Value::Null);
    let point = suggested["point"].as_u64().unwrap() as usize;
    let words = checked["points"][point]["at"]["words"].as_str().unwrap();
    assert!(words.contains("水管漏水"), "{words}");

    let repaired = "水管已于当日修好。";
    let theirs = office.case("水管漏水没人来修", "weijian").await;
    answer(&office, &theirs, "weijian", repaired).await;
    let from_cases = |checked: Value| -> Vec<Value> {
        let suggestions = checked["suggestions"].as_array().unwrap().clone();
        (suggestions.into_iter())
            .filter(|suggestion| suggestion["text"] == repaired)
            .map(|suggestion| suggestion["case"].clone())
            .collect()
    };
    let checked = post(&mut housing, &check, &draft).await.json();
    assert_eq!(from_cases(checked), [Value::Null; 0], "of another unit");
    let checked = post(&mut officer, &check, &draft).await.json();
    assert_eq!(from_cases(checked), [json!(theirs)]);

    for (wrong, status, problem) in [
        (json!({ "draft": "" }), 400, "body"),
        (json!({ "draft": "长".repeat(6_001) }), 400, "body"),
        (json!({}), 400, "body"),
    ] {
        refused(&post(&mut housing, &check, &wrong).await, status, problem);
    }
    let mut auditor = office.person("auditor").await;
    refused(&post(&mut auditor, &check, &draft).await, 403, "forbidden");
    assert_eq!(audited(&office, "housing", "check-reply", &case).await, 3);
}
