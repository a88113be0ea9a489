//! What a text calls the time in it.

use std::sync::LazyLock;

use regex::Regex;

use super::pattern;

/// What the words beside a time make of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Label {
    /// When the text was published, or just a time.
    Published,
    /// When something came of it later, or is to come.
    Later,
}

const PUBLISHED: &str = "发布|发表|发帖|发贴|发文|发于|刊发|刊登|来信|来访|来电|来件|写信|留言|提问|提交|投诉|咨询|反映|诉求|上传|上线|登记|录入|创建|投稿|首发|posted|published|publish|pubdate|created|submitted";
const LATER: &str = r"最后由 ?[^ ]{1,24} ?于|最后[\p{Han}]{0,2}|更新|修改|编辑|办理|办结|回复|回帖|跟帖|答复|处理|反馈|审核|转办|交办|截止|截至|到期|有效期|结束|成文|施行|实施|生效|出生|updated?|modified|edited|replied|reply|last post|expires?";

static WORDS: LazyLock<Regex> =
    LazyLock::new(|| pattern(&format!("(?<later>{LATER})|(?:{PUBLISHED})")));
static BETWEEN: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"\A[\p{L}]{0,6} ?(?:时 ?间|日 ?期|date|time|于|在|on|at)?[ :;=>|"'()\[\]【】「」『』《》/-]*\z"#,
    )
});
static TIME: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r#"(?:时 ?间|日 ?期|date|time)(?:于|在)?[ :;=>|"'()\[\]【】「」『』《》/-]*\z"#)
});
static BEHIND: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"\A ?(?:(?<later>{LATER})|(?:{PUBLISHED}))(?:[ ,;.|)\]】。、]|\z)"
    ))
});

/// The label a time has in the words `before` it.
pub(super) fn before(before: &str) -> Option<Label> {
    let last = WORDS.captures_iter(before).last();
    if let Some(found) = last
        && let Some(word) = found.get(0)
        && BETWEEN.is_match(before.get(word.end()..).unwrap_or_default())
    {
        return Some(of(found.name("later").is_some()));
    }
    TIME.is_match(before).then_some(Label::Published)
}

/// The label a time has in the words `after` it, and its length.
pub(super) fn after(after: &str) -> Option<(Label, usize)> {
    let found = BEHIND.captures(after)?;
    Some((of(found.name("later").is_some()), found.get(0)?.end()))
}

const fn of(is_later: bool) -> Label {
    if is_later {
        Label::Later
    } else {
        Label::Published
    }
}
