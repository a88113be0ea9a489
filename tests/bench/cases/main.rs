//! How long lists and moves take with ten thousand open cases in the store, and searches of a knowledge base of ten thousand
//! entries: p50 and p95 in milliseconds, by eight users at once, on SQLite and on PostgreSQL.

#![allow(
    clippy::print_stdout,
    reason = "a measuring program says what it measured"
)]

use std::future::Future;
use std::time::Instant;

use anyhow::Context;
use backbone::region::Region;
use futures::future::{TryFutureExt as _, try_join_all};
use jiff::Timestamp;
use responder::case::{Action, Actor, Case, Deed, Query, Role, State};
use responder::knowledge::{Content, Knowledge};
use responder::store::{Place, Store};
use wensheng_tests::walk::{REGION, Walk, administrator};
use wensheng_tests::{Postgres, project};

const CASES: u32 = 10_000;
const USERS: u32 = 8;
/// Calls of each kind by each user.
const CALLS: u32 = 40;
/// What the entries of the knowledge base are about, and what is asked of it; of each pair there are as many as of any other.
const THINGS: [&str; 10] = [
    "居住证",
    "准生证",
    "医保卡",
    "社保卡",
    "护照",
    "房产证",
    "低保",
    "残疾证",
    "结婚证",
    "取水证",
];
const ASKED: [&str; 10] = [
    "在哪里办",
    "要带什么",
    "几天办好",
    "收费吗",
    "能代办吗",
    "过期了怎么办",
    "丢了怎么补",
    "可以网上办吗",
    "周末办吗",
    "归谁管",
];
const ENTRIES: usize = 10_000;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    measure("SQLite", &Place::File(folder.path().join("cases.sqlite"))).await?;
    let server = Postgres::start();
    measure("PostgreSQL", &Place::Postgres(server.url.parse()?)).await
}

async fn measure(engine: &str, place: &Place) -> anyhow::Result<()> {
    let walk = Walk::open(place, Timestamp::now()).await?;
    for number in 0..CASES {
        walk.open_case(number, u8::try_from(number % 4)? + 1)
            .await?;
    }
    let all = walk.all().await?;
    println!("{engine}, {} open cases, {USERS} users at once", all.len());
    let cases = &walk.cases;
    let unit = Actor {
        name: "unit".to_owned(),
        role: Role::UnitLead,
        region: REGION.to_owned(),
        unit: all.first().context("a case")?.lead().to_owned(),
        via: String::new(),
    };
    let officer = administrator();
    for (index, case) in all.iter().enumerate().filter(|(index, _)| index % 2 == 0) {
        if index % 4 == 0 {
            act(&walk, case, Action::Dispatch, &officer).await?;
        }
    }
    if let Place::Postgres(_) = place {
        // As the server's autovacuum does within a minute.
        let store = Store::open(place).await?;
        sqlx::query("VACUUM ANALYZE").execute(store.pool()).await?;
    }
    let lists = [
        ("list: first page", Query::default(), &officer),
        ("list: a unit's own", Query::default(), &unit),
        (
            "list: pending, Ⅱ",
            query(|query| {
                query.states = vec![State::Pending];
                query.level = Some(2);
            }),
            &officer,
        ),
        (
            "list: by words",
            query(|query| "99件".clone_into(&mut query.text)),
            &officer,
        ),
        (
            "list: overdue",
            query(|query| query.due_before = Some(Timestamp::now())),
            &officer,
        ),
        (
            "list: page 150",
            query(|query| query.offset = 7_450),
            &officer,
        ),
    ];
    for (name, query, actor) in lists {
        let query = Query { limit: 50, ..query };
        calls(name, |_, _| {
            cases.list(&query, actor).map_ok(|_| ()).err_into()
        })
        .await?;
    }
    calls("counts", |_, _| {
        cases.counts(&officer).map_ok(|_| ()).err_into()
    })
    .await?;
    let one = |user: u32, call: u32| all.get((user * CALLS + call) as usize * 4);
    calls("case with moves", |user, call| async move {
        let case = one(user, call).context("a case")?;
        cases.get(&case.id, &administrator()).await?;
        cases.moves(&case.id).await?;
        Ok(())
    })
    .await?;
    let walk = &walk;
    for action in [Action::Urge, Action::Note] {
        calls(action.title(), |user, call| async move {
            let case = one(user, call).context("a case")?;
            act(walk, case, action, &administrator()).await
        })
        .await?;
    }
    let knowledge = &learn(place).await?;
    calls("knowledge: ten best", |user, call| async move {
        let asked = format!("请问{}，急", question((user * CALLS + call) as usize));
        let found = knowledge.search(REGION, &asked, None, 10).await?;
        anyhow::ensure!(found.len() == 10, "{} were found", found.len());
        Ok(())
    })
    .await
}

/// Fills a knowledge base.
async fn learn(place: &Place) -> anyhow::Result<Knowledge> {
    let store = Store::open(place).await?;
    let knowledge = Knowledge::new(store.clone());
    let region = Region::load(&project().join("deploy/sample/region").join(REGION))?;
    let unit = region.units.first().context("a unit")?.code.clone();
    for number in 0..ENTRIES {
        let content = Content {
            question: format!("第{number}村的人{}", question(number)),
            answer: "请带身份证和户口簿到镇便民服务中心窗口办理，五个工作日内办结，有不明白的打公告上的电话。"
                .to_owned(),
            subject: "民政".to_owned(),
            unit: unit.clone(),
            ..Content::default()
        };
        knowledge
            .propose(&region, &content, &administrator(), Timestamp::now())
            .await?;
    }
    // As a store that has grown over months is.
    sqlx::query("ANALYZE").execute(store.pool()).await?;
    Ok(knowledge)
}

fn question(number: usize) -> String {
    let (thing, asked) = (number % THINGS.len(), number / THINGS.len() % ASKED.len());
    [THINGS.get(thing), ASKED.get(asked)]
        .into_iter()
        .flatten()
        .copied()
        .collect()
}

fn query(change: impl FnOnce(&mut Query)) -> Query {
    let mut query = Query::default();
    change(&mut query);
    query
}

async fn act(walk: &Walk, case: &Case, action: Action, actor: &Actor) -> anyhow::Result<()> {
    let known = walk.cases.get(&case.id, actor).await?.context("a case")?;
    let mut deed = Deed::plain(action, known.version, "请抓紧办理");
    known.lead().clone_into(&mut deed.lead);
    walk.perform(&case.id, &deed, actor).await?;
    Ok(())
}

/// Makes the calls of all users and prints how long one took.
async fn calls<F, M>(name: &str, make: M) -> anyhow::Result<()>
where
    M: Fn(u32, u32) -> F,
    F: Future<Output = anyhow::Result<()>>,
{
    let make = &make;
    let users = (0..USERS).map(|user| async move {
        let mut took = Vec::new();
        for call in 0..CALLS {
            let begin = Instant::now();
            make(user, call).await?;
            took.push(begin.elapsed().as_secs_f64() * 1_000.0);
        }
        anyhow::Ok(took)
    });
    let mut took: Vec<f64> = try_join_all(users).await?.into_iter().flatten().collect();
    took.sort_by(f64::total_cmp);
    let at = |share: f64| took.get((took.len() as f64 * share) as usize).copied();
    let (half, most) = (at(0.5).unwrap_or(0.0), at(0.95).unwrap_or(0.0));
    println!("  {name:<20} p50 {half:>6.1} ms  p95 {most:>6.1} ms");
    Ok(())
}
