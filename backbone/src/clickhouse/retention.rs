//! How long rows are kept: a TTL that is set when it differs from the settings.

use clickhouse::Client;
use tracing::info;

/// Has rows of a table go that many days after the time in `column`; 0 keeps them. The table is only changed where it
/// says otherwise, so this may be called at each start.
///
/// # Errors
/// When ClickHouse does not answer or refuses the change.
pub async fn keep(
    client: &Client,
    table: &str,
    column: &str,
    days: u32,
) -> Result<(), clickhouse::error::Error> {
    let engine: String = client
        .query("SELECT engine_full FROM system.tables WHERE database = currentDatabase() AND name = {table:String}")
        .param("table", table)
        .fetch_one()
        .await?;
    // ClickHouse writes an expression in one way, which is the way it is written here.
    let wanted = format!("toDateTime({column}) + toIntervalDay({days})");
    let change = match (engine.contains(" TTL "), days) {
        (false, 0) => return Ok(()),
        (true, 0) => "REMOVE TTL".to_owned(),
        _ if engine.contains(&format!(" TTL {wanted} ")) => return Ok(()),
        _ => format!("MODIFY TTL {wanted}"),
    };
    client
        .query(&format!("ALTER TABLE `{table}` {change}"))
        .execute()
        .await?;
    info!(table, days, "how long rows are kept was changed");
    Ok(())
}
