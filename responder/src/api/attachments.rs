//! Files of cases: the list, one with what is in it, one more.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, SchemaFormat, Type};
use utoipa::{PartialSchema, ToSchema};

use super::access::Caller;
use super::asked::{Asked, Bytes, Id, Ids};
use super::cases::seen;
use super::problem::Problem;
use crate::case::{Attachment, NewAttachment};
use crate::console::{Console, saved};

/// Longest name, in characters.
const LONGEST_NAME: usize = 100;

/// What is in a file.
#[derive(Debug)]
pub(super) struct Content;

impl PartialSchema for Content {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::Custom("binary".to_owned())))
            .build()
            .into()
    }
}

impl ToSchema for Content {}

/// A file of a case.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Attachment)]
pub(super) struct AttachmentView {
    id: String,
    /// Its name, without folders.
    name: String,
    /// Its media type, from its bytes.
    #[serde(rename = "type")]
    kind: String,
    /// Its size in bytes.
    size: u64,
    /// Its SHA-256 in hexadecimal digits.
    sha256: String,
    /// The account that added it.
    actor: String,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

impl From<Attachment> for AttachmentView {
    fn from(file: Attachment) -> Self {
        Self {
            id: file.id,
            name: file.name,
            kind: file.kind,
            size: file.size,
            sha256: file.sha256,
            actor: file.actor,
            at: file.at,
        }
    }
}

/// The files of a case, the oldest first.
#[utoipa::path(
    get,
    path = "/cases/{id}/attachments",
    tag = "attachments",
    params(("id" = String, Path, description = "The case's id")),
    responses((status = 200, description = "The files", body = Vec<AttachmentView>))
)]
pub(super) async fn list(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Id(id): Id,
    asked: Asked,
) -> Result<Json<Vec<AttachmentView>>, Problem> {
    asked.only(&[])?;
    seen(&console, &id, &caller.actor()).await?;
    caller
        .audit(&console, "read-attachments", &id, Timestamp::now())
        .await?;
    let files = console.cases.attachments(&id).await?;
    Ok(Json(files.into_iter().map(AttachmentView::from).collect()))
}

/// What is in a file of a case. That it was read is noted in the audit.
#[utoipa::path(
    get,
    path = "/cases/{id}/attachments/{attachment}",
    tag = "attachments",
    params(
        ("id" = String, Path, description = "The case's id"),
        ("attachment" = String, Path, description = "The file's id"),
    ),
    responses((status = 200, description = "The file, to be saved", body = Content, content_type = "*/*"))
)]
pub(super) async fn show(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Ids(id, attachment): Ids,
    asked: Asked,
) -> Result<Response, Problem> {
    asked.only(&[])?;
    seen(&console, &id, &caller.actor()).await?;
    let found = console.cases.attachment(&id, &attachment).await?;
    let (file, content) = found.ok_or(Problem::NotFound)?;
    caller
        .audit(&console, "read-attachment", &file.id, Timestamp::now())
        .await?;
    Ok(saved(file, content))
}

/// A file that was added.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Attached {
    /// The file's id.
    id: String,
    /// The version of the case now.
    version: i64,
}

/// Adds a file to a case: PDF, JPG, PNG, Word, Excel, MP3 or MP4, at most 10 MB. The same file again changes nothing.
#[utoipa::path(
    post,
    path = "/cases/{id}/attachments",
    tag = "attachments",
    params(
        ("id" = String, Path, description = "The case's id"),
        ("name" = String, Query, description = "The file's name; its ending agrees with what is in it", min_length = 1, max_length = 100),
    ),
    request_body(content = Content, content_type = "application/octet-stream"),
    responses((status = 201, description = "It was added", body = Attached))
)]
pub(super) async fn add(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Id(id): Id,
    asked: Asked,
    Bytes(content): Bytes,
) -> Result<(StatusCode, Json<Attached>), Problem> {
    let asked = asked.only(&["name"])?;
    let name = asked.needed("name", LONGEST_NAME)?;
    let now = Timestamp::now();
    let file = NewAttachment { name, content };
    let added = (console.cases)
        .attach(&id, &file, &caller.actor(), &console.notices, now)
        .await?;
    caller.audit(&console, "attach", &id, now).await?;
    let attached = Attached {
        id: added.id,
        version: added.case.version,
    };
    Ok((StatusCode::CREATED, Json(attached)))
}
