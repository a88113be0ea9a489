//! The words of notices and their forms.

use responder::notify::form;
use responder::notify::wording::Wording;
use responder::notify::{Body, DigestBody, Kind, PaperBody, SourceBody, TestBody};

use super::matter::{HOSTILE, LINK, morning, of_case};

fn bodies() -> Vec<Body> {
    let digest = DigestBody {
        id: "digest".to_owned(),
        kind: Kind::Digest,
        action: Kind::Digest.title().to_owned(),
        unit: "zhujian".to_owned(),
        notices: vec![
            of_case(Kind::Dispatch, "停水三天", ""),
            of_case(Kind::Reminder, HOSTILE, ""),
        ],
        link: "https://wensheng.test/cases".to_owned(),
    };
    let source = SourceBody {
        id: "source".to_owned(),
        kind: Kind::Source,
        action: "来源异常".to_owned(),
        title: "来源“网上留言板”疑似改版，自2026-11-23 08:30起".to_owned(),
        region: "360921".to_owned(),
        source: "网上留言板".to_owned(),
        condition: "changed".to_owned(),
        since: "2026-11-23T00:30:00Z".to_owned(),
        problem: "http://board.example.test/1: has no text".to_owned(),
        link: "https://wensheng.test/sources".to_owned(),
    };
    let test = TestBody {
        id: "test".to_owned(),
        kind: Kind::Test,
        action: Kind::Test.title().to_owned(),
        channel: "group".to_owned(),
        link: "https://wensheng.test/".to_owned(),
    };
    let mut bodies: Vec<Body> = Kind::ALL
        .into_iter()
        .filter(|kind| !matches!(kind, Kind::Digest | Kind::Source | Kind::Paper | Kind::Test))
        .map(|kind| Body::Case(of_case(kind, "城北小区楼上漏水没人修", "今日内答复")))
        .collect();
    let paper = PaperBody {
        id: "paper".to_owned(),
        kind: Kind::Paper,
        action: Kind::Paper.title().to_owned(),
        paper: "paper".to_owned(),
        title: "奉新县舆情周报".to_owned(),
        number: "奉府办舆〔2026〕47号".to_owned(),
        from: "2026-11-16".to_owned(),
        to: "2026-11-22".to_owned(),
        link: "https://wensheng.test/reports/paper".to_owned(),
    };
    bodies.extend([
        Body::Digest(digest),
        Body::Source(source),
        Body::Paper(paper),
        Body::Test(test),
    ]);
    bodies
}

#[test]
fn a_dispatch_reads_so() {
    let body = Body::Case(of_case(
        Kind::Dispatch,
        "城北小区楼上漏水没人修",
        "今日内答复",
    ));
    let wording = Wording::of(&body, morning());
    assert_eq!(
        form::plain(&wording, 2_048),
        "【派单通知】城北小区楼上漏水没人修\n\
         通知时间：2026-11-23 08:30\n\
         级别：Ⅱ级（重大）\n\
         单位：县住房和城乡建设局（牵头）\n\
         签收期限：2026-11-23 09:30\n\
         答复期限：2026-11-24 08:30\n\
         派单意见：今日内答复\n\
         请在签收期限内签收并办理。\n\
         https://wensheng.test/cases/5f0c"
    );
    assert_eq!(
        form::markdown(&wording, 4_096, "\n"),
        "**【派单通知】** 城北小区楼上漏水没人修\n\
         **通知时间：**2026-11-23 08:30\n\
         **级别：**Ⅱ级（重大）\n\
         **单位：**县住房和城乡建设局（牵头）\n\
         **签收期限：**2026-11-23 09:30\n\
         **答复期限：**2026-11-24 08:30\n\
         **派单意见：**今日内答复\n\
         请在签收期限内签收并办理。\n\
         [查看案件](https://wensheng.test/cases/5f0c)"
    );
    assert_eq!(
        form::short(&wording, 600),
        "【派单通知】城北小区楼上漏水没人修 https://wensheng.test/cases/5f0c"
    );
    assert_eq!(
        form::subject(&wording),
        "【派单通知】城北小区楼上漏水没人修"
    );
}

#[test]
fn every_kind_has_words_of_its_own_that_ask_for_something() {
    let mut headings: Vec<&str> = Vec::new();
    for body in bodies() {
        let wording = Wording::of(&body, morning());
        assert!(wording.request.ends_with('。'));
        headings.push(wording.heading);
    }
    headings.sort_unstable();
    headings.dedup();
    assert_eq!(headings.len(), Kind::ALL.len());
}

#[test]
fn what_was_stored_is_read_as_what_it_was() {
    for body in bodies() {
        let stored = serde_json::to_string(&body).unwrap();
        assert_eq!(serde_json::from_str::<Body>(&stored).unwrap(), body);
    }
}

#[test]
fn a_form_is_never_too_long_and_always_ends_in_its_link() {
    let long = "字𠮷e\u{301}".repeat(400);
    for title in ["停水", HOSTILE, long.as_str()] {
        let body = Body::Case(of_case(Kind::SendBack, title, &long));
        let wording = Wording::of(&body, morning());
        for limit in (200..5_000).step_by(43) {
            for text in [
                form::plain(&wording, limit),
                form::markdown(&wording, limit, "\n"),
                form::markdown(&wording, limit, "\n\n"),
                form::short(&wording, limit),
            ] {
                assert!(text.len() <= limit, "{} of {limit}: {text}", text.len());
                assert!(text.contains(LINK), "{limit}: {text}");
                assert_eq!(text.matches("**").count() % 2, 0, "{text}");
            }
            assert!(form::card(&wording, limit).len() <= limit);
        }
    }
    assert_eq!(form::cut("停水三天", 9), "停水…");
    assert_eq!(form::cut("停水三天", 12), "停水三天");
    assert_eq!(form::cut("停水三天", 2), "…");
}

#[test]
fn a_cut_text_shows_it_and_keeps_what_is_short_and_comes_first() {
    let body = Body::Case(of_case(Kind::Urge, "停水", &"很长的催办意见".repeat(300)));
    let text = form::plain(&Wording::of(&body, morning()), 600);
    assert!(text.contains("答复期限：2026-11-24 08:30"), "{text}");
    assert!(text.contains("…\n请抓紧办理"), "{text}");
}

#[test]
fn many_cases_in_one_message_are_listed_with_how_many_there_are() {
    let notices: Vec<_> = (0..30)
        .map(|number| {
            of_case(
                Kind::Dispatch,
                &format!("第{number}件事，需要尽快核实处理"),
                "",
            )
        })
        .collect();
    let body = Body::Digest(DigestBody {
        id: "digest".to_owned(),
        kind: Kind::Digest,
        action: Kind::Digest.title().to_owned(),
        unit: "zhujian".to_owned(),
        notices,
        link: "https://wensheng.test/cases".to_owned(),
    });
    let text = form::plain(&Wording::of(&body, morning()), 2_048);
    assert!(text.starts_with("【多件事项】共30件待办理\n"), "{text}");
    assert!(text.contains("派单：第0件事，需要尽快核实处理（Ⅱ级，2026-11-24 08:30前答复）"));
    assert!(text.ends_with("https://wensheng.test/cases"));
}
