//! Webhooks: the notice as JSON, and bodies made for gateways.

use responder::notify::channel::{Channel, Line};
use responder::notify::refusal::Again;
use serde_json::{Value, json};

use super::matter::{HOSTILE, LINK, body, message, morning};
use super::service::{Answer, Service, secret, webhook};

async fn sent(
    fields: Value,
    to: &str,
) -> (Service, Result<(), responder::notify::refusal::Refusal>) {
    let service = Service::start(webhook).await;
    let mut all =
        json!({ "name": "sms", "kind": "webhook", "url": format!("{}sms?app=1", service.url) });
    all.as_object_mut()
        .unwrap()
        .extend(fields.as_object().unwrap().clone());
    let channel: Channel = serde_json::from_value(all).unwrap();
    assert_eq!(channel.check(), Vec::<String>::new());
    let body = body(HOSTILE, "尽快处理");
    let went = Line::open(&channel)
        .unwrap()
        .send(&message(&body, to), morning())
        .await;
    (service, went)
}

#[tokio::test]
async fn without_a_template_it_is_the_notice_as_json_with_its_id_and_a_token() {
    let (service, went) = sent(json!({ "token": secret("webhook-token") }), "").await;
    assert_eq!(went, Ok(()));
    let call = service.calls().pop().unwrap();
    assert_eq!(call.headers["idempotency-key"], "notice-1");
    assert_eq!(call.headers["authorization"], "Bearer webhook-token");
    assert_eq!(call.body["kind"], "dispatch");
    assert_eq!(call.body["action"], "派单");
    assert_eq!(call.body["title"], HOSTILE);
    assert_eq!(call.body["link"], LINK);
}

#[tokio::test]
async fn a_template_makes_a_gateways_json_whatever_the_title_is() {
    let template = "{\"phone\": {{ to }}, \"params\": [{{ short }}, {{ notice.level }}], \"text\": {{ text }}{% if notice.case %}, \"case\": {{ notice.case }}{% endif %}}";
    let (service, went) = sent(json!({ "body": template }), "13900000000").await;
    assert_eq!(went, Ok(()));
    let call = service.calls().pop().unwrap();
    assert_eq!(call.headers["content-type"], "application/json");
    assert_eq!(call.headers["idempotency-key"], "notice-1");
    assert_eq!(call.body["phone"], "13900000000");
    assert_eq!(call.body["params"][1], 2);
    assert_eq!(call.body["case"], "5f0c");
    let short = call.body["params"][0].as_str().unwrap();
    assert!(short.ends_with(LINK) && !short.contains('\n'), "{short}");
}

#[tokio::test]
async fn a_form_and_xml_are_escaped_for_what_they_are() {
    let form = "mobile={{ to }}&content={{ subject }}&extra=%26";
    let (service, went) = sent(json!({ "body": form, "body_type": "form" }), "139&x=1").await;
    assert_eq!(went, Ok(()));
    let call = service.calls().pop().unwrap();
    let pairs: Vec<(String, String)> = url::form_urlencoded::parse(&call.bytes)
        .into_owned()
        .collect();
    assert_eq!(pairs.len(), 3, "{pairs:?}");
    assert_eq!(pairs[0], ("mobile".to_owned(), "139&x=1".to_owned()));
    assert!(pairs[1].1.starts_with("【派单通知】"));

    let xml = "<sms><to>{{ to }}</to><text>{{ notice.title }}</text></sms>";
    let (service, went) = sent(json!({ "body": xml, "body_type": "xml" }), "a").await;
    assert_eq!(went, Ok(()));
    let text = String::from_utf8(service.calls().pop().unwrap().bytes).unwrap();
    assert_eq!(text.matches('<').count(), 6, "{text}");
}

#[tokio::test]
async fn a_gateway_that_says_no_in_a_good_answer_did_not_take_it() {
    let done = json!({ "done": { "at": "/code", "is": ["OK", "0"] } });
    let (service, went) = sent(done.clone(), "").await;
    assert_eq!(went, Ok(()));
    for (answer, again) in [
        (Answer::Json(json!({ "code": 0 })), None),
        (
            Answer::Json(json!({ "code": "isv.BUSINESS_LIMIT" })),
            Some(Again::Never),
        ),
        (Answer::Json(json!({})), Some(Again::Never)),
        (Answer::Text("OK"), Some(Again::Later)),
        (Answer::Endless, Some(Again::Later)),
    ] {
        service.then([answer]);
        let mut fields = done.clone();
        fields["name"] = json!("sms");
        fields["kind"] = json!("webhook");
        fields["url"] = json!(service.url);
        let line = Line::open(&serde_json::from_value(fields).unwrap()).unwrap();
        let body = body("停水", "");
        let went = line.send(&message(&body, ""), morning()).await;
        assert_eq!(went.err().map(|refusal| refusal.again), again);
    }
}
