//! Reads what the account is drawn up from: the topics whole, the archive, the case store.

use std::collections::BTreeMap;

use anyhow::Context;
use backbone::dead_letters;
use backbone::kafka::{Received, Start, lags, read_partition};
use backbone::message::{Alert, CaseEvent, Message, Post, Signal};
use backbone::topics::{self, ALERTS, CASE_EVENTS, GROUPS, POSTS, SIGNALS, SOURCE_HEALTH, Topic};
use clickhouse::{Client, RowOwned, RowRead};
use sqlx::Row as _;

use crate::soak::account::{Archive, Facts};
use crate::soak::scene::Scene;

impl Scene {
    /// Whether everything that was handed over has gone all the way, as far as offsets and the outbox tell. Asked in the order of the
    /// way, so that nothing is under way behind the one who asks.
    ///
    /// # Errors
    /// When brokers or store do not answer.
    pub(crate) async fn caught_up(&self) -> anyhow::Result<bool> {
        let way = ["posts", "alerts"].map(|topic| {
            let of_topic = move |(read, _): &(Topic, &str)| read.name == topic;
            GROUPS.into_iter().filter(of_topic).collect::<Vec<_>>()
        });
        for groups in way {
            if (lags(&self.kafka, &groups).await?.iter()).any(|lag| lag.messages > 0) {
                return Ok(false);
            }
        }
        let waiting: i64 = sqlx::query_scalar("SELECT count(*) FROM outbox")
            .fetch_one(self.cases.pool())
            .await?;
        // How the sources are is told all the time.
        let others = GROUPS
            .into_iter()
            .filter(|(read, _)| *read != SOURCE_HEALTH);
        let behind = lags(&self.kafka, &others.collect::<Vec<_>>()).await?;
        Ok(waiting == 0 && behind.iter().all(|lag| lag.messages == 0))
    }

    /// Reads everything.
    ///
    /// # Errors
    /// When an engine does not give it.
    pub(crate) async fn facts(&self) -> anyhow::Result<Facts> {
        let (handed_over, confirmed) = (self.load.handed_over(), self.desk.confirmed());
        let mut facts = Facts {
            handed_over,
            confirmed,
            poison: self.poison.clone(),
            ..Facts::default()
        };
        self.read(&POSTS, |post: Post| {
            facts.posts.insert(post.id);
        })
        .await?;
        self.read(&ALERTS, |alert: Alert| {
            facts.alerts.insert((alert.id, alert.event.id, alert.level));
        })
        .await?;
        self.read(&SIGNALS, |signal: Signal| {
            facts.signals.insert(signal.id);
        })
        .await?;
        self.read(&CASE_EVENTS, |told: CaseEvent| {
            let place = (told.case, told.sequence);
            facts.events.insert((place, (told.action, told.to)));
        })
        .await?;
        for topic in &topics::ALL {
            for letter in dead_letters::newest(&self.kafka, topic, u32::MAX).await? {
                let place = format!(
                    "{}[{}]@{}",
                    topic.name, letter.partition, letter.original_offset
                );
                facts.dead_letters.insert(place);
            }
        }
        facts.archive = self.archive().await?;
        self.store(&mut facts).await?;
        let verified = self.office(0).run("responder", &["audit", "verify"]);
        facts.audit = (!verified.status.success())
            .then(|| String::from_utf8_lossy(&verified.stderr).into_owned());
        Ok(facts)
    }

    async fn read<M: Message>(
        &self,
        topic: &Topic,
        mut each: impl FnMut(M) + Send,
    ) -> anyhow::Result<()> {
        for partition in 0..self.kafka.partitions {
            let each = |received: Received<M>| each(received.message);
            read_partition(&self.kafka, topic, partition, Start::Beginning, each).await?;
        }
        Ok(())
    }

    async fn archive(&self) -> anyhow::Result<Archive> {
        let client = Client::default()
            .with_url(&self.clickhouse.url)
            .with_database("wensheng");
        let counts = async |id: &str, table: &str| {
            let query = format!("SELECT {id}, count() FROM {table} FINAL GROUP BY {id}");
            let rows: Vec<(String, u64)> = rows(&client, &query).await?;
            anyhow::Ok(rows.into_iter().collect::<BTreeMap<_, _>>())
        };
        let moves: Vec<(String, u32, String, String, u64)> = rows(
            &client,
            "SELECT case_id, sequence, toString(action), toString(to_state), count() FROM case_events FINAL GROUP BY ALL",
        )
        .await?;
        Ok(Archive {
            posts: counts("post_id", "assessments").await?,
            alerts: counts("alert_id", "alerts").await?,
            signals: counts("signal_id", "signals").await?,
            moves: (moves.into_iter())
                .map(|(case, sequence, action, to, rows)| (((case, sequence), (action, to)), rows))
                .collect(),
        })
    }

    async fn store(&self, facts: &mut Facts) -> anyhow::Result<()> {
        let number = |of: i64| u32::try_from(of).context("a number of the store");
        let pool = self.cases.pool();
        for row in (sqlx::query("SELECT id, event, version FROM cases").fetch_all(pool)).await? {
            let about = (row.try_get("event")?, number(row.try_get("version")?)?);
            facts.cases.insert(row.try_get("id")?, about);
        }
        let moves = sqlx::query("SELECT case_id, sequence, action, to_state FROM moves");
        for row in moves.fetch_all(pool).await? {
            let place = (row.try_get("case_id")?, number(row.try_get("sequence")?)?);
            let done = (row.try_get("action")?, row.try_get("to_state")?);
            facts.moves.insert(place, done);
        }
        let taken = sqlx::query_scalar("SELECT id FROM alerts_taken");
        let taken: Vec<String> = taken.fetch_all(pool).await?;
        facts.alerts_taken = taken.into_iter().collect();
        Ok(())
    }
}

async fn rows<R: RowOwned + RowRead>(client: &Client, query: &str) -> anyhow::Result<Vec<R>> {
    let rows = client.query(query).fetch_all::<R>().await;
    rows.with_context(|| format!("ClickHouse does not answer {query}"))
}
