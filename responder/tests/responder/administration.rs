//! The pages of administration, as the office, the units and the administrator use them.

use crate::served::{Answer, Office, REGION, office};
use crate::stores::{Kept, on_each_store};
use jiff::{SignedDuration, Timestamp};
use responder::commitment::{Commitments, NewCommitment};

on_each_store!(
    a_roster_is_brought_in_shown_with_its_gaps_and_swapped,
    a_matter_is_tried_and_its_path_is_drawn,
    a_silence_is_set_with_conditions_that_there_are_and_ended_early,
    an_answer_is_proposed_by_the_office_and_approved_by_its_unit,
    a_unit_keeps_what_it_promised_and_another_cannot,
    a_units_page_says_what_it_has_to_do_and_whom_it_is_told_by,
    who_waits_for_whom_is_said_on_a_case_and_who_did_what,
    a_column_of_the_board_that_is_too_long_leads_to_its_list,
    a_file_of_the_region_is_checked_as_at_the_start,
    the_audit_is_looked_through_and_a_token_is_shown_once,
    what_is_down_is_said_in_words_and_nothing_else_goes_down_with_it,
);

/// What nobody may get onto a page as more than text.
const HOSTILE: &str = "\"><script>alert(1)</script>";

impl Office {
    /// The newest lines of the audit, as the administrator sees them.
    async fn audited(&self) -> String {
        self.person("admin").await.get("/audit").await.text
    }
}

fn has(answer: &Answer, status: u16, expected: &[&str]) {
    assert_eq!(answer.status, status, "{}", answer.text);
    for expected in expected {
        assert!(
            answer.text.contains(expected),
            "{expected}: {}",
            answer.text
        );
    }
    assert!(!answer.text.contains("<script>alert(1)"), "{}", answer.text);
}

/// A time of the clock in China so many hours from now, as forms give it.
fn hours_from_now(hours: i64) -> String {
    let at = Timestamp::now() + SignedDuration::from_hours(hours);
    jiff::tz::Offset::constant(8)
        .to_datetime(at)
        .strftime("%Y-%m-%dT%H:%M")
        .to_string()
}

async fn a_roster_is_brought_in_shown_with_its_gaps_and_swapped(kept: Kept) {
    let office = office(kept).await;
    let mut officer = office.person("officer").await;
    let empty = officer.get("/roster").await;
    has(&empty, 200, &["此刻没有排班", "全天无人", "还没有换过班"]);

    let wrong = "岗位,姓名,开始,结束\n<script>alert(1)</script>,甲,2026-10-01 08:30,2026-10-01\n";
    let wrong = officer
        .upload("/roster/import", &[], ("十月.csv", wrong.as_bytes()))
        .await;
    has(
        &wrong,
        422,
        &[
            "文件有2处错误，没有导入任何班次",
            "不是岗位，请写值班员、带班领导、分管领导",
            "“2026-10-01”不是日期和时间",
            "data-row=\"2\"",
        ],
    );
    let other = officer
        .upload("/roster/import", &[], ("十月.doc", "岗位".as_bytes()))
        .await;
    has(&other, 422, &["文件不是 .csv 或 .xlsx"]);

    let [begin, noon, end] = [-1, 5, 11].map(hours_from_now);
    let roster =
        format!("岗位,姓名,开始,结束\n值班员,沈望舒,{begin},{noon}\n值班员,叶知秋,{noon},{end}\n",)
            .replace('T', " ");
    let imported = officer
        .upload("/roster/import", &[], ("十月.csv", roster.as_bytes()))
        .await;
    assert_eq!(imported.status, 303, "{}", imported.text);
    let shown = officer.get(imported.location()).await;
    has(&shown, 200, &["新增2个班次", "沈望舒", "叶知秋"]);
    assert!(shown.text.contains("data-post=\"值班员\">沈望舒<"));

    let ids: Vec<String> = (shown.text.split("<select name=\"first\">").nth(1).unwrap())
        .split("</select>")
        .next()
        .unwrap()
        .split("value=\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap().to_owned())
        .collect();
    let shifts = [("first", ids[0].as_str()), ("second", ids[1].as_str())];
    let refused = officer
        .form(
            "/roster/swaps",
            &[shifts[0], ("second", shifts[0].1), ("reason", HOSTILE)],
        )
        .await;
    has(&refused, 422, &["只能调换同一岗位"]);
    let refused = officer.form("/roster/swaps", &shifts).await;
    has(&refused, 422, &["请写明调换的原因"]);
    let swapped = officer
        .form(
            "/roster/swaps",
            &[shifts[0], shifts[1], ("reason", HOSTILE)],
        )
        .await;
    assert_eq!(swapped.status, 303);
    let shown = officer.get("/roster").await;
    has(
        &shown,
        200,
        &[
            "（原沈望舒）",
            "沈望舒 ⇄ 叶知秋",
            "data-post=\"值班员\">叶知秋<",
        ],
    );
    let audit = office.audited().await;
    assert!(audit.contains("换班") && audit.contains("导入值班表"));

    // The leader swaps but brings in no file; who audits does neither.
    let leader = office.person("leader").await.get("/roster").await;
    assert!(
        leader.text.contains("data-form=\"swap\"") && !leader.text.contains("data-form=\"import\"")
    );
    let auditor = office.person("auditor").await.get("/roster").await;
    assert!(!auditor.text.contains("data-form=\"swap\""));
}

async fn a_matter_is_tried_and_its_path_is_drawn(kept: Kept) {
    let office = office(kept).await;
    let mut officer = office.person("officer").await;
    let tree = officer.get("/routing").await;
    has(
        &tree,
        200,
        &[
            "总规则",
            "事由含：停水、断水",
            "→ 协办：属地单位",
            "停水期间的水压问题",
        ],
    );
    assert!(
        !tree.text.contains("data-told"),
        "nothing was asked for yet"
    );

    let tried = officer
        .get("/routing?test=1&text=%E6%96%AD%E6%B0%B4&level=2&place=%E6%9F%B3%E6%A1%A5%E9%95%87")
        .await;
    has(
        &tried,
        200,
        &[
            "事由含“断水”",
            "事由不含拖欠工资",
            "Ⅰ、Ⅱ级同时告知县政府办公室",
            "停水：住建部门牵头，属地协办",
            "适用，决定",
            "data-told=\"zhujian\"",
            "data-told=\"zhengfuban\"",
        ],
    );
    // The rules after the one that decided were not tried.
    let after = tried.text.split("data-rule=\"route.routes[9]\"").nth(1);
    assert!(
        !after
            .unwrap()
            .split("</li>")
            .next()
            .unwrap()
            .contains("class=\"why\"")
    );

    let silence = [
        ("words", "断水"),
        ("until", &hours_from_now(24)),
        ("reason", "检修已公告"),
    ];
    officer.form("/silences", &silence).await;
    let held = officer
        .get("/routing?test=1&text=%E6%96%AD%E6%B0%B4&level=3")
        .await;
    has(
        &held,
        200,
        &["通知会被暂缓", "officer设置静默至", "检修已公告"],
    );

    let unknown = officer
        .get("/routing?test=1&level=3&place=%22%3E%3Cscript%3Ealert(1)%3C/script%3E")
        .await;
    has(&unknown, 422, &["地名表里没有"]);
    let no_level = officer.get("/routing?test=1").await;
    has(&no_level, 422, &["请选择级别"]);
}

async fn a_silence_is_set_with_conditions_that_there_are_and_ended_early(kept: Kept) {
    let office = office(kept).await;
    let mut officer = office.person("officer").await;
    let until = hours_from_now(2);
    for (fields, said) in [
        (vec![("until", until.as_str())], "请写明静默的理由"),
        (
            vec![("until", until.as_str()), ("reason", HOSTILE)],
            "请至少设一个条件",
        ),
        (
            vec![("words", "停水"), ("reason", "检修")],
            "请填写结束时间",
        ),
        (
            vec![
                ("words", "停水"),
                ("reason", "检修"),
                ("until", "2020-01-01T00:00"),
            ],
            "结束时间应晚于",
        ),
        (
            vec![
                ("place", "望江"),
                ("reason", "检修"),
                ("until", until.as_str()),
            ],
            "请填写地名表中的地名",
        ),
    ] {
        let refused = officer.form("/silences", &fields).await;
        has(&refused, 422, &[said]);
        for (name, value) in fields.iter().filter(|(_, value)| *value != HOSTILE) {
            let kept = format!("name=\"{name}\" value=\"{value}\"");
            assert!(refused.text.contains(&kept), "{kept}: {}", refused.text);
        }
    }
    let fields = [
        ("words", "停水、断水"),
        ("level", "3"),
        ("level", "4"),
        ("reason", HOSTILE),
        ("until", until.as_str()),
    ];
    let made = officer.form("/silences", &fields).await;
    assert_eq!(made.status, 303, "{}", made.text);
    let page = officer.get("/silences").await;
    has(&page, 200, &["级别：Ⅲ级、Ⅳ级；事由含：停水、断水", "剩余"]);
    let id = page.hidden("id");
    let mut auditor = office.person("auditor").await;
    assert!(!auditor.get("/silences").await.text.contains("提前解除"));
    assert_eq!(
        auditor.form("/silences/end", &[("id", &id)]).await.status,
        403
    );
    let ended = officer.form("/silences/end", &[("id", &id)]).await;
    assert_eq!(ended.status, 303);
    has(&officer.get("/silences").await, 200, &["officer 解除"]);
    let twice = officer.form("/silences/end", &[("id", &id)]).await;
    has(&twice, 422, &["没有这个静默，或已经结束"]);
}

async fn an_answer_is_proposed_by_the_office_and_approved_by_its_unit(kept: Kept) {
    let office = office(kept).await;
    let mut officer = office.person("officer").await;
    let mut entry = vec![
        ("question", "维修基金怎么申请"),
        ("answer", HOSTILE),
        ("subject", "城乡建设"),
        ("unit", ""),
    ];
    let refused = officer.form("/knowledge", &entry).await;
    has(&refused, 422, &["value=\"维修基金怎么申请\""]);
    entry[3].1 = "zhujian";
    let proposed = officer.form("/knowledge", &entry).await;
    assert_eq!(proposed.status, 303, "{}", proposed.text);
    let address = proposed.location().split('?').next().unwrap().to_owned();
    let known = officer.form("/knowledge", &entry).await;
    has(&known, 422, &["问答库中已有这个问题"]);

    // Another unit does not see what is not approved, nor does the office approve for the unit.
    let mut health = office.person("health").await;
    assert_eq!(health.get(&address).await.status, 404);
    let page = officer.get(&address).await;
    has(
        &page,
        200,
        &["待审定", "由县住房和城乡建设局的账号审定后发布"],
    );
    let version = page.hidden("version");
    let decision = [("version", version.as_str())];
    let approve = format!("{address}/approve");
    let refused = officer.form(&approve, &decision).await;
    has(&refused, 409, &["只有该问答的责任单位账号可以审定"]);
    let mut housing = office.person("housing").await;
    assert_eq!(housing.form(&approve, &decision).await.status, 303);
    let twice = housing.form(&approve, &decision).await;
    has(&twice, 409, &["刚刚被修改过"]);

    let found = health
        .get("/knowledge?text=%E7%BB%B4%E4%BF%AE%E5%9F%BA%E9%87%91")
        .await;
    has(&found, 200, &["维修基金怎么申请", "相近"]);
    let public = health.get("/knowledge/page").await;
    has(&public, 200, &["维修基金怎么申请"]);
    let kind = public.headers.get("content-disposition").unwrap();
    assert!(
        kind.to_str()
            .unwrap()
            .starts_with("attachment; filename=knowledge-990101-")
    );

    // A change has to be approved again; what is retired is found no more.
    let form = housing
        .get(&format!(
            "/knowledge/new?entry={}",
            address.trim_start_matches("/knowledge/")
        ))
        .await;
    let version = form.hidden("version");
    entry[1].1 = "持身份证到窗口申请。";
    entry.push(("version", &version));
    assert_eq!(housing.form(&address, &entry).await.status, 303);
    let page = housing.get(&address).await;
    has(&page, 200, &["待审定", "持身份证到窗口申请"]);
    let version = page.hidden("version");
    let retire = format!("{address}/retire");
    assert_eq!(
        health.form(&retire, &[("version", &version)]).await.status,
        404
    );
    assert_eq!(
        housing.form(&retire, &[("version", &version)]).await.status,
        303
    );
    let found = officer
        .get("/knowledge?text=%E7%BB%B4%E4%BF%AE%E5%9F%BA%E9%87%91")
        .await;
    has(&found, 200, &["没有与之相近的问答"]);
    let frequent = officer.get("/knowledge/frequent").await;
    has(&frequent, 200, &["还没有问过两次以上的咨询"]);
}

async fn a_unit_keeps_what_it_promised_and_another_cannot(kept: Kept) {
    let office = office(kept).await;
    let case = office.case("路灯", "zhujian").await;
    office.dispatch(&case).await;
    let commitments = Commitments::new(office.kept.store.clone());
    let promised = NewCommitment {
        case_id: case,
        region: REGION.to_owned(),
        what: format!("修好路灯{HOSTILE}"),
        unit: "zhujian".to_owned(),
        due: "2026-12-31".parse().unwrap(),
    };
    let made = (commitments.add(
        &promised,
        &responder::case::Actor::system(),
        Timestamp::now(),
    ))
    .await
    .unwrap();
    let mut housing = office.person("housing").await;
    let page = housing.get("/commitments").await;
    has(&page, 200, &["修好路灯", "2026-12-31前", "登记兑现或撤回"]);
    let keep = format!("/commitments/{}/keep", made.id);
    let mut health = office.person("health").await;
    assert!(!health.get("/commitments").await.text.contains("修好路灯"));
    let stranger = health.form(&keep, &[("note", "已修好")]).await;
    assert_eq!(stranger.status, 404);
    let refused = housing.form(&keep, &[("note", "")]).await;
    has(&refused, 422, &["请填写兑现情况"]);
    let elsewhere = [("note", "已修好"), ("case", "//evil.example")];
    let kept = housing.form(&keep, &elsewhere[..1]).await;
    assert_eq!(kept.location(), "/commitments?done=kept");
    let twice = housing.form(&keep, &elsewhere).await;
    has(&twice, 422, &["已经办结"]);
    let page = housing.get("/commitments?state=kept").await;
    has(&page, 200, &["兑现情况：已修好", "housing"]);
    let auditor = office
        .person("auditor")
        .await
        .get("/commitments?state=all")
        .await;
    has(&auditor, 200, &["修好路灯"]);
}

async fn a_units_page_says_what_it_has_to_do_and_whom_it_is_told_by(kept: Kept) {
    let office = office(kept).await;
    let case = office.case("停水", "zhujian").await;
    office.dispatch(&case).await;
    let mut officer = office.person("officer").await;
    let list = officer.get("/units").await;
    has(
        &list,
        200,
        &[
            "/units/990101/zhujian",
            "配置检查的提示",
            "个单位没有可通知的联系人（",
        ],
    );
    assert!(
        !list.text.contains("/units/files"),
        "files are the administrator's"
    );
    let unit = officer.get("/units/990101/zhujian").await;
    has(
        &unit,
        200,
        &[
            "县住房和城乡建设局",
            "停水问题",
            "维修基金",
            "没有联系人",
            "90天内牵头答复",
        ],
    );
    assert_eq!(officer.get("/units/990101/none").await.status, 404);
    assert_eq!(
        office
            .person("housing")
            .await
            .get("/units/990101/zhujian")
            .await
            .status,
        403
    );
}

async fn who_waits_for_whom_is_said_on_a_case_and_who_did_what(kept: Kept) {
    let office = office(kept).await;
    let case = office.case("停水", "zhujian").await;
    let (page, moves) = (format!("/cases/{case}"), format!("/cases/{case}/moves"));
    let mut officer = office.person("officer").await;
    let mut housing = office.person("housing").await;
    let version = officer.get(&page).await.hidden("version");
    let mut sent = vec![("action", "dispatch"), ("version", version.as_str())];
    sent.extend([("lead", "zhujian"), ("assists", "weijian")]);
    assert_eq!(officer.form(&moves, &sent).await.status, 303);

    let told = housing.get(&page).await;
    has(&told, 200, &["暂不能报告核查处置情况：请先签收。"]);
    let version = told.hidden("version");
    let sign = [("action", "sign"), ("version", version.as_str())];
    assert_eq!(housing.form(&moves, &sign).await.status, 303);
    let told = housing.get(&page).await;
    has(&told, 200, &["暂不能提交答复：协办单位尚未全部反馈"]);
    let told = officer.get(&page).await;
    has(&told, 200, &["住房和城乡建设局 单位负责人 housing"]);
    assert!(!told.text.contains("指定牵头单位"));

    // Another unit has it now: why the first was proposed says nothing of it.
    let version = told.hidden("version");
    let mut sent = vec![("action", "redispatch"), ("version", version.as_str())];
    sent.extend([("lead", "weijian"), ("note", "属卫健职责")]);
    assert_eq!(officer.form(&moves, &sent).await.status, 303);
    has(&officer.get(&page).await, 200, &["值班员指定牵头单位"]);
}

async fn a_column_of_the_board_that_is_too_long_leads_to_its_list(kept: Kept) {
    let office = office(kept).await;
    for number in 0..23 {
        office.case(&format!("路灯{number}"), "zhujian").await;
    }
    let mut officer = office.person("officer").await;
    let board = officer.get("/cases/board?unit=990101/zhujian&page=9").await;
    let list = "/cases?unit=990101%2Fzhujian&#38;page=9&#38;state=pending";
    has(&board, 200, &["另有3件", list, "<small>23件</small>"]);
    let list = officer
        .get("/cases?unit=990101/zhujian&state=pending")
        .await;
    has(&list, 200, &["共 23 条"]);
}

async fn a_file_of_the_region_is_checked_as_at_the_start(kept: Kept) {
    let office = office(kept).await;
    let mut admin = office.person("admin").await;
    let page = admin.get("/units/files?file=routing.toml").await;
    has(
        &page,
        200,
        &[
            "停水：住建部门牵头",
            "name=\"file_name\" value=\"routing.toml\"",
        ],
    );
    assert_eq!(
        admin.get("/units/files?file=../region.toml").await.status,
        404
    );
    let base = page.hidden("base");
    let check = |file| [("file_name", file), ("base", base.as_str())];
    for (file, text, said) in [
        (
            "routing.toml",
            "[route]\nlead = \"nobody\"\n",
            "route.lead 所写的单位 nobody 不在 units.toml 中",
        ),
        ("routing.toml", "[route\n", "写法或字段不对"),
        (
            "units.toml",
            "[[unit]]\ncode = \"a\"\n</textarea><script>alert(1)</script>",
            "units.toml",
        ),
    ] {
        let refused = admin
            .upload("/units/files", &check(file), ("mine.toml", text.as_bytes()))
            .await;
        has(&refused, 422, &["检查没有通过，没有保存", said]);
    }
    // What is in order is not saved unasked, nor over what somebody else changed meanwhile.
    let good = "[route]\nlead = \"by-place\"\n";
    let checked = admin
        .upload(
            "/units/files",
            &check("routing.toml"),
            ("mine.toml", good.as_bytes()),
        )
        .await;
    has(&checked, 200, &["检查通过，尚未保存"]);
    let stale = [("file_name", "routing.toml"), ("base", "0"), ("save", "1")];
    let refused = admin
        .upload("/units/files", &stale, ("mine.toml", good.as_bytes()))
        .await;
    has(&refused, 422, &["文件在此期间已被他人修改"]);
    let after = admin.get("/units/files?file=routing.toml").await;
    assert_eq!(after.hidden("base"), base);
}

async fn the_audit_is_looked_through_and_a_token_is_shown_once(kept: Kept) {
    let office = office(kept).await;
    let case = office.case("路灯", "zhujian").await;
    let mut officer = office.person("officer").await;
    officer.get(&format!("/cases/{case}")).await;
    let mut admin = office.person("admin").await;
    let token = [("label", HOSTILE), ("days", "0"), ("scope", "cases:read")];
    let refused = admin.form("/users/officer/tokens", &token).await;
    has(
        &refused,
        422,
        &["令牌有效期为1至366天", "value=\"cases:read\" checked"],
    );
    let token = [("label", HOSTILE), ("days", "30"), ("scope", "cases:read")];
    let made = admin.form("/users/officer/tokens", &token).await;
    has(&made, 200, &["只显示这一次"]);
    let secret = made.text.split("data-secret>").nth(1).unwrap();
    let secret = secret.split('<').next().unwrap().to_owned();
    let mut program = office.nobody();
    program.token = secret.clone();
    assert_eq!(program.get("/api/v1/cases").await.status, 200);
    let page = admin.get("/users/officer").await;
    has(&page, 200, &["读案件", "data-session"]);
    assert!(!page.text.contains(&secret));
    let id = page.text.split("data-token=\"").nth(1).unwrap();
    let id = id.split('"').next().unwrap().to_owned();
    let revoke = admin
        .form("/users/officer/tokens/revoke", &[("id", &id)])
        .await;
    assert_eq!(revoke.status, 303);
    assert_eq!(program.get("/api/v1/cases").await.status, 401);

    // A session is ended, a role changed; each is written down, and found.
    let session = page.text.split("data-session=\"").nth(1).unwrap();
    let session = session.split('"').next().unwrap();
    let ended = admin
        .form("/users/officer/sessions", &[("id", session)])
        .await;
    assert_eq!(ended.status, 303);
    assert!(officer.get("/cases").await.location().starts_with("/login"));
    let wrong = [("display_name", "张三"), ("role", "unit-lead")];
    let wrong = admin.form("/users/officer", &wrong).await;
    has(&wrong, 422, &["须选定一个单位", "value=\"张三\""]);
    let moved = [("display_name", "张三"), ("role", "leader")];
    assert_eq!(admin.form("/users/officer", &moved).await.status, 303);
    has(
        &admin.get("/users/officer").await,
        200,
        &["分管领导", "张三"],
    );

    let found = admin
        .get(&format!(
            "/audit?user=officer&action=read-case&subject={case}"
        ))
        .await;
    has(&found, 200, &["查看案件", "共 1 条"]);
    let none = admin.get("/audit?user=officer&action=revoke-token").await;
    has(&none, 200, &["没有符合条件的记录"]);
    let early = admin.get("/audit?to=2020-01-01T00:00").await;
    has(
        &early,
        200,
        &["没有符合条件的记录", "to=2019-12-31T16%3A01%3A00Z"],
    );
    let wrong = admin.get("/audit?from=yesterday").await;
    has(&wrong, 200, &["时间请按"]);
    let all = admin.get("/audit").await;
    for done in ["吊销接口令牌", "添加接口令牌", "结束他人登录", "变更账号"] {
        assert!(all.text.contains(done), "{done}");
    }
}

async fn what_is_down_is_said_in_words_and_nothing_else_goes_down_with_it(kept: Kept) {
    let office = office(kept).await;
    let mut admin = office.person("admin").await;
    let page = admin.get("/system").await;
    has(
        &page,
        200,
        &[
            "处需要处理",
            "127.0.0.1:9 不应答，新帖和预警进不来",
            "帖文、事件和统计看不到，案件不受影响",
            "没有配置渠道",
            "天内3段无人",
            "毫秒应答",
        ],
    );
    let worst = page.text.find("data-part=\"faulty\"").unwrap();
    assert!(worst < page.text.find("data-part=\"changed\"").unwrap());
    let letters = admin.get("/dead-letters").await;
    has(&letters, 200, &["消息队列暂时不可用"]);
    assert_eq!(admin.get("/dead-letters?topic=none").await.status, 404);
    let mut auditor = office.person("auditor").await;
    let replay = [("topic", "posts"), ("offset", "0")];
    assert_eq!(
        auditor.form("/dead-letters/replay", &replay).await.status,
        403
    );
}
