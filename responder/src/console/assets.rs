//! The stylesheet, the script and the icon.

use std::sync::LazyLock;

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse;
use sha2::{Digest, Sha256};

const STYLESHEET: &str = include_str!("../../assets/console.css");
const SCRIPT: &str = include_str!("../../assets/console.js");
const ICON: &str = include_str!("../../assets/icon.svg");

/// Changes with stylesheet and script, so that browsers may keep them for long.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let both = Sha256::new().chain_update(STYLESHEET).chain_update(SCRIPT);
    hex::encode(both.finalize()).chars().take(12).collect()
});

/// The part of the addresses of stylesheet and script that changes with them.
pub(super) fn version() -> &'static str {
    &VERSION
}

/// The stylesheet.
pub(super) async fn stylesheet() -> impl IntoResponse {
    let headers = [
        (CONTENT_TYPE, "text/css; charset=utf-8"),
        (CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    (headers, STYLESHEET)
}

/// The script: pages work without it; with it, figures follow what happens.
pub(super) async fn script() -> impl IntoResponse {
    let headers = [
        (CONTENT_TYPE, "text/javascript; charset=utf-8"),
        (CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    (headers, SCRIPT)
}

/// The icon.
pub(super) async fn icon() -> impl IntoResponse {
    (
        [
            (CONTENT_TYPE, "image/svg+xml"),
            (CACHE_CONTROL, "public, max-age=86400"),
        ],
        ICON,
    )
}
