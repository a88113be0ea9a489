//! How changes read: of rates, of shares in percentage points, of means.

use super::super::show;
use super::percent;
use crate::trend::{Change, Interval, Mean, Movement, Verdict};

/// Rows of a table.
const MOST: usize = 20;

/// A row of a table.
pub(super) struct Moved {
    pub(super) rank: usize,
    /// How many ranks it went up or down.
    pub(super) rank_change: String,
    pub(super) name: String,
    /// Where its posts are.
    pub(super) link: String,
    pub(super) posts: u64,
    pub(super) before: String,
    pub(super) change: String,
    pub(super) interval: String,
    pub(super) verdict: &'static str,
    /// The class of the verdict.
    pub(super) class: &'static str,
    pub(super) negative: String,
    pub(super) negative_interval: String,
    /// What can be said of the change of the negative share.
    pub(super) negative_verdict: &'static str,
}

/// The rows of a table, the first ones; `link` says where the posts of one are, by its name.
pub(super) fn rows(
    movements: &[Movement],
    comparable: bool,
    link: impl Fn(&str) -> String,
) -> Vec<Moved> {
    (movements.iter().take(MOST))
        .map(|movement| row(movement, comparable, link(&movement.name)))
        .collect()
}

fn row(movement: &Movement, comparable: bool, link: String) -> Moved {
    let change = movement.change.filter(|_| comparable);
    let (verdict, class) = match movement.verdict {
        _ if !comparable => ("—", ""),
        Verdict::Up => ("上升", "up"),
        Verdict::Down => ("下降", ""),
        Verdict::Unclear => ("不能判断", ""),
        Verdict::TooFew => ("帖数太少", ""),
    };
    Moved {
        link,
        rank: movement.rank,
        rank_change: match movement.rank_before {
            _ if !comparable => "—".to_owned(),
            None => "新".to_owned(),
            Some(before) if before > movement.rank => format!("升{}", before - movement.rank),
            Some(before) if before < movement.rank => format!("降{}", movement.rank - before),
            Some(_) => "平".to_owned(),
        },
        name: movement.name.clone(),
        posts: movement.posts,
        before: if comparable {
            movement.before.to_string()
        } else {
            "—".to_owned()
        },
        change: change.map_or("—".to_owned(), |change| by_percent(percent(change).0)),
        interval: change.map_or(String::new(), |change| {
            let (_, low, high) = percent(change);
            format!("{}至{}", by_percent(low), by_percent(high))
        }),
        verdict,
        class,
        negative: (movement.negative_share)
            .map_or("—".to_owned(), |share| show::share(share.value)),
        negative_interval: movement.negative_share.map_or(String::new(), |share| {
            let Interval { low, high } = share.interval;
            format!("{}至{}", show::share(low), show::share(high))
        }),
        negative_verdict: match movement.negative_change {
            Some(change) if comparable && change.low > 0.0 => "占比上升",
            Some(change) if comparable && change.high < 0.0 => "占比下降",
            Some(_) if comparable => "占比变化不能判断",
            _ => "",
        },
    }
}

/// A change in percent: `+12%`; without bound where there was nothing before.
fn by_percent(value: f64) -> String {
    if value.is_finite() {
        // So that a bound near no change does not read as none.
        let digits = usize::from(value.abs() < 10.0);
        format!("{}%", show::signed(value, digits))
    } else {
        "无上限".to_owned()
    }
}

/// What is told of the change of a rate: `日均+12%（−3%至+30%），不能判断`.
pub(super) fn by_day(change: Change) -> String {
    let (value, low, high) = percent(change);
    format!(
        "日均{}（{}至{}），{}",
        by_percent(value),
        by_percent(low),
        by_percent(high),
        said(change.interval, 1.0)
    )
}

/// What is told of the change of a share, in percentage points.
pub(super) fn points(change: f64, interval: Interval) -> String {
    let points = |value: f64| show::signed(value * 100.0, 1);
    format!(
        "{}个百分点（{}至{}），{}",
        points(change),
        points(interval.low),
        points(interval.high),
        said(interval, 0.0)
    )
}

/// What is told of the change of a mean; the bounds of the difference are put together from those of both means.
pub(super) fn means(now: Mean, before: Mean) -> String {
    let interval = now.less(before);
    format!(
        "{}（{}至{}），{}",
        show::signed(now.value - before.value, 2),
        show::signed(interval.low, 2),
        show::signed(interval.high, 2),
        said(interval, 0.0)
    )
}

/// What an interval says of no change.
pub(super) fn said(interval: Interval, unchanged: f64) -> &'static str {
    match Verdict::of(interval, unchanged) {
        Verdict::Up => "上升",
        Verdict::Down => "下降",
        Verdict::Unclear | Verdict::TooFew => "不能判断有无变化",
    }
}
