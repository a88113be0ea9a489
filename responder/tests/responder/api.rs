//! The API as programs and the console's pages use it: who may what, what is refused and how that is told.

use std::collections::BTreeSet;

use responder::account::{Scope, Span};
use responder::api::{self, RULES, Tokens};
use responder::console::Who;
use serde_json::{Value, json};

use crate::served::{Answer, PEOPLE, Person, office};
use crate::stores::{Kept, on_each_store};

on_each_store!(
    a_role_and_a_scope_reach_what_the_table_says_and_nothing_else,
    a_unit_meets_only_the_cases_dispatched_to_it,
    a_case_is_moved_and_a_move_on_an_older_version_is_refused,
    what_is_wrong_is_told_with_its_field,
    the_audit_is_exported_as_it_stands,
);

fn document() -> Value {
    serde_json::from_str(api::openapi()).unwrap()
}

/// Method and path of all that the document tells of.
fn told() -> BTreeSet<(String, String)> {
    let document = document();
    let paths = document["paths"].as_object().unwrap();
    let of = |(path, item): (&String, &Value)| -> Vec<_> {
        (item.as_object().unwrap().keys())
            .map(|method| (method.to_uppercase(), path.clone()))
            .collect()
    };
    paths.iter().flat_map(of).collect()
}

#[test]
fn the_document_that_is_committed_is_the_one_that_is_served() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(&path, api::openapi()).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == api::openapi(),
        "responder/openapi.json is not that of the handlers; run UPDATE_OPENAPI=1 cargo test -p responder api:: and review the difference"
    );
}

#[test]
fn every_route_has_one_rule_and_every_rule_a_route() {
    let rules: Vec<_> = (RULES.iter())
        .map(|rule| (rule.method.to_owned(), rule.path.to_owned()))
        .collect();
    let once: BTreeSet<_> = rules.iter().cloned().collect();
    assert_eq!(once.len(), rules.len(), "a route has two rules");
    assert_eq!(told(), once);
}

/// What a route is asked with: an id that there is where that matters for who may, and a body that changes nothing.
fn address(path: &str, case: &str) -> String {
    path.replace("/cases/{id}", &format!("/cases/{case}"))
        .replace("{attachment}", "none")
        .replace("{id}", "none")
        .replace("{name}", "nobody-known")
}

async fn knock(person: &mut Person, rule: &api::Rule, case: &str) -> (u16, String) {
    let body = match rule.method {
        "GET" | "DELETE" => Value::Null,
        _ => json!({}),
    };
    let answer = person
        .ask(rule.method, &address(rule.path, case), &body)
        .await;
    let problem = match answer.status {
        status if status >= 400 => answer.problem(),
        _ => String::new(),
    };
    (answer.status, problem)
}

async fn a_role_and_a_scope_reach_what_the_table_says_and_nothing_else(kept: Kept) {
    let office = office(kept).await;
    let case = office.case("水管", "zhujian").await;
    office.dispatch(&case).await;
    for (name, role, _) in PEOPLE {
        let mut person = office.person(name).await;
        let mut program = office.program(name, &Scope::ALL).await;
        for rule in RULES {
            let at = format!("{name}: {} {}", rule.method, rule.path);
            let Who::Roles(roles) = rule.who else {
                continue;
            };
            let may = roles.contains(&role);
            let (status, problem) = knock(&mut person, rule, &case).await;
            assert_eq!(status == 403, !may, "{at}: {status} {problem}");
            assert!(status < 500 || problem == "archive", "{at}: {status}");
            if !may {
                assert_eq!(problem, "forbidden", "{at}");
            } else if rule.method != "GET" {
                let mut forged = person.clone();
                for csrf in ["", &"0".repeat(64)] {
                    forged.csrf = csrf.to_owned();
                    let refused = knock(&mut forged, rule, &case).await;
                    assert_eq!(refused, (403, "csrf".to_owned()), "{at}");
                }
            }
            let (status, problem) = knock(&mut program, rule, &case).await;
            let may = may && rule.tokens != Tokens::None;
            assert_eq!(status == 403, !may, "{at} by token: {status} {problem}");
        }
    }
    for scope in Scope::ALL {
        let mut program = office.program("admin", &[scope]).await;
        for rule in RULES {
            let may = match rule.tokens {
                Tokens::Any => true,
                Tokens::With(needed) => needed == scope,
                Tokens::None => false,
            };
            let (status, problem) = knock(&mut program, rule, &case).await;
            let at = format!("{}: {} {}", scope.name(), rule.method, rule.path);
            assert_eq!(status == 403, !may, "{at}: {status}");
            assert_eq!(problem == "scope", !may, "{at}: {problem}");
        }
    }
    let mut nobody = office.nobody();
    let mut stranger = office.nobody();
    stranger.token = "wensheng_0".to_owned();
    for rule in RULES {
        for person in [&mut nobody, &mut stranger] {
            let (status, problem) = knock(person, rule, &case).await;
            match rule.who {
                Who::Anyone => assert_eq!(status, 200, "{}", rule.path),
                Who::Roles(_) => assert_eq!((status, problem.as_str()), (401, "unauthenticated")),
            }
        }
    }
}

/// Asks for all that a route of a case gives, with a body that it takes.
async fn reach(person: &mut Person, rule: &api::Rule, case: &str, file: &str) -> Answer {
    let path = rule.path.replace("{attachment}", file);
    let path = address(&path, case);
    let noun = path.rsplit('/').next().unwrap();
    let body = match (rule.method, noun) {
        ("GET", _) => Value::Null,
        (_, "moves") => json!({ "action": "note", "version": 2, "note": "已核实" }),
        (_, "reply-check") => json!({ "draft": "您好，水管已修好。" }),
        (_, "commitments") => json!({ "what": "更换水管", "due": "2027-01-31" }),
        (_, "attachments") => {
            let request = person
                .request("POST", &format!("{path}?name=通知.pdf"))
                .header("content-type", "application/octet-stream")
                .body("%PDF-1.7");
            return person.send(request).await;
        }
        _ => panic!("what does {} {} take?", rule.method, rule.path),
    };
    person.ask(rule.method, &path, &body).await
}

async fn a_unit_meets_only_the_cases_dispatched_to_it(kept: Kept) {
    let office = office(kept).await;
    let own = office.case("水管", "zhujian").await;
    let other = office.case("门诊", "weijian").await;
    let waiting = office.case("路灯", "zhujian").await;
    office.dispatch(&own).await;
    office.dispatch(&other).await;
    let mut files = Vec::new();
    let mut officer = office.person("officer").await;
    for case in [&own, &other, &waiting] {
        let path = format!("/api/v1/cases/{case}/attachments?name=来信.pdf");
        let file = officer
            .request("POST", &path)
            .header("content-type", "application/octet-stream")
            .body("%PDF-1.4");
        let added = officer.send(file).await.json();
        files.push(added["id"].as_str().unwrap().to_owned());
    }
    for name in ["housing", "contact"] {
        let mut session = office.person(name).await;
        let mut program = office.program(name, &Scope::ALL).await;
        for unit in [&mut session, &mut program] {
            let list = unit.get("/api/v1/cases").await.json();
            assert_eq!(list["total"], 1);
            assert_eq!(list["items"][0]["id"], own);
            for filter in ["unit=weijian", "event=门诊", "text=门诊", "state=pending"] {
                let list = unit.get(&format!("/api/v1/cases?{filter}")).await.json();
                assert_eq!(list, json!({ "items": [], "total": 0 }), "{filter}");
            }
            let counts = unit.get("/api/v1/counts").await.json();
            assert_eq!(
                (&counts["open"], &counts["pending"]),
                (&json!(1), &json!(0))
            );
            for rule in RULES
                .iter()
                .filter(|rule| rule.path.contains("/cases/{id}"))
            {
                let seen = reach(unit, rule, &own, &files[0]).await;
                assert_ne!(seen.status, 404, "{}: {}", rule.path, seen.text);
                for (hidden, file) in [(&other, &files[1]), (&waiting, &files[2])] {
                    let answer = reach(unit, rule, hidden, file).await;
                    assert_eq!(answer.status, 404, "{} {}", rule.method, rule.path);
                    let nowhere = reach(unit, rule, "none", file).await;
                    assert_eq!(answer.text, nowhere.text, "as if it did not exist");
                }
            }
        }
    }
    let hidden = [&other, &waiting, &files[1], &files[2]].map(String::clone);
    let audit = office.accounts.audit_log(200).await.unwrap();
    assert!(
        (audit.iter())
            .filter(|line| line.user != "officer")
            .all(|line| !hidden.contains(&line.subject)),
        "what was not shown was not read"
    );
}

async fn a_case_is_moved_and_a_move_on_an_older_version_is_refused(kept: Kept) {
    let office = office(kept).await;
    let case = office.case("水管", "zhujian").await;
    let path = format!("/api/v1/cases/{case}");
    let moves = format!("{path}/moves");
    let mut officer = office.person("officer").await;
    let shown = officer.get(&path).await.json();
    assert_eq!(shown["case"]["state"], "pending");
    assert_eq!(
        shown["may"],
        json!(["dispatch", "dismiss", "merge", "note"])
    );
    let dispatch = json!({
        "action": "dispatch", "version": shown["case"]["version"], "lead": "zhujian",
        "assists": ["weijian"], "note": "请尽快核实"
    });
    let moved = officer.ask("POST", &moves, &dispatch).await;
    assert_eq!(
        (moved.status, &moved.json()["state"]),
        (200, &json!("dispatched"))
    );

    let again = officer.ask("POST", &moves, &dispatch).await;
    assert_eq!((again.status, again.problem().as_str()), (409, "stale"));
    let urge = json!({ "action": "urge", "version": 1 });
    let stale = officer.ask("POST", &moves, &urge).await;
    assert_eq!((stale.status, stale.problem().as_str()), (409, "stale"));
    let told = stale.json();
    assert!(
        told["detail"]
            .as_str()
            .unwrap()
            .contains("请核对最新情况后再提交")
    );

    let mut program = office
        .program("housing", &[Scope::CasesRead, Scope::CasesMove])
        .await;
    let shown = program.get(&path).await.json();
    let sign = json!({ "action": "sign", "version": shown["case"]["version"] });
    assert_eq!(program.ask("POST", &moves, &sign).await.status, 200);
    let version = sign["version"].as_i64().unwrap() + 1;
    let silent = json!({ "action": "report", "version": version });
    let refused = program.ask("POST", &moves, &silent).await;
    assert_eq!(
        (refused.status, refused.problem().as_str()),
        (422, "refused")
    );
    let steps = program.get(&path).await.json()["moves"].clone();
    let actions: Vec<_> = (steps.as_array().unwrap().iter())
        .map(|step| step["action"].as_str().unwrap())
        .collect();
    assert_eq!(actions, ["open", "dispatch", "sign"]);

    let audit = office.accounts.audit_log(200).await.unwrap();
    let signed = audit.iter().find(|line| line.action == "sign").unwrap();
    assert_eq!(
        (signed.user.as_str(), signed.subject.as_str()),
        ("housing", case.as_str())
    );
    assert!(!signed.via.is_empty(), "it was done with a token");
    let sent = audit.iter().find(|line| line.action == "dispatch").unwrap();
    assert_eq!(sent.via, "", "it was done in the console");
}

async fn what_is_wrong_is_told_with_its_field(kept: Kept) {
    let office = office(kept).await;
    let case = office.case("水管", "zhujian").await;
    let mut officer = office.person("officer").await;
    for (query, field) in [
        ("level=5", "level"),
        ("level=+1", "level"),
        ("state=lost", "state"),
        ("limit=0", "limit"),
        ("limit=1&limit=2", "limit"),
        ("overdue=yes", "overdue"),
        ("colour=red", "colour"),
        ("text=%00", "text"),
        (&format!("text={}", "a".repeat(101)), "text"),
    ] {
        let answer = officer.get(&format!("/api/v1/cases?{query}")).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (400, "parameter"),
            "{query}"
        );
        assert_eq!(answer.json()["field"], field);
        assert!(!answer.json()["detail"].as_str().unwrap().is_empty());
    }
    let moves = format!("/api/v1/cases/{case}/moves");
    for (body, field) in [
        (json!({ "action": "dispatch" }), ""),
        (json!({ "action": "fly", "version": 1 }), "action"),
        (json!({ "action": "urge", "version": "1" }), "version"),
        (
            json!({ "action": "urge", "version": 1, "hurry": true }),
            "hurry",
        ),
        (
            json!({ "action": "urge", "version": 1, "note": "\u{0}" }),
            "",
        ),
        (json!([]), ""),
    ] {
        let answer = officer.ask("POST", &moves, &body).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (400, "body"),
            "{body}"
        );
        let told = answer.json();
        let told = told["field"].as_str().unwrap_or_default();
        assert_eq!(told, field, "{body}");
    }
    let long = json!({ "action": "urge", "version": 1, "note": "长".repeat(30_000) });
    let answer = officer.ask("POST", &moves, &long).await;
    assert_eq!(
        (answer.status, answer.problem().as_str()),
        (413, "too-large")
    );
    let form = officer.request("POST", &moves).body("action=urge");
    let answer = officer.send(form).await;
    assert_eq!(
        (answer.status, answer.problem().as_str()),
        (415, "media-type")
    );
    for path in ["/api/v1/cases/none", "/api/v1/cases/%00", "/api/v1/nothing"] {
        let answer = officer.get(path).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (404, "not-found"),
            "{path}"
        );
    }
    let answer = officer.ask("PATCH", &moves, &Value::Null).await;
    assert_eq!((answer.status, answer.problem().as_str()), (405, "method"));
    assert_eq!(answer.headers["allow"], "POST");
    let away = officer.get("/api/v1/events").await;
    assert_eq!((away.status, away.problem().as_str()), (503, "archive"));
}

async fn the_audit_is_exported_as_it_stands(kept: Kept) {
    let office = office(kept).await;
    let case = office.case("水管", "zhujian").await;
    let mut officer = office.person("officer").await;
    for _ in 0..3 {
        officer.get(&format!("/api/v1/cases/{case}")).await;
    }
    let mut auditor = office.program("auditor", &[Scope::AuditRead]).await;
    let table = auditor.get("/api/v1/audit/export?format=csv").await;
    assert_eq!(table.headers["content-type"], "text/csv; charset=utf-8");
    let mut rows = table.text.lines();
    assert_eq!(rows.next(), Some("number,at,user,action,subject,via,hash"));
    assert_eq!(rows.filter(|row| row.contains("read-case")).count(), 3);

    let lines = auditor.get("/api/v1/audit/export?format=jsonl").await;
    let lines: Vec<Value> = (lines.text.lines())
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let kept = office
        .accounts
        .audit_lines(Span::default(), 1_000)
        .await
        .unwrap();
    assert_eq!(
        lines.len(),
        kept.len() - 1,
        "all but the line that this was exported"
    );
    for (line, kept) in lines.iter().zip(&kept) {
        assert_eq!(*line, serde_json::to_value(kept).unwrap());
    }
    let page = auditor.get("/api/v1/audit?limit=2").await.json();
    assert_eq!(page["items"].as_array().unwrap().len(), 2);
    let after = auditor
        .get(&format!("/api/v1/audit?limit=2&after={}", page["next"]))
        .await
        .json();
    assert_eq!(
        after["items"][0]["number"],
        json!(page["next"].as_i64().unwrap() + 1)
    );
    let none = auditor
        .get("/api/v1/audit/export?format=jsonl&to=2020-01-01T00:00:00Z")
        .await;
    assert_eq!((none.status, none.text.as_str()), (200, ""));
}
