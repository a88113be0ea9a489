//! How long the responder's store keeps what: a period for each kind of data, by settings, and the cleaner that takes away what is
//! past it. Several responders may run it: one does so at a time, each batch is a statement of its own, and what was taken away is a
//! line of the audit, with how many and not what. The audit itself is only added to, and kept for good.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sqlx::AssertSqlSafe;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::account::{Line, append};
use crate::store::Store;

/// Wait between looks.
const LOOK: Duration = Duration::from_secs(600);
/// How long a responder that was killed keeps the others from cleaning up.
const LEASE: SignedDuration = SignedDuration::from_secs(300);
/// Rows that a statement takes away, at most.
const BATCH: i64 = 500;
/// Batches of a kind in one look, at most.
const BATCHES: u32 = 40;

/// How long what is kept in the store, in days after its last use; 0 for good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    /// Cases that ended, with their moves, clocks, commitments, notices and attachments. For good as shipped: they are records
    /// (文书档案), whose period the county's own schedule says.
    pub closed_cases_days: u32,
    /// Reports that were withdrawn or could not be made. Those that were signed are records and are kept.
    pub withdrawn_reports_days: u32,
    /// Drafts of reports that nobody touched.
    pub draft_reports_days: u32,
    /// Notices that went out or were given up, with their tries.
    pub notices_days: u32,
    /// What officers said of the analyzer's findings, each with the masked text of its post, from which models learn.
    pub corrections_days: u32,
    /// Edits of events.
    pub event_edits_days: u32,
    /// Searches kept under a name that nobody opened.
    pub saved_searches_days: u32,
    /// Sessions that nobody uses any more.
    pub sessions_days: u32,
    /// Counts of wrong passwords.
    pub sign_in_tries_days: u32,
    /// Tokens of programs that were revoked or ran out.
    pub tokens_days: u32,
    /// Silences that are over.
    pub silences_days: u32,
    /// Shifts that are over, with their swaps.
    pub shifts_days: u32,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            closed_cases_days: 0,
            withdrawn_reports_days: 365,
            draft_reports_days: 0,
            notices_days: 730,
            corrections_days: 1_095,
            event_edits_days: 730,
            saved_searches_days: 730,
            sessions_days: 30,
            sign_in_tries_days: 90,
            tokens_days: 365,
            silences_days: 730,
            shifts_days: 1_095,
        }
    }
}

/// A kind of data: what it is called, and what goes once it is past its period.
struct Kind {
    name: &'static str,
    title: &'static str,
    days: fn(&Retention) -> u32,
    table: &'static str,
    key: &'static str,
    /// Which rows are past their period, `$1` in milliseconds.
    past: &'static str,
    /// Tables that go with a row, with what refers to it.
    with: &'static [(&'static str, &'static str)],
}

#[rustfmt::skip]
const KINDS: [Kind; 12] = [
    Kind { name: "closed-cases", title: "已办结、排除、并案的案件及其附件", days: |kept| kept.closed_cases_days, table: "cases", key: "id",
        past: "state IN ('closed', 'followed', 'dismissed', 'merged') AND updated_at < $1 \
               AND NOT EXISTS (SELECT 1 FROM commitments WHERE case_id = cases.id AND commitments.state = 'open')",
        with: &[("moves", "case_id"), ("case_units", "case_id"), ("tellings", "case_id"), ("attachments", "case_id"),
            ("case_alerts", "case_id"), ("rings", "case_id"), ("commitments", "case_id"), ("notices", "about")] },
    Kind { name: "withdrawn-reports", title: "撤回和未能生成的报告", days: |kept| kept.withdrawn_reports_days, table: "papers", key: "id",
        past: "state IN ('withdrawn', 'failed') AND asked_at < $1 AND made_at < $1 AND edited_at < $1",
        with: &[("paper_files", "paper"), ("paper_moves", "paper"), ("paper_erasures", "paper"), ("notices", "about")] },
    Kind { name: "draft-reports", title: "未送审的报告草稿", days: |kept| kept.draft_reports_days, table: "papers", key: "id",
        past: "state = 'draft' AND asked_at < $1 AND made_at < $1 AND edited_at < $1",
        with: &[("paper_files", "paper"), ("paper_moves", "paper"), ("paper_erasures", "paper"), ("notices", "about")] },
    Kind { name: "notices", title: "通知及发送记录", days: |kept| kept.notices_days, table: "notices", key: "id",
        past: "state NOT IN ('queued', 'sending', 'folded') AND updated_at < $1", with: &[("notice_tries", "notice")] },
    Kind { name: "corrections", title: "研判更正（含遮盖后的帖文）", days: |kept| kept.corrections_days, table: "corrections",
        key: "post_id", past: "at < $1", with: &[] },
    Kind { name: "event-edits", title: "事件合并拆分记录", days: |kept| kept.event_edits_days, table: "event_edits", key: "id",
        past: "at < $1", with: &[] },
    Kind { name: "saved-searches", title: "无人打开的保存检索", days: |kept| kept.saved_searches_days, table: "saved_searches", key: "id",
        past: "opened_at < $1", with: &[] },
    Kind { name: "sessions", title: "失效的登录", days: |kept| kept.sessions_days, table: "sessions", key: "token",
        past: "seen_at < $1", with: &[] },
    Kind { name: "sign-in-tries", title: "密码错误计数", days: |kept| kept.sign_in_tries_days, table: "sign_in_tries", key: "key",
        past: "last_at < $1 AND wait_until < $1", with: &[] },
    Kind { name: "tokens", title: "吊销和过期的接口令牌", days: |kept| kept.tokens_days, table: "api_tokens", key: "id",
        past: "expires_at < $1 OR revoked_at < $1", with: &[] },
    Kind { name: "silences", title: "结束的静默", days: |kept| kept.silences_days, table: "silences", key: "id",
        past: "ends_at < $1", with: &[] },
    Kind { name: "shifts", title: "过去的值班安排", days: |kept| kept.shifts_days, table: "shifts", key: "id",
        past: "ends_at < $1", with: &[("shift_swaps", "first_shift"), ("shift_swaps", "second_shift")] },
];

impl Retention {
    /// Each kind of data and how long it is kept, in words.
    pub fn told(&self) -> impl Iterator<Item = (&'static str, String)> {
        KINDS.iter().map(|kind| {
            let days = (kind.days)(self);
            let period = match days {
                0 => "长期".to_owned(),
                days => format!("{days}天"),
            };
            (kind.title, period)
        })
    }
}

/// Takes away what is past its period.
#[derive(Debug)]
pub struct Cleaner {
    /// The store.
    pub store: Store,
    /// The periods.
    pub retention: Retention,
    /// Who this responder is among others.
    pub holder: String,
}

impl Cleaner {
    /// Cleans up now and then until `stop`.
    ///
    /// # Errors
    /// Never; what fails is tried again.
    pub async fn run(&self, stop: CancellationToken) -> anyhow::Result<()> {
        while !stop.is_cancelled() {
            if let Err(error) = self.clean_up(Timestamp::now()).await {
                warn!(%error, "what is past its period cannot be taken away now");
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
        }
        Ok(())
    }

    /// Takes away what is past its period at a time, unless another responder does so; how many of each kind.
    ///
    /// # Errors
    /// When the store fails; what was taken away before stays so.
    pub async fn clean_up(&self, now: Timestamp) -> Result<Vec<(&'static str, u64)>, sqlx::Error> {
        let mut gone = Vec::new();
        for kind in &KINDS {
            let days = (kind.days)(&self.retention);
            if days == 0 {
                continue;
            }
            let held = self.store.lease("clean-up", &self.holder, LEASE, now);
            if !held.await? {
                break;
            }
            let before = now - SignedDuration::from_hours(24 * i64::from(days));
            let mut count = 0;
            for _ in 0..BATCHES {
                let batch = self.batch(kind, before, now).await?;
                count += batch;
                if batch < BATCH.unsigned_abs() {
                    break;
                }
            }
            if count > 0 {
                info!(
                    kind = kind.name,
                    count, "what was past its period was taken away"
                );
                gone.push((kind.name, count));
            }
        }
        if !gone.is_empty() {
            self.store.settle().await?;
        }
        Ok(gone)
    }

    /// Takes a batch of a kind away, with what belongs to it and a line of the audit.
    async fn batch(
        &self,
        kind: &Kind,
        before: Timestamp,
        now: Timestamp,
    ) -> Result<u64, sqlx::Error> {
        let (table, key, past) = (kind.table, kind.key, kind.past);
        // Safe: the names are this program's own.
        let safe = AssertSqlSafe;
        let keys: Vec<String> = sqlx::query_scalar(safe(format!(
            "SELECT {key} FROM {table} WHERE {past} ORDER BY {key} LIMIT {BATCH}"
        )))
        .bind(before.as_millisecond())
        .fetch_all(self.store.pool())
        .await?;
        if keys.is_empty() {
            return Ok(0);
        }
        let mut transaction = self.store.begin().await?;
        let mut count = 0;
        for one in &keys {
            // Somebody may have touched it meanwhile: it is looked at again before what belongs to it goes.
            let is_past: Option<i64> = sqlx::query_scalar(safe(format!(
                "SELECT CAST(1 AS BIGINT) FROM {table} WHERE ({past}) AND {key} = $2"
            )))
            .bind(before.as_millisecond())
            .bind(one)
            .fetch_optional(&mut *transaction)
            .await?;
            if is_past.is_none() {
                continue;
            }
            if kind.with.iter().any(|(table, _)| *table == "notices") {
                sqlx::query(
                    "DELETE FROM notice_tries WHERE notice IN (SELECT id FROM notices WHERE about = $1)",
                )
                .bind(one)
                .execute(&mut *transaction)
                .await?;
            }
            for (with, refers) in kind.with {
                sqlx::query(safe(format!("DELETE FROM {with} WHERE {refers} = $1")))
                    .bind(one)
                    .execute(&mut *transaction)
                    .await?;
            }
            count += sqlx::query(safe(format!("DELETE FROM {table} WHERE {key} = $1")))
                .bind(one)
                .execute(&mut *transaction)
                .await?
                .rows_affected();
        }
        if count > 0 {
            let subject = format!("{} {count}", kind.name);
            let line = Line {
                user: "",
                action: "clean-up",
                subject: &subject,
                via: "",
            };
            append(&mut transaction, line, now).await?;
        }
        transaction.commit().await?;
        Ok(count)
    }
}
