//! The duty officer at work: cases are dispatched, dismissed, noted and opened again through the API of whichever responder answers.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use tokio::sync::RwLock;
use tokio::task::JoinSet;

use crate::soak::account::Place;

/// Longest wait for an answer.
const ANSWER: Duration = Duration::from_secs(20);
/// Wait between two moves.
const PACE: Duration = Duration::from_millis(200);

/// Moves that a responder confirmed: by case and version, what was done.
type Confirmed = Arc<Mutex<BTreeMap<Place, String>>>;

/// The desk, at work as long as this is kept.
#[derive(Debug)]
pub(crate) struct Desk {
    confirmed: Confirmed,
    tasks: JoinSet<anyhow::Result<()>>,
}

impl Desk {
    /// Works with the responders at these addresses.
    #[must_use]
    pub(crate) fn open(
        flow: Arc<RwLock<()>>,
        consoles: Vec<String>,
        token: String,
        seed: u64,
    ) -> Self {
        let confirmed = Confirmed::default();
        let mut tasks = JoinSet::new();
        let officer = Officer {
            client: reqwest::Client::new(),
            consoles,
            token,
            random: StdRng::seed_from_u64(seed),
        };
        tasks.spawn(work(officer, flow, Arc::clone(&confirmed)));
        Self { confirmed, tasks }
    }

    /// The moves confirmed so far.
    #[must_use]
    pub(crate) fn confirmed(&self) -> BTreeMap<Place, String> {
        (self.confirmed.lock())
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// How many were.
    #[must_use]
    pub(crate) fn count(&self) -> usize {
        (self.confirmed.lock())
            .unwrap_or_else(PoisonError::into_inner)
            .len()
    }

    /// Fails when the desk has broken off.
    ///
    /// # Errors
    /// Says how.
    pub(crate) fn check(&mut self) -> anyhow::Result<()> {
        match self.tasks.try_join_next() {
            Some(ended) => ended?.context("the desk broke off"),
            None => Ok(()),
        }
    }
}

async fn work(
    mut officer: Officer,
    flow: Arc<RwLock<()>>,
    confirmed: Confirmed,
) -> anyhow::Result<()> {
    loop {
        tokio::time::sleep(PACE).await;
        let _flow = flow.read().await;
        // A responder that is down, or another that was faster: the officer looks again.
        if let Some((case, version, action)) = officer.step().await {
            (confirmed.lock().unwrap_or_else(PoisonError::into_inner))
                .insert((case, version), action);
        }
    }
}

struct Officer {
    client: reqwest::Client,
    consoles: Vec<String>,
    token: String,
    random: StdRng,
}

impl Officer {
    /// Makes a move on some case; says which, when a responder confirmed it.
    async fn step(&mut self) -> Option<(String, u32, String)> {
        let console = self.random.random_range(0..self.consoles.len());
        let cases = format!("{}/api/v1/cases", self.consoles[console]);
        let (client, token) = (self.client.clone(), self.token.clone());
        let asked = |request: reqwest::RequestBuilder| {
            let request = request.bearer_auth(&token).timeout(ANSWER);
            async move {
                let answer = request.send().await.ok()?;
                let answer = answer.error_for_status().ok()?;
                answer.json::<Value>().await.ok()
            }
        };
        let state = ["pending", "pending", "dispatched", "dismissed"];
        let state = state[self.random.random_range(0..state.len())];
        let page = asked(client.get(format!("{cases}?state={state}&limit=50"))).await?;
        let found = page["items"].as_array().filter(|found| !found.is_empty())?;
        let case = &found[self.random.random_range(0..found.len())];
        let (id, version) = (case["id"].as_str()?, case["version"].as_i64()?);
        let lead = case["parts"][0]["unit"].as_str().unwrap_or_default();
        let note = "演练";
        let deed = match (state, self.random.random_range(0..2)) {
            ("pending", 0) => json!({"action": "dispatch", "version": version, "lead": lead}),
            ("pending", _) => json!({"action": "dismiss", "version": version, "note": note}),
            ("dismissed", _) => json!({"action": "reopen", "version": version, "note": note}),
            (_, 0) => json!({"action": "urge", "version": version}),
            (_, _) => json!({"action": "note", "version": version, "note": note}),
        };
        let made = asked(client.post(format!("{cases}/{id}/moves")).json(&deed)).await?;
        let version = u32::try_from(made["version"].as_i64()?).ok()?;
        Some((id.to_owned(), version, deed["action"].as_str()?.to_owned()))
    }
}
