//! `responder report`: reports on the command line.

use std::future::Future;
use std::io::Write;
use std::path::PathBuf;
use std::pin::pin;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use jiff::Timestamp;
use jiff::civil::Date;
use report::{Fonts, Form};
use tracing::info;

use super::{Desk, LONGEST, Letterhead, Policy, Wanted, make};
use crate::calendar::day_of;
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
    /// 舆情周报: the trend report of a week, or of any other period.
    Weekly {
        #[command(flatten)]
        period: Days,
        #[command(flatten)]
        files: Files,
    },
    /// 每日舆情: the brief of a day.
    Daily {
        /// The day.
        #[arg(long)]
        date: Date,
        #[command(flatten)]
        files: Files,
    },
    /// 舆情专报: the special report of an event.
    Event {
        /// Id of the event: the end of the address of its page.
        #[arg(long)]
        event: String,
        /// The last day that is told of; today where it is not given.
        #[arg(long)]
        to: Option<Date>,
        #[command(flatten)]
        files: Files,
    },
    /// 月度考核: how the units did with the cases of a period.
    Scorecard {
        #[command(flatten)]
        period: Days,
        #[command(flatten)]
        files: Files,
    },
    /// 政策咨询问答候选: the questions that were asked again and again in a period.
    Faq {
        #[command(flatten)]
        period: Days,
        #[command(flatten)]
        files: Files,
    },
    /// 主动公开建议: what was asked and complained of most in a period, and has no published answer.
    Demand {
        #[command(flatten)]
        period: Days,
        #[command(flatten)]
        files: Files,
    },
    /// 政策执行效果: the public view of a policy before and after its day.
    Policy {
        /// What the policy is called.
        #[arg(long)]
        name: String,
        /// The first day that it holds.
        #[arg(long)]
        day: Date,
        /// How many days before, and from that day on, are compared; whole weeks of them.
        #[arg(long, default_value_t = 84)]
        days: u32,
        /// Only posts of this subject.
        #[arg(long, default_value = "")]
        subject: String,
        /// Only posts that name this place.
        #[arg(long, default_value = "")]
        place: String,
        /// Only posts with all of these words, between spaces.
        #[arg(long, default_value = "")]
        words: String,
        #[command(flatten)]
        files: Files,
    },
}

#[derive(Debug, Args)]
struct Days {
    /// The first day.
    #[arg(long)]
    from: Date,
    /// The last day.
    #[arg(long)]
    to: Date,
}

#[derive(Debug, Args)]
struct Files {
    /// Code of the region.
    #[arg(long)]
    region: String,
    /// Folder to write into; made where missing.
    #[arg(long)]
    out: PathBuf,
    /// The forms, separated by commas: html, docx, xlsx, csv, pdf.
    #[arg(long = "format", value_delimiter = ',', default_value = "html,docx", value_parser = form)]
    forms: Vec<Form>,
    /// Folders with fonts for PDF and charts, besides those of the system.
    #[arg(long = "fonts")]
    fonts: Vec<PathBuf>,
    /// Number of the paper, for the red head of `report/head.toml` in the region's folder.
    #[arg(long)]
    number: Option<u32>,
}

impl Command {
    fn files(&self) -> &Files {
        match self {
            Self::Weekly { files, .. }
            | Self::Daily { files, .. }
            | Self::Event { files, .. }
            | Self::Scorecard { files, .. }
            | Self::Faq { files, .. }
            | Self::Demand { files, .. }
            | Self::Policy { files, .. } => files,
        }
    }

    fn wanted(&self, today: Date) -> Wanted {
        let whole = |days: &Days| Period {
            from: days.from,
            to: days.to,
        };
        match self {
            Self::Weekly { period, .. } => Wanted::Weekly(whole(period)),
            Self::Daily { date, .. } => Wanted::Daily(Period::until(*date, 1)),
            Self::Event { event, to, .. } => Wanted::Event {
                event: event.clone(),
                to: to.unwrap_or(today),
            },
            Self::Scorecard { period, .. } => Wanted::Scorecard(whole(period)),
            Self::Faq { period, .. } => Wanted::Faq(whole(period)),
            Self::Demand { period, .. } => Wanted::Demand(whole(period)),
            Self::Policy {
                name,
                day,
                days,
                subject,
                place,
                words,
                ..
            } => Wanted::Policy(Policy {
                name: name.clone(),
                day: *day,
                days: *days,
                subject: subject.clone(),
                place: place.clone(),
                words: words.clone(),
            }),
        }
    }
}

impl Arguments {
    /// Code of the region that is reported on.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.command.files().region
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
    now: Timestamp,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let files = arguments.command.files();
    let wanted = arguments.command.wanted(day_of(now));
    let period = wanted.period();
    if period.from > period.to {
        bail!(
            "--from {} is after --to {}; give the first day, then the last",
            period.from,
            period.to
        );
    }
    if period.days() > LONGEST {
        bail!(
            "a report is of {LONGEST} days at most, and this one of {}: {} to {}",
            period.days(),
            period.from,
            period.to
        );
    }
    let head = Letterhead::read(routing.folder())?;
    if files.number.is_some() && !head.as_ref().is_some_and(Letterhead::numbers) {
        bail!(
            "--number needs a `number` in {}, such as 某府办〔{{year}}〕{{n}}号",
            routing.folder().join("report").join("head.toml").display()
        );
    }
    let desk = Desk {
        archive: backbone::clickhouse::client(&settings.clickhouse)?,
        commitments: Commitments::new(store.clone()),
        cases,
        routing,
        public_url: settings.console.public_url.clone(),
        now: Timestamp::now(),
    };
    let mut made = in_view(make(&desk, &wanted), "the archive is being counted").await?;
    if let Some(head) = head {
        made.document.head = Some(head.head(made.document.date, files.number));
    }
    std::fs::create_dir_all(&files.out)
        .with_context(|| format!("cannot make the folder {}", files.out.display()))?;
    let fonts = if files
        .forms
        .iter()
        .any(|form| matches!(form, Form::Docx | Form::Pdf))
    {
        Fonts::find(&files.fonts)?
    } else {
        Fonts::default()
    };
    let stem = wanted.stem(&files.region);
    for form in &files.forms {
        for file in made.document.write(*form, &stem, &fonts)? {
            let path = files.out.join(&file.name);
            std::fs::write(&path, &file.bytes)
                .with_context(|| format!("cannot write {}", path.display()))?;
            writeln!(out, "{}", path.display())?;
        }
    }
    Ok(())
}

/// Waits for what may take long, and says every few seconds on the log that it goes on.
async fn in_view<T>(work: impl Future<Output = T>, what: &str) -> T {
    const EVERY: Duration = Duration::from_secs(3);
    let mut work = pin!(work);
    let mut waited = Duration::ZERO;
    loop {
        match tokio::time::timeout(EVERY, &mut work).await {
            Ok(done) => return done,
            Err(_) => {
                waited += EVERY;
                info!(seconds = waited.as_secs(), "{what}");
            }
        }
    }
}
