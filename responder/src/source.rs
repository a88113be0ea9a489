//! Sources: how each is, as the collector last told, and the notices to the administrator when one is
//! in trouble and when it is well again.

use backbone::id;
use backbone::message::{Condition, Fault, SourceHealth};
use jiff::{SignedDuration, Timestamp};
use sqlx::Row;
use sqlx::any::AnyRow;
use url::Url;

use crate::case::StoreError;
use crate::clock;
use crate::notify::{self, Addressee, Body, Kind, Notice, SourceBody};
use crate::settings::Administrator;
use crate::store::Store;

/// How long a source must have been failing before the administrator is told: many a site is back by then.
const FAILING_LASTS: SignedDuration = SignedDuration::from_hours(1);
/// Most findings that a notice names; the page has them all.
const FINDINGS: usize = 5;

/// The sources.
#[derive(Debug, Clone)]
pub struct Sources {
    store: Store,
    administrator: Option<Administrator>,
    public_url: Url,
}

impl Sources {
    /// The sources of an opened store; the administrator is told with links to the console at `public_url`.
    #[must_use]
    pub fn new(store: Store, administrator: Option<Administrator>, public_url: Url) -> Self {
        Self {
            store,
            administrator,
            public_url,
        }
    }

    /// Takes in how a source is, and queues the notice that it causes. What is not newer than what is
    /// known changes nothing; says whether it was newer.
    ///
    /// # Errors
    /// When the store fails; nothing is changed then.
    pub async fn take(&self, health: &SourceHealth, now: Timestamp) -> Result<bool, StoreError> {
        let mut transaction = self.store.begin().await?;
        let known: Option<(i64, i64)> =
            sqlx::query_as("SELECT at, told FROM sources WHERE id = $1")
                .bind(&health.id)
                .fetch_optional(&mut *transaction)
                .await?;
        let (at, told) = known.map_or((i64::MIN, false), |(at, told)| (at, told != 0));
        if health.at.as_millisecond() <= at {
            return Ok(false);
        }
        let due = match health.condition {
            Condition::Well => told,
            Condition::Paused => false,
            _ => !told && lasts(health),
        };
        let notice = if due { self.notice(health, now) } else { None };
        if let Some(notice) = &notice {
            notify::queue(&mut transaction, notice, now).await?;
        }
        sqlx::query(
            "INSERT INTO sources (id, region, health, at, told) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO UPDATE \
             SET region = excluded.region, health = excluded.health, at = excluded.at, told = excluded.told \
             WHERE sources.at < excluded.at",
        )
        .bind(&health.id)
        .bind(&health.region)
        .bind(serde_json::to_string(health).map_err(|error| sqlx::Error::Encode(error.into()))?)
        .bind(health.at.as_millisecond())
        .bind(i64::from(health.condition != Condition::Well && (told || notice.is_some())))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// The sources of a region: those in trouble first, the longest first; then those that are paused; then by name.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn list(&self, region: &str) -> Result<Vec<SourceHealth>, StoreError> {
        let rows = sqlx::query("SELECT health FROM sources WHERE region = $1")
            .bind(region)
            .fetch_all(self.store.pool())
            .await?;
        let mut sources = rows
            .iter()
            .map(read)
            .collect::<Result<Vec<SourceHealth>, _>>()?;
        sources.sort_by_cached_key(|source| {
            let trouble = source.condition.is_trouble().then_some(source.since);
            let paused = source.condition == Condition::Paused;
            (trouble.is_none(), trouble, !paused, source.source.clone())
        });
        Ok(sources)
    }

    /// A source, as it was last told of.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn get(&self, id: &str) -> Result<Option<SourceHealth>, StoreError> {
        let row = sqlx::query("SELECT health FROM sources WHERE id = $1")
            .bind(id)
            .fetch_optional(self.store.pool())
            .await?;
        row.as_ref().map(read).transpose()
    }

    /// The notice that a source is as it is; none where the administrator is not to be reached.
    fn notice(&self, health: &SourceHealth, now: Timestamp) -> Option<Notice> {
        let reach = &self.administrator.as_ref()?.reach;
        let since = health.since.to_string();
        let id = id::of(
            "source-notice",
            &[&health.id, health.condition.name(), &since],
        );
        let (name, when) = (&health.source, clock::time(health.since));
        let (action, title) = match health.condition {
            Condition::Well => ("来源恢复", format!("来源“{name}”已恢复正常，自{when}起")),
            other => (
                "来源异常",
                format!("来源“{name}”{}，自{when}起", condition(other)),
            ),
        };
        let body = Body::Source(SourceBody {
            id: id.clone(),
            kind: Kind::Source,
            action: action.to_owned(),
            title,
            region: health.region.clone(),
            source: health.source.clone(),
            condition: health.condition.name().to_owned(),
            since,
            problem: problem(health),
            link: self.public_url.join("sources").ok()?.to_string(),
        });
        let administrator = Addressee {
            region: health.region.clone(),
            ..Addressee::default()
        };
        Notice::queued(id, &health.id, administrator, reach, now, body)
    }
}

fn read(row: &AnyRow) -> Result<SourceHealth, StoreError> {
    serde_json::from_str(row.try_get("health")?).map_err(|_| StoreError::Unknown {
        what: "health of a source",
    })
}

/// Whether what is wrong with a source has lasted long enough to tell of it.
fn lasts(health: &SourceHealth) -> bool {
    health.condition != Condition::Failing
        || health.at.duration_since(health.since) >= FAILING_LASTS
}

/// What is wrong, with what was found at a site that is watched.
fn problem(health: &SourceHealth) -> String {
    let findings = health.findings.iter().take(FINDINGS).map(|finding| {
        format!(
            "{} {} ({})",
            fault(finding.fault),
            finding.url,
            finding.detail
        )
    });
    std::iter::once(health.problem.clone())
        .filter(|problem| !problem.is_empty())
        .chain(findings)
        .collect::<Vec<_>>()
        .join("\n")
}

/// The word for a condition.
#[must_use]
pub fn condition(condition: Condition) -> &'static str {
    match condition {
        Condition::Well => "正常",
        Condition::Failing => "读取失败",
        Condition::Changed => "疑似改版",
        Condition::Quiet => "异常沉寂",
        Condition::Faulty => "站点异常",
        Condition::Paused => "已暂停",
    }
}

/// The word for a fault of a site.
#[must_use]
pub fn fault(fault: Fault) -> &'static str {
    match fault {
        Fault::Unreachable => "无法访问",
        Fault::Stale => "栏目未更新",
        Fault::DeadLink => "失效链接",
        Fault::Certificate => "证书到期",
    }
}
