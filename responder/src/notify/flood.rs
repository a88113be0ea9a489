//! Floods: where many notices wait for one contact, they become one that lists them. Grave cases, what is supervised and what
//! is overdue are told one by one all the same.

use backbone::id;
use jiff::Timestamp;
use sqlx::Row;
use url::Url;

use super::body::{Body, DigestBody};
use super::log::{FIRST, queue, read};
use super::{Addressee, Notice};
use crate::case::StoreError;
use crate::store::Store;

/// More than so many that wait for one contact are a flood.
const MANY: i64 = 5;

/// Makes one of the many notices that wait for one contact on a channel; links to the page of cases.
pub(super) async fn fold(
    store: &Store,
    channel: &str,
    cases: &Url,
    now: Timestamp,
) -> Result<(), StoreError> {
    // Safe: the condition is this program's own.
    let statement = sqlx::AssertSqlSafe(format!(
        "SELECT n.region, n.unit, n.contact, n.recipient FROM notices n WHERE n.channel = $1 AND n.state = 'queued' \
         AND n.folds = 1 AND n.attempts = 0 AND n.due_at <= $2 AND {FIRST} \
         GROUP BY n.region, n.unit, n.contact, n.recipient HAVING count(*) > $3"
    ));
    let crowded = sqlx::query(statement)
        .bind(channel)
        .bind(now.as_millisecond())
        .bind(MANY)
        .fetch_all(store.pool())
        .await?;
    for row in &crowded {
        let addressee = Addressee {
            region: row.try_get("region")?,
            unit: row.try_get("unit")?,
            contact: row.try_get("contact")?,
        };
        let recipient: String = row.try_get("recipient")?;
        fold_one(store, channel, &addressee, &recipient, cases, now).await?;
    }
    Ok(())
}

async fn fold_one(
    store: &Store,
    channel: &str,
    to: &Addressee,
    recipient: &str,
    cases: &Url,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut transaction = store.begin().await?;
    // Safe: the condition is this program's own.
    let statement = sqlx::AssertSqlSafe(format!(
        "SELECT * FROM notices n WHERE n.channel = $1 AND n.recipient = $2 AND n.region = $3 AND n.unit = $4 \
         AND n.contact = $5 AND n.state = 'queued' AND n.folds = 1 AND n.attempts = 0 AND n.due_at <= $6 AND {FIRST} \
         ORDER BY n.level, n.number LIMIT 50"
    ));
    let rows = sqlx::query(statement)
        .bind(channel)
        .bind(recipient)
        .bind(&to.region)
        .bind(&to.unit)
        .bind(&to.contact)
        .bind(now.as_millisecond())
        .fetch_all(&mut *transaction)
        .await?;
    let notices: Vec<Notice> = rows.iter().map(read).collect::<Result<_, _>>()?;
    let ids: Vec<&str> = notices.iter().map(|notice| notice.id.as_str()).collect();
    let id = id::of("digest", &ids);
    let mut folded = Vec::new();
    for notice in &notices {
        let taken = sqlx::query(
            "UPDATE notices SET state = 'folded', folded_into = $1, updated_at = $2 WHERE id = $3 AND state = 'queued'",
        )
        .bind(&id)
        .bind(now.as_millisecond())
        .bind(&notice.id)
        .execute(&mut *transaction)
        .await?
        .rows_affected();
        if taken == 1
            && let Body::Case(body) = &notice.body
        {
            folded.push(body.clone());
        }
    }
    let Some(first) = notices.first().filter(|_| !folded.is_empty()) else {
        return Ok(());
    };
    let body = DigestBody::new(&id, &to.unit, folded, cases.to_string());
    let body = Body::Digest(body);
    if let Some(digest) = Notice::queued(id.clone(), &id, to.clone(), &first.reach, now, body) {
        queue(&mut transaction, &digest, now).await?;
    }
    transaction.commit().await?;
    Ok(())
}
