//! A language model on loopback.

use std::sync::{Arc, Mutex};

use responder::settings::DraftHelp;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// A language model on loopback that gives every request the same bytes, and what it was asked.
pub(crate) struct Endpoint {
    url: String,
    pub(crate) asked: Arc<Mutex<String>>,
}

impl Endpoint {
    pub(crate) async fn start(answer: Vec<u8>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!(
            "http://{}/v1/chat/completions",
            listener.local_addr().unwrap()
        );
        let asked = Arc::new(Mutex::new(String::new()));
        let kept = Arc::clone(&asked);
        tokio::spawn(async move {
            let mut silent = Vec::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut bytes = vec![0; 64 << 10];
                let mut read = 0;
                loop {
                    read += stream.read(&mut bytes[read..]).await.unwrap();
                    if bytes[..read].ends_with(b"}") {
                        break;
                    }
                }
                let request = String::from_utf8_lossy(&bytes[..read]).into_owned();
                kept.lock().unwrap().push_str(&request);
                if answer.is_empty() {
                    silent.push(stream);
                } else {
                    drop(stream.write_all(&answer).await);
                }
            }
        });
        Self { url, asked }
    }

    pub(crate) async fn answering(status: &str, body: &str) -> Self {
        let length = body.len();
        let answer = format!(
            "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
        );
        Self::start(answer.into_bytes()).await
    }

    pub(crate) async fn saying(content: &str) -> Self {
        let body = serde_json::json!({ "choices": [{ "message": { "content": content } }] });
        Self::answering("200 OK", &body.to_string()).await
    }

    pub(crate) fn settings(&self) -> DraftHelp {
        serde_json::from_value(serde_json::json!({
            "url": self.url, "model": "大模型", "timeout_seconds": 1,
        }))
        .unwrap()
    }
}
