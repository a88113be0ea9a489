//! Mail.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use report::Form;
use responder::notify::channel::{Channel, Line};
use responder::notify::message::Message;
use responder::notify::refusal::{Again, Refusal};
use responder::paper::Printed;
use serde_json::{Value, json};

use super::mail_server::{MailServer, Manner};
use super::matter::{HOSTILE, LINK, body, message, morning};
use super::service::secret;

fn settings(server: &MailServer, extra: Value) -> Channel {
    let mut fields = json!({
        "name": "mail", "kind": "smtp", "host": "localhost", "port": server.port, "timeout_seconds": 2,
        "authority": server.authority.to_path_buf(), "from": "闻声 <wensheng@county.test>",
    });
    fields
        .as_object_mut()
        .unwrap()
        .extend(extra.as_object().unwrap().clone());
    let channel: Channel = serde_json::from_value(fields).unwrap();
    assert_eq!(channel.check(), Vec::<String>::new());
    channel
}

async fn send(server: &MailServer, extra: Value) -> Result<(), Refusal> {
    let body = body(HOSTILE, "今日内答复");
    Line::open(&settings(server, extra))
        .unwrap()
        .send(&message(&body, "zhang@unit.test"), morning())
        .await
}

fn decoded(text: &str) -> String {
    let (_, body) = text.split_once("\r\n\r\n").unwrap();
    String::from_utf8(STANDARD.decode(body.replace("\r\n", "")).unwrap()).unwrap()
}

#[tokio::test]
async fn a_mail_goes_over_starttls_signed_in_with_the_notices_id() {
    let server = MailServer::start(Manner::default()).await;
    let account = json!({ "user": "office", "password": secret("mail-secret") });
    assert_eq!(send(&server, account).await, Ok(()));
    let mail = server.mails().pop().unwrap();
    assert!(mail.protected);
    assert_eq!(mail.user, "office");
    assert!(mail.from.contains("wensheng@county.test"));
    assert!(mail.to.contains("zhang@unit.test"));
    assert!(
        mail.text.contains("Message-ID: <notice-1@county.test>"),
        "{}",
        mail.text
    );
    assert!(
        mail.text.contains("Date: Mon, 23 Nov 2026 00:30:00"),
        "{}",
        mail.text
    );
    assert_eq!(mail.text.matches("\r\nSubject: ").count(), 1);
    let text = decoded(&mail.text);
    assert!(text.contains("派单意见：今日内答复"), "{text}");
    assert!(text.ends_with(LINK), "{text}");
}

#[tokio::test]
async fn files_go_along_with_a_mail() {
    let server = MailServer::start(Manner::default()).await;
    let body = body(HOSTILE, "今日内答复");
    let bytes = b"PK\x03\x04 a document".to_vec();
    let files = [Printed {
        file: "docx".to_owned(),
        name: "weekly-360921-2026-11-16-2026-11-22.docx".to_owned(),
        kind: Form::Docx.content_type().to_owned(),
        bytes: bytes.clone(),
    }];
    let message = Message {
        files: &files,
        ..message(&body, "zhang@unit.test")
    };
    let line = Line::open(&settings(&server, json!({}))).unwrap();
    assert!(line.takes_files());
    line.send(&message, morning()).await.unwrap();
    let mail = server.mails().pop().unwrap().text;
    assert!(mail.contains("multipart/mixed"), "{mail}");
    assert!(mail.contains("filename=\"report.docx\""), "{mail}");
    assert!(mail.contains(&STANDARD.encode(bytes)), "{mail}");
    assert!(
        mail.contains("Message-ID: <notice-1@county.test>"),
        "{mail}"
    );
}

#[tokio::test]
async fn tls_from_the_first_byte_and_none_at_all_are_settings() {
    let wrapped = MailServer::start(Manner {
        wrapped: true,
        ..Manner::default()
    })
    .await;
    assert_eq!(send(&wrapped, json!({ "protection": "tls" })).await, Ok(()));
    let plain = MailServer::start(Manner {
        no_tls: true,
        ..Manner::default()
    })
    .await;
    assert_eq!(send(&plain, json!({ "protection": "none" })).await, Ok(()));
    assert!(!plain.mails().pop().unwrap().protected);
}

#[tokio::test]
async fn without_tls_or_with_a_stranger_nothing_is_sent() {
    let plain = MailServer::start(Manner {
        no_tls: true,
        ..Manner::default()
    })
    .await;
    let refusal = send(&plain, json!({})).await.unwrap_err();
    assert_eq!(refusal.again, Again::Never);
    assert!(refusal.problem.contains("STARTTLS"), "{}", refusal.problem);
    let server = MailServer::start(Manner::default()).await;
    let refusal = send(&server, json!({ "authority": null }))
        .await
        .unwrap_err();
    assert_eq!(refusal.again, Again::Later, "{}", refusal.problem);
    assert!(plain.mails().is_empty() && server.mails().is_empty());
}

#[tokio::test]
async fn what_is_refused_for_good_is_given_up_and_the_rest_is_tried_again() {
    for (recipient, again) in [
        (
            "550 5.1.1 <zhang@unit.test> is not known here",
            Again::Never,
        ),
        ("451 4.7.1 <zhang@unit.test> is greylisted", Again::Later),
        ("421 4.3.2 going down", Again::Later),
    ] {
        let server = MailServer::start(Manner {
            recipient: Some(recipient),
            ..Manner::default()
        })
        .await;
        let refusal = send(&server, json!({})).await.unwrap_err();
        assert_eq!(refusal.again, again, "{}", refusal.problem);
        assert!(!refusal.problem.contains("zhang"), "{}", refusal.problem);
    }
}

#[tokio::test]
async fn a_wrong_password_is_named_as_such_and_not_told() {
    let server = MailServer::start(Manner::default()).await;
    let account = json!({ "user": "office", "password": secret("wrong") });
    let refusal = send(&server, account).await.unwrap_err();
    assert_eq!(refusal.again, Again::Never);
    assert!(refusal.problem.contains("535"), "{}", refusal.problem);
    assert!(!refusal.problem.contains("office"), "{}", refusal.problem);
}

#[tokio::test]
async fn a_server_that_hangs_or_is_gone_is_tried_again() {
    let server = MailServer::start(Manner {
        hangs: true,
        ..Manner::default()
    })
    .await;
    let refusal = send(&server, json!({ "timeout_seconds": 1 }))
        .await
        .unwrap_err();
    assert_eq!(refusal.again, Again::Later);
    assert!(refusal.problem.contains("in time"), "{}", refusal.problem);
    let gone = send(&server, json!({ "port": 9 })).await.unwrap_err();
    assert_eq!(gone.again, Again::Later);
}
