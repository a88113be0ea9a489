//! ClickHouse's HTTP interface over the engine's library.

use std::io::{BufRead, BufReader, Read};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Multipart, Request as HttpRequest, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures::StreamExt;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::format::Joiner;
use super::library::{Counts, EngineError, Statement};
use super::pool::{Lent, Pool};
use super::request::{Kind, Request, kind, split_format};

/// The longest SQL, with inline data, that is taken whole, in bytes. Longer data is streamed.
const SQL_LIMIT: u64 = 64 * 1024 * 1024;
/// How long a client may take to send or accept the next block.
const BLOCK_TIMEOUT: Duration = Duration::from_secs(60);
/// Blocks of a result or of data that wait for their reader.
const BLOCKS_AHEAD: usize = 8;

/// The routes of the interface, for this machine only.
pub(super) fn router(pool: Pool) -> Router {
    Router::new()
        .route("/ping", get(|| async { "Ok.\n" }))
        .route("/", get(greet_or_answer).post(answer))
        .with_state(pool)
        .layer(middleware::from_fn(only_loopback_names))
}

/// Refuses requests that a page of another site has a browser send here under its own name.
async fn only_loopback_names(request: HttpRequest, next: Next) -> Response {
    let host = request
        .headers()
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or_default();
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.chars().all(|c| c.is_ascii_digit()) => name,
        _ => host,
    };
    let is_address = name
        .trim_matches(['[', ']'])
        .parse::<std::net::IpAddr>()
        .is_ok_and(|address| address.is_loopback());
    if is_address || name == "localhost" {
        return next.run(request).await;
    }
    (
        StatusCode::FORBIDDEN,
        "the embedded ClickHouse answers to loopback names only\n",
    )
        .into_response()
}

async fn greet_or_answer(state: State<Pool>, request: HttpRequest) -> Response {
    if request.uri().query().is_none() {
        return "Ok.\n".into_response();
    }
    answer(state, request).await
}

async fn answer(State(pool): State<Pool>, http: HttpRequest) -> Response {
    match answer_or_fail(&pool, http).await {
        Ok(response) => response,
        Err(error) => failure(&error),
    }
}

async fn answer_or_fail(pool: &Pool, http: HttpRequest) -> Result<Response, EngineError> {
    let uri: Uri = http.uri().clone();
    let headers = http.headers().clone();
    let mut request = Request::read(http.method(), uri.query().unwrap_or_default(), &headers)?;
    let content_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let mut data = Body::empty();
    if content_type.starts_with("multipart/form-data") {
        read_form(&mut request, http).await?;
    } else {
        data = http.into_body();
    }
    let parameters = request.parameters.clone();
    let in_address = std::mem::take(&mut request.sql);
    let source = BufReader::new(decoder(&headers, Blocks::of(data))?);
    match blocking(move || read_statement(in_address, source)).await? {
        Asked::Whole(sql) => run(pool, request, sql).await,
        Asked::Insert { sql, format, data } => {
            let statement = Statement {
                sql,
                format,
                parameters,
            };
            insert(pool, &request, statement, data).await
        }
    }
}

/// What a request's body is read from, decompressed.
type Source = BufReader<Box<dyn Read + Send>>;

/// What a request asks of the engine.
enum Asked {
    /// A statement, with the data that may stand in it.
    Whole(Vec<u8>),
    /// An insert whose data is still to be read.
    Insert {
        sql: Vec<u8>,
        format: String,
        data: Source,
    },
}

/// Reads the SQL, and for an insert with a `FORMAT` clause leaves the data after it to be streamed in that
/// format. In a body, the data begins on the line after the clause.
fn read_statement(in_address: String, mut data: Source) -> Result<Asked, EngineError> {
    let insert = |sql: &str| match kind(sql) {
        Kind::Insert => {
            split_format(sql).map(|(sql, format)| (sql.as_bytes().to_vec(), format.to_owned()))
        }
        _ => None,
    };
    if let Some((sql, format)) = insert(&in_address) {
        return Ok(Asked::Insert { sql, format, data });
    }
    let mut sql = in_address.into_bytes();
    let mut limited = data.by_ref().take(SQL_LIMIT);
    limited.read_until(b'\n', &mut sql).map_err(ended_early)?;
    if let Some((sql, format)) = std::str::from_utf8(&sql).ok().and_then(insert) {
        return Ok(Asked::Insert { sql, format, data });
    }
    limited.read_to_end(&mut sql).map_err(ended_early)?;
    if limited.limit() == 0 {
        return Err(format!(
            "Code: 307. DB::Exception: SQL of {SQL_LIMIT} bytes or more; send data on the lines after an insert with a FORMAT clause. (TOO_MANY_BYTES)"
        ));
    }
    Ok(Asked::Whole(sql))
}

fn ended_early(error: std::io::Error) -> EngineError {
    format!("Code: 1000. DB::Exception: the request's data ended early: {error}")
}

async fn read_form(request: &mut Request, http: HttpRequest) -> Result<(), EngineError> {
    let malformed =
        |error: String| format!("Code: 36. DB::Exception: malformed form: {error} (BAD_ARGUMENTS)");
    let mut form = Multipart::from_request(http, &())
        .await
        .map_err(|error| malformed(error.to_string()))?;
    let mut taken = 0;
    while let Some(field) = form
        .next_field()
        .await
        .map_err(|error| malformed(error.to_string()))?
    {
        let name = field.name().unwrap_or_default().to_owned();
        let value = field
            .text()
            .await
            .map_err(|error| malformed(error.to_string()))?;
        taken += value.len();
        if taken as u64 > SQL_LIMIT {
            return Err(malformed(format!("more than {SQL_LIMIT} bytes")));
        }
        request.take(&name, value)?;
    }
    Ok(())
}

async fn lend(pool: &Pool, request: &Request) -> Result<Lent, EngineError> {
    let mut lent = pool.take().await.map_err(|error| {
        format!("Code: 202. DB::Exception: {error:#} (TOO_MANY_SIMULTANEOUS_QUERIES)")
    })?;
    let (database, settings) = (request.database.clone(), request.settings.clone());
    blocking(move || {
        lent.prepare(&database, &settings)?;
        Ok(lent)
    })
    .await
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, EngineError> + Send + 'static,
) -> Result<T, EngineError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| format!("Code: 1001. DB::Exception: {error}"))?
}

async fn run(pool: &Pool, request: Request, sql: Vec<u8>) -> Result<Response, EngineError> {
    let text = String::from_utf8_lossy(&sql).into_owned();
    let kind = kind(&text);
    if request.read_only && !matches!(kind, Kind::Select | Kind::Show) {
        return Err(
            "Code: 164. DB::Exception: a GET request only reads; send it by POST. (READONLY)"
                .to_owned(),
        );
    }
    let named = split_format(&text).map(|(_, format)| format.to_owned());
    // A clause that does not stand at the end, as before `SETTINGS`, is the engine's to read.
    let joiner = if named.is_none() && text.to_ascii_uppercase().contains("FORMAT") {
        None
    } else {
        Joiner::of(named.as_ref().unwrap_or(&request.format))
    };
    let format = named.unwrap_or_else(|| request.format.clone());
    let statement = Statement {
        sql,
        format: request.format.clone(),
        parameters: request.parameters.clone(),
    };
    let mut lent = lend(pool, &request).await?;
    if let (Kind::Select, Some(joiner)) = (kind, joiner) {
        return stream(lent, statement, joiner, &request, &format).await;
    }
    let (output, counts) = blocking(move || lent.connection().query(&statement)).await?;
    Ok(success(&request, &format, counts, Body::from(output)))
}

/// Streams a query's blocks as they come. The first is awaited, so that an error at the start has its
/// status; one in the middle ends the answer with the message and a broken transfer.
async fn stream(
    mut lent: Lent,
    statement: Statement,
    mut joiner: Joiner,
    request: &Request,
    format: &str,
) -> Result<Response, EngineError> {
    let (sender, mut receiver) = mpsc::channel::<Result<Bytes, EngineError>>(BLOCKS_AHEAD);
    let reader = Arc::new(tokio::runtime::Handle::current());
    tokio::task::spawn_blocking(move || {
        let give = |block: Result<Bytes, EngineError>| {
            reader
                .block_on(timeout(BLOCK_TIMEOUT, sender.send(block)))
                .is_ok_and(|sent| sent.is_ok())
        };
        let outcome = lent.connection().stream(&statement, |block| {
            let rows = joiner.join(block).map(Bytes::copy_from_slice);
            let joined = rows.is_ok();
            give(rows) && joined
        });
        if let Err(error) = outcome {
            give(Err(error));
        }
    });
    let first = match receiver.recv().await {
        Some(Err(error)) => return Err(error),
        Some(Ok(block)) => block,
        None => Bytes::new(),
    };
    let rest = futures::stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|block| (block, receiver))
    })
    .map(|block| block.map_err(std::io::Error::other));
    let blocks = futures::stream::once(async move { Ok(first) }).chain(rest);
    Ok(success(
        request,
        format,
        Counts::default(),
        Body::from_stream(blocks),
    ))
}

async fn insert(
    pool: &Pool,
    request: &Request,
    statement: Statement,
    mut data: Source,
) -> Result<Response, EngineError> {
    let mut lent = lend(pool, request).await?;
    let counts = blocking(move || {
        lent.connection()
            .insert(&statement, |buffer| data.read(buffer))
    })
    .await?;
    Ok(success(request, &request.format, counts, Body::empty()))
}

/// Blocks of a request, read as one stream of bytes.
struct Blocks {
    receiver: mpsc::Receiver<std::io::Result<Bytes>>,
    current: Bytes,
}

impl Blocks {
    /// Takes the blocks of a body as they come, until nobody reads them any more.
    fn of(data: Body) -> Self {
        let (sender, receiver) = mpsc::channel(BLOCKS_AHEAD);
        tokio::spawn(async move {
            let mut blocks = data.into_data_stream();
            loop {
                let block = match timeout(BLOCK_TIMEOUT, blocks.next()).await {
                    Ok(None) => return,
                    Ok(Some(block)) => block.map_err(std::io::Error::other),
                    Err(elapsed) => Err(std::io::Error::other(elapsed)),
                };
                let failed = block.is_err();
                if sender.send(block).await.is_err() || failed {
                    return;
                }
            }
        });
        Self {
            receiver,
            current: Bytes::new(),
        }
    }
}

impl Read for Blocks {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while self.current.is_empty() {
            match self.receiver.blocking_recv() {
                None => return Ok(0),
                Some(block) => self.current = block?,
            }
        }
        let length = buffer.len().min(self.current.len());
        self.current.split_to(length).as_ref().read(buffer)
    }
}

fn decoder(headers: &HeaderMap, blocks: Blocks) -> Result<Box<dyn Read + Send>, EngineError> {
    let encoding = headers
        .get(header::CONTENT_ENCODING)
        .map(HeaderValue::as_bytes);
    match encoding {
        None | Some(b"identity") => Ok(Box::new(blocks)),
        Some(b"lz4") => Ok(Box::new(lz4_flex::frame::FrameDecoder::new(blocks))),
        Some(b"zstd") => zstd::stream::read::Decoder::new(blocks)
            .map(|decoder| Box::new(decoder) as Box<dyn Read + Send>)
            .map_err(ended_early),
        Some(_) => Err("Code: 48. DB::Exception: this Content-Encoding is not served; use lz4, zstd or none. (NOT_IMPLEMENTED)".to_owned()),
    }
}

fn success(request: &Request, format: &str, counts: Counts, body: Body) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    let summary = format!(
        "{{\"read_rows\":\"{}\",\"read_bytes\":\"0\",\"written_rows\":\"{}\",\"written_bytes\":\"0\",\"total_rows_to_read\":\"0\",\"result_rows\":\"{}\",\"result_bytes\":\"0\",\"elapsed_ns\":\"0\"}}",
        counts.rows_read, counts.rows_written, counts.rows_read
    );
    let content_type = if format.starts_with("JSON") {
        "application/json; charset=UTF-8"
    } else if format.starts_with("TabSeparated") || format.starts_with("TSV") {
        "text/tab-separated-values; charset=UTF-8"
    } else if format.starts_with("CSV") {
        "text/csv; charset=UTF-8; header=present"
    } else {
        "application/octet-stream"
    };
    for (name, value) in [
        ("content-type", content_type),
        ("x-clickhouse-query-id", &request.query_id),
        ("x-clickhouse-format", format),
        ("x-clickhouse-summary", &summary),
    ] {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    }
    headers.insert("x-clickhouse-timezone", HeaderValue::from_static("UTC"));
    headers.insert(
        "x-clickhouse-server-display-name",
        HeaderValue::from_static("wensheng"),
    );
    response
}

fn failure(error: &str) -> Response {
    let code = exception_code(error);
    let mut response = (status(code), format!("{}\n", error.trim_end())).into_response();
    response
        .headers_mut()
        .insert("x-clickhouse-exception-code", HeaderValue::from(code));
    response
}

/// The number in `Code: N. DB::Exception: …`; 1001 (an exception of no code) where there is none.
fn exception_code(error: &str) -> u32 {
    error
        .split_once("Code: ")
        .and_then(|(_, rest)| rest.split(|c: char| !c.is_ascii_digit()).next())
        .and_then(|digits| digits.parse().ok())
        .unwrap_or(1001)
}

/// The status ClickHouse answers a code with: what the client did wrong is 400, what is not there
/// 404, and so on; the rest is 500.
fn status(code: u32) -> StatusCode {
    match code {
        6 | 26 | 27 | 36 | 38 | 41 | 43 | 53 | 62 | 69 | 70 | 72 | 115 | 117 | 386 | 456 | 457 => {
            StatusCode::BAD_REQUEST
        }
        16 | 46 | 47 | 50 | 60 | 81 | 82 => StatusCode::NOT_FOUND,
        48 => StatusCode::NOT_IMPLEMENTED,
        159 | 209 => StatusCode::REQUEST_TIMEOUT,
        164 => StatusCode::FORBIDDEN,
        202 => StatusCode::SERVICE_UNAVAILABLE,
        307 => StatusCode::PAYLOAD_TOO_LARGE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
