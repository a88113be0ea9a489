//! What pages call their parts: the labels that stand beside what people wrote, and the names that templates
//! give to elements.

use std::sync::LazyLock;

use regex::Regex;
use scraper::ElementRef;

use crate::extract::page::names;

/// Labels of the text.
pub(super) const TEXT_LABELS: &str = "来信内容|信件内容|留言内容|问题内容|诉求内容|咨询内容|投诉内容|反映内容|事项内容|写信内容|提问内容|建议内容|主要内容|正文|内容";
/// Labels of its time.
pub(super) const TIME_LABELS: &str = "来信时间|写信时间|信件时间|留言时间|提交时间|诉求时间|提问时间|咨询时间|投诉时间|反映时间|发布时间|发表时间|发帖时间|发布日期|发表日期|发文日期|来信日期|写信日期|留言日期|提交日期";
/// Labels of its title.
pub(super) const TITLE_LABELS: &str = "来信标题|信件标题|留言标题|诉求标题|事项标题|来信主题|信件主题|留言主题|诉求主题|问题标题|标题|主题";
/// Labels of its author.
pub(super) const AUTHOR_LABELS: &str = "来信人|写信人|发信人|留言人|诉求人|提问人|咨询人|投诉人|反映人|发布人|发帖人|发表人|网友|昵称|作者|姓名|author|by";

#[allow(
    clippy::expect_used,
    reason = "constant patterns, compiled by every test"
)]
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a valid pattern")
}

/// Names of what is not of the text.
pub(super) static UNREAD: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"comment|reply|respond|author-?(?:box|bio|info)|foot|side|(?:^|[ _-])nav|menu|share|related|relat|recommend|(?:^|[ _-])hot|copyright|breadcrumb|crumb|pager|pagination|page-?nav|toolbar|login|search|banner|(?:^|[ _-])ads?(?:$|[ _-])|signature|(?:^|[ _-])sign|pstatus|hidden|attach|qrcode|sns|prev|next|locmin|modact|rate|tags?(?:$|[ _-])|meta(?:$|[ _-])",
    )
});
/// Names of what may be the text.
pub(super) static READ: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"article|content|zoom|editor|(?:^|[ _-])text|body|main|detail|post|t_f|message|entry|news|con(?:$|[ _-])|view",
    )
});
/// Parts of a page that are not of the post, nor around it.
static OUTSIDE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"comment|respond|foot|side|(?:^|[ _-])nav|menu|related|recommend|(?:^|[ _-])hot|copyright|breadcrumb|crumb|login|search|banner|(?:^|[ _-])ads?(?:$|[ _-])|widget|hidden|topbar|prev|next|rank|logo|brand|masthead|site-title|(?:^| )header(?:$|[ _-])|site-header",
    )
});
/// Lines beside a text that tell of it, or of the site.
pub(super) static BESIDE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)(?:发布时间|发布日期|信息来源|来源|作者|编辑|浏览(?:次数)?|点击(?:次数|率)?|阅读|字体|字号|时间|日期)\s*[:：]|主办单位|承办单位|技术支持|版权所有|copyright|备案|网站标识码|浏览器|访客|您(?:现)?在的位置|当前位置|上一[篇条封]|下一[篇条封]",
    )
});
/// Headings of what others wrote about the text.
pub(super) static REPLIES: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\A[【\[]?(?:网友|最新|全部|相关|精彩|热门|所有|用户|官方|读者)?(?:评论|跟帖|回帖|留言回复|回复内容|答复内容|办理结果|官方回复|答复情况)",
    )
});
/// What is not written by the author though it stands in the text.
pub(super) static APART: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\A(?:本帖最后由 .{1,60} 编辑|来自[:：]?.{0,12}客户端|分享到[:：]?.{0,30}|【?(?:打印|关闭)(?:本页|窗口)?】?|责任编辑[:：].{0,20}|编辑[:：].{0,12}|扫一扫.{0,20})\z",
    )
});
/// Lines with times that are no post's.
pub(super) static OTHERS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        "注册|生日|开站|建站|今天是|现在时间|当前时间|copyright|版权|备案|icp|在线|上次|最后登录|有效期|截止|gmt",
    )
});
/// What parts sentences, and their parts.
pub(super) static SENTENCES: LazyLock<Regex> = LazyLock::new(|| pattern("[，。；：！？、,;!?]"));
/// An author beside its label, within a line.
pub(super) static INLINE_AUTHOR: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"(?i)(?:^|[\s|　【\[(（])(?P<label>{AUTHOR_LABELS})\s*[:：]\s*(?P<name>[^\s|　：:，。;；\])）】]{{1,24}})"
    ))
});
/// Names of what holds the author.
pub(super) static AUTHOR_NAMES: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"author|username|user-name|nickname|(?:^|[ _-])by(?:$|[ _-])|poster|authi|writer")
});
/// Names of what holds the title.
pub(super) static TITLE_NAMES: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"title|(?:^|[ _-])tit(?:$|[ _-])|subject|headline|biaoti"));

/// Of a page's class and id: whether what is in it is not of the post.
pub(super) fn is_unread(element: ElementRef<'_>) -> bool {
    is_of(element, &UNREAD)
}

/// Of a page's class and id: whether what is in it is not even around the post.
pub(super) fn is_outside(element: ElementRef<'_>) -> bool {
    is_of(element, &OUTSIDE)
}

fn is_of(element: ElementRef<'_>, kinds: &Regex) -> bool {
    match element.value().name() {
        "html" | "body" => return false,
        "nav" | "footer" | "aside" | "script" | "style" | "noscript" | "template" | "iframe"
        | "head" | "select" | "button" | "textarea" => return true,
        _ => {}
    }
    let style = element.value().attr("style").unwrap_or_default();
    if style.replace(' ', "").contains("display:none") {
        return true;
    }
    let names = names(element);
    let names = names.trim();
    !names.is_empty() && kinds.is_match(names) && !READ_STRONGLY.is_match(names)
}

/// Names that only the text has, whatever else is among them.
static READ_STRONGLY: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"trs_editor|zoom|article-?content|entry-content|post_?content|postmessage|t_f(?:$| )|news_?content|main|wrap|container|content-?box|pcb|plc|layout",
    )
});
