//! Bodies of answers: decompressed as they come, bounded on both sides of that.

use std::io::{self, ErrorKind};

use async_compression::tokio::bufread::{
    BrotliDecoder, DeflateDecoder, GzipDecoder, ZlibDecoder, ZstdDecoder,
};
use async_compression::zstd::DParameter;
use futures::TryStreamExt;
use reqwest::Response;
use reqwest::header::{CONTENT_ENCODING, HeaderMap};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt};
use tokio_util::io::StreamReader;

/// What is asked for, in `Accept-Encoding`.
pub(super) const ACCEPTED: &str = "gzip, br, zstd, deflate";
/// Largest window of zstd, as a power of two: the 8 MB that RFC 9659 allows on the web.
const WINDOW: u32 = 23;
/// What each member of a gzip body begins with (RFC 1952).
const GZIP: u8 = 0x1f;
/// What the first byte of the zlib format has in its lower half (RFC 1950), and that of bare deflate never.
const ZLIB: u8 = 8;

/// Why a body was not had.
#[derive(Debug)]
pub(super) enum Problem {
    /// It is larger than is read, before or after decompression.
    TooLarge,
    /// The connection broke, or what came is not what was announced.
    Broken(io::Error),
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::FileTooLarge => Self::TooLarge,
            _ => Self::Broken(error),
        }
    }
}

/// Reads a body, at most so many bytes of it before and after decompression.
pub(super) async fn read(response: Response, most: usize) -> Result<Vec<u8>, Problem> {
    // What is announced to be too large is not waited for.
    let announced = response.content_length();
    if announced.is_some_and(|length| length > most as u64) {
        return Err(Problem::TooLarge);
    }
    let encoding = encoding(response.headers());
    let mut came = 0;
    let chunks = response
        .bytes_stream()
        .map_err(|error| io::Error::other(error.without_url()))
        .and_then(move |chunk| {
            came += chunk.len();
            std::future::ready(match came > most {
                true => Err(ErrorKind::FileTooLarge.into()),
                false => Ok(chunk),
            })
        });
    let mut raw = StreamReader::new(Box::pin(chunks));
    let mut bytes = Vec::new();
    match encoding.as_str() {
        // The last three are no encodings, and sent all the same.
        "" | "identity" | "none" | "utf-8" | "utf8" => unpack(raw, &mut bytes, most).await?,
        "gzip" | "x-gzip" => loop {
            let mut member = GzipDecoder::new(raw);
            unpack(&mut member, &mut bytes, most).await?;
            raw = member.into_inner();
            // What is behind a member and begins none is padding.
            if raw.fill_buf().await?.first() != Some(&GZIP) {
                break;
            }
        },
        "br" => unpack(BrotliDecoder::new(raw), &mut bytes, most).await?,
        "zstd" => {
            let window = [DParameter::window_log_max(WINDOW)];
            unpack(ZstdDecoder::with_params(raw, &window), &mut bytes, most).await?;
        }
        // The zlib format by the standard (RFC 9110, 8.4.1.2); some send what is in it, and browsers take both.
        "deflate" => match raw.fill_buf().await?.first() {
            Some(first) if first & 0x0f == ZLIB => {
                unpack(ZlibDecoder::new(raw), &mut bytes, most).await?;
            }
            _ => unpack(DeflateDecoder::new(raw), &mut bytes, most).await?,
        },
        other => {
            let problem = format!("is in the encoding `{other}`, which was not asked for");
            return Err(Problem::Broken(io::Error::other(problem)));
        }
    }
    Ok(bytes)
}

/// Reads to the end, at most so many bytes.
async fn unpack(
    mut reader: impl AsyncRead + Unpin,
    bytes: &mut Vec<u8>,
    most: usize,
) -> Result<(), Problem> {
    let mut chunk = vec![0; 16 * 1024];
    loop {
        match reader.read(&mut chunk).await? {
            0 => return Ok(()),
            length if bytes.len() + length > most => return Err(Problem::TooLarge),
            length => bytes.extend_from_slice(chunk.get(..length).unwrap_or_default()),
        }
    }
}

fn encoding(headers: &HeaderMap) -> String {
    headers
        .get(CONTENT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .map(|value| value.trim().to_ascii_lowercase())
        .unwrap_or_default()
}
