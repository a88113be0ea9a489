//! The stylesheet and the icon.

use std::sync::LazyLock;

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse;
use sha2::{Digest, Sha256};

const STYLESHEET: &str = include_str!("../../assets/console.css");
const ICON: &str = include_str!("../../assets/icon.svg");

/// Changes with the stylesheet, so that browsers may keep it for long.
static STYLESHEET_VERSION: LazyLock<String> = LazyLock::new(|| {
    hex::encode(Sha256::digest(STYLESHEET.as_bytes()))
        .chars()
        .take(12)
        .collect()
});

/// The part of a stylesheet's address that changes with it.
pub(super) fn version() -> &'static str {
    &STYLESHEET_VERSION
}

/// The stylesheet.
pub(super) async fn stylesheet() -> impl IntoResponse {
    let headers = [
        (CONTENT_TYPE, "text/css; charset=utf-8"),
        (CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    (headers, STYLESHEET)
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
