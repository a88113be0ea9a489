//! Files of cases: added on the page of the case, and given back to who may see it.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;
use url::form_urlencoded::byte_serialize;

use super::Console;
use super::access::SignedIn;
use super::case::{self, Typed};
use super::problem::Problem;
use crate::case::{Action, Attachment, AttachmentError, Deed, MoveError, NewAttachment};

/// Adds a file.
pub(super) async fn add(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    Path(id): Path<String>,
    Extension(file): Extension<NewAttachment>,
) -> Result<Response, Problem> {
    let now = Timestamp::now();
    let actor = signed_in.user.actor();
    let added = (console.cases).attach(&id, &file, &actor, &console.notices, now);
    match added.await {
        Ok(_) => {
            (console.accounts.audit(&actor.name, "attach", &id, now)).await?;
            let next = format!("/cases/{id}?done={}", Action::Attach.name());
            Ok(Redirect::to(&next).into_response())
        }
        Err(AttachmentError::Move(MoveError::NotFound)) => Err(Problem::NotFound),
        Err(AttachmentError::Move(MoveError::Store(error))) => Err(error.into()),
        Err(refused) => {
            let deed = Deed::plain(Action::Attach, 0, "");
            let typed = Typed::refused(deed, format!("{refused}。"));
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            case::page(&console, &signed_in, &id, status, "", Some(typed)).await
        }
    }
}

/// Gives a file back, to be saved: what others wrote is never shown as a page of the console.
pub(super) async fn show(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    Path((id, attachment)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let actor = signed_in.user.actor();
    let case = console.cases.get(&id, &actor).await?;
    case.ok_or(Problem::NotFound)?;
    let found = console.cases.attachment(&id, &attachment).await?;
    let (file, content) = found.ok_or(Problem::NotFound)?;
    let now = Timestamp::now();
    (console
        .accounts
        .audit(&actor.name, "read-attachment", &file.id, now))
    .await?;
    Ok(saved(file, content))
}

/// The disposition of an answer that is saved under a name and not shown.
pub(super) fn as_file(name: &str) -> String {
    let name: String = byte_serialize(name.as_bytes()).collect();
    format!("attachment; filename*=UTF-8''{}", name.replace('+', "%20"))
}

/// A file as an answer that is saved and not shown.
pub(crate) fn saved(file: Attachment, content: Vec<u8>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, file.kind),
        (header::CONTENT_DISPOSITION, as_file(&file.name)),
        (header::CACHE_CONTROL, "private, no-store".to_owned()),
    ];
    (headers, content).into_response()
}
