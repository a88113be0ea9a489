use backbone::id;
use backbone::message::{Erasure, Post};
use collector::schedule::Outcome;

use crate::desk::Desk;
use crate::site::{Page, Site};

fn feed(items: &[(&str, &str)]) -> Page {
    let items: String = items
        .iter()
        .map(|(number, text)| {
            format!(
                "<item><guid>https://forum.example/{number}</guid><link>https://forum.example/{number}</link>\
                 <title>路灯{number}</title><pubDate>Tue, 18 Jul 2023 08:30:00 +0800</pubDate>\
                 <description>{text}</description></item>"
            )
        })
        .collect();
    let feed = format!("<rss version=\"2.0\"><channel><title>论坛</title>{items}</channel></rss>");
    Page::new("application/xml", feed.into_bytes())
}

fn erasure(post: &Post) -> Erasure {
    Erasure {
        id: id::of_erasure(&post.id),
        region: post.region.clone(),
        post: post.id.clone(),
        events: Vec::new(),
        role: "administrator".to_owned(),
        at: post.collected_at,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_post_is_not_sent_again_whatever_its_writer_changes() {
    let (desk, site) = (Desk::new().await, Site::start().await);
    let source = format!("[feed]\nurl = \"{}\"", site.at("feed"));
    site.set("/feed", feed(&[("1", "坏了"), ("2", "也坏了")]));
    assert_eq!(desk.read(&source).await, Outcome::Read);
    let posts = desk.posts();
    assert_eq!(posts.len(), 2);
    let of_first = |post: &&Post| post.title == "路灯1";
    desk.erased
        .learn([erasure(posts.iter().find(of_first).unwrap())]);

    site.set(
        "/feed",
        feed(&[("1", "坏了，还没有修"), ("2", "也坏了，还没有修")]),
    );
    assert_eq!(desk.read(&source).await, Outcome::Read);
    let changed: Vec<(String, u32)> = (desk.posts().into_iter())
        .map(|post| (post.title, post.revision))
        .collect();
    assert_eq!(changed, [("路灯2".to_owned(), 2)]);
    site.set("/feed", feed(&[("1", "修好了"), ("2", "也坏了，还没有修")]));
    assert_eq!(desk.read(&source).await, Outcome::Read);
    assert_eq!(desk.posts(), []);
}
