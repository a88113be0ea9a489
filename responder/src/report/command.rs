//! `responder report`: reports on the command line.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use jiff::civil::Date;
use report::{Fonts, Form};

use super::{Desk, LONGEST, Wanted, make};
use crate::case::Cases;
use crate::commitment::Commitments;
use crate::routing::Routing;
use crate::settings::Settings;
use crate::store::Store;
use crate::trend::Period;

/// Makes reports.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The trend report of a week, or of any other period: posts, sentiment, sources, subjects, places, key events, handling,
    /// commitments, what to watch, suggestions, method.
    Weekly(Asked),
}

#[derive(Debug, Args)]
struct Asked {
    /// Code of the region.
    #[arg(long)]
    region: String,
    /// The first day.
    #[arg(long)]
    from: Date,
    /// The last day.
    #[arg(long)]
    to: Date,
    /// Folder to write into; made where missing.
    #[arg(long)]
    out: PathBuf,
    /// The forms, separated by commas: html, docx, xlsx, csv, pdf.
    #[arg(long = "format", value_delimiter = ',', default_value = "html,docx", value_parser = form)]
    forms: Vec<Form>,
    /// Folders with fonts for PDF and charts, besides those of the system.
    #[arg(long = "fonts")]
    fonts: Vec<PathBuf>,
}

impl Arguments {
    /// Code of the region that is reported on.
    #[must_use]
    pub fn region(&self) -> &str {
        let Command::Weekly(asked) = &self.command;
        &asked.region
    }
}

fn form(name: &str) -> Result<Form, String> {
    Form::named(name).ok_or_else(|| {
        let known: Vec<&str> = Form::ALL.iter().map(|form| form.name()).collect();
        format!("the forms are {}", known.join(", "))
    })
}

/// Runs the command.
///
/// # Errors
/// When the period makes no sense, the region is not served, a store does not answer or a file cannot be written.
pub async fn run(
    settings: &Settings,
    cases: Cases,
    routing: &Routing,
    store: &Store,
    arguments: &Arguments,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let Command::Weekly(asked) = &arguments.command;
    let period = Period {
        from: asked.from,
        to: asked.to,
    };
    if period.from > period.to {
        bail!(
            "--from {} is after --to {}; give the first day, then the last",
            period.from,
            period.to
        );
    }
    if period.days() > LONGEST {
        bail!(
            "a report is of {LONGEST} days at most; --from {} to --to {} are {}",
            period.from,
            period.to,
            period.days()
        );
    }
    let desk = Desk {
        archive: backbone::clickhouse::client(&settings.clickhouse)?,
        commitments: Commitments::new(store.clone()),
        cases,
        routing,
        public_url: settings.console.public_url.clone(),
    };
    let wanted = Wanted::Weekly(period);
    let made = make(&desk, &wanted).await?;
    std::fs::create_dir_all(&asked.out)
        .with_context(|| format!("cannot make the folder {}", asked.out.display()))?;
    let fonts = if asked
        .forms
        .iter()
        .any(|form| matches!(form, Form::Docx | Form::Pdf))
    {
        Fonts::find(&asked.fonts)?
    } else {
        Fonts::default()
    };
    let stem = wanted.stem(&asked.region);
    for form in &asked.forms {
        for file in made.document.write(*form, &stem, &fonts)? {
            let path = asked.out.join(&file.name);
            std::fs::write(&path, &file.bytes)
                .with_context(|| format!("cannot write {}", path.display()))?;
            writeln!(out, "{}", path.display())?;
        }
    }
    Ok(())
}
