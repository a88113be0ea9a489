//! The tile map of towns (方格地图): a tile for each town, about where it is, with its posts.

use backbone::region::Region;
use jiff::Timestamp;

use super::archive::Unavailable;
use super::archive::towns::{Town, by_town};
use super::archive::trends::{Scope, covered};
use super::{Console, show};
use crate::calendar::day_of;
use crate::trend::Period;

/// Fewest posts of a town whose negative share is shaded.
const FEWEST: u64 = 10;
/// Most maps of a page.
const MOST: usize = 4;
/// Longest period that a map is of, in days: posts are read one by one.
const LONGEST: u32 = 31;
/// Days of the map where the period is longer.
const SHORTENED: u32 = 28;

/// What the tiles are shaded by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shade {
    /// Posts.
    Posts,
    /// The negative share.
    Negative,
}

/// The map.
pub(super) struct TileMap {
    pub(super) region: String,
    pub(super) words: String,
    /// Posts of all tiles; one of two towns counts for both.
    posts: u64,
    pub(super) rows: Vec<Vec<Option<TownTile>>>,
    pub(super) legend: Vec<Step>,
}

/// One of its tiles.
pub(super) struct TownTile {
    pub(super) name: String,
    pub(super) posts: u64,
    /// Where they are.
    pub(super) link: String,
    /// How many of 100 are negative.
    pub(super) negative: u64,
    /// What stands in the tile.
    pub(super) number: String,
    /// How dark it is, 0 for not at all, to 5.
    pub(super) step: u64,
}

/// A step of the shading.
pub(super) struct Step {
    pub(super) step: u64,
    pub(super) words: String,
}

/// The maps of the regions that an account of a region sees, all where it is of none, for a period, or for its last weeks where
/// it is long.
pub(super) async fn tile_maps(
    console: &Console,
    own_region: &str,
    scope: &Scope,
    period: Period,
    shade: Shade,
) -> Result<Vec<TileMap>, Unavailable> {
    let period = match period.days() {
        ..=LONGEST => period,
        _ => Period::until(period.to, SHORTENED),
    };
    let regions = (console.regions.values())
        .filter(|region| own_region.is_empty() || region.code() == own_region)
        .filter(|region| !region.tiles().is_empty())
        .take(MOST);
    let maps = regions.map(|region| async move {
        let towns = by_town(&console.archive, region, scope, period).await?;
        Ok(TileMap::new(region, &towns, scope, period, shade))
    });
    let mut maps: Vec<TileMap> = futures::future::try_join_all(maps).await?;
    // A region that nothing comes from has a map only where none has anything.
    if maps.iter().any(|map| map.posts > 0) {
        maps.retain(|map| map.posts > 0);
    }
    Ok(maps)
}

/// The maps of the four weeks up to the newest post.
pub(super) async fn lately(
    console: &Console,
    own_region: &str,
    now: Timestamp,
) -> Result<Vec<TileMap>, Unavailable> {
    let Some(known) = covered(&console.archive, "", day_of(now)).await? else {
        return Ok(Vec::new());
    };
    let period = Period::until(known.to, SHORTENED);
    tile_maps(console, own_region, &Scope::default(), period, Shade::Posts).await
}

impl TileMap {
    fn new(region: &Region, towns: &[Town], scope: &Scope, period: Period, shade: Shade) -> Self {
        let most = towns.iter().map(|town| town.posts).max().unwrap_or(0);
        let tiles = region.tiles();
        let rows = tiles.iter().map(|tile| tile.row).max().unwrap_or(0);
        let columns = tiles.iter().map(|tile| tile.column).max().unwrap_or(0);
        let mut grid: Vec<Vec<Option<TownTile>>> = (0..rows)
            .map(|_| (0..columns).map(|_| None).collect())
            .collect();
        for tile in tiles {
            let found = towns.iter().find(|town| town.town == tile.name);
            let (posts, negative) = found.map_or((0, 0), |town| (town.posts, town.negative));
            let place = grid
                .get_mut(tile.row - 1)
                .and_then(|row| row.get_mut(tile.column - 1));
            if let Some(place) = place {
                *place = Some(TownTile {
                    name: tile.name.to_owned(),
                    link: show::posts_of(period, scope, "place", tile.name),
                    posts,
                    negative: show::percent(negative, posts),
                    number: match shade {
                        Shade::Posts => posts.to_string(),
                        Shade::Negative if posts == 0 => "—".to_owned(),
                        Shade::Negative => format!("{}%", show::percent(negative, posts)),
                    },
                    step: match shade {
                        Shade::Posts => step(posts, most),
                        Shade::Negative if posts < FEWEST => 0,
                        Shade::Negative => step(negative, posts).max(1),
                    },
                });
            }
        }
        Self {
            region: region.gazetteer.name.clone(),
            words: words(towns, period, shade),
            posts: towns.iter().map(|town| town.posts).sum(),
            rows: grid,
            legend: legend(most, shade),
        }
    }
}

/// In which fifth of the most a number is, from 1; 0 for nothing.
fn step(number: u64, most: u64) -> u64 {
    (number * 5).div_ceil(most.max(1))
}

fn legend(most: u64, shade: Shade) -> Vec<Step> {
    let steps = (1..=5).filter_map(|step| {
        let words = match shade {
            Shade::Posts => {
                // The numbers n with step(n, most) == step.
                let (from, to) = ((step - 1) * most / 5 + 1, step * most / 5);
                match from.cmp(&to) {
                    std::cmp::Ordering::Less => format!("{from}–{to}帖"),
                    std::cmp::Ordering::Equal => format!("{from}帖"),
                    std::cmp::Ordering::Greater => return None,
                }
            }
            Shade::Negative if step == 1 => "负面20%及以下".to_owned(),
            Shade::Negative => format!("{}%以上至{}%", (step - 1) * 20, step * 20),
        };
        Some(Step { step, words })
    });
    let none = match shade {
        Shade::Posts => "无帖".to_owned(),
        Shade::Negative => format!("不足{FEWEST}帖，不着色"),
    };
    std::iter::once(Step {
        step: 0,
        words: none,
    })
    .chain(steps)
    .collect()
}

/// The map in words: where most is, or where most is negative.
fn words(towns: &[Town], period: Period, shade: Shade) -> String {
    let mut ranked: Vec<&Town> = match shade {
        Shade::Posts => towns.iter().collect(),
        Shade::Negative => towns.iter().filter(|town| town.posts >= FEWEST).collect(),
    };
    ranked.sort_by(|one, other| {
        let more = match shade {
            Shade::Posts => other.posts.cmp(&one.posts),
            Shade::Negative => (other.negative * one.posts).cmp(&(one.negative * other.posts)),
        };
        more.then_with(|| one.town.cmp(&other.town))
    });
    let first: Vec<String> = (ranked.iter().take(3))
        .map(|town| match shade {
            Shade::Posts => format!("{}（{}帖）", town.town, town.posts),
            Shade::Negative => {
                let percent = show::percent(town.negative, town.posts);
                format!("{}（{percent}%，{}帖）", town.town, town.posts)
            }
        })
        .collect();
    let days = show::days(period);
    match (first.is_empty(), shade) {
        (true, Shade::Posts) => format!("{days}没有写到各地的帖文。"),
        (true, Shade::Negative) => format!("{days}各地帖文都不足{FEWEST}帖。"),
        (false, Shade::Posts) => format!("{days}帖文最多的是{}。", first.join("、")),
        (false, Shade::Negative) => format!("{days}负面占比最高的是{}。", first.join("、")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_steps_of_the_most() {
        let steps = [0, 1, 20, 21, 99, 100].map(|number| step(number, 100));
        assert_eq!(steps, [0, 1, 1, 2, 5, 5]);
        let shown: Vec<String> = (legend(7, Shade::Posts).into_iter())
            .map(|step| step.words)
            .collect();
        assert_eq!(shown, ["无帖", "1帖", "2帖", "3–4帖", "5帖", "6–7帖"]);
        for number in 1..=7 {
            let words = &shown[usize::try_from(step(number, 7)).unwrap()];
            let (from, to) = words
                .trim_end_matches('帖')
                .split_once('–')
                .unwrap_or_else(|| {
                    let only = words.trim_end_matches('帖');
                    (only, only)
                });
            let range = from.parse::<u64>().unwrap()..=to.parse().unwrap();
            assert!(range.contains(&number), "{number} {words}");
        }
        // Of one post there is one step only.
        assert_eq!(legend(1, Shade::Posts).len(), 2);
    }
}
