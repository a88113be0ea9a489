//! What is measured: the separate programs on Apache Kafka, ClickHouse and PostgreSQL, or the standalone one.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::Context as _;
use backbone::settings::Kafka;
use backbone::topics::Topic;
use clap::ValueEnum;
use sqlx::AnyPool;
use sqlx::any::install_default_drivers;
use tokio::time::Instant;
use toml::{Table, Value};
use wensheng_tests::load::standalone_by;
use wensheng_tests::{Broker, Office, Postgres, Program, Store, counties, free_ports};

/// Longest wait for programs to be ready: hundreds of regions take a while to read.
const PATIENCE: Duration = Duration::from_secs(300);

/// On which engines the programs run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Engines {
    /// Apache Kafka (one broker), ClickHouse (the library behind HTTP) and PostgreSQL; each program by itself.
    Kafka,
    /// The standalone program with its embedded engines and SQLite.
    Standalone,
}

impl Engines {
    /// The programs that are measured, by the names the system knows them by, and what they are called in the table.
    pub(crate) fn programs(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Kafka => &[
                ("collector", "collector"),
                ("analyzer", "analyzer"),
                ("responder", "responder"),
                ("java", "Apache Kafka"),
                ("clickhouse", "ClickHouse"),
                ("postgres", "PostgreSQL"),
            ],
            Self::Standalone => &[
                ("standalone", "standalone"),
                ("broker", "broker"),
                ("clickhouse", "ClickHouse"),
            ],
        }
    }
}

/// Everything that runs.
#[derive(Debug)]
pub(crate) struct Scene {
    /// On which engines.
    pub(crate) engines: Engines,
    /// Codes of the regions.
    pub(crate) regions: Vec<String>,
    /// Where posts are pushed to.
    pub(crate) intake: String,
    /// Kafka's settings.
    pub(crate) kafka: Kafka,
    /// ClickHouse.
    pub(crate) clickhouse: String,
    /// Where the brokers keep their messages.
    pub(crate) messages: PathBuf,
    /// The collector's state.
    pub(crate) state: PathBuf,
    programs: Vec<Program>,
    // Ended after the programs.
    _office: Office,
    engine_set: Option<(Broker, Store, Postgres)>,
}

impl Scene {
    /// Starts everything and waits until it is ready; what it keeps goes into the folder where it is not the engines' own.
    ///
    /// # Errors
    /// When something does not start.
    pub(crate) async fn start(
        engines: Engines,
        regions: usize,
        folder: &Path,
    ) -> anyhow::Result<Self> {
        let regions: Vec<String> = (990_101..)
            .take(regions)
            .map(|code| code.to_string())
            .collect();
        let counties: Vec<Value> = counties(&folder.join("regions"), &regions)?
            .into_iter()
            .map(|county| county.display().to_string().into())
            .collect();
        let [port] = free_ports();
        let settle = |office: &Office| settle(office, &regions, &counties, port);
        let intake = format!("http://127.0.0.1:{port}");
        match engines {
            Engines::Kafka => {
                let (broker, clickhouse, postgres) =
                    (Broker::apache(1), Store::start(), Postgres::start());
                let office = Office::new(broker.address(), &clickhouse.url, "");
                settle(&office)?;
                office.change("responder", |settings| {
                    let url = Value::from(postgres.url.clone());
                    settings.insert(
                        "store".to_owned(),
                        Table::from_iter([("url".to_owned(), url)]).into(),
                    );
                });
                let names = ["collector", "analyzer", "responder"];
                let programs = names.map(|name| office.start_logging(name)).into();
                let begun = Instant::now();
                for (process, name) in (1..).zip(names) {
                    while office.ready(process).await.is_none() {
                        anyhow::ensure!(begun.elapsed() < PATIENCE, "{name} does not start");
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                }
                Ok(Self {
                    engines,
                    regions,
                    intake,
                    state: office.folder().join("collector.sqlite"),
                    kafka: Kafka::at(broker.address()),
                    clickhouse: clickhouse.url.clone(),
                    messages: broker.folder().to_owned(),
                    programs,
                    _office: office,
                    engine_set: Some((broker, clickhouse, postgres)),
                })
            }
            Engines::Standalone => {
                // The standalone program has engines of its own.
                let office = Office::new("127.0.0.1:9", "http://127.0.0.1:9", "");
                settle(&office)?;
                let data = folder.join("data");
                std::fs::create_dir(&data)?;
                let (program, addresses) = standalone_by(office.folder(), &data, PATIENCE).await;
                Ok(Self {
                    engines,
                    regions,
                    intake,
                    kafka: Kafka {
                        partitions: 1,
                        ..Kafka::at(&addresses["kafka"])
                    },
                    clickhouse: addresses["clickhouse"].clone(),
                    messages: data.join("broker"),
                    state: data.join("collector.sqlite"),
                    programs: vec![program],
                    _office: office,
                    engine_set: None,
                })
            }
        }
    }

    /// Bytes of the case store.
    ///
    /// # Errors
    /// When it does not answer.
    pub(crate) async fn store_bytes(&self) -> anyhow::Result<u64> {
        let Some((_, _, postgres)) = &self.engine_set else {
            return on_disk(&self.state.with_file_name("responder.sqlite"));
        };
        install_default_drivers();
        let store = AnyPool::connect(&postgres.url).await?;
        let bytes: i64 = sqlx::query_scalar("SELECT pg_database_size(current_database())")
            .fetch_one(&store)
            .await?;
        store.close().await;
        Ok(bytes.try_into()?)
    }

    /// Bytes of a topic's logs, where they are kept apart.
    ///
    /// # Errors
    /// When they cannot be looked at.
    pub(crate) fn topic_bytes(&self, topic: &Topic) -> anyhow::Result<Option<u64>> {
        let mut bytes = None;
        for log in std::fs::read_dir(&self.messages)? {
            let log = log?.path();
            for partition in 0..self.kafka.partitions {
                let folder = log.join(format!("{}-{partition}", topic.name));
                if folder.is_dir() {
                    bytes = Some(bytes.unwrap_or(0) + on_disk(&folder)?);
                }
            }
        }
        Ok(bytes)
    }

    /// Stops the programs in order, the engines after them.
    pub(crate) fn stop(mut self) {
        for program in &mut self.programs {
            program.stop();
        }
    }
}

/// Bytes that a folder takes on the disk.
pub(crate) fn on_disk(folder: &Path) -> anyhow::Result<u64> {
    let said = Command::new("du")
        .args(["--summarize", "--block-size=1"])
        .arg(folder)
        .output()?;
    let said = String::from_utf8(said.stdout)?;
    Ok(said.split_whitespace().next().context("a size")?.parse()?)
}

/// The source through which posts of a region are pushed.
pub(crate) fn source_of(region: &str) -> String {
    format!("热线{region}")
}

/// What a system of that region shows that it is.
pub(crate) fn region_token(region: &str) -> String {
    format!("token-of-the-hotline-of-{region}")
}

fn settle(
    office: &Office,
    regions: &[String],
    counties: &[Value],
    intake: u16,
) -> anyhow::Result<()> {
    let mut sources = String::new();
    for region in regions {
        let token = office.folder().join(region);
        std::fs::write(&token, region_token(region))?;
        sources.push_str(&format!(
            "[[source]]\nname = \"{}\"\nregion = \"{region}\"\n[source.push]\ntoken = {{ file = \"{}\" }}\n",
            source_of(region),
            token.display(),
        ));
    }
    office.add_sources(&sources);
    office.change("collector", |settings| {
        let listen = Value::from(format!("127.0.0.1:{intake}"));
        settings.insert(
            "intake".to_owned(),
            Table::from_iter([("listen".to_owned(), listen)]).into(),
        );
    });
    for process in ["analyzer", "responder"] {
        office.change(process, |settings| {
            settings.insert("regions".to_owned(), counties.to_vec().into());
        });
    }
    Ok(())
}
