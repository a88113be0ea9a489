use backbone::message::Condition;
use collector::schedule::Outcome;

use crate::desk::Desk;
use crate::site::{Page, Site};

fn answer(posts: &[(u32, &str)]) -> Page {
    let list: Vec<_> = posts
        .iter()
        .map(|(id, text)| {
            serde_json::json!({
                "id": id,
                "title": "来自<b>掌上</b>",
                "content": format!("<p>{text}</p><script>x()</script>"),
                "createTime": 1_689_640_200_000_i64,
                "user": { "nickname": "张三丰" },
                "likeCount": 3,
            })
        })
        .collect();
    let body = serde_json::json!({ "code": 0, "data": { "list": list } });
    Page::new("application/json", body.to_string())
}

fn source(site: &Site) -> String {
    format!(
        "[api]\nurl = \"{}{{page}}\"\nitems = \"/data/list\"\nid = \"/id\"\ntitle = \"/title\"\n\
         text = \"/content\"\ntime = \"/createTime\"\nauthor = \"/user/nickname\"\nlikes = \"/likeCount\"\n\
         page = \"/post/{{id}}\"",
        site.at("posts/")
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_an_api_are_read_until_nothing_is_new() {
    let (desk, site) = (Desk::new().await, Site::start().await);
    site.set("/posts/1", answer(&[(4, "路灯坏了"), (3, "停水了")]));
    site.set("/posts/2", answer(&[(2, "修路"), (1, "电话13812345612")]));
    site.set("/posts/3", answer(&[]));
    assert_eq!(desk.read(&source(&site)).await, Outcome::Read);
    let posts = desk.posts();
    assert_eq!(posts.len(), 4);
    let first = &posts[0];
    assert_eq!(
        (first.title.as_str(), first.text.as_str()),
        ("来自掌上", "路灯坏了")
    );
    assert_eq!(first.url, site.at("post/4").as_str());
    assert_eq!(first.published_at, "2023-07-18T00:30:00Z".parse().unwrap());
    assert_eq!(first.reactions.likes, 3);
    assert_eq!(posts[3].text, "电话138******12");

    site.asked();
    site.set("/posts/1", answer(&[(5, "谢谢"), (4, "路灯修好了")]));
    desk.read(&source(&site)).await;
    let changed = desk.posts();
    let revisions: Vec<u32> = changed.iter().map(|post| post.revision).collect();
    assert_eq!(revisions, [1, 2]);
    assert_eq!(site.asked(), ["/posts/1", "/posts/2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_that_changed_is_a_failure_and_a_post_at_fault_is_named() {
    let (desk, site) = (Desk::new().await, Site::start().await);
    let whole = answer(&[(1, "路灯坏了")]);
    site.set("/posts/1", Page::new("application/json", "<html>"));
    assert_eq!(desk.read(&source(&site)).await, Outcome::Failed);
    assert!(desk.health().await.problem.contains("is no JSON"));
    site.set("/posts/1", Page::new("application/json", "{\"data\":{}}"));
    assert_eq!(desk.read(&source(&site)).await, Outcome::Failed);
    assert!(desk.health().await.problem.contains("`api.items`"));
    let timeless = "{\"data\":{\"list\":[{\"id\":9,\"content\":\"水\",\"createTime\":\"soon\"}]}}";
    site.set("/posts/1", Page::new("application/json", timeless));
    assert_eq!(desk.read(&source(&site)).await, Outcome::Read);
    let problem = desk.health().await.problem;
    assert!(
        problem.contains("item 1: has no time at `api.time`"),
        "{problem}"
    );
    site.set("/posts/1", whole);
    desk.read(&source(&site)).await;
    assert_eq!(desk.posts().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_whose_items_hold_nothing_that_is_asked_for_has_changed() {
    let (desk, site) = (Desk::new().await, Site::start().await);
    let others = "{\"data\":{\"list\":[null,{\"Id\":1,\"body\":\"水\"},{}]}}";
    site.set("/posts/1", Page::new("application/json", others));
    desk.read(&source(&site)).await;
    let told = desk.told();
    assert_eq!(told.condition, Condition::Changed);
    assert!(told.problem.contains("`api.id`"), "{}", told.problem);
    site.set("/posts/1", answer(&[(1, "路灯坏了")]));
    desk.read(&source(&site)).await;
    assert_eq!(desk.told().condition, Condition::Well);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_of_old_software_is_read() {
    let (desk, site) = (Desk::new().await, Site::start().await);
    let body = "{\"data\":{\"list\":[{\"id\":1,\"title\":\"路灯\",\
        \"content\":\"&amp;lt;p&amp;gt;冯川镇的路灯坏了&amp;lt;/p&amp;gt;\",\"createTime\":\"\\/Date(1689640200000+0800)\\/\"}]}}";
    for content_type in ["application/json", "application/json; charset=gbk"] {
        let bytes = encoding_rs::GBK.encode(body).0.into_owned();
        site.set("/posts/1", Page::new(content_type, bytes));
        assert_eq!(desk.read(&source(&site)).await, Outcome::Read);
    }
    let posts = desk.posts();
    assert_eq!(posts.len(), 1);
    assert_eq!(
        (posts[0].title.as_str(), posts[0].text.as_str()),
        ("路灯", "冯川镇的路灯坏了")
    );
    assert_eq!(
        posts[0].published_at,
        "2023-07-18T00:30:00Z".parse().unwrap()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_go_to_the_own_site_only() {
    let (desk, site, other) = (Desk::new().await, Site::start().await, Site::start().await);
    std::fs::write(desk.path("token"), "Bearer abc").unwrap();
    let source = format!(
        "{}\n[api.headers]\nauthorization = {{ file = \"{}\" }}",
        source(&site),
        desk.path("token").display()
    );
    site.set("/posts/1", Page::redirect(other.at("away").as_str()));
    other.set("/away", answer(&[]));
    assert_eq!(desk.read(&source).await, Outcome::Read);
    assert_eq!(site.authorized(), ["/posts/1"]);
    assert_eq!(other.asked(), ["/away"]);
    assert_eq!(other.authorized(), Vec::<String>::new());
}
