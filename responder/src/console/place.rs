//! The region that a page is about, where several are served.

use backbone::region::Region;

use super::Console;
use super::access::SignedIn;
use super::fields::{Choice, Fields};
use super::problem::Problem;

/// The region of a unit's account; for others the one asked for, else the first that is served.
pub(super) fn region<'a>(
    console: &'a Console,
    signed_in: &SignedIn,
    fields: &Fields,
) -> Result<&'a Region, Problem> {
    let own = signed_in.user.region.as_str();
    let asked = if own.is_empty() {
        fields.get("region")
    } else {
        own
    };
    let found = match asked {
        "" => console.regions.values().next(),
        code => console.regions.get(code),
    };
    found.ok_or(Problem::NotFound)
}

/// The regions to choose from; none where there is no choice.
pub(super) fn regions(console: &Console, signed_in: &SignedIn, chosen: &Region) -> Vec<Choice> {
    if console.regions.len() < 2 || !signed_in.user.region.is_empty() {
        return Vec::new();
    }
    (console.regions.values())
        .map(|region| Choice::new(region.code(), region.gazetteer.name.clone(), chosen.code()))
        .collect()
}
