//! The draft as text, with comments that say what to check by hand.

use std::fmt::Write as _;

use anyhow::bail;

use super::division::stem;
use super::{Arguments, Country, Draft, LeftOut};

/// Writes it as TOML, a place a line.
pub(super) fn write(
    arguments: &Arguments,
    country: &Country,
    places: &[Draft],
    left_out: &LeftOut,
) -> anyhow::Result<String> {
    let name = &arguments.name;
    let files: Vec<_> = arguments
        .places
        .iter()
        .chain(&arguments.elsewhere)
        .filter_map(|path| path.file_name()?.to_str())
        .collect();
    let aliases: Vec<&str> = stem(name).into_iter().collect();
    let parents: Vec<&str> = country
        .parents
        .values()
        .flat_map(|parent| std::iter::once(parent.as_str()).chain(stem(parent)))
        .collect();
    let mut text = format!(
        "# {name}: a draft of its gazetteer, made by `analyzer region` from {}.
# Check by hand, then remove this notice:
# - the lines before the places: what is missing there cannot be told from a list;
# - `short` names: strike those that are everyday words here, for even beside another sign they are no place;
# - places without `needs_sign`: they count alone. The lists know towns and villages of other counties, not their
#   roads, estates, schools and companies;
# - what people call a place: estates, markets and bridges have names that no list has.
",
        files.join(", "),
    );
    for (names, why) in [
        (&left_out.common, "everyday words or names of larger places"),
        (&left_out.claimed, "claimed by two places"),
    ] {
        if !names.is_empty() {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            writeln!(text, "# Short names left out, {why}: {}.", names.join(" "))?;
        }
    }
    writeln!(
        text,
        "
code = {} # GB/T 2260
name = {}
# Other names that count alone.
aliases = {}
# Other names that count only beside another sign: old names, nicknames, Latin letters in upper case.
weak_aliases = []
# The larger places it lies in, with their short names.
parents = {}
# The counties around it.
neighbours = []
# Strings in which an alias is no name, such as 信奉新教 for 奉新.
traps = []

place = [",
        quoted(&arguments.code)?,
        quoted(name)?,
        list(&aliases)?,
        list(&parents)?,
    )?;
    let mut town = None;
    for draft in places {
        let place = &draft.place;
        if town != Some(&place.within) {
            let heading = if place.within.is_empty() {
                name
            } else {
                &place.within
            };
            let space = if town.is_some() { "\n" } else { "" };
            writeln!(text, "{space}    # {heading}")?;
            town = Some(&place.within);
        }
        write!(
            text,
            "    {{ name = {}, kind = {}",
            quoted(&place.name)?,
            quoted(&place.kind)?
        )?;
        for (field, names) in [("aliases", &place.aliases), ("short", &place.short)] {
            if !names.is_empty() {
                write!(text, ", {field} = {}", list(names)?)?;
            }
        }
        if !place.within.is_empty() {
            write!(text, ", within = {}", quoted(&place.within)?)?;
        }
        if place.needs_sign {
            write!(text, ", needs_sign = true")?;
        }
        text.push_str(" },");
        if !draft.source.is_empty() {
            write!(text, " # {}", draft.source)?;
        }
        text.push('\n');
    }
    text.push_str("]\n");
    if text.chars().any(|c| c.is_control() && c != '\n') {
        bail!("a name has a control character; remove it from the lists");
    }
    Ok(text)
}

/// A string of TOML, which JSON's are.
fn quoted(text: &str) -> anyhow::Result<String> {
    Ok(serde_json::to_string(text)?)
}

fn list(names: &[impl AsRef<str>]) -> anyhow::Result<String> {
    let quoted: Vec<String> = names
        .iter()
        .map(|name| quoted(name.as_ref()))
        .collect::<Result<_, _>>()?;
    Ok(format!("[{}]", quoted.join(", ")))
}
