//! Signing in with an identity provider: a small one on loopback that checks what it is asked, and that can lie.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use openidconnect::core::{CoreEdDsaPrivateSigningKey, CoreJwsSigningAlgorithm};
use openidconnect::{JsonWebKeyId, PrivateSigningKey};
use responder::account::NewUser;
use responder::case::Role;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;

use crate::served::{Answer, Office, PASSWORD, Person, office, office_with};
use crate::stores::{Kept, on_each_store};

on_each_store!(
    whom_the_provider_vouches_for_signs_in_as_the_account_of_that_name,
    a_sign_in_that_was_not_begun_in_this_browser_is_refused,
    a_token_that_is_not_good_is_refused,
    without_a_provider_there_is_nothing_of_it,
);

const CLIENT: &str = "wensheng";
const SECRET: &str = "the console's secret";

/// What the provider says, and what it was asked.
#[derive(Clone)]
struct Provider {
    issuer: String,
    /// Claims that take the place of the right ones.
    lies: Arc<Mutex<BTreeMap<String, Value>>>,
    /// The challenge and the nonce of the sign-in under way.
    asked: Arc<Mutex<(String, String)>>,
    key: Arc<Mutex<String>>,
}

fn new_key() -> String {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    let der = STANDARD.encode(key.serialize_der()).into_bytes();
    let lines: Vec<_> = der.chunks(64).map(String::from_utf8_lossy).collect();
    let lines = lines.join("\n");
    format!("-----BEGIN PRIVATE KEY-----\n{lines}\n-----END PRIVATE KEY-----\n")
}

fn signing(pem: &str) -> CoreEdDsaPrivateSigningKey {
    let id = JsonWebKeyId::new("one".to_owned());
    CoreEdDsaPrivateSigningKey::from_ed25519_pem(pem, Some(id)).unwrap()
}

impl Provider {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let pem = new_key();
        let provider = Self {
            issuer: format!("http://{}", listener.local_addr().unwrap()),
            lies: Arc::default(),
            asked: Arc::default(),
            key: Arc::new(Mutex::new(pem.clone())),
        };
        let issuer = provider.issuer.clone();
        let about = json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{issuer}/authorize"),
            "token_endpoint": format!("{issuer}/token"),
            "jwks_uri": format!("{issuer}/keys"),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["EdDSA"],
        });
        let keys = json!({ "keys": [signing(&pem).as_verification_key()] });
        let router = Router::new()
            .route(
                "/.well-known/openid-configuration",
                get(async || Json(about)),
            )
            .route("/keys", get(async || Json(keys)))
            .route("/token", post(token))
            .with_state(provider.clone());
        tokio::spawn(async { axum::serve(listener, router).await.unwrap() });
        provider
    }

    fn lie(&self, claim: &str, value: Value) {
        let mut lies = self.lies.lock().unwrap();
        lies.clear();
        lies.insert(claim.to_owned(), value);
    }

    async fn office(&self, kept: Kept) -> Office {
        let secret = std::env::temp_dir().join(format!("wensheng-test-{}", std::process::id()));
        std::fs::write(&secret, SECRET).unwrap();
        let identity = json!({
            "issuer": self.issuer, "client_id": CLIENT, "client_secret": { "file": secret }
        });
        office_with(kept, &identity, None).await
    }

    /// Goes to the provider as a browser does, and gives the address that it is sent back to.
    async fn visit(&self, person: &mut Person, next: &str) -> String {
        let sent = person.get(&format!("/login/identity?next={next}")).await;
        assert_eq!(sent.status, 303, "{}", sent.text);
        let page: url::Url = sent.location().parse().unwrap();
        assert!(
            page.as_str()
                .starts_with(&format!("{}/authorize?", self.issuer))
        );
        let asked: BTreeMap<_, _> = page.query_pairs().into_owned().collect();
        assert_eq!(asked["client_id"], CLIENT);
        assert_eq!(asked["response_type"], "code");
        assert_eq!(asked["code_challenge_method"], "S256");
        assert!(asked["redirect_uri"].ends_with("/login/identity/back"));
        assert_eq!(asked["scope"], "openid profile");
        *self.asked.lock().unwrap() = (asked["code_challenge"].clone(), asked["nonce"].clone());
        format!("/login/identity/back?code=good&state={}", asked["state"])
    }
}

/// Exchanges a code for a token.
async fn token(
    State(provider): State<Provider>,
    headers: HeaderMap,
    body: String,
) -> Result<Json<Value>, StatusCode> {
    let given: BTreeMap<_, _> = url::form_urlencoded::parse(body.as_bytes())
        .into_owned()
        .collect();
    let (challenge, nonce) = provider.asked.lock().unwrap().clone();
    let digest = Sha256::digest(given["code_verifier"].as_bytes());
    let secret: String = url::form_urlencoded::byte_serialize(SECRET.as_bytes()).collect();
    let client = STANDARD.encode(format!("{CLIENT}:{secret}"));
    let known = headers["authorization"] == format!("Basic {client}");
    if given["code"] != "good" || URL_SAFE_NO_PAD.encode(digest) != challenge || !known {
        return Err(StatusCode::BAD_REQUEST);
    }
    let now = Timestamp::now().as_second();
    let mut claims = json!({
        "iss": provider.issuer, "aud": CLIENT, "sub": "0001", "exp": now + 60, "iat": now, "nonce": nonce,
        "preferred_username": "officer",
    });
    for (claim, value) in &*provider.lies.lock().unwrap() {
        claims[claim] = value.clone();
    }
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let head = part(&json!({ "alg": "EdDSA", "kid": "one" }));
    let said = format!("{head}.{}", part(&claims));
    let key = signing(&provider.key.lock().unwrap());
    let signature = key
        .sign(&CoreJwsSigningAlgorithm::EdDsa, said.as_bytes())
        .unwrap();
    Ok(Json(json!({
        "access_token": "none", "token_type": "Bearer",
        "id_token": format!("{said}.{}", URL_SAFE_NO_PAD.encode(signature)),
    })))
}

fn is_refused(answer: &Answer, why: &str) {
    assert_eq!(answer.status, 401, "{}", answer.text);
    assert!(answer.text.contains(why), "{}", answer.text);
}

async fn whom_the_provider_vouches_for_signs_in_as_the_account_of_that_name(kept: Kept) {
    let provider = Provider::start().await;
    let office = provider.office(kept).await;
    let mut person = office.nobody();
    let page = person.get("/login?next=/cases").await;
    assert!(page.text.contains("统一身份认证登录"), "{}", page.text);
    let back = provider
        .visit(&mut person, "%2Fcases%3Fstate%3Dpending")
        .await;
    let answer = person.get(&back).await;
    assert_eq!(
        (answer.status, answer.location()),
        (303, "/cases?state=pending"),
        "{}",
        answer.text
    );
    assert_eq!(person.get("/api/v1/me").await.json()["name"], "officer");
    let audit = office.accounts.audit_log(1).await.unwrap();
    assert_eq!(
        (
            audit[0].user.as_str(),
            audit[0].action.as_str(),
            audit[0].subject.as_str()
        ),
        ("officer", "sign-in", "identity-provider")
    );
    is_refused(&person.clone().get(&back).await, "登录已过期");

    // A password that the administrator set need not be changed by one who needs none.
    let zhang = NewUser {
        name: "zhang".to_owned(),
        display_name: "张三".to_owned(),
        role: Role::Auditor,
        region: String::new(),
        unit: String::new(),
        password: PASSWORD.to_owned(),
        must_change: true,
    };
    office.accounts.add(&zhang, Timestamp::now()).await.unwrap();
    provider.lie("preferred_username", json!("zhang"));
    let mut zhang = office.nobody();
    let back = provider.visit(&mut zhang, "/").await;
    assert_eq!(zhang.get(&back).await.status, 303);
    assert_eq!(zhang.get("/audit").await.status, 200);
    let mut by_password = office.nobody();
    by_password.sign_in("zhang", PASSWORD).await;
    assert_eq!(by_password.get("/audit").await.location(), "/account");

    provider.lie("preferred_username", json!("nobody-known"));
    let mut stranger = office.nobody();
    let back = provider.visit(&mut stranger, "/").await;
    is_refused(&stranger.get(&back).await, "没有对应的账号");
}

async fn a_sign_in_that_was_not_begun_in_this_browser_is_refused(kept: Kept) {
    let provider = Provider::start().await;
    let office = provider.office(kept).await;
    let mut attacker = office.nobody();
    let back = provider.visit(&mut attacker, "/").await;
    is_refused(&office.nobody().get(&back).await, "登录已过期");
    let mut victim = office.nobody();
    provider.visit(&mut victim, "/").await;
    is_refused(&victim.get(&back).await, "登录已过期");
    let mut elsewhere = office.nobody();
    let back = provider
        .visit(&mut elsewhere, "https%3A%2F%2Fevil.test")
        .await;
    assert_eq!(
        elsewhere.get(&back).await.location(),
        "/",
        "one stays in the console"
    );
    let mut denied = office.nobody();
    let back = provider.visit(&mut denied, "/").await;
    let back = back.replace("code=good", "error=access_denied");
    is_refused(&denied.get(&back).await, "未完成");
}

async fn a_token_that_is_not_good_is_refused(kept: Kept) {
    let provider = Provider::start().await;
    let office = provider.office(kept).await;
    let now = Timestamp::now().as_second();
    for (claim, lie) in [
        ("iss", json!("http://127.0.0.1:9")),
        ("aud", json!("another")),
        ("exp", json!(now - 1)),
        ("nonce", json!("another")),
        ("preferred_username", Value::Null),
    ] {
        provider.lie(claim, lie);
        let mut person = office.nobody();
        let back = provider.visit(&mut person, "/").await;
        is_refused(&person.get(&back).await, "未通过");
    }
    provider.lie("email", json!("officer"));
    *provider.key.lock().unwrap() = new_key();
    let mut person = office.nobody();
    let back = provider.visit(&mut person, "/").await;
    is_refused(&person.get(&back).await, "未通过");
    let back = provider.visit(&mut person, "/").await;
    is_refused(&person.get(&back.replace("good", "bad")).await, "未通过");
}

async fn without_a_provider_there_is_nothing_of_it(kept: Kept) {
    let office = office(kept).await;
    let mut person = office.nobody();
    assert!(!person.get("/login").await.text.contains("统一身份认证"));
    for path in ["/login/identity", "/login/identity/back?code=good&state=1"] {
        assert_eq!(person.get(path).await.status, 404, "{path}");
    }
}
