//! The robots and the app: signatures, sizes, codes, and services that misbehave.

use responder::notify::refusal::Again;
use serde_json::json;

use super::matter::{HOSTILE, LINK, after, body, message, morning};
use super::service::{
    Answer, Judge, Service, dingtalk, feishu, line, secret, settings, wecom_app, wecom_robot,
};

/// Each kind, the service that it is for, and whom it is to reach.
const KINDS: [(&str, Judge, &str); 4] = [
    ("wecom-robot", wecom_robot, ""),
    ("wecom-app", wecom_app, "zhangsan"),
    ("dingtalk", dingtalk, ""),
    ("feishu", feishu, ""),
];

#[tokio::test]
async fn each_service_takes_a_message_even_a_hostile_and_long_one() {
    let long = "请于今日内核实群众反映的情况并答复".repeat(300);
    for (kind, judge, to) in KINDS {
        let service = Service::start(judge).await;
        service.is_at(morning());
        let line = line(kind, &service.url);
        for (title, note) in [
            ("城北小区楼上漏水没人修", ""),
            (HOSTILE, "\"\\\"\\\"\u{1}\n".repeat(2_000).as_str()),
            ("停水", long.as_str()),
        ] {
            let body = body(title, note);
            let sent = line.send(&message(&body, to), morning()).await;
            assert_eq!(sent, Ok(()), "{kind}: {title}");
            let call = service.calls().pop().unwrap();
            assert!(
                String::from_utf8(call.bytes).unwrap().contains(LINK),
                "{kind}: the link is kept"
            );
        }
    }
}

#[tokio::test]
async fn a_title_cannot_become_a_link_a_mention_or_a_mark() {
    for (kind, judge, to) in KINDS {
        let service = Service::start(judge).await;
        service.is_at(morning());
        let body = body(HOSTILE, HOSTILE);
        let line = line(kind, &service.url);
        line.send(&message(&body, to), morning()).await.unwrap();
        let sent = service.calls().pop().unwrap().body;
        let texts = [
            &sent["markdown"]["content"],
            &sent["markdown"]["text"],
            &sent["text"]["content"],
            &sent["card"]["elements"][0]["text"]["content"],
        ];
        let text = texts.iter().find_map(|text| text.as_str()).unwrap();
        for tag in ["<@", "<at", "<font", "</", "\u{202e}", "\u{1}"] {
            assert!(!text.contains(tag), "{kind} has {tag}: {text}");
        }
        if matches!(kind, "wecom-robot" | "dingtalk") {
            for mark in ["[点我]", "**急", "`", "# ", "![", "~~", "@"] {
                assert!(!text.contains(mark), "{kind} has {mark}: {text}");
            }
            assert_eq!(text.matches("](").count(), 1, "only our own link: {text}");
        }
        if kind == "feishu" {
            let card = &sent["card"]["elements"][0]["text"];
            assert_eq!(card["tag"], "plain_text", "no mark means anything there");
        }
    }
}

#[tokio::test]
async fn the_app_asks_for_a_token_once_and_again_when_it_is_refused_or_ends() {
    let service = Service::start(wecom_app).await;
    let line = line("wecom-app", &service.url);
    let body = body("停水", "");
    let asked = || {
        let calls = service.calls();
        let asked = calls
            .iter()
            .filter(|call| call.url.path() == "/cgi-bin/gettoken");
        asked.count()
    };
    for _ in 0..3 {
        line.send(&message(&body, "zhangsan"), morning())
            .await
            .unwrap();
    }
    assert_eq!(asked(), 1);
    // Somebody else asked for a token: ours is not the newest any more.
    let elsewhere = format!(
        "{}cgi-bin/gettoken?corpid=ww1&corpsecret=app-secret",
        service.url
    );
    reqwest::get(elsewhere).await.unwrap();
    line.send(&message(&body, "zhangsan"), morning())
        .await
        .unwrap();
    assert_eq!(asked(), 3);
    line.send(&message(&body, "zhangsan"), after(7_100))
        .await
        .unwrap();
    assert_eq!(asked(), 4, "it ends in 100 seconds");
    let sent = service.calls().pop().unwrap().body;
    assert_eq!(sent["touser"], "zhangsan");
    assert_eq!(sent["enable_duplicate_check"], 1);
}

#[tokio::test]
async fn one_member_unknown_among_several_is_no_failure_and_alone_it_is_one() {
    let service = Service::start(wecom_app).await;
    let line = line("wecom-app", &service.url);
    let body = body("停水", "");
    line.send(&message(&body, "nobody|zhangsan"), morning())
        .await
        .unwrap();
    let refusal = line
        .send(&message(&body, "nobody"), morning())
        .await
        .unwrap_err();
    assert_eq!(refusal.again, Again::Never);
    assert!(refusal.problem.contains("correct it in units.toml"));
    assert!(!refusal.problem.contains("nobody"), "{}", refusal.problem);
    // An older service takes the message and says whom it does not know.
    service.then([Answer::Json(
        json!({ "errcode": 0, "errmsg": "ok", "invaliduser": "lisi|wangwu" }),
    )]);
    let refusal = line.send(&message(&body, "LiSi|wangwu"), morning()).await;
    assert_eq!(refusal.unwrap_err().again, Again::Never);
}

#[tokio::test]
async fn codes_say_whether_to_try_again_and_what_to_do() {
    let rest = |again| match again {
        Again::After(wait) => wait.as_secs(),
        Again::Later => 0,
        Again::Never => -1,
    };
    for (kind, answer, expected, remedy) in [
        (
            "wecom-robot",
            json!({ "errcode": 45009, "errmsg": "api freq out of limit" }),
            60,
            "45009",
        ),
        (
            "wecom-robot",
            json!({ "errcode": -1, "errmsg": "system busy" }),
            0,
            "system busy",
        ),
        (
            "wecom-robot",
            json!({ "errcode": 93000, "errmsg": "invalid" }),
            -1,
            "set `key` anew",
        ),
        (
            "wecom-app",
            json!({ "errcode": 60020, "errmsg": "not allow to access" }),
            -1,
            "企业可信IP",
        ),
        (
            "wecom-app",
            json!({ "errcode": 40001, "errmsg": "invalid credential" }),
            -1,
            "set `secret` anew",
        ),
        (
            "dingtalk",
            json!({ "errcode": 130101, "errmsg": "send too fast" }),
            600,
            "send too fast",
        ),
        (
            "dingtalk",
            json!({ "errcode": 310000, "errmsg": "keywords not in content" }),
            -1,
            "give `secret` for 加签",
        ),
        (
            "feishu",
            json!({ "code": 11232, "msg": "frequency limited" }),
            60,
            "frequency limited",
        ),
        (
            "feishu",
            json!({ "code": 9499, "msg": "too many request" }),
            60,
            "too many request",
        ),
        (
            "feishu",
            json!({ "code": 19021, "msg": "sign match fail" }),
            -1,
            "this machine's clock",
        ),
        (
            "feishu",
            json!({ "code": 19024, "msg": "Key Words Not Found" }),
            -1,
            "keywords",
        ),
    ] {
        let service = Service::start(wecom_app).await;
        service.always(Some(Answer::Json(answer.clone())));
        let body = body("停水", "");
        let refusal = line(kind, &service.url)
            .send(&message(&body, "zhangsan"), morning())
            .await
            .unwrap_err();
        assert_eq!(rest(refusal.again), expected, "{kind} {answer}");
        assert!(
            refusal.problem.contains(remedy),
            "{kind}: {}",
            refusal.problem
        );
    }
}

#[tokio::test]
async fn a_service_that_misbehaves_is_a_problem_and_no_more() {
    let hour = [("retry-after", "90")];
    let away = [("location", "http://127.0.0.1:9/elsewhere")];
    for (kind, judge, to) in KINDS {
        for (answer, again, problem) in [
            (Answer::Status(500, vec![]), Again::Later, "answered 500"),
            (
                Answer::Status(429, hour.to_vec()),
                Again::After(jiff::SignedDuration::from_secs(90)),
                "answered 429",
            ),
            (
                Answer::Status(302, away.to_vec()),
                Again::Never,
                "which is not followed",
            ),
            (
                Answer::Status(404, vec![]),
                Again::Never,
                "check the channel's `url`",
            ),
            (
                Answer::Text("<html>登录</html>"),
                Again::Later,
                "in a form that is not known",
            ),
            (
                Answer::Text("{\"errcode\":"),
                Again::Later,
                "in a form that is not known",
            ),
            (
                Answer::Text("[]"),
                Again::Later,
                "in a form that is not known",
            ),
            (Answer::Endless, Again::Later, "answers without end"),
            (Answer::CutOff, Again::Later, "broke off its answer"),
            (Answer::Hang, Again::Later, "did not answer in time"),
        ] {
            let service = Service::start(judge).await;
            service.is_at(morning());
            service.always(Some(answer.clone()));
            let body = body("停水", "");
            let refusal = line(kind, &service.url)
                .send(&message(&body, to), morning())
                .await
                .unwrap_err();
            assert_eq!(
                refusal.again, again,
                "{kind} {answer:?}: {}",
                refusal.problem
            );
            assert!(
                refusal.problem.contains(problem),
                "{kind}: {}",
                refusal.problem
            );
        }
    }
}

#[tokio::test]
async fn a_problem_names_no_secret_even_where_the_service_repeats_it() {
    let repeats = "robot-key app-secret ding-token SECding feishu-hook feishu-secret zhangsan";
    for (kind, _, _) in KINDS {
        let service = Service::start(wecom_app).await;
        let field = if kind == "feishu" {
            ("code", "msg")
        } else {
            ("errcode", "errmsg")
        };
        service.always(Some(Answer::Json(
            json!({ (field.0): 40035, (field.1): repeats }),
        )));
        let gone = "http://127.0.0.1:9/";
        for url in [service.url.as_str(), gone] {
            let body = body("停水", "");
            let refusal = line(kind, url)
                .send(&message(&body, "zhangsan"), morning())
                .await
                .unwrap_err();
            let own = match kind {
                "wecom-robot" => vec!["robot-key"],
                "wecom-app" => vec!["app-secret"],
                "dingtalk" => vec!["ding-token", "SECding"],
                _ => vec!["feishu-hook", "feishu-secret"],
            };
            for word in own {
                assert!(
                    !refusal.problem.contains(word),
                    "{kind}: {}",
                    refusal.problem
                );
            }
            assert!(
                !refusal.problem.contains("127.0.0.1"),
                "{}",
                refusal.problem
            );
        }
    }
}

#[tokio::test]
async fn a_service_of_ones_own_may_have_a_path_and_unsigned_robots_work() {
    let service = Service::start(|call, _| match call.url.path() {
        "/proxy/robot/send" if call.query("sign").is_empty() => json!({ "errcode": 0 }),
        _ => json!({ "errcode": 1, "errmsg": "elsewhere" }),
    })
    .await;
    let channel = serde_json::from_value(json!({
        "name": "ding", "kind": "dingtalk", "url": format!("{}proxy", service.url),
        "access_token": secret("ding-token"),
    }))
    .unwrap();
    let body = body("停水", "");
    let line = responder::notify::channel::Line::open(&channel).unwrap();
    assert_eq!(line.send(&message(&body, ""), morning()).await, Ok(()));
}

#[test]
fn a_channel_without_its_secret_does_not_open_and_says_what_to_set() {
    let mut channel = settings("feishu", "http://127.0.0.1:9/");
    if let responder::notify::channel::ChannelKind::Feishu(robot) = &mut channel.kind {
        robot.hook = backbone::settings::Secret {
            env: Some("WENSHENG_TEST_HOOK_THAT_NOBODY_SETS".to_owned()),
            file: None,
        };
    }
    let said = responder::notify::channel::Line::open(&channel)
        .unwrap_err()
        .to_string();
    assert!(said.contains("`channel.feishu.hook`"), "{said}");
    assert!(
        said.contains("WENSHENG_TEST_HOOK_THAT_NOBODY_SETS"),
        "{said}"
    );
}
