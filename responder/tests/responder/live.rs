//! Posts as they come: who sees which, what the slow are told, when a stream ends, and what officers say of a post in its
//! line. The archive is not there: nothing of this waits for it.

use std::path::Path;
use std::time::Duration;

use backbone::kafka::Received;
use backbone::message::{self, Assessment, Polarity};
use reqwest::Response;
use responder::account::Change;
use responder::correction::Corrections;
use responder::erasure::Erasures;

use crate::ground::PATIENCE;
use crate::served::{Office, Person, REGION, office};
use crate::stores::{Kept, on_each_store};

on_each_store!(
    a_post_reaches_the_viewer_whose_filter_it_fits,
    who_comes_back_sees_what_came_meanwhile,
    who_is_slow_is_told_how_many_were_passed_over,
    a_stream_ends_with_its_session,
    there_are_so_many_streams_and_no_more,
    an_officer_confirms_dismisses_and_corrects_in_the_line,
    what_one_officer_says_of_a_post_the_others_see,
    what_people_wrote_is_text_in_the_stream,
    the_page_begins_with_what_came_lately,
);

const HOSTILE: &str =
    "</p>\rid: 9\n\n\revent: post<script>alert('1')</script><img src=x onerror=alert(2)>";

fn post(number: i64, change: impl FnOnce(&mut Assessment)) -> Received<Assessment> {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../backbone/examples/assessments/v1/read.json");
    let mut message: Assessment = message::decode(&std::fs::read(path).unwrap()).unwrap();
    REGION.clone_into(&mut message.post.region);
    message.post.id = format!("post-{number}");
    message.units[0].code = "zhujian".to_owned();
    change(&mut message);
    Received {
        message,
        partition: 0,
        offset: number,
    }
}

/// An event of a stream.
#[derive(Debug, PartialEq)]
struct Event {
    name: String,
    id: String,
    data: String,
}

struct Stream {
    response: Response,
    /// What came and is no whole character yet.
    bytes: Vec<u8>,
    text: String,
}

impl Stream {
    async fn open(person: &Person, query: &str) -> Self {
        let request = person.request("GET", &format!("/live/stream{query}"));
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self {
            response,
            bytes: Vec::new(),
            text: String::new(),
        }
    }

    /// The next event; nothing when the stream has ended. That it is alive is no event.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let of = |name: &str| {
                    let lines = block.split(['\n', '\r']);
                    let values = lines.filter_map(|line| line.strip_prefix(name));
                    values.collect::<Vec<_>>().join("\n")
                };
                let event = Event {
                    name: of("event: "),
                    id: of("id: "),
                    data: of("data: "),
                };
                self.text = rest.to_owned();
                if !event.name.is_empty() {
                    return Some(event);
                }
                continue;
            }
            let chunk = tokio::time::timeout(PATIENCE, self.response.chunk()).await;
            let chunk = chunk.expect("something comes").unwrap()?;
            self.bytes.extend_from_slice(&chunk);
            let whole = match std::str::from_utf8(&self.bytes) {
                Ok(text) => text.len(),
                Err(cut) => cut.valid_up_to(),
            };
            let rest = self.bytes.split_off(whole);
            self.text
                .push_str(std::str::from_utf8(&self.bytes).unwrap());
            self.bytes = rest;
        }
    }

    /// The next post's id.
    async fn post(&mut self) -> String {
        let event = self.next().await.unwrap();
        assert_eq!(event.name, "post", "{event:?}");
        shown(&event.data)
    }
}

fn shown(line: &str) -> String {
    let (_, rest) = line.split_once("data-post=\"").unwrap();
    rest.split_once('"').unwrap().0.to_owned()
}

async fn a_post_reaches_the_viewer_whose_filter_it_fits(kept: Kept) {
    let office = office(kept).await;
    let officer = office.person("officer").await;
    let auditor = office.person("auditor").await;
    let mut complaints = Stream::open(&officer, "?sentiment=negative&place=冯川镇").await;
    let mut praise = Stream::open(&officer, "?sentiment=positive&all=1").await;
    let mut all = Stream::open(&auditor, "").await;
    office.live.publish([
        post(1, |_| {}),
        post(2, |post| post.sentiment.label = Polarity::Positive),
        post(3, |post| {
            post.sentiment.label = Polarity::Positive;
            post.relevant = false;
        }),
    ]);
    office.live.publish([post(4, |post| post.places.clear())]);
    office.live.publish([post(5, |_| {})]);
    assert_eq!(
        [complaints.post().await, complaints.post().await],
        ["post-1", "post-5"]
    );
    assert_eq!(
        [praise.post().await, praise.post().await],
        ["post-2", "post-3"]
    );
    for expected in ["post-1", "post-2", "post-4", "post-5"] {
        assert_eq!(all.post().await, expected);
    }

    let mut housing = office.person("housing").await;
    assert_eq!(housing.get("/live/stream").await.status, 403);
    assert_eq!(housing.get("/live").await.status, 403);
}

async fn who_comes_back_sees_what_came_meanwhile(kept: Kept) {
    let office = office(kept).await;
    let officer = office.person("officer").await;
    office.live.publish([post(1, |_| {}), post(2, |_| {})]);
    let mut stream = Stream::open(&officer, "?after=0-1").await;
    let event = stream.next().await.unwrap();
    assert_eq!(
        (event.id.as_str(), shown(&event.data).as_str()),
        ("0-2", "post-2")
    );
    drop(stream);
    office.live.publish([post(3, |_| {})]);
    // A browser says by itself what it saw last, whatever the address says.
    let request = officer.request("GET", "/live/stream?after=0-1");
    let response = request.header("last-event-id", "0-2").send().await.unwrap();
    let mut stream = Stream {
        response,
        bytes: Vec::new(),
        text: String::new(),
    };
    assert_eq!(stream.post().await, "post-3");
    // A post that this responder does not know any more: the newest there are.
    let mut other = Stream::open(&officer, "?after=7-9").await;
    assert_eq!(
        [other.post().await, other.post().await],
        ["post-1", "post-2"]
    );
}

async fn who_is_slow_is_told_how_many_were_passed_over(kept: Kept) {
    let office = office(kept).await;
    let officer = office.person("officer").await;
    let mut stream = Stream::open(&officer, "").await;
    let all = 600;
    // Nobody is waited for: the viewer has no time to read before this is over.
    for batch in 0..200 {
        let posts = (0..3).map(|of_batch| post(batch * 3 + of_batch, |_| {}));
        office.live.publish(posts);
    }
    let (mut seen, mut passed_over) = (0, 0);
    while seen + passed_over < all {
        let event = stream.next().await.unwrap();
        match event.name.as_str() {
            "skipped" => passed_over += event.data.parse::<u64>().unwrap(),
            _ => seen += 1,
        }
    }
    assert_eq!(seen + passed_over, all);
    assert!(passed_over > 300, "{passed_over}");
    assert_eq!(office.metrics.live_posts_skipped_total.get(), passed_over);

    // More at once than anybody reads.
    let flood: Vec<_> = (1_000..1_050).map(|number| post(number, |_| {})).collect();
    office.live.publish(flood);
    let event = stream.next().await.unwrap();
    assert_eq!(
        (event.name.as_str(), event.data.as_str()),
        ("skipped", "30")
    );
    assert_eq!(stream.post().await, "post-1030", "the newest are shown");
}

async fn a_stream_ends_with_its_session(kept: Kept) {
    let office = office(kept).await;
    let mut officer = office.person("officer").await;
    let auditor = office.person("auditor").await;
    let mut stream = Stream::open(&officer, "").await;
    let mut other = Stream::open(&auditor, "").await;
    assert_eq!(office.metrics.live_viewers.get(), 2);
    assert_eq!(officer.form("/logout", &[]).await.status, 303);
    assert_eq!(stream.next().await, None);
    drop(stream);
    office.live.publish([post(1, |_| {})]);
    assert_eq!(other.post().await, "post-1", "others see on");
    let aside = Change {
        active: Some(false),
        ..Change::default()
    };
    office.accounts.change("auditor", &aside).await.unwrap();
    assert_eq!(other.next().await, None);
    all_places_are_free(&office).await;
}

async fn all_places_are_free(office: &Office) {
    tokio::time::timeout(PATIENCE, async {
        while office.metrics.live_viewers.get() > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("a stream that ended gives its place back");
}

async fn there_are_so_many_streams_and_no_more(kept: Kept) {
    let office = office(kept).await;
    let mut officer = office.person("officer").await;
    let mut leader = office.person("leader").await;
    let streams = [
        Stream::open(&officer, "").await,
        Stream::open(&officer, "").await,
    ];
    let refused = officer.get("/live/stream").await;
    assert_eq!(refused.status, 429);
    assert!(refused.headers.contains_key("retry-after"));
    let third = Stream::open(&leader, "").await;
    assert_eq!(leader.get("/live/stream").await.status, 503);
    drop((streams, third));
    all_places_are_free(&office).await;
    Stream::open(&officer, "").await;
}

async fn an_officer_confirms_dismisses_and_corrects_in_the_line(kept: Kept) {
    let office = office(kept).await;
    let mut officer = office.person("officer").await;
    office
        .live
        .publish([post(1, |_| {}), post(2, |_| {}), post(3, |_| {})]);
    let said = [
        (1, vec![("verdict", "confirm")], "值班员确认无误（officer，"),
        (
            2,
            vec![("verdict", "dismiss")],
            "值班员更正：不涉及本地（officer，",
        ),
        (
            3,
            vec![("subject", "民政"), ("unit", "weijian")],
            "值班员更正：事项为民政，责任单位为县卫生健康委员会（officer，",
        ),
    ];
    for (number, mut fields, shown) in said {
        let line = format!("/live/posts/post-{number}");
        fields.push(("back", &line));
        let path = format!("/posts/post-{number}/correction");
        let answer = officer.form(&path, &fields).await;
        assert_eq!((answer.status, answer.location()), (303, line.as_str()));
        let answer = officer.get(&line).await;
        assert!(answer.text.contains(shown), "{}", answer.text);
    }
    let page = officer.get("/live").await;
    assert_eq!(page.text.matches("class=\"verdict\"").count(), 3);

    let mut lines = Vec::new();
    let corrections = Corrections::new(office.kept.store.clone());
    corrections.write(&mut lines).await.unwrap();
    let lines = String::from_utf8(lines).unwrap();
    let lines: Vec<serde_json::Value> = (lines.lines())
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let confirmed = &lines[0];
    for (field, value) in [
        ("relevant", "yes"),
        ("sentiment", "negative"),
        ("appeal", "投诉"),
        ("subject", "环境保护"),
        ("unit", "zhujian"),
    ] {
        assert_eq!(confirmed[field], value, "what was found is a lesson, too");
    }
    assert_eq!(
        (&lines[1]["relevant"], &lines[1]["subject"]),
        (&"no".into(), &"".into())
    );

    let back = [("verdict", "confirm"), ("back", "//evil.test/")];
    let answer = officer.form("/posts/post-1/correction", &back).await;
    assert_eq!(answer.location(), "/", "never to another site");
    assert_eq!(
        officer.form("/posts/gone/correction", &back).await.status,
        503
    );

    let mut leader = office.person("leader").await;
    let page = leader.get("/live").await;
    assert!(page.text.contains("data-post=\"post-1\""));
    assert!(!page.text.contains("确认无误</button>"));
    let refused = leader.form("/posts/post-1/correction", &back).await;
    assert_eq!(refused.status, 403);
}

async fn what_one_officer_says_of_a_post_the_others_see(kept: Kept) {
    let office = office(kept).await;
    tokio::spawn(responder::live::tell_verdicts(
        office.live.clone(),
        Corrections::new(office.kept.store.clone()),
        Erasures::new(office.kept.store.clone()),
        Duration::from_millis(20),
        office.stop.clone(),
    ));
    let mut officer = office.person("officer").await;
    let mut leader = office.person("leader").await;
    let mut watched = Stream::open(&leader, "").await;
    office.live.publish([post(1, |_| {}), post(2, |_| {})]);
    assert_eq!(
        [watched.post().await, watched.post().await],
        ["post-1", "post-2"]
    );
    // An empty correction takes back what was said.
    let taken_back = [("relevant", ""), ("sentiment", "")];
    for (fields, shown) in [
        (&[("verdict", "confirm")][..], "值班员确认无误（officer，"),
        (
            &[("verdict", "dismiss")],
            "值班员更正：不涉及本地（officer，",
        ),
        (&taken_back, ""),
    ] {
        officer.form("/posts/post-2/correction", fields).await;
        let event = watched.next().await.unwrap();
        assert_eq!(
            (event.name.as_str(), event.data.as_str()),
            ("verdict", "post-2")
        );
        let line = leader.get("/live/posts/post-2").await;
        assert_eq!(line.text.contains("class=\"verdict\""), !shown.is_empty());
        assert!(line.text.contains(shown), "{}", line.text);
    }
}

async fn what_people_wrote_is_text_in_the_stream(kept: Kept) {
    let office = office(kept).await;
    let mut officer = office.person("officer").await;
    office.live.publish([post(1, |post| {
        for text in [
            &mut post.post.title,
            &mut post.post.text,
            &mut post.post.source,
            &mut post.places[0].name,
        ] {
            HOSTILE.clone_into(text);
        }
        post.post.url = "javascript:alert(3)".to_owned();
    })]);
    let mut stream = Stream::open(&officer, "").await;
    let event = stream.next().await.unwrap();
    assert_eq!(event.id, "0-1", "the line is one event");
    let page = officer.get("/live").await;
    for html in [&event.data, &page.text] {
        assert!(html.contains("&#60;script&#62;"), "{html}");
        for wrong in ["<script>", "<img", "javascript:"] {
            assert!(!html.contains(wrong), "{wrong}: {html}");
        }
    }
    assert!(!event.data.contains(&officer.csrf));
}

async fn the_page_begins_with_what_came_lately(kept: Kept) {
    let office = office(kept).await;
    let mut officer = office.person("officer").await;
    assert!(
        officer
            .get("/live")
            .await
            .text
            .contains("还没有符合条件的帖文")
    );
    office.live.publish([post(1, |_| {}), post(2, |_| {})]);
    office
        .live
        .publish([post(1, |post| post.post.text = "又说了一遍".to_owned())]);
    office.live.publish([post(4, |post| post.relevant = false)]);
    // Posts that an officer put into another event: one that came lately, and an old one.
    let moved = |number| post(number, |post| post.event.as_mut().unwrap().edit = Some(7));
    office.live.publish([moved(2), moved(9)]);
    let page = officer.get("/live").await.text;
    let ids: Vec<_> = page.split("<li ").skip(1).map(shown).collect();
    assert_eq!(ids, ["post-1", "post-2"], "the newest first, each once");
    assert!(page.contains("又说了一遍"));
    assert!(page.contains("<mark class=\"place\" title=\"地点：冯川镇\">冯川镇</mark>"));
    assert!(page.contains("牵头：县住房和城乡建设局"));
    assert!(
        page.contains("舆情库暂时不可用"),
        "and says that the archive is not there"
    );
    assert!(
        page.contains("data-stream=\"/live/stream?after=0-4\""),
        "{page}"
    );
}
