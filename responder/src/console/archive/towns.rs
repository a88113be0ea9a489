//! Posts of towns: those that name a town or a place in it, each once.

use backbone::region::Region;
use clickhouse::{Client, Row};
use serde::Deserialize;

use super::trends::{Scope, number};
use super::{Unavailable, all};
use crate::trend::Period;

/// The posts of a town.
#[derive(Debug, Clone, Row, Deserialize)]
pub(crate) struct Town {
    pub(crate) town: String,
    pub(crate) posts: u64,
    pub(crate) negative: u64,
}

/// The posts of each town of a region that concern the region; of a town without posts there is nothing. They are read one by
/// one, as a post that names a village and its town is to be counted once: ask for a month, not for a year.
pub(crate) async fn by_town(
    client: &Client,
    region: &Region,
    scope: &Scope,
    period: Period,
) -> Result<Vec<Town>, Unavailable> {
    let (places, towns): (Vec<&str>, Vec<&str>) = region.places_by_tile().into_iter().unzip();
    if places.is_empty() {
        return Ok(Vec::new());
    }
    // A month is a partition, and no two versions of a post are in different ones.
    let query = client.query(
        "SELECT town, sum(posts) AS posts, sum(negative) AS negative \
         FROM (SELECT posts, negative, arrayJoin(arrayDistinct(arrayFilter(town -> town != '', \
                arrayMap(place -> transform(toString(place), {places:Array(String)}, {towns:Array(String)}, ''), places)))) AS town \
            FROM (SELECT places, count() AS posts, countIf(sentiment = 'negative') AS negative FROM assessments FINAL \
            WHERE region = {region:String} AND relevant \
                AND published_at >= toDateTime64({first:Int32} * 86400 - 28800, 3, 'UTC') \
                AND published_at < toDateTime64(({last:Int32} + 1) * 86400 - 28800, 3, 'UTC') \
                AND ({subject:String} = '' OR subject = {subject:String}) \
                AND ({source:String} = '' OR source = {source:String}) \
            GROUP BY places)) \
         GROUP BY town ORDER BY town SETTINGS do_not_merge_across_partitions_select_final = 1",
    );
    let query = query
        .param("region", region.code())
        .param("places", &places)
        .param("towns", &towns)
        .param("first", number(period.from))
        .param("last", number(period.to))
        .param("subject", &scope.subject)
        .param("source", &scope.source);
    all(query).await
}
