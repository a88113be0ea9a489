//! The office under load: Apache Kafka with three brokers, PostgreSQL, ClickHouse, and two of each program, each with a folder and ports of its
//! own as on two machines. What ends by itself is started again, as systemd does, and counted.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use crate::{Broker, Office, Postgres, Program, Store, counties, free_ports};
use anyhow::{Context, ensure};
use backbone::settings::Kafka;
use rand::SeedableRng;
use rand::rngs::StdRng;
use responder::store::{Place, Store as Cases};
use tokio::sync::RwLock;
use tokio::time::Instant;
use toml::{Table, Value};

use crate::soak::desk::Desk;
use crate::soak::load::{Caller, Load, Quiet};

/// The programs.
pub(crate) const PROCESSES: [&str; 3] = ["collector", "analyzer", "responder"];
/// Regions served: the sample county under several codes, so that partitions are many.
const REGIONS: [&str; 4] = ["990101", "990102", "990103", "990104"];
/// Tables and values of the settings that are kept; the others are as by default, so that an older build reads them too.
const SETTINGS: [&str; 14] = [
    "sources",
    "state",
    "regions",
    "model",
    "checkpoints",
    "kafka",
    "clickhouse",
    "store",
    "console",
    "calendar",
    "operations",
    "intake",
    "share",
    "events",
];
/// Longest wait for something that must come by itself.
pub(crate) const PATIENCE: Duration = Duration::from_secs(600);
/// Wait between looks.
const LOOK: Duration = Duration::from_millis(100);

/// A program's place: which program, and which of the two.
pub(crate) type Seat = (&'static str, usize);

/// How much load there is, and from which seed.
#[derive(Debug, Clone)]
pub struct Scale {
    /// Posts a second.
    pub rate: u64,
    /// What everything random is drawn from.
    pub seed: u64,
}

/// The office.
#[derive(Debug)]
pub(crate) struct Scene {
    /// The load.
    pub(crate) load: Load,
    /// The officer.
    pub(crate) desk: Desk,
    /// The case store, looked into from outside.
    pub(crate) cases: Cases,
    /// Where poison was put.
    pub(crate) poison: BTreeSet<String>,
    /// What is random in the troubles.
    pub(crate) random: StdRng,
    /// How often a program ended that nobody had ended.
    pub(crate) ended: u64,
    /// How programs are started, where that is not as usual.
    pub(crate) by: BTreeMap<Seat, By>,
    programs: BTreeMap<Seat, Program>,
    offices: [Office; 2],
    /// Kafka's settings.
    pub(crate) kafka: Kafka,
    /// ClickHouse.
    pub(crate) clickhouse: Store,
    /// PostgreSQL.
    pub(crate) postgres: Postgres,
    /// The brokers.
    pub(crate) broker: Broker,
    flow: Arc<RwLock<()>>,
    // Removed last.
    _regions: tempfile::TempDir,
}

/// How a program is started.
#[derive(Debug, Clone)]
pub(crate) enum By {
    /// From the folder of another build.
    Build(PathBuf),
    /// As on another host: in a network namespace of that name.
    Host(String),
    /// With the clock put forward by so many seconds, by a library that is loaded before others.
    Clock(PathBuf, i64),
}

impl By {
    fn command(&self, process: &str) -> Command {
        match self {
            Self::Build(folder) => Command::new(folder.join(process)),
            Self::Host(name) => {
                let mut command = Command::new("ip");
                command.args(["netns", "exec", name]);
                command.arg(Program::command(process).get_program());
                command
            }
            Self::Clock(library, seconds) => {
                let mut command = Program::command(process);
                command.env("LD_PRELOAD", library);
                command.env("CLOCK_OFF_SECONDS", seconds.to_string());
                command
            }
        }
    }
}

impl Scene {
    /// Starts engines and programs, those of an older build where its folder is given, and the load.
    ///
    /// # Errors
    /// When something does not start.
    pub(crate) async fn start(scale: &Scale, old: Option<PathBuf>) -> anyhow::Result<Self> {
        backbone::tls::install();
        let broker = Broker::apache(3);
        let (clickhouse, postgres) = (Store::start(), Postgres::start());
        let regions = tempfile::tempdir()?;
        let folders: Vec<Value> = counties(regions.path(), &REGIONS)?
            .into_iter()
            .map(|county| county.display().to_string().into())
            .collect();
        let intakes = free_ports::<2>();
        let offices = [0, 1].map(|number| {
            let office = Office::new(broker.address(), &clickhouse.url, "");
            // A clock that is off makes certificates old or not yet good; encryption has a story of its own.
            let store = postgres.url.replace("verify-full", "require");
            settle(&office, number, &folders, &store, intakes[number]);
            office
        });
        let mut programs = BTreeMap::new();
        let by: BTreeMap<Seat, By> = (old.iter())
            .flat_map(|folder| seats().map(|seat| (seat, By::Build(folder.clone()))))
            .collect();
        for seat in seats() {
            programs.insert(seat, start(&offices, &by, seat));
        }
        let place = Place::Postgres(postgres.url.parse()?);
        let begun = Instant::now();
        let mut ended = 0;
        for (number, office) in offices.iter().enumerate() {
            for (process, name) in (1..).zip(PROCESSES) {
                while office.ready(process).await.is_none() {
                    ensure!(begun.elapsed() < PATIENCE, "{name} {number} does not start");
                    ended += revive(&mut programs, &offices, &by);
                    tokio::time::sleep(LOOK).await;
                }
            }
        }
        let token = token(&offices[0], command(&by, (PROCESSES[2], 0)))?;
        let cases = (Cases::look(&place).await?).context("a store")?;
        let flow = Arc::new(RwLock::new(()));
        let mut load = Load::new(Arc::clone(&flow));
        let addresses = intakes.map(|port| format!("http://127.0.0.1:{port}"));
        // Half is pushed, half is read from exports.
        let rate = (scale.rate / 2 / REGIONS.len() as u64).max(1);
        for (caller, seed) in callers().into_iter().zip(scale.seed * 100..) {
            load.push(caller, addresses.to_vec(), rate, seed);
        }
        for (number, office) in offices.iter().enumerate() {
            let (folder, seed) = (office.folder().join("exports"), scale.seed * 100 + 50);
            load.export(
                export(number),
                folder,
                (scale.rate / 4).max(1),
                seed + number as u64,
            );
        }
        let consoles = offices.each_ref().map(Office::console).to_vec();
        let desk = Desk::open(Arc::clone(&flow), consoles, token, scale.seed);
        Ok(Self {
            load,
            desk,
            cases,
            poison: BTreeSet::new(),
            random: StdRng::seed_from_u64(scale.seed),
            ended,
            by,
            programs,
            offices,
            kafka: Kafka {
                partitions: 6,
                replication: 3,
                ..Kafka::at(broker.address())
            },
            clickhouse,
            postgres,
            broker,
            flow,
            _regions: regions,
        })
    }

    /// Copies the programs' logs to a folder that stays.
    ///
    /// # Errors
    /// When they cannot be copied.
    pub(crate) fn keep_logs(&self) -> anyhow::Result<PathBuf> {
        let folder = tempfile::Builder::new()
            .prefix("soak-logs-")
            .tempdir()?
            .keep();
        for (number, office) in self.offices.iter().enumerate() {
            for process in PROCESSES {
                std::fs::copy(
                    office.log(process),
                    folder.join(format!("{process}-{number}.log")),
                )?;
            }
        }
        Ok(folder)
    }

    /// One of the two places.
    #[must_use]
    pub(crate) fn office(&self, number: usize) -> &Office {
        &self.offices[number]
    }

    /// Ends a program at once.
    pub(crate) fn kill(&mut self, seat: Seat) {
        if let Some(mut program) = self.programs.remove(&seat) {
            program.kill();
        }
    }

    /// Asks a program to stop, and waits for that.
    pub(crate) fn stop(&mut self, seat: Seat) {
        if let Some(mut program) = self.programs.remove(&seat) {
            program.stop();
        }
    }

    /// Starts a program that was ended.
    pub(crate) fn start_again(&mut self, seat: Seat) {
        let program = start(&self.offices, &self.by, seat);
        self.programs.insert(seat, program);
    }

    /// Stops a program, has it started another way from now on, and starts it.
    pub(crate) fn start_by(&mut self, seat: Seat, by: Option<By>) {
        self.stop(seat);
        match by {
            Some(by) => self.by.insert(seat, by),
            None => self.by.remove(&seat),
        };
        self.start_again(seat);
    }

    /// Starts again what has ended by itself.
    ///
    /// # Errors
    /// When the load broke off.
    pub(crate) fn keep(&mut self) -> anyhow::Result<()> {
        self.ended += revive(&mut self.programs, &self.offices, &self.by);
        self.load.check()?;
        self.desk.check()
    }

    /// Waits until something is so, while everything goes on.
    ///
    /// # Errors
    /// When patience ends, or the load breaks off.
    pub(crate) async fn until(
        &mut self,
        what: &str,
        mut is_so: impl AsyncFnMut(&mut Self) -> bool,
    ) -> anyhow::Result<()> {
        let end = Instant::now() + PATIENCE;
        while !is_so(self).await {
            self.keep()?;
            ensure!(Instant::now() < end, "waited in vain for {what}");
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    }

    /// Lets the load go on for a time.
    ///
    /// # Errors
    /// When the load breaks off.
    pub(crate) async fn pass(&mut self, time: Duration) -> anyhow::Result<()> {
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.keep()?;
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    }

    /// Waits until so many more posts have been taken by the collectors.
    ///
    /// # Errors
    /// As [`Self::until`].
    pub(crate) async fn taken(&mut self, posts: usize) -> anyhow::Result<()> {
        let wanted = self.load.count() + posts;
        let what = format!("{posts} more posts to be taken");
        self.until(&what, async |scene| scene.load.count() >= wanted)
            .await
    }

    /// Waits until so many more posts are in the archive.
    ///
    /// # Errors
    /// As [`Self::until`].
    pub(crate) async fn archived(&mut self, posts: u64) -> anyhow::Result<()> {
        let url = self.clickhouse.url.clone();
        let count = async || {
            let count = "SELECT uniqExact(post_id) FROM assessments";
            crate::number(&url, count).await
        };
        let before = count().await.unwrap_or(0);
        let what = format!("{posts} more posts in the archive");
        self.until(&what, async |_| {
            count().await.is_some_and(|now| now >= before + posts)
        })
        .await
    }

    /// Waits until so many more moves were confirmed.
    ///
    /// # Errors
    /// As [`Self::until`].
    pub(crate) async fn moved(&mut self, moves: usize) -> anyhow::Result<()> {
        let wanted = self.desk.count() + moves;
        let what = format!("{moves} more moves");
        self.until(&what, async |scene| scene.desk.count() >= wanted)
            .await
    }

    /// Waits until a program is ready.
    ///
    /// # Errors
    /// As [`Self::until`].
    pub(crate) async fn ready(&mut self, (process, number): Seat) -> anyhow::Result<()> {
        let index = PROCESSES.iter().position(|known| *known == process);
        let index = index.unwrap_or(0) + 1;
        self.until(&format!("{process} {number}"), async |scene| {
            scene.offices[number].ready(index).await.is_some()
        })
        .await
    }

    /// Stops the load, once all that was begun is taken.
    ///
    /// # Errors
    /// As [`Self::until`].
    pub(crate) async fn quiet(&mut self) -> anyhow::Result<Quiet> {
        let mut held = None;
        let mut asked = tokio::spawn(Arc::clone(&self.flow).write_owned());
        self.until("what was begun to be taken", async |_| {
            if asked.is_finished() {
                held = (&mut asked).await.ok();
            }
            held.is_some()
        })
        .await?;
        held.context("the load is held")
    }
}

/// All places.
pub(crate) fn seats() -> impl Iterator<Item = Seat> {
    (0..2).flat_map(|number| PROCESSES.map(|process| (process, number)))
}

/// Starts again what has ended by itself, as whoever supervises the programs does. How many had.
fn revive(
    programs: &mut BTreeMap<Seat, Program>,
    offices: &[Office; 2],
    by: &BTreeMap<Seat, By>,
) -> u64 {
    let mut ended = 0;
    for (seat, program) in programs {
        if program.has_ended() {
            let (process, number) = seat;
            let log = std::fs::read_to_string(offices[*number].log(process)).unwrap_or_default();
            let last = log.lines().last().unwrap_or_default();
            println!("{process} of place {number} ended by itself: {last}");
            *program = start(offices, by, *seat);
            ended += 1;
        }
    }
    ended
}

fn start(offices: &[Office; 2], by: &BTreeMap<Seat, By>, seat: Seat) -> Program {
    let (process, number) = seat;
    offices[number].start_logging_by(process, command(by, seat))
}

fn command(by: &BTreeMap<Seat, By>, seat: Seat) -> Command {
    let (process, _) = seat;
    (by.get(&seat)).map_or_else(|| Program::command(process), |by| by.command(process))
}

fn callers() -> Vec<Caller> {
    let caller = |code: &&str| Caller {
        source: format!("热线{code}"),
        token: format!("token-of-the-hotline-of-{code}"),
    };
    REGIONS.iter().map(caller).collect()
}

fn export(number: usize) -> String {
    format!("导出{number}")
}

/// Settings and sources of one of the two places.
fn settle(office: &Office, number: usize, regions: &[Value], postgres: &str, intake: u16) {
    let folder = office.folder();
    let mut sources = format!(
        "[[source]]\nname = \"{}\"\nregion = \"{}\"\nevery_seconds = 1\n[source.import]\nfile = \"../exports\"\n",
        export(number),
        REGIONS[number],
    );
    for (caller, code) in callers().iter().zip(REGIONS) {
        std::fs::write(folder.join(code), &caller.token).expect("a token can be written");
        sources.push_str(&format!(
            "[[source]]\nname = \"{}\"\nregion = \"{code}\"\n[source.push]\ntoken = {{ file = \"{}\" }}\n",
            caller.source,
            folder.join(code).display(),
        ));
    }
    for made in ["exports", "disk"] {
        std::fs::create_dir(folder.join(made)).expect("a folder can be made");
    }
    office.add_sources(&sources);
    for process in PROCESSES {
        office.change(process, |settings| {
            settings.retain(|name, _| SETTINGS.contains(&name));
            set(settings, "kafka", "replication", 3);
            if process != "collector" {
                settings.insert("regions".to_owned(), regions.to_vec().into());
            }
        });
    }
    office.change("collector", |settings| {
        settings.insert("state".to_owned(), "disk/collector.sqlite".into());
        let intake =
            Table::from_iter([("listen".to_owned(), format!("127.0.0.1:{intake}").into())]);
        settings.insert("intake".to_owned(), intake.into());
    });
    office.change("analyzer", |settings| {
        settings.insert("checkpoints".to_owned(), "disk/checkpoints".into());
        // Only what is nearly the same is one matter, so that there are always new ones.
        set(settings, "events", "least_similarity", 0.8);
    });
    office.change("responder", |settings| {
        let store = Table::from_iter([("url".to_owned(), postgres.into())]);
        settings.insert("store".to_owned(), store.into());
    });
}

fn set(settings: &mut Table, table: &str, name: &str, value: impl Into<Value>) {
    if let Some(table) = settings.get_mut(table).and_then(Value::as_table_mut) {
        table.insert(name.to_owned(), value.into());
    }
}

/// A token of the administrator's with which the desk works.
fn token(office: &Office, by: Command) -> anyhow::Result<String> {
    let asked = [
        "token",
        "add",
        "admin",
        "--label",
        "soak",
        "--scope",
        "cases:read",
        "--scope",
        "cases:move",
    ];
    let made = office.run_by("responder", by, &asked);
    let said = String::from_utf8_lossy(&made.stdout).into_owned();
    let token = (said.split_whitespace()).find(|word| word.starts_with("wensheng_"));
    token.map(str::to_owned).with_context(|| {
        format!(
            "no token was made: {said}{}",
            String::from_utf8_lossy(&made.stderr)
        )
    })
}
