//! What the stories stand on: a county, the model that ships, a post.

use std::path::{Path, PathBuf};

use analyzer::pipeline::Pipeline;
use analyzer::settings::{Events, Risk};
use backbone::message::{Certainty, Post, Reactions, SourceKind};
use backbone::region::Region;
use jiff::Timestamp;

/// Folder of the first county.
pub(crate) const FENGXIN: &str = "deploy/config/region/360921";
/// Folder of the sample's county.
pub(crate) const SAMPLE: &str = "deploy/sample/region/990101";

pub(crate) fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The chain with the model that ships, for the county of a folder.
pub(crate) fn pipeline(county: &str, risk: &Risk) -> Pipeline {
    let regions = Region::load_all(&[project().join(county)]).unwrap();
    let model = project().join("analyzer/model");
    Pipeline::new(&regions, &model, &Events::default(), risk).unwrap()
}

/// A post of the sample county's board, whose writer is known by the post's id.
pub(crate) fn post(id: &str, [title, text]: [&str; 2], at: Timestamp) -> Post {
    Post {
        id: id.to_owned(),
        revision: 1,
        region: "990101".to_owned(),
        source: "留言板".to_owned(),
        kind: SourceKind::Board,
        url: String::new(),
        title: title.to_owned(),
        text: text.to_owned(),
        author: Some(id.to_owned()),
        published_at: at,
        certainty: Certainty::Exact,
        collected_at: at,
        reactions: Reactions::default(),
        answered_at: None,
    }
}
