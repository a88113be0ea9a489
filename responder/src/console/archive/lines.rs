//! What a line with marked words needs besides what lists show.

use backbone::clickhouse::rows::AssessmentRow;
use clickhouse::{Client, Row};
use serde::Deserialize;

use super::{Unavailable, all};

#[derive(Row, Deserialize)]
struct Marked {
    post_id: String,
    evidence: String,
    units: Vec<String>,
}

/// Puts into posts of a list what decided the findings, and the units.
pub(in crate::console) async fn with_marks(
    client: &Client,
    mut rows: Vec<AssessmentRow>,
) -> Result<Vec<AssessmentRow>, Unavailable> {
    if rows.is_empty() {
        return Ok(rows);
    }
    // The times lead to the rows, for they stand in the order of the table.
    let query = client.query(
        "SELECT ?fields FROM (SELECT post_id, evidence, units FROM assessments FINAL \
         PREWHERE region IN {regions:Array(String)} \
         AND published_at IN (SELECT fromUnixTimestamp64Milli(arrayJoin({times:Array(Int64)}), 'UTC')) \
         AND post_id IN {ids:Array(String)})",
    );
    let texts = |of: fn(&AssessmentRow) -> &str| rows.iter().map(of).collect::<Vec<_>>();
    let times: Vec<i64> = rows.iter().map(|row| row.published_at).collect();
    let query = query
        .param("regions", texts(|row| row.region.as_str()))
        .param("times", times)
        .param("ids", texts(|row| row.post_id.as_str()));
    for marked in all::<Marked>(query).await? {
        let row = rows.iter_mut().find(|row| row.post_id == marked.post_id);
        if let Some(row) = row {
            row.evidence = marked.evidence;
            row.units = marked.units;
        }
    }
    Ok(rows)
}
