//! 月度考核: how the units did with the cases of a period, and a fair comparison of them.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use report::{Chart, ChartKind, Figures, Series, Shape, Table, Value};
use serde::Serialize;

use super::cell::{between, column, met, number, percent, text};
use super::facts::{Bounded, Met, Number, UnitFacts};
use super::gather::{Links, bounded_share, word};
use super::timely::units;
use super::{Desk, Kind, Made, MakeError, finish, subtitle};
use crate::case::Action;
use crate::trend::{Judged, Period, Share, Standard, Tracked, judge, standardised};

/// Days before the period from whose cases moves may still come in it.
const EARLIER: i64 = 400;

/// How the units did.
#[derive(Debug, Serialize)]
struct Facts {
    region: String,
    period: Period,
    /// Cases opened in the period.
    opened: Number,
    answered: u64,
    dismissed: u64,
    open: u64,
    /// All clocks of these cases that ended.
    all: Met,
    sign: Met,
    first_information: Met,
    response: Met,
    /// How they did, those with the most clocks first.
    units: Vec<Unit>,
    /// Names of the units that are compared, best first: above all units beyond chance, below, and neither.
    above: Vec<String>,
    below: Vec<String>,
    alike: Vec<String>,
    /// Those with too few clocks.
    few: Vec<String>,
    /// How much more clocks of one case go together than chance would have it.
    spread: f64,
    /// All together.
    quality: Quality,
    satisfaction: Option<Bounded>,
}

/// A unit.
#[derive(Debug, Serialize)]
struct Unit {
    code: String,
    name: String,
    /// Its clocks of the cases of the period.
    clocks: Option<UnitFacts>,
    quality: Quality,
    compared: Option<Compared>,
}

/// What was done in the period, whenever the case was opened.
#[derive(Debug, Default, Clone, Serialize)]
struct Quality {
    /// Replies handed in, and those sent back by review.
    replies: u64,
    sent_back: u64,
    /// Cases that the unit handed back.
    handed_back: u64,
    /// Cases that it leads whose answer was overdue when the period was over.
    overdue: u64,
    /// Follow-ups by what was said.
    satisfied: u64,
    rather: u64,
    dissatisfied: u64,
    not_reached: u64,
}

/// A unit against all units.
#[derive(Debug, Serialize)]
struct Compared {
    clocks: u64,
    in_time: u64,
    expected: f64,
    /// In time by expected, with its bounds; absent where there are too few clocks.
    ratio: Option<Bounded>,
    verdict: &'static str,
}

impl Quality {
    /// Follow-ups in which somebody was reached.
    fn reached(&self) -> u64 {
        self.satisfied + self.rather + self.dissatisfied
    }

    fn satisfaction(&self) -> Option<Bounded> {
        Share::of(self.satisfied + self.rather, self.reached(), 1.0).map(bounded_share)
    }

    fn is_empty(&self) -> bool {
        self.replies
            + self.sent_back
            + self.handed_back
            + self.overdue
            + self.reached()
            + self.not_reached
            == 0
    }

    fn add(&mut self, other: &Self) {
        self.replies += other.replies;
        self.sent_back += other.sent_back;
        self.handed_back += other.handed_back;
        self.overdue += other.overdue;
        self.satisfied += other.satisfied;
        self.rather += other.rather;
        self.dissatisfied += other.dissatisfied;
        self.not_reached += other.not_reached;
    }
}

pub(super) async fn make(desk: &Desk<'_>, period: Period) -> Result<Made, MakeError> {
    let facts = gather(desk, period).await?;
    let figures = figures(&facts);
    let months = period.from.day() == 1 && period.to == period.to.last_of_month();
    let kind = if months && period.days() <= 31 {
        "月度考核通报"
    } else {
        "情况考核通报"
    };
    let title = format!("{}舆情办理{kind}", facts.region);
    finish(
        desk,
        Kind::Scorecard,
        title,
        &subtitle(period),
        period.to,
        &facts,
        figures,
    )
}

async fn gather(desk: &Desk<'_>, period: Period) -> Result<Facts, MakeError> {
    let region = desk.routing.region();
    let timing = desk.cases.timing();
    let (begin, end) = desk.moments(period)?;
    let since = begin - SignedDuration::from_hours(24 * EARLIER);
    let links = Links { desk, period };
    let known: Vec<Tracked> = (desk.cases.tracked(since, end).await?.into_iter())
        .filter(|case| case.region == region.code())
        .map(|case| case.as_of(end, timing))
        .collect();
    let opened: Vec<Tracked> = (known.iter())
        .filter(|case| case.opened_at >= begin)
        .cloned()
        .collect();
    let clocks: Vec<Vec<Judged>> = opened.iter().map(|case| judge(case, timing, end)).collect();
    let (standards, spread) = standardised(&clocks);
    let (timely, cases) = units(desk, &opened, end, links.of("/cases", &[]));
    let mut done = done(&known, begin, end);
    let mut quality = Quality::default();
    done.values().for_each(|one| quality.add(one));
    let sum = |of: fn(&UnitFacts) -> &Met| {
        let (in_time, all) = (timely.iter().map(of))
            .fold((0, 0), |(met, all), one| (met + one.in_time, all + one.all));
        Met::new(crate::trend::Tally { in_time, all })
    };
    let (all, sign) = (sum(|unit| &unit.all), sum(|unit| &unit.sign));
    let (first_information, response) = (
        sum(|unit| &unit.first_information),
        sum(|unit| &unit.response),
    );
    let mut told: Vec<Unit> = (timely.into_iter())
        .map(|clocks| Unit {
            compared: standards.get(&clocks.code).map(compared),
            quality: done.remove(&clocks.code).unwrap_or_default(),
            code: clocks.code.clone(),
            name: clocks.name.clone(),
            clocks: Some(clocks),
        })
        .collect();
    // Units that had moves or overdue cases in the period, but no clock that ended.
    told.extend(
        (done.into_iter())
            .filter(|(_, quality)| !quality.is_empty())
            .map(|(code, quality)| Unit {
                name: region.unit_name(&code).to_owned(),
                code,
                clocks: None,
                quality,
                compared: None,
            }),
    );
    let mut ranked: Vec<(&Unit, f64, &'static str)> = (told.iter())
        .filter_map(|unit| {
            let compared = unit.compared.as_ref()?;
            Some((unit, compared.ratio?.value, compared.verdict))
        })
        .collect();
    ranked.sort_by(|one, other| {
        (other.1.total_cmp(&one.1)).then_with(|| one.0.code.cmp(&other.0.code))
    });
    let named = |verdict: &str| {
        (ranked.iter())
            .filter(|(_, _, own)| *own == verdict)
            .map(|(unit, ..)| unit.name.clone())
            .collect()
    };
    Ok(Facts {
        region: region.gazetteer.name.clone(),
        period,
        opened: cases.opened,
        answered: cases.answered,
        dismissed: cases.dismissed,
        open: cases.open,
        all,
        sign,
        first_information,
        response,
        above: named("up"),
        below: named("down"),
        alike: named("unclear"),
        few: (told.iter())
            .filter(|unit| {
                unit.compared
                    .as_ref()
                    .is_some_and(|one| one.ratio.is_none())
            })
            .map(|unit| unit.name.clone())
            .collect(),
        units: told,
        spread,
        satisfaction: quality.satisfaction(),
        quality,
    })
}

/// What the units did between two moments, by unit.
fn done(cases: &[Tracked], begin: Timestamp, end: Timestamp) -> BTreeMap<String, Quality> {
    let mut done: BTreeMap<String, Quality> = BTreeMap::new();
    for case in cases {
        let lead = case.parts.first().map_or("", |part| part.unit.as_str());
        for made in case.moves.iter().filter(|made| made.at >= begin) {
            let unit = if made.unit.is_empty() {
                lead
            } else {
                &made.unit
            };
            let own = done.entry(unit.to_owned()).or_default();
            match made.action {
                Action::Reply => own.replies += 1,
                Action::SendBack => own.sent_back += 1,
                Action::Return => own.handed_back += 1,
                Action::FollowUp => match case.satisfaction.as_str() {
                    "满意" => own.satisfied += 1,
                    "基本满意" => own.rather += 1,
                    "不满意" => own.dissatisfied += 1,
                    _ => own.not_reached += 1,
                },
                _ => {}
            }
        }
        if case.state.open() && case.paused_at.is_none() && case.respond_by < end {
            done.entry(lead.to_owned()).or_default().overdue += 1;
        }
    }
    done.retain(|unit, _| !unit.is_empty());
    done
}

fn compared(standard: &Standard) -> Compared {
    Compared {
        clocks: standard.tally.all,
        in_time: standard.tally.in_time,
        expected: standard.expected,
        ratio: standard.ratio.map(|ratio| Bounded {
            value: ratio.value,
            low: ratio.interval.low,
            high: ratio.interval.high,
        }),
        verdict: standard
            .ratio
            .map_or("too-few", |ratio| word(ratio.verdict)),
    }
}

fn figures(facts: &Facts) -> Figures {
    Figures {
        tables: vec![
            timely(facts),
            comparison(facts),
            quality(facts),
            followed(facts),
        ],
        charts: vec![ratios(facts)],
    }
}

fn timely(facts: &Facts) -> Table {
    Table {
        name: "units".to_owned(),
        title: "各单位时限办理（按时/到期）".to_owned(),
        columns: vec![
            column("单位", false),
            column("签收", true),
            column("初步信息", true),
            column("答复", true),
            column("合计", true),
            column("按时率", true),
            column("95%区间", true),
        ],
        rows: (facts.units.iter())
            .filter_map(|unit| {
                let clocks = unit.clocks.as_ref()?;
                Some(vec![
                    text(&unit.name),
                    met(&clocks.sign),
                    met(&clocks.first_information),
                    met(&clocks.response),
                    met(&clocks.all),
                    percent(clocks.all.share.map(|share| share.value)),
                    between(clocks.all.share),
                ])
            })
            .collect(),
    }
}

fn comparison(facts: &Facts) -> Table {
    let decimal = |value: f64| Value::Number { value, digits: 1 }.into();
    let bounds = |ratio: Bounded| format!("{:.2}–{:.2}", ratio.low, ratio.high);
    let mut units: Vec<(&Unit, &Compared)> = (facts.units.iter())
        .filter_map(|unit| Some((unit, unit.compared.as_ref()?)))
        .collect();
    let key = |compared: &Compared| compared.ratio.map_or(-1.0, |ratio| ratio.value);
    units.sort_by(|one, other| {
        (key(other.1).total_cmp(&key(one.1))).then_with(|| one.0.code.cmp(&other.0.code))
    });
    Table {
        name: "comparison".to_owned(),
        title: "标准化比较".to_owned(),
        columns: vec![
            column("单位", false),
            column("到期（项）", true),
            column("按时（项）", true),
            column("应有（项）", true),
            column("比值", true),
            column("95%区间", true),
            column("与总体水平", false),
        ],
        rows: (units.into_iter())
            .map(|(unit, compared)| {
                vec![
                    text(&unit.name),
                    number(compared.clocks as f64),
                    number(compared.in_time as f64),
                    decimal(compared.expected),
                    compared
                        .ratio
                        .map_or(Value::Empty, |ratio| Value::Number {
                            value: ratio.value,
                            digits: 2,
                        })
                        .into(),
                    text(compared.ratio.map_or("—".to_owned(), bounds)),
                    text(match compared.verdict {
                        "up" => "高于",
                        "down" => "低于",
                        "unclear" => "无明显差别",
                        _ => "项数过少",
                    }),
                ]
            })
            .collect(),
    }
}

fn quality(facts: &Facts) -> Table {
    Table {
        name: "quality".to_owned(),
        title: "答复质量和退回".to_owned(),
        columns: vec![
            column("单位", false),
            column("提交答复（次）", true),
            column("审核退回（次）", true),
            column("退回改派（次）", true),
            column("期末逾期未答复（件）", true),
        ],
        rows: (facts.units.iter())
            .map(|unit| {
                let own = &unit.quality;
                vec![
                    text(&unit.name),
                    number(own.replies as f64),
                    number(own.sent_back as f64),
                    number(own.handed_back as f64),
                    number(own.overdue as f64),
                ]
            })
            .collect(),
    }
}

fn followed(facts: &Facts) -> Table {
    Table {
        name: "followed".to_owned(),
        title: "回访结果".to_owned(),
        columns: vec![
            column("单位", false),
            column("满意", true),
            column("基本满意", true),
            column("不满意", true),
            column("未能联系", true),
            column("满意率", true),
            column("95%区间", true),
        ],
        rows: (facts.units.iter())
            .filter(|unit| unit.quality.reached() + unit.quality.not_reached > 0)
            .map(|unit| {
                let own = &unit.quality;
                let share = own.satisfaction();
                vec![
                    text(&unit.name),
                    number(own.satisfied as f64),
                    number(own.rather as f64),
                    number(own.dissatisfied as f64),
                    number(own.not_reached as f64),
                    percent(share.map(|share| share.value)),
                    between(share),
                ]
            })
            .collect(),
    }
}

fn ratios(facts: &Facts) -> Chart {
    let mut ranked: Vec<(&str, f64)> = (facts.units.iter())
        .filter_map(|unit| Some((unit.name.as_str(), unit.compared.as_ref()?.ratio?.value)))
        .collect();
    ranked.sort_by(|one, other| other.1.total_cmp(&one.1).then(one.0.cmp(other.0)));
    Chart {
        name: "ratios".to_owned(),
        title: "图1 按时项数为应有项数的百分之几（100为总体水平）".to_owned(),
        words: (ranked.first().zip(ranked.last())).map_or_else(
            || "没有可以比较的单位".to_owned(),
            |(first, last)| {
                format!(
                    "最高{}，{:.0}；最低{}，{:.0}",
                    first.0,
                    first.1 * 100.0,
                    last.0,
                    last.1 * 100.0
                )
            },
        ),
        unit: "%".to_owned(),
        kind: ChartKind::Ranked {
            items: ranked.iter().map(|(name, _)| (*name).to_owned()).collect(),
        },
        series: vec![Series {
            name: "按时/应有".to_owned(),
            shape: Shape::Bars,
            values: (ranked.iter())
                .map(|(_, ratio)| Some((ratio * 100.0).round()))
                .collect(),
            between: Vec::new(),
        }],
        marks: Vec::new(),
    }
}
