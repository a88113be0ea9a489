//! `responder roster`: brings the roster in from a file, shows it, swaps shifts.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;

use clap::Subcommand;
use jiff::{SignedDuration, Timestamp};

use super::{Gap, Post, Roster, Shift, read};
use crate::calendar::{Calendar, day_of, days_from};
use crate::clock;

/// What `responder roster` does.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Adds the shifts of a file (.csv in UTF-8, or .xlsx), all of them or, where a row is wrong, none. Its first row names the columns 岗位
    /// (值班员, 带班领导 or 分管领导), 姓名, 开始, 结束; times are such as 2026-10-01 08:30. The same file again changes nothing, not even swaps.
    Import {
        /// The file.
        file: PathBuf,
        /// Code of the region.
        #[arg(long)]
        region: String,
        /// Takes shifts off the roster that the file does not have, of the posts in it and from its first shift to its last.
        #[arg(long)]
        replace: bool,
    },
    /// Prints the shifts from now on, with holidays, gaps, and the swaps made.
    Show {
        /// Code of the region.
        #[arg(long)]
        region: String,
        /// How many days.
        #[arg(long, default_value_t = 14, value_parser = clap::value_parser!(u16).range(1..=366))]
        days: u16,
    },
    /// Exchanges who has two shifts of one post.
    Swap {
        /// Ids of the two shifts, as `roster show` prints them.
        #[arg(num_args = 2, required = true)]
        shifts: Vec<String>,
        /// Code of the region.
        #[arg(long)]
        region: String,
        /// Who makes the swap.
        #[arg(long)]
        by: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
}

impl Command {
    /// Code of the region it is about.
    #[must_use]
    pub fn region(&self) -> &str {
        match self {
            Self::Import { region, .. } | Self::Show { region, .. } | Self::Swap { region, .. } => {
                region
            }
        }
    }
}

/// Runs a command. `known` are the names that may stand on the roster; any where it is empty.
///
/// # Errors
/// When the file is at fault, the swap is not made, or the store fails.
pub async fn run(
    command: &Command,
    roster: &Roster,
    calendar: &Calendar,
    known: &BTreeSet<String>,
    now: Timestamp,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    match command {
        Command::Import {
            file,
            region,
            replace,
        } => {
            let shifts = read(file, known)?;
            let imported = roster.import(region, &shifts, *replace, now).await?;
            writeln!(
                out,
                "{} shifts added, {} were on the roster already, {} taken off",
                imported.added, imported.known, imported.dropped
            )?;
            let last = shifts.iter().map(|shift| shift.until).max().unwrap_or(now);
            for gap in roster.gaps(region, now, last).await? {
                writeln!(out, "gap      {}", gap.told())?;
            }
        }
        Command::Show { region, days } => {
            let until = now + SignedDuration::from_hours(24 * i64::from(*days));
            let shifts = roster.between(region, now, until).await?;
            show(&shifts, calendar, now, *days, out)?;
            for gap in roster.gaps(region, now, until).await? {
                writeln!(out, "gap      {}", gap.told())?;
            }
            for swap in roster.swaps(region).await? {
                let ([first, second], at) = (&swap.who, clock::time(swap.at));
                let (by, reason) = (&swap.by, &swap.reason);
                writeln!(out, "swap     {at} {first} ⇄ {second}（{by}：{reason}）")?;
            }
        }
        Command::Swap {
            shifts,
            region,
            by,
            reason,
        } => {
            let ids = [0, 1].map(|at| shifts.get(at).map_or("", String::as_str));
            let swap = roster.swap(region, ids, by, reason, now).await?;
            writeln!(out, "swapped  {} ⇄ {}", swap.who[0], swap.who[1])?;
        }
    }
    Ok(())
}

fn show(
    shifts: &[Shift],
    calendar: &Calendar,
    now: Timestamp,
    days: u16,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    let today = day_of(now);
    for day in days_from(today).take(usize::from(days)) {
        let kind = match calendar.holiday(day) {
            Some(holiday) => holiday,
            None if calendar.is_make_up(day) => "调休上班",
            None if calendar.is_workday(day) => "工作日",
            None => "休息日",
        };
        writeln!(out, "{day}  {kind}")?;
        let begins = |shift: &&Shift| day_of(shift.from).max(today) == day;
        for shift in shifts.iter().filter(begins) {
            let on_duty = if shift.from <= now && now < shift.until {
                "*"
            } else {
                " "
            };
            let swapped = if shift.who == shift.planned {
                String::new()
            } else {
                format!("（原{}）", shift.planned)
            };
            writeln!(
                out,
                "  {on_duty} {}  {} – {}  {}{swapped}  {}",
                shift.post.title(),
                clock::time(shift.from),
                clock::time(shift.until),
                shift.who,
                shift.id
            )?;
        }
    }
    Ok(())
}

impl Gap {
    /// The same for people.
    #[must_use]
    pub fn told(&self) -> String {
        format!(
            "{} – {} 没有{}",
            clock::time(self.from),
            clock::time(self.until),
            Post::title(self.post)
        )
    }
}
