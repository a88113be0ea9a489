//! How many of the posts found there are of each kind: a part of the search's page that it loads when it stands, and a page of
//! its own for those without scripts.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;

use super::super::Console;
use super::super::access::SignedIn;
use super::super::archive::{self, Filter, MOST_OVER_ALL, Over};
use super::super::fields::Fields;
use super::super::page::{Frame, render_as};
use super::super::problem::Problem;
use super::form::{address, filters, title_of};

/// The filters whose values are counted.
const FACETS: [(&str, &str); 6] = [
    ("subject", "事项"),
    ("sentiment", "情感"),
    ("place", "地点"),
    ("source", "来源"),
    ("appeal", "诉求"),
    ("unit", "责任单位"),
];

/// A value with its count, and the address that chooses it.
struct Value {
    title: String,
    posts: u64,
    address: String,
}

struct Facet {
    title: &'static str,
    values: Vec<Value>,
}

#[derive(Template)]
#[template(path = "facets.html")]
struct FacetsPage {
    frame: Frame,
    /// What was counted.
    said: String,
    facets: Vec<Facet>,
    back: String,
}

/// The counts.
pub(in crate::console) async fn facets(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    fields: Fields,
) -> Result<Response, Problem> {
    let asked = filters(&fields);
    let filter = Filter::read(&asked, 0, Timestamp::now());
    let regions: Vec<&str> = console.regions.keys().map(String::as_str).collect();
    let counted = archive::facets(&console.archive, &regions, &filter).await;
    let (status, said, facets) = match &counted {
        Ok(counted) => (StatusCode::OK, said(counted), of(&console, &asked, counted)),
        Err(archive::Unavailable) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "舆情库暂时不可用，未能统计；请稍后刷新。".to_owned(),
            Vec::new(),
        ),
    };
    let page = FacetsPage {
        frame: Frame::new(&console, &signed_in, "/posts", "分类统计"),
        said,
        facets,
        back: address(&asked),
    };
    render_as(status, &page)
}

fn said(counted: &archive::Facets) -> String {
    let posts = counted.posts;
    match counted.over {
        Over::All if posts == 0 => "没有可统计的帖文。".to_owned(),
        Over::All => format!("按找到的全部 {posts} 条统计。"),
        Over::AllByIndex => format!("按索引统计找到的约 {posts} 条，个别数字可能略有出入。"),
        Over::Newest => {
            format!("找到的超过 {MOST_OVER_ALL} 条，只统计其中最近45天里最新的 {posts} 条。")
        }
    }
}

/// The facets with something to choose.
fn of(console: &Console, asked: &Fields, counted: &archive::Facets) -> Vec<Facet> {
    FACETS
        .iter()
        .filter(|(name, _)| asked.get(name).is_empty())
        .map(|(name, title)| Facet {
            title,
            values: (counted.values.iter())
                .filter(|counted| counted.facet == *name)
                .map(|counted| Value {
                    title: title_of(console, name, &counted.value),
                    posts: counted.posts,
                    address: address(&asked.with(name, &counted.value)),
                })
                .collect(),
        })
        .filter(|facet| !facet.values.is_empty())
        .collect()
}
