//! The carrier: the policy of sending. Each channel goes at its own pace, so that one that hangs holds up no other:
//! so many messages as the service takes, again and again later while it fails, nothing while its circuit is open. A
//! contact's next way is taken when one is given up or out of order. Notices of one case to one contact go in order.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use backbone::id;
use backbone::region::Reach;
use futures::future::{join_all, try_join_all};
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::warn;
use url::Url;

use super::channel::{Channel, Line};
use super::circuit::{Circuit, Passage};
use super::log::{self, Claim, Ended, Next};
use super::message::Message;
use super::rate::{Allowance, MINUTE};
use super::refusal::{Again, Refusal};
use super::wording::Wording;
use super::{Body, Notice, flood, form};
use crate::case::StoreError;
use crate::metrics::Metrics;
use crate::paper::send::attached;
use crate::store::Store;

/// Wait between looks for notices that are due.
const LOOK: Duration = Duration::from_secs(1);
/// Messages under way on one channel at a time.
const AT_ONCE: usize = 4;
/// Tries by a way while there is another.
const PATIENCE: u32 = 3;
/// Wait after the first failed try; twice as long after each further one.
const RETRY_FIRST_SECONDS: i64 = 5;
const RETRY_LONGEST_SECONDS: i64 = 3_600;
/// A notice that could not be sent for so long is of no use any more.
const TOO_OLD: SignedDuration = SignedDuration::from_hours(72);
/// How much longer than a message may take a notice is claimed for.
const CLAIM_SLACK: SignedDuration = SignedDuration::from_secs(60);
/// How long messages under way have to end when the responder stops.
const LAST_WAIT: Duration = Duration::from_secs(5);
/// Most bytes of what the log keeps of a message.
const LOG_BYTES: usize = 4_096;

/// Carries notices.
#[derive(Debug)]
pub struct Carrier {
    store: Store,
    lines: BTreeMap<String, Running>,
    cases: Url,
    claimant: String,
    metrics: Metrics,
}

/// A channel with how it is.
#[derive(Debug)]
struct Running {
    line: Line,
    health: Mutex<Health>,
}

#[derive(Debug, Default)]
struct Health {
    circuit: Circuit,
    /// The service takes nothing until then.
    rests_until: Option<Timestamp>,
}

impl Running {
    fn health<T>(&self, look: impl FnOnce(&mut Health) -> T) -> T {
        look(&mut self.health.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// How many messages may go out at once now.
    fn at_once(&self, now: Timestamp) -> usize {
        self.health(|health| {
            if health.rests_until.is_some_and(|until| now < until) {
                return 0;
            }
            match health.circuit.passage(now) {
                Passage::Closed => AT_ONCE,
                Passage::HalfOpen => 1,
                Passage::Open => 0,
            }
        })
    }

    /// Whether it is of no use to wait for it: its circuit is open, or it rests for more than a minute.
    fn is_out(&self, now: Timestamp) -> bool {
        self.health(|health| {
            health.circuit.passage(now) == Passage::Open
                || health.rests_until.is_some_and(|until| now + MINUTE < until)
        })
    }
}

impl Carrier {
    /// Carries by the given channels, with links to the console at `public_url`.
    ///
    /// # Errors
    /// When a secret of a channel is missing.
    pub fn new(
        store: Store,
        channels: &[Channel],
        public_url: &Url,
        metrics: Metrics,
    ) -> anyhow::Result<Self> {
        let lines = channels.iter().map(|channel| {
            let running = Running {
                line: Line::open(channel)?,
                health: Mutex::default(),
            };
            Ok((channel.name.clone(), running))
        });
        let random: [u8; 16] = rand::random();
        Ok(Self {
            store,
            lines: lines.collect::<anyhow::Result<_>>()?,
            cases: public_url.join("cases")?,
            claimant: hex::encode(random),
            metrics,
        })
    }

    /// Carries notices until `stop`; what is under way then may end.
    ///
    /// # Errors
    /// Never; a store that fails is asked again.
    pub async fn run(&self, stop: CancellationToken) -> anyhow::Result<()> {
        let channels = self.lines.values().map(|running| {
            let stop = &stop;
            async move {
                let carry = || async {
                    if let Err(failure) = self.carry_by(running, Timestamp::now()).await {
                        warn!(channel = running.line.name, %failure, "notices cannot be carried now");
                    }
                };
                until(stop, carry).await;
            }
        });
        let about_all = || async {
            if let Err(failure) = self.look_after(Timestamp::now()).await {
                warn!(%failure, "notices cannot be looked after now");
            }
        };
        futures::join!(join_all(channels), until(&stop, about_all));
        Ok(())
    }

    /// Carries the notices that are due at `now`, by all channels.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn carry_due(&self, now: Timestamp) -> Result<(), StoreError> {
        try_join_all(
            self.lines
                .values()
                .map(|running| self.carry_by(running, now)),
        )
        .await?;
        self.look_after(now).await
    }

    /// Carries what is due on one channel, until nothing is or it may send no more.
    async fn carry_by(&self, running: &Running, begin: Timestamp) -> Result<(), StoreError> {
        let begun = Instant::now();
        let channel = running.line.name.as_str();
        loop {
            let now = later(begin, begun);
            self.tell_circuit(running, now);
            if running.is_out(now) {
                self.turn_elsewhere(running, now).await?;
            }
            let at_once = running.at_once(now);
            if at_once == 0 {
                return Ok(());
            }
            flood::fold(&self.store, channel, &self.cases, now).await?;
            let due = log::due(&self.store, channel, now).await?;
            let recent = log::recent(&self.store, channel, now - MINUTE).await?;
            let mut allowance = Allowance::new(&running.line.rate, &recent, now);
            let chosen: Vec<&Notice> = due
                .iter()
                .filter(|notice| allowance.take(notice.recipient()))
                .take(at_once)
                .collect();
            if chosen.is_empty() {
                return Ok(());
            }
            let tries = chosen
                .into_iter()
                .map(|notice| self.try_one(running, notice, now));
            try_join_all(tries).await?;
        }
    }

    /// Sends one notice and writes down how that went.
    async fn try_one(
        &self,
        running: &Running,
        notice: &Notice,
        begin: Timestamp,
    ) -> Result<(), StoreError> {
        let begun = Instant::now();
        let line = &running.line;
        let files = match &notice.body {
            Body::Paper(body) if line.takes_files() => attached(&self.store, &body.paper).await?,
            _ => Vec::new(),
        };
        let message = Message {
            id: &notice.id,
            to: notice.recipient(),
            wording: Wording::of(&notice.body, notice.queued_at),
            body: &notice.body,
            files: &files,
        };
        let claim = Claim {
            by: &self.claimant,
            until: begin + CLAIM_SLACK + line.timeout,
        };
        let text = form::plain(&message.wording, LOG_BYTES);
        if !log::claim(&self.store, notice, claim, &text, begin).await? {
            return Ok(());
        }
        let result = line.send(&message, begin).await;
        let now = later(begin, begun);
        let ended = self.judge(running, notice, result, now);
        self.count(notice, &ended);
        if !log::settle(&self.store, notice, &self.claimant, &ended, now).await? {
            warn!(
                notice = notice.id,
                channel = line.name,
                "another responder took the notice over"
            );
        }
        Ok(())
    }

    /// What a try says about the channel, and what follows for the notice.
    fn judge(
        &self,
        running: &Running,
        notice: &Notice,
        result: Result<(), Refusal>,
        now: Timestamp,
    ) -> Ended {
        let others = notice.reach.get(1..).unwrap_or_default();
        let Err(refusal) = result else {
            running.health(|health| health.circuit.succeeded());
            return Ended {
                outcome: "sent",
                problem: String::new(),
                next: Next::Sent,
            };
        };
        let given_up = || {
            if others.is_empty() {
                Next::GivenUp
            } else {
                Next::By(others.to_vec())
            }
        };
        let (outcome, next) = match refusal.again {
            Again::Never => ("refused", given_up()),
            Again::After(wait) => {
                running.health(|health| health.rests_until = Some(now + wait));
                ("busy", Next::Again(now + wait))
            }
            Again::Later => {
                running.health(|health| health.circuit.failed(now));
                let tries = notice.attempts_here + 1;
                let most = if others.is_empty() {
                    running.line.attempts
                } else {
                    running.line.attempts.min(PATIENCE)
                };
                let next = if tries < most {
                    Next::Again(now + backoff(&notice.id, tries))
                } else {
                    given_up()
                };
                ("refused", next)
            }
        };
        Ended {
            outcome,
            problem: refusal.problem,
            next,
        }
    }

    fn count(&self, notice: &Notice, ended: &Ended) {
        let outcome = match ended.next {
            Next::Sent => "sent",
            Next::Again(_) => "retried",
            Next::By(_) => "moved-on",
            Next::GivenUp => "given-up",
        };
        if outcome != "sent" {
            warn!(
                notice = notice.id,
                channel = notice.channel(),
                attempts = notice.attempts + 1,
                outcome,
                problem = ended.problem,
                "notice not taken"
            );
        }
        self.metrics
            .notices_total
            .with_label_values(&[notice.channel(), outcome])
            .inc();
    }

    /// Sends those that wait for a channel that is out of order another way, where they have one that is not. The one that
    /// is out of order is the last to come back to.
    async fn turn_elsewhere(&self, running: &Running, now: Timestamp) -> Result<(), StoreError> {
        let channel = running.line.name.as_str();
        for notice in log::with_another_way(&self.store, channel).await? {
            let works = |reach: &Reach| {
                let line = self.lines.get(&reach.channel);
                line.is_some_and(|line| !line.is_out(now))
            };
            let Some(turn) = notice.reach.iter().position(works) else {
                continue;
            };
            let mut reach = notice.reach.clone();
            reach.rotate_left(turn);
            let problem = format!("channel `{channel}` is out of order");
            let next = Next::By(reach);
            if log::redirect(&self.store, &notice, &problem, &next, now).await? {
                self.metrics
                    .notices_total
                    .with_label_values(&[channel, "moved-on"])
                    .inc();
            }
        }
        Ok(())
    }

    /// Gives up what waited too long, takes what waits for a channel that there is not any more elsewhere, and counts what
    /// waits.
    async fn look_after(&self, now: Timestamp) -> Result<(), StoreError> {
        let waiting = log::waiting(&self.store).await?;
        for channel in self.lines.keys() {
            let gauge = self.metrics.notices_waiting.with_label_values(&[channel]);
            let known = waiting.iter().find(|(name, _)| name == channel);
            gauge.set(known.map_or(0, |(_, notices)| *notices));
        }
        for (channel, _) in &waiting {
            let (before, problem) = if self.lines.contains_key(channel) {
                (now - TOO_OLD, "could not be sent for three days".to_owned())
            } else {
                (
                    Timestamp::MAX,
                    format!("channel `{channel}` is not in the settings"),
                )
            };
            for notice in log::waiting_since(&self.store, channel, before).await? {
                let others = notice.reach.get(1..).unwrap_or_default();
                let next = if others.is_empty() || self.lines.contains_key(channel) {
                    Next::GivenUp
                } else {
                    Next::By(others.to_vec())
                };
                let ended = Ended {
                    outcome: "refused",
                    problem: problem.clone(),
                    next,
                };
                if log::redirect(&self.store, &notice, &problem, &ended.next, now).await? {
                    self.count(&notice, &ended);
                }
            }
        }
        Ok(())
    }

    fn tell_circuit(&self, running: &Running, now: Timestamp) {
        let passage = running.health(|health| health.circuit.passage(now));
        self.metrics
            .channel_circuit
            .with_label_values(&[running.line.name.as_str()])
            .set(match passage {
                Passage::Closed => 0,
                Passage::HalfOpen => 1,
                Passage::Open => 2,
            });
    }
}

/// Does something again and again until `stop`; what is under way then has a last while to end.
async fn until<F: Future<Output = ()>>(stop: &CancellationToken, round: impl Fn() -> F) {
    while !stop.is_cancelled() {
        let last = async {
            stop.cancelled().await;
            tokio::time::sleep(LAST_WAIT).await;
        };
        tokio::select! {
            () = round() => {}
            () = last => return,
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

/// The given time and what has passed since.
fn later(begin: Timestamp, begun: Instant) -> Timestamp {
    let passed = SignedDuration::try_from(begun.elapsed()).unwrap_or(SignedDuration::ZERO);
    begin.saturating_add(passed).unwrap_or(begin)
}

/// The wait before the next try. It differs by a fifth either way between notices, so that those that failed together do
/// not come back together.
fn backoff(notice: &str, tries: u32) -> SignedDuration {
    let doubled = RETRY_FIRST_SECONDS.saturating_mul(1 << tries.saturating_sub(1).min(20));
    let milliseconds = doubled.min(RETRY_LONGEST_SECONDS) * 1_000;
    let drawn = id::of("retry", &[notice, &tries.to_string()]);
    let part = drawn.bytes().map(i64::from).sum::<i64>() % 401;
    SignedDuration::from_millis(milliseconds * (800 + part) / 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_an_hour_and_differ_between_notices() {
        for (tries, seconds) in [(1, 5), (2, 10), (3, 20), (11, 3_600), (40, 3_600)] {
            let waits: Vec<i64> = (0..50)
                .map(|notice| backoff(&notice.to_string(), tries).as_millis() as i64)
                .collect();
            let (least, most) = (waits.iter().min().unwrap(), waits.iter().max().unwrap());
            assert!(*least >= seconds * 800 && *most <= seconds * 1_200);
            assert!(least < most);
        }
    }
}
