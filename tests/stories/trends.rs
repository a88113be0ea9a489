//! Trends as an officer reads them: every number on the page is counted anew here, straight from the posts and cases put in.

use backbone::message::{self, Alert, Assessment, Polarity};
use jiff::civil::Date;
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp, ToSpan};
use responder::case::{Action, Actor, Deed, Query, Role};
use responder::routing::Routed;
use wensheng_tests::{Archived, Officer, Page, officer, project};

const REGION: &str = "990101";
const SUBJECTS: [&str; 4] = ["交通运输", "环境保护", "教育文体", "民政"];
const PLACES: [&str; 4] = ["柳桥镇", "石门镇", "红土坳村", "青源乡"];
const SOURCES: [&str; 2] = ["县长信箱", "百姓论坛"];

struct Office {
    officer: Officer,
    archived: Archived,
}

/// A post as it is put in.
#[derive(Clone)]
struct Posted {
    id: usize,
    date: Date,
    subject: &'static str,
    places: Vec<&'static str>,
    source: &'static str,
    appeal: &'static str,
    label: Polarity,
    title: String,
}

fn today() -> Date {
    Offset::constant(8).to_datetime(Timestamp::now()).date()
}

fn back(days: i64) -> Date {
    today() - days.days()
}

/// Twenty-four weeks of posts up to yesterday; from the thirteenth week on there are half as many, and more of them negative.
fn posts() -> Vec<Posted> {
    let mut state = 7_u64;
    let mut next = |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let mut posts = Vec::new();
    for day in 0..168 {
        let date = back(168 - day);
        let after = day >= 84;
        let count = if after { 4 + next(4) } else { 9 + next(6) };
        for _ in 0..count {
            let negative = next(100) < if after { 70 } else { 25 };
            let places = match next(6) {
                0 => vec!["柳桥镇"],
                // A village with its town, and alone: one post of the town each.
                1 => vec!["红土坳村", "石门镇"],
                2 => vec!["红土坳村"],
                3 => vec!["青源乡", "柳桥镇"],
                _ => Vec::new(),
            };
            posts.push(Posted {
                id: posts.len(),
                date,
                subject: SUBJECTS[usize::try_from(next(4)).unwrap()],
                places,
                source: SOURCES[usize::try_from(next(2)).unwrap()],
                appeal: if negative { "投诉" } else { "咨询" },
                label: match (negative, next(3)) {
                    (true, _) => Polarity::Negative,
                    (false, 0) => Polarity::Positive,
                    (false, _) => Polarity::Neutral,
                },
                title: format!(
                    "反映{}",
                    match (next(3), posts.len() % 4) {
                        (0, _) => "公交改线",
                        // The same neighbouring characters, but not the word.
                        (_, 0) => "公交改道和改线",
                        _ => "其他",
                    }
                ),
            });
        }
    }
    posts
}

fn example<M: message::Message>(path: &str) -> M {
    let bytes = std::fs::read(project().join("backbone/examples").join(path)).unwrap();
    message::decode(&bytes).unwrap()
}

fn assessment(posted: &Posted, revision: u32) -> Assessment {
    let mut assessment: Assessment = example("assessments/v1/read.json");
    REGION.clone_into(&mut assessment.post.region);
    assessment.post.id = format!("post-{}", posted.id);
    assessment.post.revision = revision;
    posted.source.clone_into(&mut assessment.post.source);
    posted.title.clone_into(&mut assessment.post.title);
    assessment.post.text = "正文".to_owned();
    // At any hour of the day, the first and the last among them.
    let hour = i8::try_from(posted.id % 24).unwrap();
    let at = posted.date.at(hour, 30, 0, 0);
    assessment.post.published_at = Offset::constant(8).to_timestamp(at).unwrap();
    assessment.relevant = true;
    let place = assessment.places[0].clone();
    assessment.places = (posted.places.iter())
        .map(|name| message::Place {
            name: (*name).to_owned(),
            ..place.clone()
        })
        .collect();
    posted
        .subject
        .clone_into(&mut assessment.subject.as_mut().unwrap().name);
    posted
        .appeal
        .clone_into(&mut assessment.appeal.as_mut().unwrap().name);
    assessment.sentiment.label = posted.label;
    assessment
}

async fn office() -> Office {
    let archived = Archived::start().await;
    let region = project().join("deploy/sample/region").join(REGION);
    Office {
        officer: officer(archived.client(), &region).await,
        archived,
    }
}

impl Office {
    async fn archive(&mut self, assessments: &[Assessment]) {
        self.archived.archive(assessments).await;
    }

    async fn open(&mut self, address: &str) -> Page {
        let page = self.officer.browser.get(address).await;
        assert_eq!(page.status, 200, "{address}: {}", page.html);
        page
    }
}

/// The text of what begins with a mark and ends with an end tag.
fn text(page: &Page, mark: &str, end: &str) -> String {
    let (_, rest) =
        (page.html.split_once(mark)).unwrap_or_else(|| panic!("no {mark}: {}", page.html));
    let (inside, _) = rest.split_once(end).unwrap();
    let mut text = String::new();
    // The mark stands within a tag.
    let mut within_tag = true;
    for letter in inside.chars() {
        match letter {
            '<' => {
                within_tag = true;
                text.push(' ');
            }
            '>' => within_tag = false,
            letter if !within_tag => text.push(letter),
            _ => {}
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn negative(posts: &[&Posted]) -> usize {
    posts
        .iter()
        .filter(|post| post.label == Polarity::Negative)
        .count()
}

/// The share and its Wilson interval do not matter here: that the number of posts and the share are those put in does.
fn percent(part: usize, whole: usize) -> String {
    format!("{:.1}%", part as f64 * 100.0 / whole as f64)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_number_of_the_trends_is_that_of_the_posts_put_in() {
    let mut office = office().await;
    let page = office.open("/trends").await;
    assert!(page.html.contains("还没有帖文"), "{}", page.html);
    let mut posts = posts();
    let assessments: Vec<Assessment> = posts.iter().map(|post| assessment(post, 1)).collect();
    office.archive(&assessments).await;

    let within = |posts: &[Posted], from: i64, to: i64| -> Vec<Posted> {
        let days = back(from)..=back(to);
        posts
            .iter()
            .filter(|post| days.contains(&post.date))
            .cloned()
            .collect()
    };
    // The twelve weeks up to the newest post, against the twelve before.
    let now = within(&posts, 84, 1);
    let before = within(&posts, 168, 85);
    let page = office.open("/trends").await;
    let figures = text(&page, "<section class=\"figures\"", "</section>");
    let now: Vec<&Posted> = now.iter().collect();
    assert!(
        figures.starts_with(&format!("{} 帖文", now.len())),
        "{figures}"
    );
    assert!(figures.contains("下降"), "{figures}");
    assert!(
        figures.contains(&percent(negative(&now), now.len())),
        "{figures}"
    );
    assert!(
        figures.contains("个百分点") && figures.contains("，上升"),
        "{figures}"
    );
    let positive = now
        .iter()
        .filter(|post| post.label == Polarity::Positive)
        .count();
    let mean = (positive as f64 - negative(&now) as f64) / now.len() as f64;
    let mean = format!("{mean:+.2}").replace('-', "−");
    assert!(figures.contains(&mean), "{mean}: {figures}");

    let check = |page: &Page, name: &str, now: Vec<&Posted>, before: usize| {
        let row = text(page, &format!("data-moved=\"{name}\""), "</tr>");
        let count = format!(" {name} {}帖 {before}帖 ", now.len());
        assert!(row.contains(&count), "{name}: no {count} in {row}");
        let share = percent(negative(&now), now.len());
        assert!(row.contains(&share), "{name}: no {share} in {row}");
    };
    for subject in SUBJECTS {
        let of = |post: &&Posted| post.subject == subject;
        let now = now.iter().copied().filter(of).collect();
        check(
            &page,
            subject,
            now,
            before.iter().filter(|post| post.subject == subject).count(),
        );
    }
    for place in PLACES {
        let now = now
            .iter()
            .copied()
            .filter(|post| post.places.contains(&place))
            .collect();
        let before = before
            .iter()
            .filter(|post| post.places.contains(&place))
            .count();
        check(&page, place, now, before);
    }
    for source in SOURCES {
        let now = now
            .iter()
            .copied()
            .filter(|post| post.source == source)
            .collect();
        check(
            &page,
            source,
            now,
            before.iter().filter(|post| post.source == source).count(),
        );
    }
    // The bars of the chart, week by week, and the broken line of the weeks before.
    let chart: serde_json::Value =
        serde_json::from_str(&page.values("data-chart")[0].replace("&#34;", "\"")).unwrap();
    let weeks = |first: i64| -> Vec<f64> {
        (0..12)
            .map(|week| {
                let from = first - week * 7;
                within(&posts, from, from - 6).len() as f64
            })
            .collect()
    };
    assert_eq!(chart["series"][0]["values"], serde_json::json!(weeks(84)));
    assert_eq!(chart["series"][2]["values"], serde_json::json!(weeks(168)));

    // The map is of the last four weeks: a post that names a village and its town counts once for the town.
    let lately = within(&posts, 28, 1);
    let towns = |page: &Page, town: &str| -> usize {
        let tile = text(page, &format!("data-town=\"{town}\""), "</a>");
        tile.rsplit(' ').next().unwrap().parse().unwrap()
    };
    let of = |names: &[&str]| {
        let named = |post: &&Posted| post.places.iter().any(|place| names.contains(place));
        lately.iter().filter(named).count()
    };
    assert_eq!(towns(&page, "石门镇"), of(&["石门镇", "红土坳村"]));
    assert_eq!(towns(&page, "柳桥镇"), of(&["柳桥镇"]));
    assert_eq!(towns(&page, "云台乡"), 0);
    let overview = office.open("/").await;
    assert_eq!(towns(&overview, "石门镇"), of(&["石门镇", "红土坳村"]));

    // Filters, and days that the reader chose.
    let (from, to) = (back(40), back(31));
    let address = format!(
        "/trends?period=custom&from={from}&to={to}&against=custom&against_from={}&against_to={}&subject=民政&source=县长信箱",
        back(100),
        back(91)
    );
    let page = office.open(&address).await;
    let asked = |posts: &Posted| posts.subject == "民政" && posts.source == "县长信箱";
    let chosen = within(&posts, 40, 31).into_iter().filter(asked).count();
    let figures = text(&page, "<section class=\"figures\"", "</section>");
    assert!(figures.starts_with(&format!("{chosen} 帖文")), "{figures}");
    let here = within(&posts, 40, 31);
    let row = text(&page, "data-moved=\"青源乡\"", "</tr>");
    let of_place = here
        .iter()
        .filter(|post| asked(post) && post.places.contains(&"青源乡"))
        .count();
    assert!(
        row.contains(&format!(" {of_place}帖 ")),
        "{of_place}: {row}"
    );
    assert!(row.contains("帖数太少"), "{row}");
    let page = office.open("/trends?place=石门镇").await;
    let of_place = now
        .iter()
        .filter(|post| post.places.contains(&"石门镇"))
        .count();
    let figures = text(&page, "<section class=\"figures\"", "</section>");
    assert!(
        figures.starts_with(&format!("{of_place} 帖文")),
        "{figures}"
    );

    // A year before there was no archive: nothing is compared.
    let page = office.open("/trends?against=year").await;
    assert!(page.html.contains("不作比较"), "{}", page.html);
    let row = text(&page, "data-moved=\"民政\"", "</tr>");
    assert!(!row.contains("上升") && !row.contains("下降"), "{row}");

    // A post that is assessed again is counted anew, though its day had been counted and remembered.
    let last = posts.last_mut().unwrap();
    let was = last.subject;
    last.subject = SUBJECTS
        .into_iter()
        .find(|subject| *subject != was)
        .unwrap();
    let changed = assessment(last, 2);
    office.archive(&[changed]).await;
    let page = office.open("/trends").await;
    for subject in SUBJECTS {
        let of = |post: &Posted| post.subject == subject;
        let now = within(&posts, 84, 1);
        let now = now.iter().filter(|post| of(post)).collect();
        let before = before.iter().filter(|post| of(post)).count();
        check(&page, subject, now, before);
    }
    let page = office
        .open("/trends?period=custom&from=x&to=%00&step=year&map=%3Cscript%3E&place=%3Cscript%3E")
        .await;
    assert!(!page.html.contains("<script>"), "{}", page.html);
}

#[tokio::test(flavor = "multi_thread")]
async fn before_and_after_a_day_says_what_the_weeks_carry() {
    let mut office = office().await;
    let posts = posts();
    let assessments: Vec<Assessment> = posts.iter().map(|post| assessment(post, 1)).collect();
    office.archive(&assessments).await;
    let page = office.open("/trends/effect").await;
    assert!(page.html.contains("name=\"date\"") && !page.html.contains("data-measure"));

    let date = back(84);
    let page = office.open(&format!("/trends/effect?date={date}")).await;
    let of = |from: i64, to: i64, text: &str| {
        let days = back(from)..=back(to);
        let posts = posts.iter().filter(|post| days.contains(&post.date));
        posts.filter(|post| post.title.contains(text)).count()
    };
    let counted = text(&page, "id=\"counted\"", "</section>");
    assert!(
        counted.contains(&format!("{}帖", of(168, 85, ""))),
        "{counted}"
    );
    assert!(
        counted.contains(&format!("{}帖", of(84, 1, ""))),
        "{counted}"
    );
    let measure =
        |page: &Page, title: &str| text(page, &format!("data-measure=\"{title}\""), "</section>");
    let told = measure(&page, "每周帖文");
    assert!(told.starts_with("下降"), "{told}");
    let a_week = |posts: usize| format!("{:.1}", posts as f64 / 12.0);
    let means = format!(
        "此前12周平均每周{}，此后12周平均每周{}。",
        a_week(of(168, 85, "")),
        a_week(of(84, 1, ""))
    );
    assert!(told.contains(&means), "no {means} in {told}");
    assert!(
        measure(&page, "每周负面占比").starts_with("上升"),
        "{}",
        page.html
    );
    assert!(
        measure(&page, "每周平均情感").starts_with("下降"),
        "{}",
        page.html
    );
    let complaints = text(&page, "data-moved=\"投诉\"", "</tr>");
    assert!(complaints.contains("帖"), "{complaints}");

    // Where nothing happened, nothing is said to have; where there are few weeks or posts, that is said.
    let quiet = format!("/trends/effect?date={}&before=6&after=6", back(126));
    assert!(measure(&office.open(&quiet).await, "每周负面占比").starts_with("不能判断"));
    let early = format!("/trends/effect?date={}", back(160));
    let told = measure(&office.open(&early).await, "每周帖文");
    assert!(
        told.starts_with("不能判断") && told.contains("周数不足"),
        "{told}"
    );
    let outside = office.open("/trends/effect?date=2001-01-01").await;
    assert!(
        outside.html.contains("请在其间选择日期"),
        "{}",
        outside.html
    );

    // Posts with certain words: the index tells of two characters which they are, of more it is looked up.
    let asked = |words: &str| format!("/trends/effect?date={date}&text={words}");
    let sides = |word: &str| [of(168, 85, word), of(84, 1, word)];
    for word in ["公交", "改道和改线"] {
        let page = office.open(&asked(word)).await;
        let counted = text(&page, "id=\"counted\"", "</section>");
        for posts in sides(word) {
            assert!(counted.contains(&format!("{posts}帖")), "{counted}");
        }
        assert_eq!(
            counted.contains("帖数为估计"),
            sides(word).iter().sum::<usize>() > 100 && word.chars().count() > 2,
            "{counted}"
        );
    }
    // Of many it is looked up in some, and that is said.
    let page = office.open(&asked("公交改线")).await;
    let counted = text(&page, "id=\"counted\"", "</section>");
    assert!(counted.contains("帖数为估计"), "{counted}");
    let told: Vec<f64> = (counted.split_whitespace())
        .filter_map(|word| word.strip_suffix('帖')?.parse().ok())
        .collect();
    for (told, posts) in told.iter().zip(sides("公交改线")) {
        let off = told / posts as f64 - 1.0;
        assert!(off.abs() < 0.25, "{posts} posts told as {told}");
    }
    assert_eq!(told.len(), 2, "{counted}");
    // What is left out is not counted.
    let page = office.open(&asked("公交+-改道")).await;
    let counted = text(&page, "id=\"counted\"", "</section>");
    for posts in sides("公交改线") {
        assert!(counted.contains(&format!("{posts}帖")), "{counted}");
    }
    let page = office
        .open(&format!("/trends/effect?date={date}&text=没有这样的词"))
        .await;
    assert!(measure(&page, "每周帖文").starts_with("不能判断"));
    assert_eq!(
        office
            .officer
            .browser
            .get("/trends/effect?event=none")
            .await
            .status,
        404
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn units_are_held_to_their_clocks() {
    let mut office = office().await;
    office
        .archive(&[assessment(&posts()[1_000], 1), {
            let mut newest = posts()[0].clone();
            newest.id = 0;
            newest.date = back(1);
            assessment(&newest, 1)
        }])
        .await;
    let opened = Timestamp::now() - SignedDuration::from_hours(24 * 9);
    let hours = |hours: i64| opened + SignedDuration::from_hours(hours);
    let officer = Actor {
        name: "officer".to_owned(),
        role: Role::DutyOfficer,
        region: String::new(),
        unit: String::new(),
        via: String::new(),
    };
    let housing = Actor {
        name: "housing".to_owned(),
        role: Role::UnitLead,
        region: REGION.to_owned(),
        unit: "zhujian".to_owned(),
        via: String::new(),
    };
    // Two cases of level Ⅳ: four hours to sign, forty-eight to answer. One is signed for and answered in time; the other is
    // signed for after five hours, and not answered.
    for (event, signed, answered) in [("路灯", 3, Some(30)), ("水管", 6, None)] {
        let mut alert: Alert = example("alerts/v1/yellow.json");
        REGION.clone_into(&mut alert.region);
        alert.level = 4;
        alert.event.id = event.to_owned();
        alert.id = backbone::id::of_alert(event, 4);
        let routed = Routed {
            lead: "zhujian".to_owned(),
            ..Routed::default()
        };
        office
            .officer
            .cases
            .take(&alert, &routed, opened)
            .await
            .unwrap();
        let query = Query {
            event: event.to_owned(),
            limit: 1,
            ..Query::default()
        };
        let page = office
            .officer
            .cases
            .list(&query, &Actor::system())
            .await
            .unwrap();
        let mut case = page.cases[0].clone();
        let mut moves = vec![
            (Action::Dispatch, &officer, 1),
            (Action::Sign, &housing, signed),
        ];
        if let Some(answered) = answered {
            moves.push((Action::Reply, &housing, answered - 1));
            moves.push((Action::Approve, &officer, answered));
        }
        for (action, actor, hour) in moves {
            let mut deed = Deed::plain(action, case.version, "已安排抢修，三日内完成。");
            if action == Action::Dispatch {
                "zhujian".clone_into(&mut deed.lead);
            }
            case = (office.officer.cases)
                .perform(&case.id, &deed, actor, &office.officer.notices, hours(hour))
                .await
                .unwrap();
        }
    }
    let page = office.open("/trends?period=4w").await;
    let section = text(&page, "id=\"timeliness\"", "</section>");
    assert!(section.contains("立案 2 件"), "{section}");
    let row = text(&page, "<tbody><tr><td data-label=\"单位\"", "</tr>");
    assert!(row.contains(" 1/2件 50.0%"), "{row}");
    assert_eq!(row.matches("1/2件").count(), 2, "{row}");
    assert!(row.contains('—'), "first information is for Ⅰ and Ⅱ: {row}");
    // In the weeks without a case there is nothing; in theirs, one of two.
    assert_eq!(page.html.matches("<td>1/2</td>").count(), 1);
}
