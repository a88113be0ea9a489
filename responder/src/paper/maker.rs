//! The maker: makes the papers that were asked for, one after the other, and asks for those that the schedule wants. A paper
//! is claimed for a while, so that two responders do not make the same and one that was killed is relieved.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use clickhouse::Client;
use jiff::{SignedDuration, Timestamp};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use url::Url;

use super::schedule::{self, Schedule};
use super::store::{json, write_down};
use super::{Action, Paper, PaperError, Papers, State};
use crate::case::{Actor, Cases, StoreError};
use crate::commitment::Commitments;
use crate::report::{Desk, Made, MakeError, make};
use crate::routing::Routing;

/// Wait between looks.
const LOOK: Duration = Duration::from_secs(1);
/// Longest that the making of one takes.
const LONGEST: Duration = Duration::from_secs(180);
/// For how long one is claimed.
const CLAIM: SignedDuration = SignedDuration::from_secs(240);
/// How often the making is begun before it is given up.
const MOST_ATTEMPTS: u32 = 8;
/// Wait after the first failure that may pass; twice as long after each further one.
const RETRY_FIRST: SignedDuration = SignedDuration::from_secs(30);
/// Papers looked at in one go.
const AT_ONCE: i64 = 20;

/// Makes papers.
#[derive(Debug)]
pub struct Maker {
    /// The papers.
    pub papers: Papers,
    /// ClickHouse.
    pub archive: Client,
    /// The cases.
    pub cases: Cases,
    /// What units promised.
    pub commitments: Commitments,
    /// The routings of the regions, by code.
    pub routings: Arc<BTreeMap<String, Routing>>,
    /// Where the console is.
    pub public_url: Url,
    /// What is made again and again.
    pub schedules: Vec<Schedule>,
    /// Who this responder is among others.
    pub holder: String,
}

/// A paper that one responder makes.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// The paper.
    pub paper: Paper,
    holder: String,
    attempts: u32,
    submits: bool,
}

impl Maker {
    /// Makes papers until `stop`; one that is being made then is made by whoever comes next.
    ///
    /// # Errors
    /// Never; a store that fails is asked again.
    pub async fn run(&self, stop: CancellationToken) -> anyhow::Result<()> {
        while !stop.is_cancelled() {
            tokio::select! {
                () = stop.cancelled() => {}
                looked = self.look(Timestamp::now()) => {
                    if let Err(failure) = looked {
                        warn!(%failure, "reports cannot be made now");
                    }
                    tokio::select! {
                        () = stop.cancelled() => {}
                        () = tokio::time::sleep(LOOK) => {}
                    }
                }
            }
        }
        Ok(())
    }

    /// Asks for what the schedule wants and makes what is due at `now`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn look(&self, now: Timestamp) -> Result<(), PaperError> {
        self.ask_due(now).await?;
        self.make_due(now).await
    }

    /// Asks for the papers of the schedule that are due and not asked for yet.
    async fn ask_due(&self, now: Timestamp) -> Result<(), PaperError> {
        for due in schedule::due(&self.schedules, self.routings.keys(), now) {
            // Most looks find it made: they keep no writer waiting.
            let id = Papers::id(&due.region, &due.wanted)?;
            if self.papers.get(&id).await?.is_some() {
                continue;
            }
            let system = Actor::system();
            let asked = (self.papers)
                .ask(&due.region, &due.wanted, due.submits, &system, now)
                .await?;
            info!(
                paper = asked.id,
                region = due.region,
                "a scheduled report is due"
            );
        }
        Ok(())
    }

    async fn make_due(&self, now: Timestamp) -> Result<(), PaperError> {
        for id in self.papers.waiting(now).await? {
            let claimed = self.papers.claim(&id, &self.holder, now).await?;
            if let Some(claimed) = claimed {
                self.make_one(&claimed, now).await?;
            }
        }
        Ok(())
    }

    async fn make_one(&self, claimed: &Claimed, now: Timestamp) -> Result<(), StoreError> {
        let (papers, paper) = (&self.papers, &claimed.paper);
        let Some(routing) = self.routings.get(&paper.region) else {
            let problem = "本系统已不服务该区域";
            return papers.fail(claimed, problem, false, now).await;
        };
        if claimed.attempts > MOST_ATTEMPTS {
            let problem = "多次生成都中断了。请联系管理员查看日志后重新生成";
            return papers.fail(claimed, problem, false, now).await;
        }
        let desk = Desk {
            archive: self.archive.clone(),
            cases: self.cases.clone(),
            commitments: self.commitments.clone(),
            routing,
            public_url: self.public_url.clone(),
            now,
        };
        match timeout(LONGEST, Box::pin(make(&desk, &paper.wanted))).await {
            Ok(Ok(made)) => papers.settle(claimed, made, now).await,
            Ok(Err(error)) => {
                warn!(paper = paper.id, %error, "a report cannot be made");
                let (problem, passes) = told(&error);
                papers.fail(claimed, &problem, passes, now).await
            }
            Err(_) => {
                let problem = "生成超时。请缩短起止日期，或稍后重新生成";
                papers.fail(claimed, problem, false, now).await
            }
        }
    }
}

impl Papers {
    /// The papers that wait to be made, the first asked for first: those that nobody makes, and those whose responder did not
    /// come back.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn waiting(&self, now: Timestamp) -> Result<Vec<String>, StoreError> {
        let ids = sqlx::query_scalar(
            "SELECT id FROM papers WHERE state = 'making' AND claimed_until < $1 ORDER BY asked_at, id LIMIT $2",
        )
        .bind(now.as_millisecond())
        .bind(AT_ONCE)
        .fetch_all(self.store.pool())
        .await?;
        Ok(ids)
    }

    /// Claims one that waits; none where another was faster.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn claim(
        &self,
        id: &str,
        holder: &str,
        now: Timestamp,
    ) -> Result<Option<Claimed>, StoreError> {
        let claimed: Option<(i64, i64)> = sqlx::query_as(
            "UPDATE papers SET claimed_by = $1, claimed_until = $2, attempts = attempts + 1 \
             WHERE id = $3 AND state = 'making' AND claimed_until < $4 RETURNING attempts, submits",
        )
        .bind(holder)
        .bind((now + CLAIM).as_millisecond())
        .bind(id)
        .bind(now.as_millisecond())
        .fetch_optional(self.store.pool())
        .await?;
        let Some((attempts, submits)) = claimed else {
            return Ok(None);
        };
        Ok(self.get(id).await?.map(|paper| Claimed {
            paper,
            holder: holder.to_owned(),
            attempts: u32::try_from(attempts).unwrap_or(u32::MAX),
            submits: submits == 1,
        }))
    }

    /// Keeps what was made, if the claim still holds.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn settle(
        &self,
        claimed: &Claimed,
        made: Made,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let paper = &claimed.paper;
        let state = if claimed.submits {
            State::Submitted
        } else {
            State::Draft
        };
        let mut cover = made.document;
        // The wording has them.
        cover.blocks = Vec::new();
        let mut transaction = self.store.begin().await?;
        let kept = sqlx::query(
            "UPDATE papers SET state = $1, title = $2, generated = $3, text = $4, reason = '', cover = $5, figures = $6, \
             facts = $7, made_at = $8, edited_by = '', edited_at = 0, problem = '', claimed_by = '', claimed_until = 0, \
             version = version + 1 WHERE id = $9 AND version = $10 AND state = 'making' AND claimed_by = $11",
        )
        .bind(state.name())
        .bind(&cover.title)
        .bind(&made.text)
        .bind(&made.text)
        .bind(json(&cover)?)
        .bind(json(&made.figures)?)
        .bind(json(&made.facts)?)
        .bind(now.as_millisecond())
        .bind(&paper.id)
        .bind(paper.version)
        .bind(&claimed.holder)
        .execute(&mut *transaction)
        .await?;
        if kept.rows_affected() == 0 {
            warn!(paper = paper.id, "another responder took the report over");
            return Ok(());
        }
        let (of, system) = (paper.version + 1, Actor::system());
        write_down(
            &mut transaction,
            &paper.id,
            of,
            Action::Make,
            &system,
            "",
            now,
        )
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Notes why one could not be made: for good, or, where that may pass, until the next try.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn fail(
        &self,
        claimed: &Claimed,
        problem: &str,
        passes: bool,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let again = passes && claimed.attempts < MOST_ATTEMPTS;
        let state = if again { State::Making } else { State::Failed };
        let wait = RETRY_FIRST * (1 << claimed.attempts.saturating_sub(1).min(5));
        sqlx::query(
            "UPDATE papers SET state = $1, problem = $2, claimed_by = '', claimed_until = $3 \
             WHERE id = $4 AND version = $5 AND state = 'making' AND claimed_by = $6",
        )
        .bind(state.name())
        .bind(problem)
        .bind((now + wait).as_millisecond())
        .bind(&claimed.paper.id)
        .bind(claimed.paper.version)
        .bind(&claimed.holder)
        .execute(self.store.pool())
        .await?;
        Ok(())
    }
}

/// Why a report cannot be made and what to do, and whether that may pass by itself.
fn told(error: &MakeError) -> (String, bool) {
    match error {
        MakeError::Archive => (
            "舆情库没有应答，系统会自动重试；持续出现请联系管理员查看系统页".to_owned(),
            true,
        ),
        MakeError::Store(_) | MakeError::Commitments(_) | MakeError::Knowledge(_) => (
            "案件库没有应答，系统会自动重试；持续出现请联系管理员".to_owned(),
            true,
        ),
        MakeError::Time => ("日期超出范围，请改用较早的日期".to_owned(), false),
        MakeError::NoEvent(event) => (
            format!(
                "截至该日，本库没有事件 {event} 的帖文。编号请从事件页地址的末尾取，或改用较晚的日期"
            ),
            false,
        ),
        MakeError::Outside(_) => (
            "所选日期前后在本库中没有足够的整周。请改用有帖文的日期".to_owned(),
            false,
        ),
        MakeError::Head(file, _) => (
            format!("本区域的红头设置（{file}）有误。请管理员按说明改正后重新生成"),
            false,
        ),
        MakeError::Template(..) | MakeError::Report(_) => (
            format!("本区域的报告模板有误（{error}）。请管理员改正后重新生成"),
            false,
        ),
        MakeError::Facts(_) => ("报告数据无法保存。请联系管理员查看日志".to_owned(), false),
    }
}
