//! Signing in with an identity provider (OpenID Connect): authorization code with PKCE, state and nonce. The provider
//! says who it is; which account that is, and what it may do, is kept here.

use std::pin::Pin;
use std::time::Duration;

use anyhow::{Context, anyhow};
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreIdTokenClaims, CoreProviderMetadata,
};
use openidconnect::{
    AccessTokenHash, AsyncHttpClient, AuthorizationCode, ClientId, ClientSecret, CsrfToken,
    HttpRequest, HttpResponse, IssuerUrl, Nonce, OAuth2TokenResponse, PkceCodeChallenge,
    PkceCodeVerifier, RedirectUrl, Scope, TokenResponse,
};
use reqwest::{Client, redirect};
use url::Url;

use crate::settings::{Claim, Identity};

/// Longest wait for an answer of the provider.
const PATIENCE: Duration = Duration::from_secs(10);
/// Largest answer of the provider, in bytes.
const LARGEST_ANSWER: usize = 1024 * 1024;

/// The provider of the settings.
#[derive(Debug, Clone)]
pub struct Provider {
    settings: Identity,
    secret: Option<String>,
    back: Url,
    http: Http,
}

/// A sign-in that was begun: where to send the browser, and what it must bring back.
#[derive(Debug)]
pub struct Begun {
    /// The provider's page.
    pub url: Url,
    /// What comes back with the code.
    pub state: String,
    /// What stands in the token that the code is exchanged for.
    pub nonce: String,
    /// What the code is exchanged with.
    pub verifier: String,
}

impl Provider {
    /// The provider of the settings, which sends browsers back to `back`.
    ///
    /// # Errors
    /// When the secret cannot be read.
    pub fn new(settings: Identity, back: Url) -> anyhow::Result<Self> {
        let secret = settings
            .client_secret
            .read("console.identity.client_secret")?;
        let http = Client::builder()
            .timeout(PATIENCE)
            .redirect(redirect::Policy::none())
            .build()?;
        Ok(Self {
            settings,
            secret,
            back,
            http: Http(http),
        })
    }

    /// What pages call it.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.settings.label
    }

    /// Begins a sign-in.
    ///
    /// # Errors
    /// When the provider does not say where.
    pub async fn begin(&self) -> anyhow::Result<Begun> {
        let metadata = self.discover().await?;
        let client = CoreClient::from_provider_metadata(metadata, self.id(), None)
            .set_redirect_uri(RedirectUrl::from_url(self.back.clone()));
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let (url, state, nonce) = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                CsrfToken::new_random,
                Nonce::new_random,
            )
            .add_scope(Scope::new(self.scope().to_owned()))
            .set_pkce_challenge(challenge)
            .url();
        Ok(Begun {
            url,
            state: state.into_secret(),
            nonce: nonce.secret().clone(),
            verifier: verifier.into_secret(),
        })
    }

    /// Exchanges the code that a browser brought for the name of the account.
    ///
    /// # Errors
    /// When the provider does not exchange it, or its token is not good.
    pub async fn finish(&self, code: &str, nonce: &str, verifier: &str) -> anyhow::Result<String> {
        let metadata = self.discover().await?;
        let secret = self.secret.clone().map(ClientSecret::new);
        let client = CoreClient::from_provider_metadata(metadata, self.id(), secret)
            .set_redirect_uri(RedirectUrl::from_url(self.back.clone()));
        let answer = client
            .exchange_code(AuthorizationCode::new(code.to_owned()))?
            .set_pkce_verifier(PkceCodeVerifier::new(verifier.to_owned()))
            .request_async(&self.http)
            .await
            .map_err(|error| anyhow!("the code was not exchanged: {error}"))?;
        let token = answer.id_token().context("there is no ID token")?;
        let judge = client.id_token_verifier();
        let claims = token.claims(&judge, &Nonce::new(nonce.to_owned()))?;
        if let Some(expected) = claims.access_token_hash() {
            let found = AccessTokenHash::from_token(
                answer.access_token(),
                token.signing_alg()?,
                token.signing_key(&judge)?,
            )?;
            anyhow::ensure!(found == *expected, "the access token is another's");
        }
        self.name(claims)
    }

    fn name(&self, claims: &CoreIdTokenClaims) -> anyhow::Result<String> {
        let name = match self.settings.claim {
            Claim::Subject => Some(claims.subject().as_str()),
            Claim::PreferredUsername => claims.preferred_username().map(|name| name.as_str()),
            Claim::Email => {
                // Who may write any address there must not become whoever has it.
                anyhow::ensure!(
                    claims.email_verified() == Some(true),
                    "the address is not verified"
                );
                claims.email().map(|email| email.as_str())
            }
        };
        Ok(name.context("the ID token lacks the claim")?.to_owned())
    }

    fn scope(&self) -> &'static str {
        match self.settings.claim {
            Claim::Email => "email",
            Claim::Subject | Claim::PreferredUsername => "profile",
        }
    }

    fn id(&self) -> ClientId {
        ClientId::new(self.settings.client_id.clone())
    }

    /// What the provider says of itself, with its keys. It is asked each time, so that new keys are known at once.
    async fn discover(&self) -> anyhow::Result<CoreProviderMetadata> {
        let issuer = IssuerUrl::new(self.settings.issuer.clone())?;
        CoreProviderMetadata::discover_async(issuer, &self.http)
            .await
            .map_err(|error| anyhow!("the provider is not there: {error}"))
    }
}

/// Asks the provider.
#[derive(Debug, Clone)]
struct Http(Client);

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = Failed;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, Failed>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let request = reqwest::Request::try_from(request)?;
            let mut answer = self.0.execute(request).await?;
            let (status, headers) = (answer.status(), answer.headers().clone());
            let mut body = Vec::new();
            while let Some(part) = answer.chunk().await? {
                if body.len() + part.len() > LARGEST_ANSWER {
                    return Err(Failed::TooLarge);
                }
                body.extend_from_slice(&part);
            }
            let mut response = HttpResponse::new(body);
            *response.status_mut() = status;
            *response.headers_mut() = headers;
            Ok(response)
        })
    }
}

/// The provider was not reached.
#[derive(Debug, thiserror::Error)]
enum Failed {
    /// Asking it failed.
    #[error("{0}")]
    Http(#[from] reqwest::Error),
    /// It answers too much.
    #[error("its answer is too large")]
    TooLarge,
}

impl super::Accounts {
    /// The active account of a name that an identity provider vouches for.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn vouched(&self, name: &str) -> Result<Option<super::User>, super::AccountError> {
        let row = sqlx::query("SELECT * FROM users WHERE name = $1 AND active = 1")
            .bind(name)
            .fetch_optional(self.store.pool())
            .await?;
        row.as_ref().map(super::read).transpose()
    }
}
