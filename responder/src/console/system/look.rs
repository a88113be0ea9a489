//! Looks at the parts. Each is asked by itself and within a time, so that one that hangs hides no other.

use std::path::Path;
use std::time::Duration;

use backbone::dead_letters;
use backbone::kafka::{Lag, lags};
use backbone::topics::GROUPS;
use jiff::{SignedDuration, Timestamp};
use tokio::time::{Instant, timeout};
use tracing::warn;

use super::{How, LagLine, Part};
use crate::calendar::day_of;
use crate::console::archive::{Disk, Health, Unavailable, disks, health};
use crate::console::{Console, show, sources};
use crate::notify::{failed_since, waiting};
use crate::outbox;

/// Longest a part is waited for.
const PATIENCE: Duration = Duration::from_secs(4);
/// A store that takes longer is slow.
const SLOW: Duration = Duration::from_millis(500);
/// Messages in the outbox above which Kafka does not take them.
const OUTBOX: i64 = 100;
/// Messages that a group may be behind.
const BEHIND: u64 = 5_000;
/// Share of a disk that must be free, in percent.
const FREE: u64 = 10;
/// Hours without a new post after which something may be wrong.
const QUIET: SignedDuration = SignedDuration::from_hours(24);
/// Days for which the roster is looked at.
const ROSTER_DAYS: i64 = 7;
/// The calendar is told of so long before it ends.
const CALENDAR_AHEAD: SignedDuration = SignedDuration::from_hours(60 * 24);

/// What was seen.
pub(super) struct Seen {
    pub(super) parts: Vec<Part>,
    pub(super) lags: Vec<LagLine>,
    pub(super) versions: Vec<(&'static str, String)>,
}

/// Looks at all parts.
pub(super) async fn at(console: &Console, now: Timestamp) -> Seen {
    let kafka = console.surroundings.looking();
    // By itself: it waits with its thread.
    let behind = tokio::spawn(async move {
        futures::try_join!(lags(&kafka, &GROUPS), dead_letters::count(&kafka))
    });
    let (store, (archive, known), channels, office) = futures::join!(
        store(console),
        archive(console, now),
        channels(console, now),
        office(console, now),
    );
    let behind = match behind.await {
        Ok(Ok(behind)) => Some(behind),
        Ok(Err(error)) => {
            warn!(%error, "Kafka did not answer the console");
            None
        }
        Err(_) => None,
    };
    let mut parts = vec![store, kafka_part(console, behind.as_ref())];
    parts.extend(archive);
    parts.extend(channels);
    parts.extend(office);
    if let Some(folder) = &console.surroundings.data {
        parts.extend(disk_of(folder));
    }
    let lags = behind.map(|(lags, _)| lags).unwrap_or_default();
    let mut versions = vec![("闻声", env!("CARGO_PKG_VERSION").to_owned())];
    versions.extend(known.map(|known| ("ClickHouse", known.server)));
    Seen {
        parts,
        lags: lags
            .into_iter()
            .map(|lag| LagLine {
                topic: lag.topic,
                group: lag.group,
                messages: lag.messages,
                began: lag.began,
            })
            .collect(),
        versions,
    }
}

/// The store of cases, and what waits in its outbox.
async fn store(console: &Console) -> Part {
    let begin = Instant::now();
    let name = "案件库";
    match timeout(PATIENCE, outbox::waiting(&console.store)).await {
        Ok(Ok(waiting)) => {
            let took = begin.elapsed();
            let facts = vec![
                format!("{}毫秒应答", took.as_millis()),
                format!("待发消息{waiting}条"),
            ];
            let part = Part::well(name, facts);
            if waiting > OUTBOX {
                part.wrong(
                    How::Down,
                    "案件的变动发不出去，检索和统计会滞后。请检查 Kafka 是否运行，恢复后会自动补发",
                )
            } else if took > SLOW {
                part.wrong(How::Doubtful, "应答较慢。请检查磁盘和数据库的负载")
            } else {
                part
            }
        }
        _ => Part::well(name, Vec::new())
            .wrong(How::Down, "不应答。请检查数据库是否运行、磁盘是否已满"),
    }
}

fn kafka_part(console: &Console, behind: Option<&(Vec<Lag>, Vec<u64>)>) -> Part {
    let part = Part::well("消息队列（Kafka）", Vec::new());
    let Some((lags, dead)) = behind else {
        let brokers = &console.surroundings.kafka.brokers;
        return part.wrong(
            How::Down,
            format!("{brokers} 不应答，新帖和预警进不来。请检查 Kafka 是否运行、网络是否通"),
        );
    };
    let messages: u64 = lags.iter().map(|lag| lag.messages).sum();
    let dead: u64 = dead.iter().sum();
    let part = Part {
        facts: vec![format!("未处理{messages}条"), format!("死信{dead}条")],
        ..part
    };
    let worst = lags.iter().max_by_key(|lag| lag.messages);
    match worst.filter(|lag| lag.messages > BEHIND) {
        Some(lag) => part.wrong(
            How::Doubtful,
            format!(
                "{}积压{}条。请看该程序是否在运行（/health/ready 和日志）；首次导入大量帖文时会自行消化",
                lag.group, lag.messages
            ),
        ),
        None if dead > 0 => part
            .wrong(How::Doubtful, "有读不出的消息，请查看原因，修复后重新投递")
            .see("/dead-letters"),
        None => part,
    }
}

/// The archive and its disks.
async fn archive(console: &Console, now: Timestamp) -> (Vec<Part>, Option<Health>) {
    let name = "舆情库（ClickHouse）";
    let (known, disks) = futures::join!(health(&console.archive), disks(&console.archive));
    let Ok(known) = known else {
        let part = Part::well(name, Vec::new());
        let part = part.wrong(
            How::Down,
            "不应答。帖文、事件和统计看不到，案件不受影响；恢复后自动补齐。请检查 ClickHouse 是否运行",
        );
        return (vec![part], None);
    };
    let time = |at: i64| match at {
        0 => "无".to_owned(),
        at => show::time_of(at),
    };
    let facts = vec![
        format!("最新帖文采集于{}", time(known.collected_at)),
        format!("最新预警{}", time(known.raised_at)),
    ];
    let newest = Timestamp::from_millisecond(known.collected_at).unwrap_or_default();
    let part = Part::well(name, facts);
    let part = if now.duration_since(newest) > QUIET {
        part.wrong(
            How::Doubtful,
            "24小时没有新的帖文。请看来源是否异常、采集和分析程序是否在运行",
        )
        .see("/sources")
    } else {
        part
    };
    let disks = disks.unwrap_or_else(|Unavailable| Vec::new());
    let parts = std::iter::once(part).chain(disks.iter().map(disk_of_archive));
    (parts.collect(), Some(known))
}

fn disk_of_archive(disk: &Disk) -> Part {
    space(&format!("舆情库磁盘 {}", disk.name), disk.free, disk.whole)
}

/// The disk that the store's folder is on.
fn disk_of(folder: &Path) -> Option<Part> {
    let seen = rustix::fs::statvfs(folder).ok()?;
    let bytes = |blocks: u64| blocks.saturating_mul(seen.f_frsize);
    Some(space(
        "案件库磁盘",
        bytes(seen.f_bavail),
        bytes(seen.f_blocks),
    ))
}

fn space(name: &str, free: u64, whole: u64) -> Part {
    let gigabytes = |bytes: u64| format!("{:.1}GB", bytes as f64 / 1e9);
    let percent = show::percent(free, whole);
    let part = Part::well(
        name,
        vec![format!(
            "可用{}，共{}（{percent}%）",
            gigabytes(free),
            gigabytes(whole)
        )],
    );
    if percent < FREE {
        part.wrong(
            How::Down,
            "磁盘快满了。请清理或扩容；舆情库保留多久在分析程序的 [archive] 中设置",
        )
    } else {
        part
    }
}

/// The channels that carry notices.
async fn channels(console: &Console, now: Timestamp) -> Vec<Part> {
    let channels = &console.surroundings.channels;
    if channels.is_empty() {
        let part = Part::well("通知渠道", Vec::new());
        return vec![part.wrong(
            How::Doubtful,
            "没有配置渠道，通知只在工作台显示。请在 responder.toml 中添加 [[channel]]",
        )];
    }
    let since = now - SignedDuration::from_hours(24);
    let counts = futures::join!(
        timeout(PATIENCE, waiting(&console.store)),
        timeout(PATIENCE, failed_since(&console.store, since))
    );
    let (Ok(Ok(waiting)), Ok(Ok(failed))) = counts else {
        return Vec::new();
    };
    let of = |counts: &[(String, i64)], name: &str| {
        (counts.iter())
            .find(|(channel, _)| channel == name)
            .map_or(0, |(_, count)| *count)
    };
    (channels.iter())
        .map(|channel| {
            let name = channel.name.as_str();
            let (waits, gave_up) = (of(&waiting, name), of(&failed, name));
            let part = Part::well(
                format!("通知渠道 {name}"),
                vec![
                    format!("待发{waits}条"),
                    format!("24小时内未送达{gave_up}条"),
                ],
            );
            let circuit = console.metrics.channel_circuit.with_label_values(&[name]);
            match circuit.get() {
                2 => part.wrong(
                    How::Down,
                    "连续失败，暂停使用并定时重试，期间改用联系人的其他方式。请核对地址和密钥，用 responder notify-test 试发",
                ),
                1 => part.wrong(How::Doubtful, "刚刚失败过，正在试发"),
                _ if gave_up > 0 => part.wrong(
                    How::Doubtful,
                    "有通知没有送达。原因见案件页的通知记录；请核对联系人的接收方式",
                ),
                _ => part,
            }
        })
        .collect()
}

/// What of the office's own work keeps the rest from working: sources, the roster, the calendar, the files of the regions.
async fn office(console: &Console, now: Timestamp) -> Vec<Part> {
    let mut parts = Vec::new();
    if let Ok(Ok(standing)) = timeout(PATIENCE, sources::standing(console)).await {
        let mut figures = vec![format!("异常{}个", standing.troubled)];
        if standing.paused > 0 {
            figures.push(format!("已暂停{}个", standing.paused));
        }
        let part = Part::well("来源", figures).see("/sources");
        parts.push(match standing.troubled {
            0 => part,
            _ => part.wrong(How::Doubtful, "有来源读不到或疑似改版，请查看最近问题"),
        });
    }
    let until = now + SignedDuration::from_hours(24 * ROSTER_DAYS);
    for (code, region) in console.regions.iter() {
        let gaps = timeout(PATIENCE, console.roster.gaps(code, now, until)).await;
        let Ok(Ok(gaps)) = gaps else {
            continue;
        };
        let name = format!("值班表 {}", region.gazetteer.name);
        let part = Part::well(name, vec![format!("{ROSTER_DAYS}天内{}段无人", gaps.len())]);
        let part = part.see("/roster");
        parts.push(match gaps.first() {
            None => part,
            Some(first) => part.wrong(
                How::Doubtful,
                format!("{}；届时通知该岗位的全部人员。请补排", first.told()),
            ),
        });
    }
    for routing in console.routings.values() {
        let warnings = routing.warnings().len();
        let name = format!("配置 {}", routing.region().gazetteer.name);
        let part = Part::well(name, vec![format!("提示{warnings}条")]).see("/units");
        parts.push(match warnings {
            0 => part,
            _ => part.wrong(How::Doubtful, "单位或分派的配置有遗漏，见单位页"),
        });
    }
    let last = console.calendar.official_until();
    let part = Part::well(
        "节假日历",
        last.map(|last| format!("官方安排至{last}"))
            .into_iter()
            .collect(),
    );
    parts.push(
        if last.is_some_and(|last| day_of(now + CALENDAR_AHEAD) <= last) {
            part
        } else {
            part.wrong(
            How::Doubtful,
            "下一年的放假安排还没有录入，按工作时间计的时限会算错。国办通知发布后请补入节假日文件",
        )
        },
    );
    parts
}
