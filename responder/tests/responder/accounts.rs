//! Accounts as people and programs meet them: signing in and being kept out, passwords, sessions, tokens, and the audit
//! of it all.

use std::net::IpAddr;

use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use responder::account::{
    AccountError, Accounts, Change, Format, NewToken, Origin, Scope, Span, Verdict,
};
use responder::case::Role;
use serde_json::{Value, json};

use crate::served::{Office, PASSWORD, office};
use crate::stores::{Kept, on_each_store};

on_each_store!(
    wrong_passwords_wait_longer_each_time_and_a_restart_does_not_forget_them,
    many_guesses_at_once_are_as_many,
    one_address_cannot_try_many_names,
    a_password_is_long_one_s_own_and_new,
    a_password_that_an_administrator_set_is_good_for_one_sign_in,
    a_session_ends_when_it_is_old_or_was_not_used,
    a_session_s_token_is_replaced_with_age_and_the_one_before_is_good_for_a_moment,
    people_see_where_they_are_signed_in_and_sign_out_there,
    who_may_do_something_else_signs_in_anew,
    the_last_administrator_stays,
    a_token_is_good_until_it_expires_is_revoked_or_its_account_is_set_aside,
    the_audit_is_a_chain_that_two_responders_write_and_nobody_changes,
    a_line_of_the_audit_that_was_changed_or_removed_is_seen,
);

fn minutes(count: i64) -> SignedDuration {
    SignedDuration::from_mins(count)
}

impl Office {
    /// Another responder on the same store, or this one after a restart.
    fn other(&self) -> Accounts {
        Accounts::new(self.kept.store.clone(), self.limits)
    }
}

async fn wrong_passwords_wait_longer_each_time_and_a_restart_does_not_forget_them(kept: Kept) {
    let office = office(kept).await;
    let mut now = Timestamp::now();
    // A name that there is and one that there is not are told the same.
    for name in ["officer", "no-such-name"] {
        for _ in 0..5 {
            let told = office.accounts.verify(name, "wrong wrong", None, now).await;
            assert_eq!(told.unwrap(), None);
        }
        let told = office.accounts.verify(name, PASSWORD, None, now).await;
        assert!(matches!(told, Err(AccountError::TooMany(1))), "{name}");
        let told = office.other().verify(name, PASSWORD, None, now).await;
        assert!(
            matches!(told, Err(AccountError::TooMany(1))),
            "{name}, elsewhere"
        );
    }
    let leader = office.accounts.verify("leader", PASSWORD, None, now).await;
    assert!(leader.unwrap().is_some(), "another name need not wait");

    let mut waits = Vec::new();
    for _ in 0..7 {
        let mut waited = 0;
        while let Err(AccountError::TooMany(_)) = office
            .other()
            .verify("officer", "wrong wrong", None, now)
            .await
        {
            now += SignedDuration::from_secs(10);
            waited += 10;
        }
        waits.push(waited);
    }
    assert_eq!(waits, [30, 60, 120, 240, 480, 900, 900]);
    now += minutes(15);
    let right = office.accounts.verify("officer", PASSWORD, None, now).await;
    assert!(right.unwrap().is_some());
    for _ in 0..4 {
        let wrong = office
            .accounts
            .verify("officer", "wrong wrong", None, now)
            .await;
        assert_eq!(wrong.unwrap(), None, "it starts afresh");
    }
}

async fn many_guesses_at_once_are_as_many(kept: Kept) {
    let office = office(kept).await;
    let (here, there) = (office.accounts.clone(), office.other());
    let now = Timestamp::now();
    let guesses = (0..12).map(|guess| {
        let accounts = if guess % 2 == 0 { &here } else { &there };
        accounts.verify("officer", "wrong wrong", None, now)
    });
    let told = join_all(guesses).await;
    let looked_at = told.iter().filter(|told| told.is_ok()).count();
    assert!(looked_at <= 5, "{looked_at} passwords were looked at");
}

async fn one_address_cannot_try_many_names(kept: Kept) {
    let office = office(kept).await;
    // The wait of half a minute has not run out when all are tried, however slow that is.
    let now = Timestamp::now() + minutes(10);
    let address: Option<IpAddr> = Some("192.0.2.7".parse().unwrap());
    for guess in 0..50 {
        let name = format!("name-{guess}");
        let told = office
            .accounts
            .verify(&name, "wrong wrong", address, now)
            .await;
        assert_eq!(told.unwrap(), None);
    }
    // Through the console, as the proxy tells where from.
    let mut guesser = office.nobody();
    guesser.from = "203.0.113.9, 192.0.2.7".to_owned();
    let refused = guesser.sign_in("officer", PASSWORD).await;
    assert_eq!(refused.status, 429);
    assert!(refused.text.contains("分钟后再试"), "{}", refused.text);
    let mut elsewhere = office.nobody();
    elsewhere.from = "192.0.2.7, 203.0.113.9".to_owned();
    assert_eq!(elsewhere.sign_in("officer", PASSWORD).await.status, 303);
}

async fn a_password_is_long_one_s_own_and_new(kept: Kept) {
    let office = office(kept).await;
    let mut officer = office.person("officer").await;
    let mut old = PASSWORD.to_owned();
    for (new, refused) in [
        ("short", "密码至少10个字符"),
        ("the officer sits here", "不能包含账号名"),
        ("password123456", "过于常见"),
        (PASSWORD, "最近5次用过"),
        ("早上八点到办公室泡茶", ""),
        (PASSWORD, "最近5次用过"),
        ("午休之后处理三件来信", ""),
        ("下班之前再看一遍清单", ""),
        ("周三下午要去赤岸镇", "密码至少10个字符"),
        ("周三下午要去赤岸镇一趟", ""),
        (PASSWORD, "最近5次用过"),
        ("周五上午汇总一周情况", ""),
        (PASSWORD, ""),
    ] {
        officer.csrf = officer.get("/account").await.hidden("csrf");
        let fields = [("old", old.as_str()), ("new", new), ("again", new)];
        let answer = officer.form("/account", &fields).await;
        if refused.is_empty() {
            assert_eq!(answer.status, 303, "{new}: {}", answer.text);
            old = new.to_owned();
        } else {
            assert_eq!(answer.status, 422, "{new}");
            assert!(answer.text.contains(refused), "{new}: {}", answer.text);
        }
    }
}

async fn a_password_that_an_administrator_set_is_good_for_one_sign_in(kept: Kept) {
    let office = office(kept).await;
    let mut admin = office.person("admin").await;
    let fields = [
        ("name", "zhang"),
        ("display_name", "张三"),
        ("role", "unit-contact"),
        ("unit", "990101/zhujian"),
        ("password", "given on paper"),
    ];
    assert_eq!(admin.form("/users", &fields).await.status, 303);
    let mut zhang = office.nobody();
    assert_eq!(zhang.sign_in("zhang", "given on paper").await.status, 303);
    for path in ["/", "/cases", "/cases/none"] {
        assert_eq!(zhang.get(path).await.location(), "/account", "{path}");
    }
    let refused = zhang.get("/api/v1/counts").await;
    assert_eq!(
        (refused.status, refused.problem().as_str()),
        (403, "password-must-change")
    );
    let own = zhang.get("/account").await;
    assert!(own.text.contains("请先修改密码"), "{}", own.text);
    zhang.csrf = own.hidden("csrf");
    let before = zhang.clone();
    let fields = [
        ("old", "given on paper"),
        ("new", "known to me only"),
        ("again", "known to me only"),
    ];
    assert_eq!(zhang.form("/account", &fields).await.status, 303);
    assert_eq!(zhang.get("/cases").await.status, 200);
    let mut before = before;
    assert_eq!(
        before.get("/cases").await.location(),
        "/login?next=%2Fcases"
    );
}

async fn a_session_ends_when_it_is_old_or_was_not_used(kept: Kept) {
    let office = office(kept).await;
    let accounts = &office.accounts;
    let morning = Timestamp::now();
    let officer = accounts
        .verify("officer", PASSWORD, None, morning)
        .await
        .unwrap()
        .unwrap();
    let start = async || {
        let session = accounts
            .start_session(&officer, &Origin::default(), morning)
            .await;
        session.unwrap().token
    };
    let good = async |token: &str, after: SignedDuration| {
        let known = accounts.session(token, false, morning + after).await;
        known.unwrap().is_some()
    };
    let unused = start().await;
    assert!(good(&unused, minutes(119)).await, "used");
    assert!(good(&unused, minutes(238)).await, "used again");
    assert!(
        !good(&unused, minutes(238 + 120)).await,
        "not used for two hours"
    );

    let used = start().await;
    for hour in 1..12 {
        assert!(good(&used, minutes(60 * hour)).await, "hour {hour}");
    }
    assert!(!good(&used, minutes(60 * 12)).await, "twelve hours old");
}

async fn a_session_s_token_is_replaced_with_age_and_the_one_before_is_good_for_a_moment(
    kept: Kept,
) {
    let office = office(kept).await;
    let now = Timestamp::now();
    let officer = office
        .accounts
        .verify("officer", PASSWORD, None, now)
        .await
        .unwrap()
        .unwrap();
    let begun = now - minutes(31);
    let session = office
        .accounts
        .start_session(&officer, &Origin::default(), begun)
        .await
        .unwrap();
    let mut person = office.nobody();
    person
        .cookies
        .insert("wensheng_session".to_owned(), session.token.clone());
    person.csrf = session.csrf.clone();
    // A form is not what replaces it: its answer may get lost.
    assert_eq!(
        person
            .form("/account/sessions", &[("id", "none")])
            .await
            .status,
        404
    );
    assert_eq!(person.cookies["wensheng_session"], session.token);
    let mut slower = person.clone();
    let page = person.get("/account").await;
    assert_ne!(person.cookies["wensheng_session"], session.token);
    assert_eq!(
        page.hidden("csrf"),
        session.csrf,
        "forms that are open stay good"
    );
    let cookie = page.headers["set-cookie"].to_str().unwrap();
    for part in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=43200"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert_eq!(
        slower.get("/cases").await.status,
        200,
        "asked at the same time"
    );
    assert_eq!(slower.cookies["wensheng_session"], session.token);
    let later = now + minutes(2);
    let known = office
        .accounts
        .session(&session.token, true, later)
        .await
        .unwrap();
    assert!(known.is_none(), "a moment later it is no token any more");
    let known = (office.accounts)
        .session(&person.cookies["wensheng_session"], true, later)
        .await
        .unwrap();
    assert_eq!(known.unwrap().user.name, "officer");
}

async fn people_see_where_they_are_signed_in_and_sign_out_there(kept: Kept) {
    let office = office(kept).await;
    let mut desk = office.person("officer").await;
    let mut lost = office.person("officer").await;
    let mut other = office.person("leader").await;
    let sessions = desk.get("/api/v1/me/sessions").await.json();
    let sessions = sessions.as_array().unwrap();
    assert_eq!(sessions.len(), 2);
    let of_lost = sessions
        .iter()
        .find(|session| session["this"] == false)
        .unwrap();
    let id = of_lost["id"].as_str().unwrap().to_owned();
    assert!(
        desk.get("/account").await.text.contains(&id),
        "the page has it too"
    );
    assert_eq!(
        other.form("/account/sessions", &[("id", &id)]).await.status,
        404
    );
    let path = format!("/api/v1/me/sessions/{id}");
    assert_eq!(other.ask("DELETE", &path, &Value::Null).await.status, 404);
    assert_eq!(
        lost.get("/cases").await.status,
        200,
        "it is not theirs to end"
    );
    assert_eq!(desk.ask("DELETE", &path, &Value::Null).await.status, 204);
    assert_eq!(lost.get("/cases").await.location(), "/login?next=%2Fcases");
    assert_eq!(desk.get("/cases").await.status, 200);
    let mut third = office.person("officer").await;
    let sessions = third.get("/api/v1/me/sessions").await.json();
    let of_desk = (sessions.as_array().unwrap().iter())
        .find(|session| session["this"] == false)
        .unwrap()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        third
            .form("/account/sessions", &[("id", &of_desk)])
            .await
            .status,
        303
    );
    assert_eq!(desk.get("/cases").await.location(), "/login?next=%2Fcases");
}

async fn who_may_do_something_else_signs_in_anew(kept: Kept) {
    let office = office(kept).await;
    let mut admin = office.person("admin").await;
    let mut housing = office.person("housing").await;
    let path = "/api/v1/accounts/housing";
    let renamed = admin
        .ask("PATCH", path, &json!({ "display_name": "住建局王主任" }))
        .await;
    assert_eq!(renamed.json()["display_name"], "住建局王主任");
    assert_eq!(
        housing.get("/cases").await.status,
        200,
        "a name is only a name"
    );
    for (change, field) in [
        (json!({ "role": "unit-lead" }), ""),
        (json!({ "unit": "weijian", "region": "990101" }), "role"),
        (
            json!({ "role": "unit-lead", "unit": "none", "region": "990101" }),
            "",
        ),
        (
            json!({ "role": "duty-officer", "unit": "weijian", "region": "990101" }),
            "",
        ),
        (json!({ "role": "system" }), "role"),
    ] {
        let refused = admin.ask("PATCH", path, &change).await;
        assert!(
            [400, 422].contains(&refused.status),
            "{change}: {}",
            refused.text
        );
        assert_eq!(
            refused.json()["field"].as_str().unwrap_or_default(),
            field,
            "{change}"
        );
    }
    let moved = json!({ "role": "unit-contact", "region": "990101", "unit": "weijian" });
    assert_eq!(
        admin.ask("PATCH", path, &moved).await.json()["role"],
        "unit-contact"
    );
    assert_eq!(
        housing.get("/cases").await.location(),
        "/login?next=%2Fcases"
    );
    let mut program = office.program("health", &[Scope::CasesRead]).await;
    let mut health = office.person("health").await;
    let aside = json!({ "active": false });
    let path = "/api/v1/accounts/health";
    assert_eq!(
        admin.ask("PATCH", path, &aside).await.json()["active"],
        false
    );
    assert_eq!(
        health.get("/cases").await.location(),
        "/login?next=%2Fcases"
    );
    assert_eq!(program.get("/api/v1/cases").await.status, 401);
    let actions: Vec<_> = (office.accounts.audit_log(3).await.unwrap().into_iter())
        .map(|line| (line.user, line.action, line.subject))
        .collect();
    assert!(
        actions
            .iter()
            .all(|(user, _, _)| user == "admin" || user == "health"),
        "{actions:?}"
    );
    assert_eq!(actions[0].1, "change-user");
}

async fn the_last_administrator_stays(kept: Kept) {
    let office = office(kept).await;
    let aside = Change {
        active: Some(false),
        ..Change::default()
    };
    let lowered = Change {
        capacity: Some((Role::Auditor, String::new(), String::new())),
        ..Change::default()
    };
    for change in [&aside, &lowered] {
        let told = office.accounts.change("admin", change).await;
        assert!(matches!(told, Err(AccountError::LastAdministrator)));
    }
    let raised = Change {
        capacity: Some((Role::Administrator, String::new(), String::new())),
        ..Change::default()
    };
    office.accounts.change("officer", &raised).await.unwrap();
    // Each sets the other aside at the same time: one stays.
    let (one, other) = (office.accounts.clone(), office.other());
    let (one, other) = tokio::join!(one.change("admin", &aside), other.change("officer", &aside));
    assert_ne!(one.is_ok(), other.is_ok(), "{one:?} {other:?}");
}

async fn a_token_is_good_until_it_expires_is_revoked_or_its_account_is_set_aside(kept: Kept) {
    let office = office(kept).await;
    let mut admin = office.person("admin").await;
    let asks =
        json!({ "account": "officer", "label": "大屏", "scopes": ["cases:read"], "days": 30 });
    let made = admin.ask("POST", "/api/v1/tokens", &asks).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let made = made.json();
    let secret = made["secret"].as_str().unwrap();
    let mut screen = office.nobody();
    screen.token = secret.to_owned();
    let me = screen.get("/api/v1/me").await.json();
    assert_eq!(
        (&me["name"], &me["scopes"], &me["csrf"]),
        (&json!("officer"), &json!(["cases:read"]), &Value::Null)
    );
    let list = admin.get("/api/v1/tokens").await;
    assert!(!list.text.contains(secret), "it is shown once");
    let list = list.json();
    assert_eq!(
        (&list[0]["made_by"], list[0]["used_at"].is_string()),
        (&json!("admin"), true)
    );

    let now = Timestamp::now();
    let days = |days: i64| SignedDuration::from_hours(24 * days);
    assert!(
        office
            .accounts
            .bearer(secret, now + days(29))
            .await
            .unwrap()
            .is_some()
    );
    assert!(
        office
            .accounts
            .bearer(secret, now + days(31))
            .await
            .unwrap()
            .is_none()
    );
    let path = format!("/api/v1/tokens/{}", made["token"]["id"].as_str().unwrap());
    assert_eq!(admin.ask("DELETE", &path, &Value::Null).await.status, 204);
    assert_eq!(admin.ask("DELETE", &path, &Value::Null).await.status, 404);
    assert_eq!(screen.get("/api/v1/me").await.status, 401);

    let good = NewToken {
        account: "officer".to_owned(),
        label: "大屏".to_owned(),
        scopes: vec![Scope::CasesRead],
        days: 366,
    };
    for (wrong, why) in [
        (
            NewToken {
                label: " ".to_owned(),
                ..good.clone()
            },
            "请填写令牌用途",
        ),
        (
            NewToken {
                scopes: Vec::new(),
                ..good.clone()
            },
            "请至少选择一项",
        ),
        (
            NewToken {
                days: 367,
                ..good.clone()
            },
            "1至366天",
        ),
        (
            NewToken {
                account: "none".to_owned(),
                ..good.clone()
            },
            "没有这个账号",
        ),
    ] {
        let told = office
            .accounts
            .add_token(&wrong, "admin", now)
            .await
            .unwrap_err();
        assert!(told.to_string().contains(why), "{told}");
    }
    assert!(office.accounts.add_token(&good, "admin", now).await.is_ok());
}

async fn the_audit_is_a_chain_that_two_responders_write_and_nobody_changes(kept: Kept) {
    let office = office(kept).await;
    let (here, there) = (office.accounts.clone(), office.other());
    let now = Timestamp::now();
    let writes = (0..40).map(|number| {
        let accounts = if number % 2 == 0 { &here } else { &there };
        accounts.audit("officer", "read-case", "一件", now)
    });
    for written in join_all(writes).await {
        written.unwrap();
    }
    let Verdict::Whole { lines, hash } = here.verify_audit().await.unwrap() else {
        panic!("the chain is broken");
    };
    let kept = here.audit_lines(Span::default(), 1_000).await.unwrap();
    assert_eq!((lines, kept.len()), (40, 40));
    assert_eq!(kept.last().unwrap().hash, hash);
    for statement in [
        "UPDATE audit SET subject = 'another' WHERE number = 3",
        "DELETE FROM audit WHERE number = 40",
        "DELETE FROM audit_head",
        "UPDATE audit_head SET number = 0",
    ] {
        let told = sqlx::query(statement)
            .execute(office.kept.store.pool())
            .await;
        let told = told.unwrap_err().to_string();
        assert!(
            told.contains("the audit is only added to"),
            "{statement}: {told}"
        );
    }
    let table = String::from_utf8(Format::Csv.write(&kept, true).unwrap()).unwrap();
    assert_eq!(table.lines().count(), 41);
    assert!(table.lines().nth(1).unwrap().ends_with(&kept[0].hash));
}

async fn a_line_of_the_audit_that_was_changed_or_removed_is_seen(kept: Kept) {
    let office = office(kept).await;
    let store = &office.kept.store;
    let write = async |count: usize| {
        for _ in 0..count {
            let now = Timestamp::now();
            office
                .accounts
                .audit("officer", "read-case", "一件", now)
                .await
                .unwrap();
        }
    };
    let run = async |statement: &'static str| {
        sqlx::query(statement).execute(store.pool()).await.unwrap();
    };
    // Lines from before there was a chain: it runs over them too.
    run("INSERT INTO audit (number, at, account, action, subject) VALUES (1, 0, 'old', 'read-case', '旧'), (3, 0, 'old', 'read-case', '旧')").await;
    run("UPDATE audit_head SET number = 3").await;
    write(4).await;
    let whole = office.accounts.verify_audit().await.unwrap();
    assert!(
        matches!(whole, Verdict::Whole { lines: 6, .. }),
        "{whole:?}"
    );

    // Someone who has the database takes the locks off first.
    let place = office.kept.place.clone();
    if matches!(place, responder::store::Place::Postgres(_)) {
        run("ALTER TABLE audit DISABLE TRIGGER ALL").await;
    } else {
        run("DROP TRIGGER audit_is_not_changed").await;
        run("DROP TRIGGER audit_is_not_shortened").await;
    }
    let broken = async || match office.accounts.verify_audit().await.unwrap() {
        Verdict::Broken { number, .. } => number,
        whole => panic!("{whole:?}"),
    };
    run("UPDATE audit SET account = 'another' WHERE number = 1").await;
    assert_eq!(
        broken().await,
        4,
        "a line from before the chain was changed"
    );
    run("UPDATE audit SET account = 'old' WHERE number = 1").await;
    run("UPDATE audit SET subject = '另一件' WHERE number = 5").await;
    assert_eq!(broken().await, 5, "a line was changed");
    run("UPDATE audit SET subject = '一件' WHERE number = 5").await;
    assert!(matches!(
        office.accounts.verify_audit().await.unwrap(),
        Verdict::Whole { .. }
    ));
    run("DELETE FROM audit WHERE number = 7").await;
    assert_eq!(broken().await, 7, "the last line was removed");
    write(1).await;
    assert_eq!(broken().await, 8, "and another written");
    run("DELETE FROM audit WHERE number = 5").await;
    assert_eq!(broken().await, 6, "a line within was removed");
}
