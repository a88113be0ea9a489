//! The pages of the sample's site.

use anyhow::Context;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{TimeZone, offset};

use super::posts::Post;

pub(super) fn list(posts: &[&Post], next: Option<usize>, base: &str) -> String {
    let mut page = head("网上留言板");
    page.push_str("<h1>网上留言板</h1>\n<ul class=\"posts\">\n");
    for post in posts {
        page.push_str(&format!(
            "<li><a href=\"/board/{}\">{}</a></li>\n",
            escape(&post.id),
            escape(&post.title)
        ));
    }
    page.push_str("</ul>\n");
    if let Some(next) = next {
        page.push_str(&format!(
            "<a class=\"next\" href=\"{base}/board?page={next}\">下一页</a>\n"
        ));
    }
    page.push_str("</body></html>\n");
    page
}

pub(super) fn detail(post: &Post) -> String {
    format!(
        "{}<h1>{}</h1>\n<p><span class=\"author\">{}</span> <span class=\"time\">{}</span></p>\n\
         <div class=\"text\">{}</div>\n</body></html>\n",
        head(&escape(&post.title)),
        escape(&post.title),
        escape(&post.user),
        escape(&post.time),
        escape(&post.text)
    )
}

fn head(title: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"zh-CN\"><head><meta charset=\"gbk\"><title>{title}</title></head><body>\n"
    )
}

pub(super) fn feed(posts: &[Post], base: &str) -> anyhow::Result<String> {
    let mut feed = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<rss version=\"2.0\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\"><channel>\
         <title>网上留言板</title><link>{base}/board</link><description>最新留言</description>\n"
    );
    for post in posts.iter().rev() {
        feed.push_str(&format!(
            "<item><title>{}</title><link>{base}/board/{}</link><guid isPermaLink=\"false\">{}</guid>\
             <dc:creator>{}</dc:creator><pubDate>{}</pubDate><description>{}</description></item>\n",
            escape(&post.title),
            escape(&post.id),
            escape(&post.id),
            escape(&post.user),
            mail_date(&post.time)?,
            // A description is HTML inside XML: escaped twice.
            escape(&escape(&post.text))
        ));
    }
    feed.push_str("</channel></rss>\n");
    Ok(feed)
}

fn mail_date(time: &str) -> anyhow::Result<String> {
    let zone = TimeZone::fixed(offset(8));
    let at = match time.parse::<Timestamp>() {
        Ok(at) => at,
        Err(_) => zone.to_timestamp(
            time.parse::<DateTime>()
                .with_context(|| format!("time `{time}`"))?,
        )?,
    };
    Ok(jiff::fmt::rfc2822::to_string(&at.to_zoned_datetime(zone))?)
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            // XML allows no other control characters, not even as references.
            control if control.is_control() && !matches!(control, '\n' | '\t' | '\r') => {}
            other => escaped.push(other),
        }
    }
    escaped
}
