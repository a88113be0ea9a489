//! Who may open what of the console: the one table of its routes, and the groups of roles that this and the API's name.

use crate::case::Role;
use crate::erasure::ERASERS;

/// A route of the console.
#[derive(Debug, Clone, Copy)]
pub struct Route {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// Its path, with parameters in braces.
    pub path: &'static str,
    /// Who may use it.
    pub who: Who,
}

/// Who may use a route.
#[derive(Debug, Clone, Copy)]
pub enum Who {
    /// Everyone, signed in or not.
    Anyone,
    /// Accounts of these roles.
    Roles(&'static [Role]),
}

use Who::{Anyone, Roles};

/// All who have an account.
pub(crate) const ALL: &[Role] = &Role::ACCOUNTS;
/// Those who see what comes in: the office, and who audits it.
pub(crate) const OFFICE: &[Role] = &[
    Role::Administrator,
    Role::DutyOfficer,
    Role::Leader,
    Role::Auditor,
];
/// Those who move cases.
pub(crate) const MOVERS: &[Role] = &[
    Role::Administrator,
    Role::DutyOfficer,
    Role::Leader,
    Role::UnitLead,
    Role::UnitContact,
];
/// Those of the office who decide.
pub(crate) const OFFICERS: &[Role] = &[Role::Administrator, Role::DutyOfficer, Role::Leader];
/// Those who open cases, edit events and pause sources.
pub(crate) const DUTY: &[Role] = &[Role::Administrator, Role::DutyOfficer];
/// Those who decide on erasures, and who audits that.
pub(crate) const DECIDERS: &[Role] = &[Role::Administrator, Role::Leader, Role::Auditor];
pub(crate) const ADMINISTRATOR: &[Role] = &[Role::Administrator];
/// Those who see who did what.
pub(crate) const AUDIT: &[Role] = &[Role::Administrator, Role::Auditor];

const fn route(method: &'static str, path: &'static str, who: Who) -> Route {
    Route { method, path, who }
}

/// All routes. A path that is served but not listed here is refused. What a unit sees of the cases
/// it may open is for [`crate::case::Actor::sees`] to say.
pub const ROUTES: &[Route] = &[
    route("GET", "/login", Anyone),
    route("POST", "/login", Anyone),
    route("GET", "/login/identity", Anyone),
    route("GET", "/login/identity/back", Anyone),
    route("GET", "/assets/{name}", Anyone),
    route("POST", "/logout", Roles(ALL)),
    route("GET", "/", Roles(ALL)),
    route("GET", "/live", Roles(OFFICE)),
    route("GET", "/live/stream", Roles(OFFICE)),
    route("GET", "/live/posts/{id}", Roles(OFFICE)),
    route("GET", "/posts", Roles(OFFICE)),
    route("GET", "/posts/facets", Roles(OFFICE)),
    route("GET", "/posts/export", Roles(OFFICE)),
    route("GET", "/posts/saved", Roles(OFFICE)),
    route("POST", "/posts/saved", Roles(OFFICE)),
    route("GET", "/posts/saved/{id}", Roles(OFFICE)),
    route("POST", "/posts/saved/{id}/delete", Roles(OFFICE)),
    route("GET", "/posts/{id}", Roles(OFFICE)),
    route("POST", "/posts/{id}/correction", Roles(DUTY)),
    route("GET", "/posts/{id}/held", Roles(OFFICE)),
    route("POST", "/posts/{id}/erase", Roles(&ERASERS)),
    route("GET", "/erasures", Roles(DECIDERS)),
    route("GET", "/erasures/{id}", Roles(DECIDERS)),
    route("GET", "/events", Roles(OFFICE)),
    route("GET", "/events/{id}", Roles(OFFICE)),
    route("GET", "/events/{id}/edit", Roles(DUTY)),
    route("POST", "/events/{id}/merge", Roles(DUTY)),
    route("POST", "/events/{id}/split", Roles(DUTY)),
    route("POST", "/events/{id}/case", Roles(DUTY)),
    route("GET", "/cases", Roles(ALL)),
    route("GET", "/cases/board", Roles(ALL)),
    route("GET", "/cases/{id}", Roles(ALL)),
    route("GET", "/cases/{id}/sheet", Roles(ALL)),
    route("POST", "/cases/{id}/moves", Roles(MOVERS)),
    route("POST", ATTACHMENTS, Roles(MOVERS)),
    route("GET", "/cases/{id}/attachments/{attachment}", Roles(ALL)),
    route("GET", "/trends", Roles(OFFICE)),
    route("GET", "/trends/effect", Roles(OFFICE)),
    route("GET", "/reports", Roles(OFFICE)),
    route("POST", "/reports", Roles(OFFICERS)),
    route("GET", "/reports/new", Roles(OFFICERS)),
    route("GET", "/reports/lists", Roles(OFFICE)),
    route("POST", "/reports/lists", Roles(DUTY)),
    route("POST", "/reports/lists/{id}/delete", Roles(DUTY)),
    route("GET", "/reports/{id}", Roles(OFFICE)),
    route("GET", "/reports/{id}/preview", Roles(OFFICE)),
    route("GET", "/reports/{id}/snapshot", Roles(OFFICE)),
    route("GET", "/reports/{id}/files/{file}", Roles(OFFICE)),
    route("GET", "/reports/{id}/edit", Roles(OFFICERS)),
    route("POST", REPORT_TEXT, Roles(OFFICERS)),
    route("POST", "/reports/{id}/polish", Roles(OFFICERS)),
    route("POST", "/reports/{id}/moves", Roles(OFFICERS)),
    route("POST", "/reports/{id}/send", Roles(OFFICERS)),
    route("GET", "/roster", Roles(OFFICE)),
    route("POST", "/roster/swaps", Roles(OFFICERS)),
    route("POST", IMPORT_ROSTER, Roles(DUTY)),
    route("GET", "/silences", Roles(OFFICE)),
    route("POST", "/silences", Roles(OFFICERS)),
    route("POST", "/silences/end", Roles(OFFICERS)),
    route("GET", "/routing", Roles(OFFICE)),
    route("GET", "/knowledge", Roles(ALL)),
    route("POST", "/knowledge", Roles(MOVERS)),
    route("GET", "/knowledge/new", Roles(MOVERS)),
    route("GET", "/knowledge/frequent", Roles(OFFICE)),
    route("GET", "/knowledge/page", Roles(ALL)),
    route("GET", "/knowledge/{id}", Roles(ALL)),
    route("POST", "/knowledge/{id}", Roles(MOVERS)),
    route("POST", "/knowledge/{id}/approve", Roles(MOVERS)),
    route("POST", "/knowledge/{id}/retire", Roles(MOVERS)),
    route("GET", "/units", Roles(OFFICE)),
    route("GET", REGION_FILES, Roles(ADMINISTRATOR)),
    route("POST", REGION_FILES, Roles(ADMINISTRATOR)),
    route("GET", "/units/{region}/{code}", Roles(OFFICE)),
    route("GET", "/sources", Roles(OFFICE)),
    route("POST", "/sources/{id}/pause", Roles(DUTY)),
    route("POST", "/sources/{id}/resume", Roles(DUTY)),
    route("GET", "/commitments", Roles(ALL)),
    route("POST", "/commitments/{id}/keep", Roles(MOVERS)),
    route("POST", "/commitments/{id}/withdraw", Roles(MOVERS)),
    route("GET", "/dead-letters", Roles(AUDIT)),
    route("POST", "/dead-letters/replay", Roles(ADMINISTRATOR)),
    route("GET", "/system", Roles(OFFICE)),
    route("GET", "/users", Roles(AUDIT)),
    route("POST", "/users", Roles(ADMINISTRATOR)),
    route("GET", "/users/{name}", Roles(AUDIT)),
    route("POST", "/users/{name}", Roles(ADMINISTRATOR)),
    route("POST", "/users/{name}/sessions", Roles(ADMINISTRATOR)),
    route("POST", "/users/{name}/tokens", Roles(ADMINISTRATOR)),
    route("POST", "/users/{name}/tokens/revoke", Roles(ADMINISTRATOR)),
    route("POST", "/users/{name}/active", Roles(ADMINISTRATOR)),
    route("POST", "/users/{name}/password", Roles(ADMINISTRATOR)),
    route("GET", "/audit", Roles(AUDIT)),
    route("GET", "/account", Roles(ALL)),
    route("POST", "/account", Roles(ALL)),
    route("POST", "/account/sessions", Roles(ALL)),
];

/// Whether a role may open a path by GET.
pub(super) fn may_open(role: Role, path: &str) -> bool {
    find("GET", path).is_some_and(|route| match route.who {
        Anyone => true,
        Roles(roles) => roles.contains(&role),
    })
}

/// The route of a method and a path as it is in the table.
pub(super) fn find(method: &str, path: &str) -> Option<&'static Route> {
    ROUTES
        .iter()
        .find(|route| route.method == method && route.path == path)
}

const ATTACHMENTS: &str = "/cases/{id}/attachments";
const IMPORT_ROSTER: &str = "/roster/import";
const REGION_FILES: &str = "/units/files";
/// Where a form brings a file.
pub(super) const WITH_A_FILE: [&str; 3] = [ATTACHMENTS, IMPORT_ROSTER, REGION_FILES];

/// Where the wording of a report is brought.
pub(super) const REPORT_TEXT: &str = "/reports/{id}/text";
