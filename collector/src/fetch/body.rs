//! Bodies of answers: decompressed as they come, bounded on both sides of that.

use std::io::{self, ErrorKind};
use std::pin::Pin;

use async_compression::tokio::bufread::{BrotliDecoder, GzipDecoder, ZlibDecoder, ZstdDecoder};
use async_compression::zstd::DParameter;
use futures::TryStreamExt;
use reqwest::Response;
use reqwest::header::{CONTENT_ENCODING, HeaderMap};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio_util::io::StreamReader;

/// What is asked for, in `Accept-Encoding`.
pub(super) const ACCEPTED: &str = "gzip, br, zstd, deflate";
/// Largest window of zstd, as a power of two: the 8 MB that RFC 9659 allows on the web.
const WINDOW: u32 = 23;

/// Why a body was not had.
#[derive(Debug)]
pub(super) enum Problem {
    /// It is larger than is read, before or after decompression.
    TooLarge,
    /// The connection broke, or what came is not what was announced.
    Broken(io::Error),
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
    let raw = StreamReader::new(Box::pin(chunks));
    let mut reader: Pin<Box<dyn AsyncRead + Send>> = match encoding.as_str() {
        "" | "identity" => Box::pin(raw),
        "gzip" | "x-gzip" => {
            let mut decoder = GzipDecoder::new(raw);
            decoder.multiple_members(true);
            Box::pin(decoder)
        }
        "br" => Box::pin(BrotliDecoder::new(raw)),
        "zstd" => {
            let window = [DParameter::window_log_max(WINDOW)];
            Box::pin(ZstdDecoder::with_params(raw, &window))
        }
        "deflate" => Box::pin(ZlibDecoder::new(raw)),
        other => {
            let problem = format!("is in the encoding `{other}`, which was not asked for");
            return Err(Problem::Broken(io::Error::other(problem)));
        }
    };
    let mut bytes = Vec::new();
    let mut chunk = vec![0; 16 * 1024];
    loop {
        match reader.read(&mut chunk).await {
            Ok(0) => return Ok(bytes),
            Ok(length) if bytes.len() + length > most => return Err(Problem::TooLarge),
            Ok(length) => bytes.extend_from_slice(chunk.get(..length).unwrap_or_default()),
            Err(error) if error.kind() == ErrorKind::FileTooLarge => return Err(Problem::TooLarge),
            Err(error) => return Err(Problem::Broken(error)),
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
