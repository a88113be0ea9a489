//! A small mail server: STARTTLS with a certificate of its own, one account, and the refusals it is told to give.

use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tempfile::{NamedTempFile, TempPath};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

/// How the server behaves.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Manner {
    /// It does not offer STARTTLS.
    pub(crate) no_tls: bool,
    /// It speaks TLS from the first byte.
    pub(crate) wrapped: bool,
    /// It answers a recipient so.
    pub(crate) recipient: Option<&'static str>,
    /// It takes the text of a mail and says nothing more.
    pub(crate) hangs: bool,
}

/// A mail that was taken.
#[derive(Debug, Clone, Default)]
pub(crate) struct Mail {
    pub(crate) protected: bool,
    pub(crate) user: String,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) text: String,
}

/// The server.
#[derive(Debug, Clone)]
pub(crate) struct MailServer {
    pub(crate) port: u16,
    /// The file with its certificate.
    pub(crate) authority: Arc<TempPath>,
    mails: Arc<Mutex<Vec<Mail>>>,
}

impl MailServer {
    pub(crate) async fn start(manner: Manner) -> Self {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let certificate = made.cert.der().clone();
        let pem = format!(
            "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
            STANDARD.encode(&certificate)
        );
        let authority = NamedTempFile::new().unwrap().into_temp_path();
        std::fs::write(&authority, pem).unwrap();
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let settings = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key.into())
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(settings));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            port: listener.local_addr().unwrap().port(),
            authority: Arc::new(authority),
            mails: Arc::default(),
        };
        let mails = Arc::clone(&server.mails);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, mails) = (acceptor.clone(), Arc::clone(&mails));
                tokio::spawn(async move { serve(stream, acceptor, manner, mails).await });
            }
        });
        server
    }

    pub(crate) fn mails(&self) -> Vec<Mail> {
        self.mails.lock().unwrap().clone()
    }
}

async fn serve(
    stream: TcpStream,
    acceptor: TlsAcceptor,
    manner: Manner,
    mails: Arc<Mutex<Vec<Mail>>>,
) -> std::io::Result<()> {
    if manner.wrapped {
        let stream = acceptor.accept(stream).await?;
        talk(stream, manner, true, true, &mails).await?;
        return Ok(());
    }
    if let Some(stream) = talk(stream, manner, false, true, &mails).await? {
        let stream = acceptor.accept(stream).await?;
        talk(stream, manner, true, false, &mails).await?;
    }
    Ok(())
}

/// Speaks SMTP until the client leaves; gives the stream back where TLS is to begin.
async fn talk<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    manner: Manner,
    protected: bool,
    greets: bool,
    mails: &Mutex<Vec<Mail>>,
) -> std::io::Result<Option<S>> {
    let mut stream = BufReader::new(stream);
    if greets {
        stream.write_all(b"220 mail.test ready\r\n").await?;
    }
    let mut mail = Mail {
        protected,
        ..Mail::default()
    };
    let mut line = String::new();
    loop {
        line.clear();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        let command = line.trim_end().to_owned();
        let upper = command.to_uppercase();
        let answer = if upper.starts_with("EHLO") {
            if protected {
                "250-mail.test\r\n250 AUTH PLAIN LOGIN"
            } else if manner.no_tls {
                "250 mail.test"
            } else {
                "250-mail.test\r\n250 STARTTLS"
            }
        } else if upper == "STARTTLS" {
            stream.write_all(b"220 go ahead\r\n").await?;
            return Ok(Some(stream.into_inner()));
        } else if let Some(given) = command.strip_prefix("AUTH PLAIN ") {
            let given = String::from_utf8(STANDARD.decode(given).unwrap()).unwrap();
            mail.user = given.split('\0').nth(1).unwrap_or_default().to_owned();
            if given == "\0office\0mail-secret" {
                "235 welcome"
            } else {
                "535 5.7.8 office with mail-secret is not known"
            }
        } else if upper.starts_with("MAIL FROM") {
            mail.from = command;
            "250 ok"
        } else if upper.starts_with("RCPT TO") {
            mail.to = command;
            manner.recipient.unwrap_or("250 ok")
        } else if upper == "DATA" {
            stream.write_all(b"354 end with a dot\r\n").await?;
            loop {
                line.clear();
                stream.read_line(&mut line).await?;
                if line == ".\r\n" {
                    break;
                }
                mail.text.push_str(&line);
            }
            mails.lock().unwrap().push(mail.clone());
            if manner.hangs {
                std::future::pending::<()>().await;
            }
            "250 taken"
        } else if upper == "QUIT" {
            "221 bye"
        } else {
            "250 ok"
        };
        stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
}
