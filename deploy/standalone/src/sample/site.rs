//! The sample's site: a message board in GBK and a feed, as many county boards still are.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;

use super::pages;
use super::posts::Posts;

/// Posts on one page of the list.
const PAGE: usize = 20;

#[derive(Debug)]
struct Site {
    posts: Posts,
    base: String,
}

/// The site's routes.
///
/// # Errors
/// When a post's time cannot be told.
pub fn router(mut posts: Posts, address: SocketAddr) -> anyhow::Result<Router> {
    posts.board.reverse();
    let base = format!("http://{address}");
    let feed = pages::feed(&posts.feed, &base)?;
    let site = Arc::new(Site { posts, base });
    Ok(Router::new()
        .route("/robots.txt", get(|| async { "User-agent: *\nAllow: /\n" }))
        .route(
            "/feed.xml",
            get(move || async move {
                (
                    [(header::CONTENT_TYPE, "application/rss+xml; charset=utf-8")],
                    feed,
                )
            }),
        )
        .route("/board", get(list))
        .route("/board/{id}", get(detail))
        .with_state(site))
}

#[derive(Debug, Deserialize)]
struct Paging {
    #[serde(default)]
    page: usize,
}

async fn list(State(site): State<Arc<Site>>, Query(paging): Query<Paging>) -> Response {
    let first = paging.page.saturating_mul(PAGE);
    let shown: Vec<_> = site.posts.board.iter().skip(first).take(PAGE).collect();
    let next = (first + PAGE < site.posts.board.len()).then(|| paging.page + 1);
    gbk(&pages::list(&shown, next, &site.base))
}

async fn detail(State(site): State<Arc<Site>>, Path(id): Path<String>) -> Response {
    match site.posts.board.iter().find(|post| post.id == id) {
        Some(post) => gbk(&pages::detail(post)),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// A page in GBK, told by its `meta` only, as such boards do. What GBK lacks becomes a character reference.
fn gbk(page: &str) -> Response {
    let (bytes, _, _) = encoding_rs::GBK.encode(page);
    ([(header::CONTENT_TYPE, "text/html")], bytes.into_owned()).into_response()
}
