//! Message boards on loopback, for the benchmark of the collector: `pages --sites N --posts M`.
//!
//! Each site listens on a port of its own; the ports are printed as one JSON line when all are ready. A site
//! has list pages of 20 posts, newest first (`/list`, `/list?page=2`, …) and a page for each post (`/post/K`).
//! The same site and post are always the same page. What surrounds the posts is made once, so that a page costs little
//! more than copying it.

use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::Arc;

use anyhow::{Context, bail};
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::http::{Response, StatusCode, Uri};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

const USAGE: &str = "usage: pages --sites N --posts M";
/// Posts on a list page.
const PER_PAGE: u64 = 20;
/// 2026-11-20 08:30 in minutes since 1970: when the newest post was written.
const NEWEST: u64 = 29_919_390;
/// Minutes between two posts.
const APART: u64 = 7;

/// One thread: the programs that are measured need the others.
#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let (sites, posts) = arguments()?;
    let mut ports = Vec::new();
    let mut serving = JoinSet::new();
    for number in 1..=sites {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .context("cannot listen on loopback")?;
        ports.push(listener.local_addr()?.port());
        let router = Router::new()
            .fallback(answer)
            .with_state(Arc::new(Site::new(number, posts)));
        serving.spawn(async move { axum::serve(listener, router).await });
    }
    let mut out = std::io::stdout();
    writeln!(out, "{}", serde_json::to_string(&ports)?)?;
    out.flush()?;
    while let Some(ended) = serving.join_next().await {
        ended??;
    }
    Ok(())
}

fn arguments() -> anyhow::Result<(u64, u64)> {
    let (mut sites, mut posts) = (None, None);
    let mut given = std::env::args().skip(1);
    while let Some(name) = given.next() {
        let number: Option<u64> = given.next().and_then(|value| value.parse().ok());
        match (name.as_str(), number) {
            ("--sites", Some(1..=1_000)) => sites = number,
            ("--posts", Some(1..=1_000_000)) => posts = number,
            _ => bail!("{USAGE}, with N up to 1000 and M up to 1000000"),
        }
    }
    sites.zip(posts).context(USAGE)
}

async fn answer(State(site): State<Arc<Site>>, uri: Uri) -> Response<Body> {
    let (kind, body) = match site.page(uri.path(), uri.query()) {
        Some(Page::Html(html)) => ("text/html; charset=utf-8", html),
        Some(Page::Robots) => ("text/plain", "User-agent: *\nAllow: /\n".to_owned()),
        None => {
            let mut missing = Response::new(Body::from("404"));
            *missing.status_mut() = StatusCode::NOT_FOUND;
            return missing;
        }
    };
    let mut response = Response::new(Body::from(body));
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

enum Page {
    Html(String),
    Robots,
}

/// A message board.
struct Site {
    number: u64,
    posts: u64,
    sentences: Vec<Vec<Piece>>,
    /// What is before the post or the list, and what is behind it. Pages differ in how much is behind.
    head: String,
    tails: [String; 4],
}

impl Site {
    fn new(number: u64, posts: u64) -> Self {
        Self {
            number,
            posts,
            sentences: SENTENCES.iter().map(|sentence| pieces(sentence)).collect(),
            head: head(number),
            tails: [0, 4, 8, 12].map(|more| tail(number, posts, more)),
        }
    }

    fn page(&self, path: &str, query: Option<&str>) -> Option<Page> {
        if path == "/list" {
            let page = match query {
                None => 1,
                Some(query) => query.strip_prefix("page=")?.parse().ok()?,
            };
            return self.list(page).map(Page::Html);
        }
        if path == "/robots.txt" {
            return Some(Page::Robots);
        }
        let post = path.strip_prefix("/post/")?.parse().ok()?;
        (1..=self.posts)
            .contains(&post)
            .then(|| Page::Html(self.post(post)))
    }

    fn list(&self, page: u64) -> Option<String> {
        let pages = self.posts.div_ceil(PER_PAGE);
        if !(1..=pages).contains(&page) {
            return None;
        }
        let mut html = String::with_capacity(40_000);
        html.push_str(
            "<!DOCTYPE html>\n<html lang=\"zh-CN\">\n<head>\n<title>网民留言_网上留言板</title>\n",
        );
        html.push_str(&self.head);
        html.push_str("<div class=\"main\">\n<h2>最新留言</h2>\n<ul class=\"posts\">\n");
        let newest = self.posts - (page - 1) * PER_PAGE;
        for post in (newest.saturating_sub(PER_PAGE - 1).max(1)..=newest).rev() {
            let mut dice = self.dice(post);
            let (title, unit, at) = (title(&mut dice), dice.pick(&UNITS), self.written(post));
            push(
                &mut html,
                format_args!(
                    "<li class=\"item\"><span class=\"no\">{post}</span><a href=\"/post/{post}\" title=\"{title}\" target=\"_blank\">{title}</a>\
                 <span class=\"unit\">{unit}</span><span class=\"state done\">已回复</span><span class=\"date\">{at}</span></li>\n"
                ),
            );
        }
        html.push_str("</ul>\n<div class=\"pager\"><span class=\"total\">");
        push(&mut html, format_args!("共 {pages} 页</span>"));
        if page > 1 {
            push(
                &mut html,
                format_args!(
                    "<a class=\"previous\" href=\"{}\">上一页</a>",
                    list_path(page - 1)
                ),
            );
        }
        for near in page.saturating_sub(4).max(1)..=(page + 4).min(pages) {
            push(
                &mut html,
                format_args!("<a class=\"page\" href=\"{}\">{near}</a>", list_path(near)),
            );
        }
        if page < pages {
            push(
                &mut html,
                format_args!(
                    "<a class=\"next\" href=\"{}\">下一页</a>",
                    list_path(page + 1)
                ),
            );
        }
        html.push_str("</div>\n</div>\n");
        html.push_str(self.tail(page));
        Some(html)
    }

    fn post(&self, post: u64) -> String {
        let mut dice = self.dice(post);
        let (title, at) = (title(&mut dice), self.written(post));
        let (family, unit, views) = (dice.pick(&FAMILIES), dice.pick(&UNITS), dice.below(5_000));
        let mut html = String::with_capacity(40_000);
        push(
            &mut html,
            format_args!(
                "<!DOCTYPE html>\n<html lang=\"zh-CN\">\n<head>\n<title>{title}_网上留言板</title>\n"
            ),
        );
        html.push_str(&self.head);
        push(
            &mut html,
            format_args!(
                "<div class=\"main\">\n<div class=\"detail\">\n<h1>{title}</h1>\n<div class=\"about\">\
             <span class=\"label\">来信人：</span><span class=\"author\">{family}**{post}</span>\
             <span class=\"label\">时间：</span><span class=\"time\">{at}</span>\
             <span class=\"label\">办理单位：</span><span class=\"unit\">{unit}</span>\
             <span class=\"label\">浏览：</span><span class=\"views\">{views}</span></div>\n<div class=\"text\">\n"
            ),
        );
        self.push_text(&mut html, &mut dice);
        push(
            &mut html,
            format_args!(
                "</div>\n<div class=\"share\"><a href=\"#\" class=\"wx\">微信</a><a href=\"#\" class=\"wb\">微博</a>\
             <a href=\"#\" onclick=\"window.print();return false\">打印</a></div>\n</div>\n<div class=\"near\">\
             <p>上一条：<a href=\"/post/{}\">上一条留言</a></p><p>下一条：<a href=\"/post/{}\">下一条留言</a></p></div>\n</div>\n",
                post.saturating_sub(1).max(1),
                (post + 1).min(self.posts),
            ),
        );
        html.push_str(self.tail(post));
        html
    }

    /// 300 to 1,500 characters in paragraphs.
    fn push_text(&self, html: &mut String, dice: &mut Dice) {
        let wanted = 300 + dice.below(1_120);
        let (mut length, mut in_paragraph) = (0, 0);
        html.push_str("<p>　　");
        while length < wanted {
            if in_paragraph >= 4 + dice.below(3) {
                html.push_str("</p>\n<p>　　");
                in_paragraph = 0;
            }
            for piece in dice.of(&self.sentences) {
                length += piece.push(html, dice);
            }
            in_paragraph += 1;
        }
        html.push_str("</p>\n");
    }

    fn dice(&self, post: u64) -> Dice {
        Dice(self.number << 40 | post)
    }

    fn tail(&self, page: u64) -> &str {
        let [first, ..] = &self.tails;
        self.tails.get((page % 4) as usize).unwrap_or(first)
    }

    fn written(&self, post: u64) -> String {
        time(NEWEST.saturating_sub((self.posts - post) * APART))
    }
}

fn list_path(page: u64) -> String {
    match page {
        1 => "/list".to_owned(),
        _ => format!("/list?page={page}"),
    }
}

/// Writing to a string does not fail.
fn push(html: &mut String, words: std::fmt::Arguments<'_>) {
    html.write_fmt(words).unwrap_or_default();
}

fn title(dice: &mut Dice) -> String {
    let (place, matter, end) = (dice.pick(&PLACES), dice.pick(&MATTERS), dice.pick(&ENDS));
    format!("关于{place}{matter}{end}")
}

/// Minutes since 1970 as `2026-11-20 08:30`.
fn time(minutes: u64) -> String {
    let (days, minute) = (minutes / 1_440, minutes % 1_440);
    // Counted from 1 March of the year 0, so that the day that comes and goes is the last of its year.
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year + u64::from(month <= 2);
    let (hour, minute) = (minute / 60, minute % 60);
    format!("{year}-{month:02}-{day:02} {hour:02}:{minute:02}")
}

/// Numbers that look random and are always the same (SplitMix64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    fn pick(&mut self, words: &[&'static str]) -> &'static str {
        let at = self.below(words.len() as u64) as usize;
        words.get(at).copied().unwrap_or_default()
    }

    fn of<'a, T>(&mut self, sequences: &'a [Vec<T>]) -> &'a [T] {
        let at = self.below(sequences.len() as u64) as usize;
        sequences.get(at).map_or(&[], Vec::as_slice)
    }
}

/// A piece of a sentence: words, or what differs from post to post.
enum Piece {
    Words(&'static str, u64),
    Place,
    Matter,
    Unit,
    Number,
    Phone,
}

impl Piece {
    /// Appends it; gives its length in characters.
    fn push(&self, html: &mut String, dice: &mut Dice) -> u64 {
        let words = match self {
            Self::Words(words, length) => {
                html.push_str(words);
                return *length;
            }
            Self::Place => dice.pick(&PLACES),
            Self::Matter => dice.pick(&MATTERS),
            Self::Unit => dice.pick(&UNITS),
            Self::Number => {
                push(html, format_args!("{}", 2 + dice.below(97)));
                return 2;
            }
            Self::Phone => {
                push(html, format_args!("1380013{:04}", dice.below(10_000)));
                return 11;
            }
        };
        html.push_str(words);
        words.chars().count() as u64
    }
}

fn pieces(sentence: &'static str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for part in sentence.split_inclusive(['{', '}']) {
        pieces.push(match part {
            "P}" => Piece::Place,
            "M}" => Piece::Matter,
            "U}" => Piece::Unit,
            "N}" => Piece::Number,
            "T}" => Piece::Phone,
            words => {
                let words = words.trim_end_matches('{');
                Piece::Words(words, words.chars().count() as u64)
            }
        });
    }
    pieces
}

/// Style, scripts and navigation.
fn head(number: u64) -> String {
    let mut html = String::from(
        "<meta charset=\"utf-8\">\n<meta http-equiv=\"X-UA-Compatible\" content=\"IE=edge\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"keywords\" content=\"网上留言,咨询,投诉,建议,县长信箱\">\n\
         <link rel=\"stylesheet\" href=\"/static/css/base.css?v=20260301\">\n\
         <link rel=\"stylesheet\" href=\"/static/css/board.css?v=20260301\">\n\
         <script src=\"/static/js/jquery-1.12.4.min.js\"></script>\n<style>\n",
    );
    for (at, class) in CLASSES.iter().enumerate() {
        push(
            &mut html,
            format_args!(
                ".{class}{{margin:{}px auto;padding:0 {}px;line-height:{}px;color:#{:03x};font-size:14px}}\n",
                at % 7,
                at % 11,
                20 + at % 9,
                0x333 + at
            ),
        );
    }
    html.push_str("</style>\n<script>\nvar columns = [");
    for (at, column) in COLUMNS.iter().enumerate() {
        push(
            &mut html,
            format_args!(
                "{{\"id\":{},\"name\":\"{column}\",\"url\":\"/column/{at}/index.html\",\"open\":{}}},",
                1000 + at,
                at % 3 == 0
            ),
        );
    }
    push(
        &mut html,
        format_args!(
            "];\nwindow.site = {{ id: {number}, name: '网上留言板', search: '/search?q=' }};\n\
         function goSearch() {{\n  var q = document.getElementById('q').value.replace(/\\s+/g, ' ');\n  \
         if (!q || q.length < 2) {{ alert('请输入至少两个字'); return false; }}\n  \
         location.href = window.site.search + encodeURIComponent(q);\n  return false;\n}}\n\
         $(function () {{\n  $('.nav li').hover(function () {{ $(this).addClass('on'); }}, function () {{ $(this).removeClass('on'); }});\n  \
         $('.share .wx').click(function () {{ $('#qr').toggle(); return false; }});\n}});\n</script>\n\
         </head>\n<body class=\"board\">\n<div class=\"top\"><a class=\"logo\" href=\"/\">\
         <img src=\"/static/images/logo.png\" alt=\"网上留言板\"></a>\
         <form class=\"search\" onsubmit=\"return goSearch()\"><input id=\"q\" name=\"q\" placeholder=\"请输入关键词\">\
         <button type=\"submit\">搜索</button></form></div>\n<div class=\"nav\"><ul>\n"
        ),
    );
    for (at, column) in COLUMNS.iter().enumerate() {
        push(
            &mut html,
            format_args!(
                "<li class=\"column\"><a href=\"/column/{at}/index.html\" title=\"{column}\">{column}</a>\
             <div class=\"sub\"><a href=\"/column/{at}/1.html\">{column}动态</a><a href=\"/column/{at}/2.html\">{column}指南</a></div></li>\n"
            ),
        );
    }
    html.push_str("</ul></div>\n<div class=\"crumbs\">当前位置：<a href=\"/\">首页</a> &gt; <a href=\"/list\">网上留言</a></div>\n<div class=\"wrap\">\n");
    html
}

/// Sidebar, footer and scripts; `more` posts more than usual beside the text.
fn tail(number: u64, posts: u64, more: u64) -> String {
    let mut dice = Dice(number << 50 | more);
    let mut html = String::from("<div class=\"side\">\n");
    for (name, rows) in [
        ("热门留言", 8 + more),
        ("已办结", 8 + more),
        ("办理单位", 0),
    ] {
        push(
            &mut html,
            format_args!("<div class=\"box\"><h3>{name}</h3><ul class=\"rows\">\n"),
        );
        for row in 1..=rows {
            let (title, post) = (title(&mut dice), 1 + dice.below(posts));
            push(
                &mut html,
                format_args!(
                    "<li><i class=\"rank r{row}\">{row}</i><a href=\"/post/{post}\" title=\"{title}\" target=\"_blank\">{title}</a></li>\n"
                ),
            );
        }
        if rows == 0 {
            for (at, unit) in UNITS.iter().enumerate() {
                push(
                    &mut html,
                    format_args!(
                        "<li class=\"unit\"><a href=\"/unit/{at}.html\">{unit}</a><em>已回复 {} 件</em></li>\n",
                        dice.below(900)
                    ),
                );
            }
        }
        html.push_str("</ul></div>\n");
    }
    html.push_str(
        "</div>\n</div>\n<div class=\"footer\">\n<div class=\"links\"><span>友情链接：</span>",
    );
    for (at, column) in COLUMNS.iter().enumerate() {
        push(
            &mut html,
            format_args!(
                "<a href=\"https://link{at}.example.test/\" rel=\"nofollow\">{column}网</a>"
            ),
        );
    }
    html.push_str(
        "</div>\n<p>主办：县人民政府办公室　承办：县政务服务数据管理局　<a href=\"/about.html\">关于我们</a>　<a href=\"/map.html\">网站地图</a></p>\n\
         <p>本站留言由网民发表，不代表本站立场。请勿在留言中公开他人隐私。</p>\n</div>\n\
         <div id=\"qr\" style=\"display:none\"><img src=\"/static/images/qr.png\" alt=\"手机版\"></div>\n<script>\n\
         (function () {\n  var start = new Date().getTime();\n  function send(kind) {\n    var image = new Image();\n    \
         image.src = '/count?kind=' + kind + '&at=' + (new Date().getTime() - start) + '&from=' + encodeURIComponent(document.referrer);\n  }\n  \
         window.onload = function () { send('load'); };\n  $('a').on('click', function () { if (this.target === '_blank') { send('open'); } });\n\
         })();\n</script>\n</body>\n</html>\n",
    );
    html
}

const CLASSES: [&str; 40] = [
    "top", "logo", "search", "nav", "sub", "column", "crumbs", "wrap", "main", "side", "box",
    "rows", "rank", "footer", "links", "detail", "about", "label", "author", "unit", "views",
    "text", "share", "near", "pager", "total", "previous", "next", "page", "item", "no", "state",
    "done", "date", "wx", "wb", "banner", "notice", "reply", "clear",
];

const COLUMNS: [&str; 26] = [
    "政务公开",
    "政策文件",
    "政策解读",
    "财政预决算",
    "重大项目",
    "招标采购",
    "乡村振兴",
    "义务教育",
    "医疗卫生",
    "社会救助",
    "住房保障",
    "食品安全",
    "环境保护",
    "安全生产",
    "征地拆迁",
    "公共文化",
    "政务服务",
    "互动交流",
    "县长信箱",
    "在线访谈",
    "意见征集",
    "网上调查",
    "数据开放",
    "人事信息",
    "应急管理",
    "走进本县",
];

const PLACES: [&str; 20] = [
    "城南小区",
    "冯川东路",
    "书香花园三期",
    "赤岸老街",
    "滨江大道",
    "第二小学门口",
    "甘坊集镇",
    "沿河北路",
    "人民医院对面",
    "工业园区",
    "宋埠桥头",
    "新城公馆",
    "上富老车站",
    "农贸市场",
    "黄沙港路口",
    "东方名苑",
    "会埠中学",
    "迎宾大道",
    "石溪村",
    "狮山公园",
];

const MATTERS: [&str; 20] = [
    "路灯不亮",
    "道路坑洼积水",
    "夜间施工噪音",
    "垃圾无人清运",
    "自来水浑浊",
    "物业乱收费",
    "公交班次太少",
    "违章停车堵塞通道",
    "油烟扰民",
    "下水道堵塞",
    "拖欠工资",
    "房产证迟迟不办",
    "电动车飞线充电",
    "河水发臭",
    "学校周边拥堵",
    "医保报销",
    "宅基地审批",
    "电梯频繁故障",
    "供电不稳",
    "危房改造补助",
];

const ENDS: [&str; 8] = [
    "的问题",
    "的咨询",
    "希望尽快解决",
    "的投诉",
    "，何时能处理",
    "的建议",
    "情况反映",
    "已多次反映无果",
];

const UNITS: [&str; 18] = [
    "县城市管理局",
    "县住房和城乡建设局",
    "县交通运输局",
    "县教育体育局",
    "县卫生健康委员会",
    "县人力资源和社会保障局",
    "县自然资源局",
    "县公安局",
    "县水利局",
    "县生态环境局",
    "县市场监督管理局",
    "县供电公司",
    "县自来水公司",
    "县民政局",
    "县农业农村局",
    "县医疗保障局",
    "冯川镇人民政府",
    "赤岸镇人民政府",
];

const FAMILIES: [&str; 12] = [
    "王", "李", "张", "刘", "陈", "杨", "黄", "赵", "吴", "周", "徐", "邓",
];

/// `{P}` is a place, `{M}` a matter, `{U}` a unit, `{N}` a number, `{T}` a mobile number.
const SENTENCES: [&str; 36] = [
    "尊敬的领导您好，我是{P}的一名普通居民。",
    "今天想向您反映一下{P}{M}的情况。",
    "这个问题从{N}天前就出现了，到现在一直没有人来处理。",
    "我们先后打过{N}次电话，对方总是说已经登记，让我们等通知。",
    "老人和小孩每天都要从这里经过，晚上尤其危险。",
    "上周下大雨的时候，积水漫到了一楼住户的门口，家具都泡坏了。",
    "请问{U}有没有具体的整改计划，大概什么时候能够完工？",
    "据我了解，周边{N}户居民都有同样的困扰。",
    "物业公司说不归他们管，社区又说要找{U}，我们不知道到底该找谁。",
    "希望{U}能够派人到现场看一看，给大家一个明确的答复。",
    "每天早上六点多就开始响，一直到晚上十一点还不停，根本没有办法休息。",
    "孩子马上就要中考了，这样的环境实在让人着急。",
    "去年也有人在这里留言，回复说年底之前解决，可是现在还是老样子。",
    "我们并不是无理取闹，只是希望有一个说法。",
    "如果因为资金问题暂时不能动工，也请先放一个警示牌。",
    "附近的商铺为了方便，把杂物都堆在人行道上，行人只能走到马路中间。",
    "联系电话{T}，方便的话请工作人员与我联系。",
    "我本人的手机号是{T}，随时可以配合核实。",
    "另外，{P}也存在{M}的现象，建议一并检查。",
    "前几天有一位骑电动车的阿姨在这里摔倒，幸好没有大碍。",
    "合同上写明交房后{N}个月内办理，现在已经超期很久了。",
    "我们每个月都按时交纳费用，服务却越来越差。",
    "相关收费项目没有公示，问前台也说不清楚依据是什么文件。",
    "村里的自来水这几天有一股怪味，烧开以后还有沉淀。",
    "请问办理这项业务需要带哪些材料，能不能在网上提交？",
    "政务大厅的工作人员态度很好，但是流程确实比较复杂。",
    "我父亲今年七十多岁，行动不便，来回跑了{N}趟还没有办成。",
    "工程做到一半就停了下来，围挡占了大半条路。",
    "听说今年有专项资金，不知道我们这里有没有列入计划。",
    "大家都很关心这件事，希望能够公开进度。",
    "感谢{U}之前对类似问题的处理，这次也请多多费心。",
    "从{P}到县城只有早晚两班车，上班的人很不方便。",
    "夏天蚊虫特别多，气味很大，窗户都不敢打开。",
    "我拍了照片和视频，如有需要可以随时提供。",
    "恳请领导百忙之中关注一下，盼复，谢谢！",
    "以上情况属实，希望尽快得到答复。",
];
