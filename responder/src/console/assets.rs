//! What pages load besides themselves: the stylesheet, the scripts, the icon; all of it is in the program.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

const STYLESHEET: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// A file of a library.
macro_rules! library {
    ($path:literal) => {
        include_str!(concat!(env!("OUT_DIR"), "/web/node_modules/", $path))
    };
}

/// Name, content type and content of each. The libraries come by `web/package-lock.json`, see `build.rs`.
const ASSETS: [(&str, &str, &str); 9] = [
    (
        "console.css",
        STYLESHEET,
        include_str!("../../assets/console.css"),
    ),
    (
        "console.js",
        SCRIPT,
        include_str!("../../assets/console.js"),
    ),
    ("charts.js", SCRIPT, include_str!("../../assets/charts.js")),
    ("live.js", SCRIPT, include_str!("../../assets/live.js")),
    ("menu.js", SCRIPT, include_str!("../../assets/menu.js")),
    (
        "icon.svg",
        "image/svg+xml",
        include_str!("../../assets/icon.svg"),
    ),
    ("htmx.js", SCRIPT, library!("htmx.org/dist/htmx.min.js")),
    ("uplot.js", SCRIPT, library!("uplot/dist/uPlot.iife.min.js")),
    (
        "uplot.css",
        STYLESHEET,
        library!("uplot/dist/uPlot.min.css"),
    ),
];

/// Changes with what pages load, so that browsers may keep it for long.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let all = (ASSETS.iter()).fold(Sha256::new(), |all, (_, _, content)| {
        all.chain_update(content)
    });
    hex::encode(all.finalize()).chars().take(12).collect()
});

/// The part of the addresses of what pages load that changes with it.
pub(super) fn version() -> &'static str {
    &VERSION
}

/// One of them.
pub(super) async fn asset(Path(name): Path<String>) -> Result<Response, StatusCode> {
    let (_, kind, content) = ASSETS
        .iter()
        .find(|(known, ..)| *known == name)
        .ok_or(StatusCode::NOT_FOUND)?;
    let headers = [
        (CONTENT_TYPE, *kind),
        (CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    Ok((headers, *content).into_response())
}
