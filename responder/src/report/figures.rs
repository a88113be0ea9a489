//! The tables and charts of a report.

use jiff::civil::Date;
use report::{Cell, Chart, ChartKind, Figures, Mark, Series, Shape, Table};

use super::cell::{between, cited, column, event_level, linked, met, number, percent, text};
use super::facts::{Facts, Ranked};

/// All that a template may place.
pub(super) fn of(facts: &Facts) -> Figures {
    let rankings = [
        ("subjects", "事项", &facts.subjects),
        ("places", "地点", &facts.places),
        ("sources", "来源", &facts.sources),
        ("appeals", "诉求类型", &facts.appeals),
    ];
    let mut tables: Vec<Table> = rankings
        .into_iter()
        .map(|(name, head, rows)| ranking(facts, name, head, rows))
        .collect();
    tables.extend([
        events(facts),
        units(facts),
        commitments(facts),
        coverage(facts),
    ]);
    Figures {
        tables,
        charts: vec![volume(facts), sentiment(facts), subjects(facts)],
    }
}

/// A change as a report words it: what chance may have done is said so.
fn moved(row: &Ranked) -> Cell {
    let Some(change) = row.change else {
        return text(if row.before == 0 {
            "新出现"
        } else {
            "件数过少"
        });
    };
    let change = format!("{}%", report::wording::signed(change * 100.0, 1));
    text(match row.verdict {
        "up" => format!("{change} 上升"),
        "down" => format!("{change} 下降"),
        "unclear" => format!("{change} 不显著"),
        _ => format!("{change} 件数过少"),
    })
}

fn ranking(facts: &Facts, name: &str, head: &str, rows: &[Ranked]) -> Table {
    let places = |row: &Ranked| match row.moved {
        None => "—".to_owned(),
        Some(0) => "持平".to_owned(),
        Some(won) if won > 0 => format!("升{won}"),
        Some(lost) => format!("降{}", -lost),
    };
    Table {
        name: name.to_owned(),
        title: format!("{}分布", head),
        columns: vec![
            column("名次", true),
            column(head, false),
            column(format!("{}（帖）", facts.this), true),
            column("占比", true),
            column(format!("{}（帖）", facts.last), true),
            column("变化", false),
            column("位次", false),
            column("负面占比", true),
        ],
        rows: (rows.iter())
            .map(|row| {
                vec![
                    number(row.rank as f64),
                    text(&row.name),
                    cited(&row.posts),
                    percent(Some(row.share)),
                    number(row.before as f64),
                    moved(row),
                    text(places(row)),
                    percent(row.negative_share),
                ]
            })
            .collect(),
    }
}

fn events(facts: &Facts) -> Table {
    Table {
        name: "events".to_owned(),
        title: "重点事件".to_owned(),
        columns: vec![
            column("级别", false),
            column("事件", false),
            column("帖文", true),
            column("人数", true),
            column("负面占比", true),
            column("办理", false),
        ],
        rows: (facts.events.iter())
            .map(|event| {
                vec![
                    event_level(event.level),
                    linked(&event.title, &event.link),
                    cited(&event.posts),
                    number(event.voices as f64),
                    percent(Some(event.negative_share)),
                    text(event.case.as_ref().map_or("未立案", |case| case.state)),
                ]
            })
            .collect(),
    }
}

fn units(facts: &Facts) -> Table {
    Table {
        name: "units".to_owned(),
        title: "单位办理时效（按时/到期）".to_owned(),
        columns: vec![
            column("单位", false),
            column("签收", true),
            column("初步信息", true),
            column("答复", true),
            column("按时率", true),
            column("95%区间", true),
        ],
        rows: (facts.units.iter())
            .map(|unit| {
                let share = unit.all.share;
                vec![
                    text(&unit.name),
                    met(&unit.sign),
                    met(&unit.first_information),
                    met(&unit.response),
                    percent(share.map(|share| share.value)),
                    between(share),
                ]
            })
            .collect(),
    }
}

fn commitments(facts: &Facts) -> Table {
    Table {
        name: "commitments".to_owned(),
        title: "到期承诺".to_owned(),
        columns: vec![
            column("承诺", false),
            column("单位", false),
            column("期限", false),
            column("状态", false),
        ],
        rows: (facts.commitments.iter())
            .map(|one| {
                vec![
                    linked(&one.what, &one.link),
                    text(&one.unit),
                    text(report::wording::full_day(one.due)),
                    text(if one.broken { "已逾期" } else { "待兑现" }),
                ]
            })
            .collect(),
    }
}

fn coverage(facts: &Facts) -> Table {
    Table {
        name: "coverage".to_owned(),
        title: "来源覆盖".to_owned(),
        columns: vec![
            column("来源", false),
            column("采集（帖）", true),
            column("涉及本地区（帖）", true),
            column("有帖天数", true),
        ],
        rows: (facts.method.sources.iter())
            .map(|source| {
                vec![
                    text(&source.source),
                    number(source.posts as f64),
                    number(source.relevant as f64),
                    number(source.days as f64),
                ]
            })
            .collect(),
    }
}

fn point(facts: &Facts, day: Date) -> String {
    let name = format!("{}.{}", day.month(), day.day());
    if facts.course.step == "week" {
        format!("{name}起")
    } else {
        name
    }
}

fn over(facts: &Facts) -> ChartKind {
    ChartKind::Over {
        points: (facts.course.points.iter())
            .map(|one| point(facts, one.from))
            .collect(),
    }
}

fn volume(facts: &Facts) -> Chart {
    let points = &facts.course.points;
    let values = |of: fn(&super::facts::Point) -> u64| {
        points.iter().map(|point| Some(of(point) as f64)).collect()
    };
    let top = points.iter().map(|point| point.posts).max().unwrap_or(0);
    let peak = points.iter().position(|one| one.posts == top && top > 0);
    Chart {
        name: "volume".to_owned(),
        title: format!("图1 {}帖文数", facts.this),
        words: format!(
            "{}共{}帖，其中负面{}帖",
            facts.this,
            report::wording::number(facts.posts.value, 0),
            report::wording::number(facts.negative.value, 0)
        ),
        unit: "帖".to_owned(),
        kind: over(facts),
        series: vec![
            Series {
                name: "全部".to_owned(),
                shape: Shape::Bars,
                values: values(|point| point.posts),
                between: Vec::new(),
            },
            Series {
                name: "其中负面".to_owned(),
                shape: Shape::Line,
                values: values(|point| point.negative),
                between: Vec::new(),
            },
        ],
        marks: peak
            .map(|point| Mark {
                series: 0,
                point,
                words: format!("{top}帖"),
            })
            .into_iter()
            .collect(),
    }
}

fn sentiment(facts: &Facts) -> Chart {
    let points = &facts.course.points;
    Chart {
        name: "sentiment".to_owned(),
        title: format!(
            "图2 {}情感均值（正面1，中性0，负面-1；带为95%区间）",
            facts.this
        ),
        words: facts.mean.map_or_else(
            || "没有帖文".to_owned(),
            |mean| format!("{}均值{:.2}", facts.this, mean.value),
        ),
        unit: String::new(),
        kind: over(facts),
        series: vec![Series {
            name: "情感均值".to_owned(),
            shape: Shape::Line,
            values: (points.iter())
                .map(|point| point.mean.map(|mean| mean.value))
                .collect(),
            between: (points.iter())
                .map(|point| point.mean.map(|mean| (mean.low, mean.high)))
                .collect(),
        }],
        marks: Vec::new(),
    }
}

fn subjects(facts: &Facts) -> Chart {
    let series = |name: &str, of: fn(&Ranked) -> f64| Series {
        name: name.to_owned(),
        shape: Shape::Bars,
        values: facts.subjects.iter().map(|row| Some(of(row))).collect(),
        between: Vec::new(),
    };
    let mut all = vec![series(facts.this, |row| row.posts.value)];
    if facts.before.is_some() {
        all.push(series(facts.last, |row| row.before as f64));
    }
    Chart {
        name: "subjects".to_owned(),
        title: "图3 事项分布".to_owned(),
        words: (facts.subjects.first()).map_or_else(
            || "没有帖文".to_owned(),
            |most| {
                let posts = report::wording::number(most.posts.value, 0);
                format!("最多的是{}，{posts}帖", most.name)
            },
        ),
        unit: "帖".to_owned(),
        kind: ChartKind::Ranked {
            items: facts.subjects.iter().map(|row| row.name.clone()).collect(),
        },
        series: all,
        marks: Vec::new(),
    }
}
