//! What all pages share: the frame around them, and how they are rendered.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use tracing::error;

use super::access::SignedIn;
use super::problem::Problem;
use super::routes::may_open;
use super::{Console, assets};

/// Where the work of the day is done.
const PLACES: [(&str, &str); 7] = [
    ("/", "今日态势"),
    ("/live", "实时动态"),
    ("/posts", "检索"),
    ("/events", "事件"),
    ("/cases", "案件"),
    ("/trends", "趋势"),
    ("/reports", "报告"),
];

/// What keeps the work going, in a menu of its own.
const ADMINISTRATION: [(&str, &str); 12] = [
    ("/roster", "值班表"),
    ("/silences", "静默"),
    ("/routing", "分派"),
    ("/units", "单位"),
    ("/knowledge", "知识库"),
    ("/commitments", "承诺"),
    ("/sources", "来源"),
    ("/dead-letters", "死信"),
    ("/system", "系统"),
    ("/users", "用户"),
    ("/erasures", "删除登记"),
    ("/audit", "审计"),
];

/// A link of the navigation.
pub(super) struct Place {
    pub(super) path: &'static str,
    pub(super) title: &'static str,
    pub(super) current: bool,
}

/// The frame of a page for someone signed in.
pub(super) struct Frame {
    pub(super) title: String,
    pub(super) region: String,
    pub(super) user: String,
    /// The role, or the unit of a unit's account.
    pub(super) capacity: String,
    pub(super) csrf: String,
    pub(super) places: Vec<Place>,
    /// The places of the menu of administration.
    pub(super) administration: Vec<Place>,
    /// Whether the page is one of these.
    pub(super) administers: bool,
    pub(super) version: &'static str,
    /// Seconds after which the page is loaded again; 0 for never.
    pub(super) refresh: u32,
    /// The same where no script runs, for a page that scripts keep up to date by other means.
    pub(super) no_script_refresh: u32,
}

impl Frame {
    pub(super) fn new(
        console: &Console,
        signed_in: &SignedIn,
        current: &str,
        title: impl Into<String>,
    ) -> Self {
        let user = &signed_in.user;
        let capacity = if user.unit.is_empty() {
            user.role.title().to_owned()
        } else {
            console.unit_name(&user.region, &user.unit).to_owned()
        };
        let places = |of: &[(&'static str, &'static str)]| -> Vec<Place> {
            (of.iter())
                .filter(|(path, _)| may_open(user.role, path))
                .map(|(path, title)| Place {
                    path,
                    title,
                    current: *path == current,
                })
                .collect()
        };
        let administration = places(&ADMINISTRATION);
        Self {
            title: title.into(),
            region: region_name(console, &user.region),
            user: user.display_name.clone(),
            capacity,
            csrf: signed_in.csrf.clone(),
            places: places(&PLACES),
            administers: administration.iter().any(|place| place.current),
            administration,
            version: assets::version(),
            refresh: 0,
            no_script_refresh: 0,
        }
    }
}

/// The name of the region of a unit's account, or of the only region served.
fn region_name(console: &Console, code: &str) -> String {
    let region = match console.regions.get(code) {
        Some(region) => Some(region),
        None if console.regions.len() == 1 => console.regions.values().next(),
        None => None,
    };
    region
        .map(|region| region.gazetteer.name.clone())
        .unwrap_or_default()
}

/// The name of the only region served, for those not signed in.
pub(super) fn only_region(console: &Console) -> String {
    region_name(console, "")
}

/// Renders a page.
pub(super) fn render(template: &impl Template) -> Result<Response, Problem> {
    render_as(StatusCode::OK, template)
}

/// Renders a page with a status.
pub(super) fn render_as(status: StatusCode, template: &impl Template) -> Result<Response, Problem> {
    match template.render() {
        Ok(text) => Ok((status, Html(text)).into_response()),
        Err(error) => {
            error!(%error, "a page could not be rendered");
            Err(Problem::Broken)
        }
    }
}

#[derive(Template)]
#[template(path = "unavailable.html")]
struct UnavailablePage {
    frame: Frame,
}

/// The page that says that posts and events cannot be shown now.
pub(super) fn archive_unavailable(frame: Frame) -> Result<Response, Problem> {
    render_as(StatusCode::SERVICE_UNAVAILABLE, &UnavailablePage { frame })
}
