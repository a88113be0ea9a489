//! `responder reply-check`: the check on the command line.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use backbone::region::Region;
use clap::{Args, Subcommand};

use super::model::Model;
use super::rules::Rules;
use super::{Check, Post, check, train};

/// Checks a draft against the posts it answers, or trains the weights of its two marks.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Arguments {
    /// File with the posts as JSON: a list of objects with `title` and `text`.
    #[arg(required_unless_present = "post")]
    posts: Option<PathBuf>,
    /// File with the text of one post instead.
    #[arg(long, conflicts_with = "posts")]
    post: Option<PathBuf>,
    /// File with the draft's text.
    #[arg(long, required = true)]
    draft: Option<PathBuf>,
    /// Code of the region whose units and rules are used; the first that is served where absent.
    #[arg(long, global = true)]
    region: Option<String>,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Trains the weights of the two marks and says how good they are on replies held out.
    Train(train::Arguments),
}

/// The names by which a region's units are known.
#[must_use]
pub fn unit_names(region: &Region) -> Vec<&str> {
    (region.units.iter())
        .flat_map(|unit| std::iter::once(&unit.name).chain(&unit.short))
        .map(String::as_str)
        .collect()
}

/// Runs the command with the regions that are served.
///
/// # Errors
/// When a file cannot be read, or there is no such region.
pub fn run(arguments: &Arguments, regions: &[PathBuf], out: &mut impl Write) -> anyhow::Result<()> {
    let region = served(regions, arguments.region.as_deref())?;
    let rules = Rules::load(&region.gazetteer.rules)?;
    if let Some(Command::Train(arguments)) = &arguments.command {
        return train::run(arguments, &rules, out);
    }
    let posts: Vec<Post> = match (&arguments.posts, &arguments.post) {
        (Some(path), _) => serde_json::from_str(&read(path)?)
            .with_context(|| format!("{} is no list of posts", path.display()))?,
        (None, Some(path)) => vec![Post {
            title: String::new(),
            text: read(path)?,
        }],
        (None, None) => Vec::new(),
    };
    let draft = match &arguments.draft {
        Some(path) => read(path)?,
        None => String::new(),
    };
    let model = Model::shipped().context("the built-in weights are at fault")?;
    let checked = check(&posts, &draft, &unit_names(&region), &rules, &model);
    if arguments.json {
        serde_json::to_writer_pretty(&mut *out, &checked)?;
        writeln!(out)?;
        return Ok(());
    }
    print(&checked, out)
}

/// The region of that code among those served, or the first.
///
/// # Errors
/// When its files are at fault, or there is none.
pub fn served(regions: &[PathBuf], code: Option<&str>) -> anyhow::Result<Region> {
    let known = Region::load_all(regions)?;
    let Some(code) = code else {
        let first = regions.first().context("no region is served")?;
        return Ok(Region::load(first)?);
    };
    let region = known.get(code).cloned();
    region.with_context(|| format!("region `{code}` is not served; add its folder to `regions`"))
}

fn read(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

fn print(checked: &Check, out: &mut impl Write) -> anyhow::Result<()> {
    writeln!(out, "来信各点")?;
    for (at, point) in checked.points.iter().enumerate() {
        let answer = point.answer.as_ref();
        let answer = answer.map_or("（没有答到）", |answer| answer.at.words.as_str());
        writeln!(
            out,
            "  {}. [{}] {}",
            at + 1,
            point.kind.title(),
            point.at.words
        )?;
        writeln!(out, "     → {answer}")?;
    }
    writeln!(out, "审核提示")?;
    for finding in &checked.findings {
        write!(
            out,
            "  {} {}",
            finding.severity.title(),
            finding.kind.title()
        )?;
        if let Some(point) = finding.point {
            write!(out, "（第{}点）", point + 1)?;
        }
        if let Some(at) = &finding.at {
            write!(out, "（第{}至{}字）“{}”", at.start + 1, at.end, at.words)?;
        }
        writeln!(out, "：{}", finding.advice)?;
    }
    writeln!(
        out,
        "完整性 {:.0}%，可解释性 {:.0}%",
        checked.complete * 100.0,
        checked.explains * 100.0
    )?;
    Ok(())
}
