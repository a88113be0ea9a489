//! How long reports take over a year of posts: from the call to the files, as the command makes them.

use std::collections::BTreeMap;
use std::time::Instant;

use jiff::civil::date;
use jiff::{Timestamp, ToSpan};
use report::{Fonts, Form};
use responder::case::{Cases, Timing};
use responder::commitment::Commitments;
use responder::report::{Desk, Policy, Wanted, make};
use responder::routing::Routing;
use responder::store::{Place, Store};
use responder::trend::Period;
use wensheng_tests::project;

use super::option;
use super::search::{REGION, filled};

/// Fills a folder's ClickHouse where it has not that many posts yet, and makes reports of it.
pub(crate) async fn measure(options: &BTreeMap<String, String>) -> anyhow::Result<()> {
    let posts: u64 = option(options, "posts", 10_000_000);
    let rounds: usize = option(options, "rounds", 3);
    let database: String = option(options, "database", "wensheng".to_owned());
    let folder = options
        .get("data")
        .ok_or_else(|| anyhow::anyhow!("--data names the folder to fill"))?;
    let (_program, client) = filled(folder, posts, &database).await?;
    let kept = tempfile::tempdir()?;
    let place = Place::File(kept.path().join("responder.sqlite"));
    let store = Store::open(&place).await?;
    let routing = Routing::load(&project().join("deploy/config/region").join(REGION))?;
    let last: i32 = client
        .query("SELECT toInt32(toUnixTimestamp(max(published_at)) / 86400) FROM assessments")
        .fetch_one()
        .await?;
    let last = date(1970, 1, 1).checked_add(i64::from(last).days())?;
    // As many days as have a million posts that concern the county: two thirds do.
    let days = u32::try_from((1_700_000 * 365 / posts).clamp(7, 365))?;
    let event: String = client
        .query("SELECT event_id FROM assessments WHERE event_id != '' GROUP BY event_id ORDER BY count() DESC LIMIT 1")
        .fetch_one()
        .await?;
    let policy = |days, words: &str| {
        Wanted::Policy(Policy {
            name: "试行办法".to_owned(),
            day: last.saturating_sub(i64::from(days).days()),
            days,
            subject: String::new(),
            place: String::new(),
            words: words.to_owned(),
        })
    };
    let fonts = Fonts::find(&[])?;
    for wanted in [
        Wanted::Weekly(Period::until(last, days)),
        Wanted::Daily(Period::until(last, 1)),
        Wanted::Event { event, to: last },
        Wanted::Faq(Period::until(last, 28)),
        Wanted::Demand(Period::until(last, 28)),
        policy(168, ""),
        policy(168, "路灯"),
    ] {
        for _ in 0..rounds {
            let desk = Desk {
                archive: client.clone(),
                cases: Cases::new(store.clone(), Timing::default()),
                commitments: Commitments::new(store.clone()),
                routing: &routing,
                public_url: "http://127.0.0.1/".parse()?,
                now: Timestamp::now(),
            };
            let begun = Instant::now();
            let made = make(&desk, &wanted).await;
            let gathered = begun.elapsed().as_secs_f64();
            let made = match made {
                Ok(made) => made,
                Err(error) => {
                    println!("{:6.2} s  not made: {error}  {wanted:?}", gathered);
                    continue;
                }
            };
            let mut size = 0;
            for form in [Form::Html, Form::Docx] {
                for file in made.document.write(form, "report", &fonts)? {
                    size += file.bytes.len();
                }
            }
            let posts = ["/posts/value", "/posts_after/value", "/event/posts/value"]
                .iter()
                .find_map(|path| made.facts.pointer(path)?.as_f64());
            println!(
                "{:6.2} s  {gathered:.2} s of it gathered, {} KB, {:.0} posts  {}",
                begun.elapsed().as_secs_f64(),
                size / 1024,
                posts.unwrap_or_default(),
                wanted.stem(REGION),
            );
        }
    }
    Ok(())
}
