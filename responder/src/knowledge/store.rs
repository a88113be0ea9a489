//! The store of the knowledge base.

use std::collections::BTreeSet;
use std::ops::Range;

use backbone::id;
use backbone::mask;
use backbone::region::{Region, SUBJECTS};
use jiff::Timestamp;
use sqlx::any::{AnyArguments, AnyRow};
use sqlx::{Any, AnyConnection, Arguments, Row};

use super::{Content, Entry, Hit, KnowledgeError, LONGEST, Status};
use crate::case::{Actor, Role};
use crate::likeness::{Pair, Pairs};
use crate::store::{Conditions, Store};

/// Pairs of a search, at most.
const SEARCHED: usize = 40;
/// Pairs, the rarest of these, by which entries to compare are chosen.
const COMPARED_BY: usize = 8;
/// Entries that are compared closely, at most.
const COMPARED: i64 = 60;
/// Entries from which those of the status asked for are taken.
const CHOSEN: i64 = 240;
/// What a pair counts that the question has, against one that only the answer has.
const OF_QUESTION: i64 = 3;
/// The share of the score that the question alone decides.
const QUESTION_SHARE: f64 = 0.7;
/// Characters of an answer by which it is found.
const FOUND_BY: usize = 400;

/// Which entries are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// Only this region; all where empty.
    pub region: String,
    /// Only this status.
    pub status: Option<Status>,
    /// Only this unit's; all where empty.
    pub unit: String,
    /// Only this subject; all where empty.
    pub subject: String,
    /// Of other units than this only what is approved; all where empty.
    pub seen_by: String,
    /// How many to pass over.
    pub offset: u32,
    /// Most to give.
    pub limit: u32,
}

/// The knowledge base.
#[derive(Debug, Clone)]
pub struct Knowledge {
    store: Store,
}

impl Knowledge {
    /// The knowledge base of an opened store.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// Proposes an entry for a region.
    ///
    /// # Errors
    /// When the account may not, something is missing, its question is there already, or the store fails.
    pub async fn propose(
        &self,
        region: &Region,
        content: &Content,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Entry, KnowledgeError> {
        check(region, content)?;
        may_write(actor, region.code(), &content.unit)?;
        let entry = Entry {
            id: id::of("knowledge", &[region.code(), content.question.trim()]),
            region: region.code().to_owned(),
            content: content.clone(),
            status: Status::Proposed,
            written_by: actor.name.clone(),
            written_at: of(now.as_millisecond())?,
            decided_by: String::new(),
            decided_at: None,
            version: 1,
        };
        let mut transaction = self.store.begin().await?;
        let added = sqlx::query(
            "INSERT INTO knowledge (id, region, question, answer, subject, unit, basis, source, status, written_by, \
             written_at, decided_by, decided_at, version) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, '', 0, 1) ON CONFLICT (id) DO NOTHING",
        )
        .bind(&entry.id)
        .bind(&entry.region)
        .bind(&content.question)
        .bind(&content.answer)
        .bind(&content.subject)
        .bind(&content.unit)
        .bind(&content.basis)
        .bind(&content.source)
        .bind(entry.status.name())
        .bind(&entry.written_by)
        .bind(now.as_millisecond())
        .execute(&mut *transaction)
        .await?;
        if added.rows_affected() == 0 {
            return Err(KnowledgeError::Known);
        }
        index(&mut transaction, &entry.id, region.code(), content).await?;
        transaction.commit().await?;
        Ok(entry)
    }

    /// Changes what an entry says; it is proposed again.
    ///
    /// # Errors
    /// As [`Knowledge::propose`], and when it was changed since that version.
    pub async fn change(
        &self,
        region: &Region,
        id: &str,
        version: i64,
        content: &Content,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<(), KnowledgeError> {
        check(region, content)?;
        let entry = self.get(id).await?.ok_or(KnowledgeError::NotFound)?;
        may_write(actor, &entry.region, &entry.content.unit)?;
        may_write(actor, region.code(), &content.unit)?;
        if entry.region != region.code() {
            return Err(KnowledgeError::NotFound);
        }
        let mut transaction = self.store.begin().await?;
        let changed = sqlx::query(
            "UPDATE knowledge SET question = $1, answer = $2, subject = $3, unit = $4, basis = $5, source = $6, \
             status = $7, written_by = $8, written_at = $9, decided_by = '', decided_at = 0, version = version + 1 \
             WHERE id = $10 AND version = $11",
        )
        .bind(&content.question)
        .bind(&content.answer)
        .bind(&content.subject)
        .bind(&content.unit)
        .bind(&content.basis)
        .bind(&content.source)
        .bind(Status::Proposed.name())
        .bind(&actor.name)
        .bind(now.as_millisecond())
        .bind(id)
        .bind(version)
        .execute(&mut *transaction)
        .await?;
        if changed.rows_affected() == 0 {
            return Err(KnowledgeError::Stale);
        }
        index(&mut transaction, id, region.code(), content).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Approves a proposed entry, for the unit that stands for it.
    ///
    /// # Errors
    /// When the account is not of the unit, the entry is not proposed in that version, or the store fails.
    pub async fn approve(
        &self,
        id: &str,
        version: i64,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<(), KnowledgeError> {
        let entry = self.get(id).await?.ok_or(KnowledgeError::NotFound)?;
        let of_the_unit = actor.role.of_unit()
            && actor.region == entry.region
            && actor.unit == entry.content.unit;
        if !of_the_unit {
            return Err(KnowledgeError::NotAllowed(
                "只有该问答的责任单位账号可以审定",
            ));
        }
        self.decide(id, version, Status::Proposed, Status::Approved, actor, now)
            .await
    }

    /// Retires an entry: it is found and shown no longer.
    ///
    /// # Errors
    /// When the account may not, the entry was changed since that version or is retired, or the store fails.
    pub async fn retire(
        &self,
        id: &str,
        version: i64,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<(), KnowledgeError> {
        let entry = self.get(id).await?.ok_or(KnowledgeError::NotFound)?;
        may_write(actor, &entry.region, &entry.content.unit)?;
        if entry.status == Status::Retired {
            return Err(KnowledgeError::Stale);
        }
        self.decide(id, version, entry.status, Status::Retired, actor, now)
            .await
    }

    async fn decide(
        &self,
        id: &str,
        version: i64,
        from: Status,
        to: Status,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<(), KnowledgeError> {
        let mut transaction = self.store.begin().await?;
        let decided = sqlx::query(
            "UPDATE knowledge SET status = $1, decided_by = $2, decided_at = $3, version = version + 1 \
             WHERE id = $4 AND version = $5 AND status = $6",
        )
        .bind(to.name())
        .bind(&actor.name)
        .bind(now.as_millisecond())
        .bind(id)
        .bind(version)
        .bind(from.name())
        .execute(&mut *transaction)
        .await?;
        if decided.rows_affected() == 0 {
            return Err(KnowledgeError::Stale);
        }
        if to == Status::Retired {
            forget(&mut transaction, id).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// The entry of that id.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn get(&self, id: &str) -> Result<Option<Entry>, KnowledgeError> {
        let row = sqlx::query("SELECT * FROM knowledge WHERE id = $1")
            .bind(id)
            .fetch_optional(self.store.pool())
            .await?;
        row.as_ref().map(entry).transpose()
    }

    /// The entries asked for, by subject and question.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn list(&self, query: &Query) -> Result<Vec<Entry>, KnowledgeError> {
        let mut conditions = Conditions::default();
        for (column, value) in [
            ("region", &query.region),
            ("unit", &query.unit),
            ("subject", &query.subject),
        ] {
            if !value.is_empty() {
                conditions.add(&format!("{column} = {{}}"), value.clone())?;
            }
        }
        if !query.seen_by.is_empty() {
            conditions.add("(status = 'approved' OR unit = {})", query.seen_by.clone())?;
        }
        if let Some(status) = query.status {
            conditions.add("status = {}", status.name())?;
        }
        let end = format!(
            "ORDER BY subject, question, id LIMIT {} OFFSET {}",
            query.limit, query.offset
        );
        let (statement, values) = conditions.into_query("SELECT * FROM knowledge", &end);
        let rows = sqlx::query_with(statement, values)
            .fetch_all(self.store.pool())
            .await?;
        rows.iter().map(entry).collect()
    }

    /// The entries of a region that are most like a text, the likest first; retired ones are not found.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn search(
        &self,
        region: &str,
        text: &str,
        status: Option<Status>,
        limit: usize,
    ) -> Result<Vec<Hit>, KnowledgeError> {
        let wanted = Pairs::of(text);
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let rare = self.rarest(region, &wanted).await?;
        let rarity = |pair: &Pair| {
            let text: String = pair.iter().collect();
            // One that no entry has tells nothing about which to prefer, but what a text lacks counts.
            let entries = rare.iter().find(|(pair, _)| *pair == text);
            1.0 / (entries.map_or(1, |(_, entries)| *entries) as f64 + 1.0).ln()
        };
        let mut values = AnyArguments::default();
        let mut bind = |value: String| -> Result<String, sqlx::Error> {
            add(&mut values, value)?;
            Ok(format!("${}", values.len()))
        };
        let region = bind(region.to_owned())?;
        let pairs = (rare.iter().take(COMPARED_BY))
            .map(|(pair, _)| bind(pair.clone()))
            .collect::<Result<Vec<String>, sqlx::Error>>()?
            .join(", ");
        if pairs.is_empty() {
            return Ok(Vec::new());
        }
        let status = match status {
            Some(status) => format!(
                "WHERE knowledge.status = {}",
                bind(status.name().to_owned())?
            ),
            None => String::new(),
        };
        // Safe: only numbers of parameters are put in.
        let statement = sqlx::AssertSqlSafe(format!(
            "SELECT knowledge.* FROM (SELECT entry, CAST(SUM(counts) AS BIGINT) AS shared FROM knowledge_pairs \
             WHERE region = {region} AND pair IN ({pairs}) GROUP BY entry ORDER BY shared DESC, entry LIMIT {CHOSEN}) AS near \
             JOIN knowledge ON knowledge.id = near.entry {status} ORDER BY near.shared DESC, knowledge.id LIMIT {COMPARED}"
        ));
        let rows = sqlx::query_with(statement, values)
            .fetch_all(self.store.pool())
            .await?;
        let mut hits = Vec::with_capacity(rows.len());
        for row in &rows {
            let entry = entry(row)?;
            let question = Pairs::of(&entry.content.question);
            let mut all = question.clone();
            all.add(&found_by(&entry.content.answer));
            let score = QUESTION_SHARE * wanted.within_by(&question, rarity)
                + (1.0 - QUESTION_SHARE) * wanted.within_by(&all, rarity);
            hits.push(Hit { entry, score });
        }
        hits.sort_by(|one, other| {
            let by_score = other.score.total_cmp(&one.score);
            by_score.then_with(|| one.entry.id.cmp(&other.entry.id))
        });
        hits.truncate(limit);
        Ok(hits)
    }
}

impl Knowledge {
    /// The pairs that entries of the region have, with how many have them, the rarest first.
    async fn rarest(
        &self,
        region: &str,
        wanted: &Pairs,
    ) -> Result<Vec<(String, i64)>, sqlx::Error> {
        let mut values = AnyArguments::default();
        add(&mut values, region.to_owned())?;
        let mut places = Vec::new();
        for pair in wanted.iter().take(SEARCHED) {
            add(&mut values, pair.iter().collect())?;
            places.push(format!("${}", values.len()));
        }
        // Safe: only numbers of parameters are put in.
        let statement = sqlx::AssertSqlSafe(format!(
            "SELECT pair, entries FROM knowledge_pair_entries WHERE region = $1 AND entries > 0 AND pair IN ({}) \
             ORDER BY entries, pair",
            places.join(", ")
        ));
        let rows = sqlx::query_with(statement, values)
            .fetch_all(self.store.pool())
            .await?;
        (rows.iter())
            .map(|row| Ok((row.try_get("pair")?, row.try_get("entries")?)))
            .collect()
    }
}

/// Takes the pairs away by which an entry is found.
async fn forget(connection: &mut AnyConnection, id: &str) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE knowledge_pair_entries SET entries = entries - 1 WHERE EXISTS (SELECT 1 FROM knowledge_pairs \
         WHERE knowledge_pairs.entry = $1 AND knowledge_pairs.region = knowledge_pair_entries.region \
         AND knowledge_pairs.pair = knowledge_pair_entries.pair)",
    )
    .bind(id)
    .execute(&mut *connection)
    .await?;
    sqlx::query("DELETE FROM knowledge_pairs WHERE entry = $1")
        .bind(id)
        .execute(connection)
        .await?;
    Ok(())
}

/// What of an answer it is found by.
fn found_by(answer: &str) -> String {
    answer.chars().take(FOUND_BY).collect()
}

fn add(values: &mut AnyArguments, value: String) -> Result<(), sqlx::Error> {
    values.add(value).map_err(sqlx::Error::Encode)
}

/// Writes the pairs by which an entry is found.
async fn index(
    connection: &mut AnyConnection,
    id: &str,
    region: &str,
    content: &Content,
) -> Result<(), sqlx::Error> {
    forget(connection, id).await?;
    let of_question = Pairs::of(&content.question);
    let mut all = of_question.clone();
    all.add(&found_by(&content.answer));
    let in_question: BTreeSet<_> = of_question.iter().collect();
    let pairs: Vec<_> = all.iter().collect();
    for part in pairs.chunks(100) {
        let mut values = AnyArguments::default();
        add(&mut values, region.to_owned())?;
        add(&mut values, id.to_owned())?;
        let mut rows = Vec::with_capacity(part.len());
        let mut counted = Vec::with_capacity(part.len());
        for pair in part {
            add(&mut values, pair.iter().collect())?;
            let counts = if in_question.contains(pair) {
                OF_QUESTION
            } else {
                1
            };
            rows.push(format!("($1, ${}, $2, {counts})", values.len()));
            counted.push(pair.iter().collect::<String>());
        }
        // Safe: only numbers are put in.
        let statement = sqlx::AssertSqlSafe(format!(
            "INSERT INTO knowledge_pairs (region, pair, entry, counts) VALUES {}",
            rows.join(", ")
        ));
        sqlx::query_with::<Any, _>(statement, values)
            .execute(&mut *connection)
            .await?;
        count(connection, region, counted).await?;
    }
    Ok(())
}

/// Counts one entry more for pairs. They come in order, so that two writers wait for each other and neither for both.
async fn count(
    connection: &mut AnyConnection,
    region: &str,
    pairs: Vec<String>,
) -> Result<(), sqlx::Error> {
    let mut values = AnyArguments::default();
    add(&mut values, region.to_owned())?;
    let mut rows = Vec::with_capacity(pairs.len());
    for pair in pairs {
        add(&mut values, pair)?;
        rows.push(format!("($1, ${}, 1)", values.len()));
    }
    // Safe: only numbers are put in.
    let statement = sqlx::AssertSqlSafe(format!(
        "INSERT INTO knowledge_pair_entries (region, pair, entries) VALUES {} \
         ON CONFLICT (region, pair) DO UPDATE SET entries = knowledge_pair_entries.entries + 1",
        rows.join(", ")
    ));
    sqlx::query_with::<Any, _>(statement, values)
        .execute(connection)
        .await?;
    Ok(())
}

fn check(region: &Region, content: &Content) -> Result<(), KnowledgeError> {
    let [question, answer, basis] = LONGEST;
    for (name, text, longest, needed) in [
        ("问题", &content.question, question, true),
        ("答复", &content.answer, answer, true),
        ("依据", &content.basis, basis, false),
    ] {
        if text.chars().count() > longest || (needed && text.trim().is_empty()) {
            return Err(KnowledgeError::Field(name, longest));
        }
        // An office's mail address may be told.
        let tells = |mark: Range<usize>| {
            text.get(mark)
                .is_some_and(|mark| !mark.contains(['@', '＠']))
        };
        if mask::marks(text).into_iter().any(tells) {
            return Err(KnowledgeError::Personal(name));
        }
    }
    if !SUBJECTS.contains(&content.subject.as_str()) {
        return Err(KnowledgeError::Subject(content.subject.clone()));
    }
    match region.unit(&content.unit) {
        Some(_) => Ok(()),
        None => Err(KnowledgeError::Unit(content.unit.clone())),
    }
}

/// The office writes for all units, a unit for itself; who audits changes nothing.
fn may_write(actor: &Actor, region: &str, unit: &str) -> Result<(), KnowledgeError> {
    let other_unit = actor.role.of_unit() && (actor.region != region || actor.unit != unit);
    if actor.role == Role::Auditor || other_unit {
        return Err(KnowledgeError::NotAllowed(
            "只能由办公室或该问答的责任单位修改",
        ));
    }
    Ok(())
}

fn of(milliseconds: i64) -> Result<Timestamp, KnowledgeError> {
    Timestamp::from_millisecond(milliseconds).map_err(|_| KnowledgeError::Unknown)
}

fn entry(row: &AnyRow) -> Result<Entry, KnowledgeError> {
    let text = |column: &str| row.try_get::<String, _>(column);
    let time = |column: &str| -> Result<Timestamp, KnowledgeError> { of(row.try_get(column)?) };
    let decided_at = time("decided_at")?;
    Ok(Entry {
        id: text("id")?,
        region: text("region")?,
        content: Content {
            question: text("question")?,
            answer: text("answer")?,
            subject: text("subject")?,
            unit: text("unit")?,
            basis: text("basis")?,
            source: text("source")?,
        },
        status: Status::named(&text("status")?).ok_or(KnowledgeError::Unknown)?,
        written_by: text("written_by")?,
        written_at: time("written_at")?,
        decided_by: text("decided_by")?,
        decided_at: (decided_at > Timestamp::UNIX_EPOCH).then_some(decided_at),
        version: row.try_get("version")?,
    })
}
