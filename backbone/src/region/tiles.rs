//! The map of towns: a grid of equal tiles, one for each town, about where the towns are.

use super::{GazetteerPlace, Region};
use crate::settings::Flaw;

/// Most rows, and most columns.
const MOST: u8 = 12;
/// Columns where the region does not say where its towns are.
const COLUMNS: usize = 5;

/// A tile of the map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tile<'a> {
    /// The town, or what else has a tile.
    pub name: &'a str,
    /// The row, from 1.
    pub row: usize,
    /// The column, from 1.
    pub column: usize,
}

impl Region {
    /// The tiles, by row and column: of the places that have one; where none has, of the towns, or else of the largest places,
    /// in the order in which they are listed.
    #[must_use]
    pub fn tiles(&self) -> Vec<Tile<'_>> {
        let places = &self.gazetteer.place;
        let mut tiles: Vec<Tile<'_>> = places
            .iter()
            .filter_map(|place| {
                let [row, column] = place.tile?.map(usize::from);
                Some(tile(place, row, column))
            })
            .collect();
        if tiles.is_empty() {
            let has_towns = places.iter().any(|place| place.kind == "town");
            tiles = (places.iter())
                .filter(|place| match has_towns {
                    true => place.kind == "town",
                    false => place.within.is_empty(),
                })
                .take(usize::from(MOST) * COLUMNS)
                .enumerate()
                .map(|(at, place)| tile(place, at / COLUMNS + 1, at % COLUMNS + 1))
                .collect();
        }
        tiles.sort_by_key(|tile| (tile.row, tile.column));
        tiles
    }

    /// The name of each place that has a tile, or lies within one that has, with the name of the tile.
    #[must_use]
    pub fn places_by_tile(&self) -> Vec<(&str, &str)> {
        let tiles = self.tiles();
        let places = self.gazetteer.place.iter();
        places
            .filter_map(|place| {
                let around = self.place_and_around(&place.name);
                let town = around
                    .iter()
                    .find_map(|outer| tiles.iter().find(|tile| tile.name == outer.name))?;
                Some((place.name.as_str(), town.name))
            })
            .collect()
    }
}

fn tile(place: &GazetteerPlace, row: usize, column: usize) -> Tile<'_> {
    Tile {
        name: &place.name,
        row,
        column,
    }
}

/// Which tiles are not on the map, or have two places.
pub(super) fn check(places: &[GazetteerPlace]) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    for (at, place) in places.iter().enumerate() {
        let Some(tile) = place.tile else { continue };
        let (name, [row, column]) = (&place.name, tile);
        let mut wrong = |flaw: Flaw| flaws.push(flaw.of(format!("place[{at}]")));
        if tile.iter().any(|number| !(1..=MOST).contains(number)) {
            wrong(Flaw::new(
                format!(
                    "place `{name}` has the tile [{row}, {column}]; rows and columns go from 1 to {MOST}"
                ),
                format!("地名“{name}”的格子 [{row}, {column}] 不在图上，行和列为1至{MOST}"),
            ));
        }
        let before = places.iter().take(at);
        if let Some(other) = before.clone().find(|other| other.tile == Some(tile)) {
            wrong(Flaw::new(
                format!(
                    "place `{name}` has the tile [{row}, {column}], where `{}` is; give each its own",
                    other.name
                ),
                format!(
                    "地名“{name}”的格子 [{row}, {column}] 已是“{}”的，请各用各的",
                    other.name
                ),
            ));
        }
    }
    flaws
}
