//! Papers that the stories write: a long one, a short one, one without tables; and what people write to do harm.

use report::template::Templates;
use report::{
    Cell, Chart, ChartKind, Column, Document, Figures, Head, Mark, Series, Shape, Table, Value,
    markdown,
};

/// Titles that people gave their posts to harm those who read reports.
pub(crate) const HOSTILE: [&str; 18] = [
    "**粗体** _斜体_ `代码` ~~删除~~",
    "[点我](javascript:alert(1))",
    "![](table:subjects)",
    "# 一、假标题",
    "> 假引文",
    "1. 假编号",
    "- 假列表",
    "+ 假列表",
    "--- 假线",
    "=== 假题",
    "    四个空格的代码",
    "<script>alert(1)</script><b onclick='x'>",
    "&lt;实体&amp; &#60;",
    "第一行\n\n# 第二行\r\n- 第三行",
    "反斜杠\\ 末尾\\",
    "{{ 模板 }} {% if %} #set text(red) $x$ @引用 #eval(\"1\")",
    "=HYPERLINK(\"http://a.example\")",
    "铃\u{7}\u{0}\u{b}\u{fffe}颠倒\u{202e}\u{2028}分行 <https://a.example/> http://b.example",
];

fn text(text: &str) -> Cell {
    Value::Text(text.to_owned()).into()
}

fn number(value: f64) -> Cell {
    Value::Number { value, digits: 0 }.into()
}

fn column(name: &str, number: bool) -> Column {
    Column {
        name: name.to_owned(),
        number,
    }
}

pub(crate) fn figures(rows: usize) -> Figures {
    let subjects = [
        "城建环保",
        "交通出行",
        "教育教学",
        "医疗卫生",
        "劳动社保",
        "供水供电",
        "住房物业",
        "农业农村",
    ];
    let ranked = (0..rows).map(|at| {
        let cited = Cell {
            value: Value::Number {
                value: 12_345.0 / (at + 1) as f64,
                digits: 0,
            },
            link: Some(format!(
                "https://console.example/search?subject={at}&from=2026-11-03"
            )),
        };
        vec![
            number((at + 1) as f64),
            text(subjects[at % subjects.len()]),
            cited,
            Value::Percent {
                value: 0.31 / (at + 1) as f64,
                digits: 1,
            }
            .into(),
            Value::Signed {
                value: if at % 2 == 0 { 12.0 } else { -7.0 },
                digits: 0,
            }
            .into(),
            if at == 2 {
                Value::Empty.into()
            } else {
                Value::Number {
                    value: -0.42,
                    digits: 2,
                }
                .into()
            },
        ]
    });
    let subjects_table = Table {
        name: "subjects".to_owned(),
        title: "表1 各主题帖文数及变化".to_owned(),
        columns: vec![
            column("名次", true),
            column("主题", false),
            column("帖文（件）", true),
            column("占比", true),
            column("较上周", true),
            column("情感均值", true),
        ],
        rows: ranked.collect(),
    };
    let titles = Table {
        name: "titles".to_owned(),
        title: "表2 重点帖文".to_owned(),
        columns: vec![column("标题", false), column("回复（件）", true)],
        rows: HOSTILE
            .iter()
            .map(|title| vec![text(title), number(3.0)])
            .collect(),
    };
    let days = 28;
    let wave = |at: usize| 40.0 + 18.0 * (at as f64 / 3.0).sin();
    let volume = Chart {
        name: "volume".to_owned(),
        title: "图1 近四周每日帖文数".to_owned(),
        words: "近四周每日帖文在25至130件之间，11月18日因停水升至130件，高于通常范围。".to_owned(),
        unit: "件".to_owned(),
        kind: ChartKind::Over {
            points: (0..days)
                .map(|at| {
                    let day = at + 1;
                    format!("11月{day}日")
                })
                .collect(),
        },
        series: vec![
            Series {
                name: "通常".to_owned(),
                shape: Shape::Dashes,
                values: (0..days).map(|at| Some(wave(at))).collect(),
                between: (0..days)
                    .map(|at| Some((wave(at) - 15.0, wave(at) + 20.0)))
                    .collect(),
            },
            Series {
                name: "投诉".to_owned(),
                shape: Shape::Bars,
                values: (0..days)
                    .map(|at| Some(10.0 + (at * 7 % 11) as f64))
                    .collect(),
                between: vec![],
            },
            Series {
                name: "本期帖文".to_owned(),
                shape: Shape::Line,
                values: (0..days)
                    .map(|at| match at {
                        17 => Some(130.0),
                        9 => None,
                        at => Some((wave(at) + (at * 13 % 17) as f64 - 8.0).round()),
                    })
                    .collect(),
                between: vec![],
            },
        ],
        marks: vec![
            Mark {
                series: 2,
                point: 17,
                words: "冯川镇停水".to_owned(),
            },
            Mark {
                series: 2,
                point: 19,
                words: "恢复供水".to_owned(),
            },
        ],
    };
    let places = Chart {
        name: "places".to_owned(),
        title: "图2 各乡镇帖文数".to_owned(),
        words: "冯川镇最多，212件；其次为赤岸镇，87件。".to_owned(),
        unit: "件".to_owned(),
        kind: ChartKind::Ranked {
            items: [
                "冯川镇",
                "赤岸镇",
                "百丈山风景名胜区<管委会>",
                "上富镇",
                "澡溪乡",
            ]
            .map(str::to_owned)
            .to_vec(),
        },
        series: vec![
            Series {
                name: "本周".to_owned(),
                shape: Shape::Bars,
                values: vec![Some(212.0), Some(87.0), Some(45.0), Some(12.0), None],
                between: vec![],
            },
            Series {
                name: "上周".to_owned(),
                shape: Shape::Bars,
                values: vec![Some(180.0), Some(95.0), Some(45.0), Some(20.0), Some(3.0)],
                between: vec![],
            },
        ],
        marks: vec![],
    };
    let moods = Chart {
        name: "moods".to_owned(),
        title: "图3 情感均值较上周的变化".to_owned(),
        words: "供水下降最多。".to_owned(),
        unit: String::new(),
        kind: ChartKind::Ranked {
            items: ["供水供电", "交通出行", "教育教学"]
                .map(str::to_owned)
                .to_vec(),
        },
        series: vec![Series {
            name: "变化".to_owned(),
            shape: Shape::Bars,
            values: vec![Some(-0.31), Some(-0.05), Some(0.12)],
            between: vec![],
        }],
        marks: vec![],
    };
    let year = Chart {
        name: "year".to_owned(),
        title: "图4 全年每日帖文数".to_owned(),
        words: "全年平稳。".to_owned(),
        unit: "件".to_owned(),
        kind: ChartKind::Over {
            points: (0..365)
                .map(|at| format!("{}月{}日", at / 31 + 1, at % 31 + 1))
                .collect(),
        },
        series: ["投诉", "求助", "咨询"]
            .iter()
            .enumerate()
            .map(|(series, name)| Series {
                name: (*name).to_owned(),
                shape: Shape::Line,
                values: (0..365)
                    .map(|at| Some(100.0 + 60.0 * series as f64 + 40.0 * (at as f64 / 30.0).sin()))
                    .collect(),
                between: vec![],
            })
            .collect(),
        marks: (0..4)
            .map(|at| Mark {
                series: 2,
                point: 355 + 2 * at,
                words: format!("第{at}次通报"),
            })
            .collect(),
    };
    Figures {
        tables: vec![subjects_table, titles],
        charts: vec![volume, places, moods, year],
    }
}

const WEEKLY: &str = "\
# 一、总体情况

本周（{{ from | day }}至{{ to | day }}）共收到涉及本县的网络帖文{{ posts | thousands | cite(link) }}件，较上周{{ change | signed }}件，占{{ share | percent }}。**投诉**类最多，\
涉及{{ subjects | list }}。截至{{ at | clock }}，达到{{ 2 | level }}级的事件{{ 1 | chinese }}起。

![](chart:volume)

## （一）主题分布

各主题帖文数及变化见表1。城建环保类帖文连续三周居首，主要反映路灯损坏、道路积水、小区周边施工噪声等问题，已转有关单位核查处理。

![](table:subjects)

## （二）区域分布

![](chart:places)

### 1. 变化

![](chart:moods)

# 二、重点事件

{% for title in titles -%}
网民反映：{{ title }}

> {{ title }}

- {{ title }}

{% endfor %}
![](table:titles)

# 三、下周关注

- 供水管网抢修进展；
- 学区划分方案公布后的反映。

1. 请县水利局牵头，
2. 请县教育局协办。
";

/// A long paper with red head, tables, charts and hostile titles.
pub(crate) fn weekly(rows: usize) -> Document {
    let templates = Templates::new([("weekly", WEEKLY)]).unwrap();
    let values = serde_json::json!({
        "from": "2026-11-03", "to": "2026-11-09", "posts": 12345, "change": -321, "share": 0.123,
        "link": "https://console.example/search?from=2026-11-03&to=2026-11-09",
        "subjects": ["城建环保", "交通出行*", "教育_教学_"],
        "at": "2026-11-09T08:05:00+08:00",
        "titles": HOSTILE,
    });
    let written = templates.render("weekly", values).unwrap();
    Document {
        title: "奉新县网络舆情周报".to_owned(),
        subtitle: "（2026年第45周）".to_owned(),
        head: Some(Head {
            office: "奉新县人民政府办公室文件".to_owned(),
            number: "奉府办〔2026〕3号".to_owned(),
        }),
        issuer: "奉新县人民政府办公室".to_owned(),
        date: jiff::civil::date(2026, 11, 10),
        blocks: markdown::read(&written, &figures(rows)).unwrap(),
    }
}

/// A paper of one paragraph.
pub(crate) fn brief() -> Document {
    Document {
        title: "每日舆情".to_owned(),
        subtitle: String::new(),
        head: None,
        issuer: "县网信办".to_owned(),
        date: jiff::civil::date(2026, 11, 10),
        blocks: markdown::read("11月9日共收到帖文12件，无重要情况。", &Figures::default()).unwrap(),
    }
}

/// A paper of words alone, of several pages.
pub(crate) fn words() -> Document {
    let mut text = String::new();
    for part in ["一、基本情况", "二、各方观点", "三、工作建议"] {
        text.push_str(&format!("# {part}\n\n## （一）主要表现\n\n"));
        for _ in 0..4 {
            text.push_str("近期，网民集中反映城区供水压力不足、部分小区夜间停水，涉及冯川镇和工业园区。县水利局会同供水公司连夜抢修，11月18日22:30恢复供水，并通过政务新媒体发布信息3次。网民对处置速度总体认可，但对提前告知不足有意见，建议今后停水提前24小时公告。\n\n");
        }
        text.push_str("### 1. 有关要求\n\n请有关单位按照属地管理、谁主管谁负责的原则办理。\n\n");
    }
    Document {
        title: "关于城区供水问题网络舆情及处置情况的专报".to_owned(),
        subtitle: String::new(),
        head: None,
        issuer: "奉新县互联网信息办公室网络舆情应急指挥中心".to_owned(),
        date: jiff::civil::date(2026, 11, 20),
        blocks: markdown::read(&text, &Figures::default()).unwrap(),
    }
}
