//! The three programs apart, each with its settings, as an operator runs them.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::producer::{FutureProducer, FutureRecord};
use tempfile::TempDir;
use toml::{Table, Value};

use crate::duty::PASSWORD;
use crate::program::{Program, project};

/// The region that they serve: the sample county.
pub const REGION: &str = "990101";

/// The settings of the three programs, in a folder of their own.
#[derive(Debug)]
pub struct Office {
    folder: TempDir,
    ports: [u16; 4],
}

/// Ports of the loopback that nobody listens on, below those that the system gives to connections: one is still free when a program
/// comes back to it.
///
/// # Panics
/// When there are none.
#[must_use]
pub fn free_ports<const COUNT: usize>() -> [u16; COUNT] {
    let told = Command::new(project().join("tests/free-ports"))
        .arg(COUNT.to_string())
        .output()
        .expect("tests/free-ports runs");
    let ports: Vec<u16> = String::from_utf8_lossy(&told.stdout)
        .split_whitespace()
        .map(|port| port.parse().expect("a port"))
        .collect();
    ports.try_into().expect("as many as were asked for")
}

impl Office {
    /// Writes the settings; `export` is what the collector's one source holds.
    ///
    /// # Panics
    /// When they cannot be written.
    #[must_use]
    pub fn new(kafka: &str, clickhouse: &str, export: &str) -> Self {
        let office = Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
            ports: free_ports(),
        };
        let region = project()
            .join("deploy/sample/region")
            .join(REGION)
            .display()
            .to_string();
        std::fs::create_dir(office.path("sources.d")).expect("the settings can be written");
        std::fs::write(office.path("export.jsonl"), export).expect("the settings can be written");
        std::fs::write(
            office.path("sources.d/export.toml"),
            format!(
                "[[source]]\nname = \"信箱导出\"\nregion = \"{REGION}\"\n[source.import]\nfile = \"../export.jsonl\"\n"
            ),
        )
        .expect("the settings can be written");
        let [console, collector, analyzer, responder] = office.ports;
        let local = |port: u16| Value::from(format!("127.0.0.1:{port}"));
        office.write("collector", kafka, clickhouse, |settings| {
            settings.insert("state".to_owned(), "collector.sqlite".into());
            table(settings, "operations").insert("listen".to_owned(), local(collector));
        });
        office.write("analyzer", kafka, clickhouse, |settings| {
            settings.insert(
                "regions".to_owned(),
                vec![Value::from(region.clone())].into(),
            );
            let model = project().join("analyzer/model").display().to_string();
            settings.insert("model".to_owned(), model.into());
            settings.insert("checkpoints".to_owned(), "checkpoints".into());
            table(settings, "operations").insert("listen".to_owned(), local(analyzer));
        });
        office.write("responder", kafka, clickhouse, |settings| {
            settings.insert(
                "regions".to_owned(),
                vec![Value::from(region.clone())].into(),
            );
            table(settings, "store").insert("file".to_owned(), "responder.sqlite".into());
            let holidays = project()
                .join("deploy/config/holidays.toml")
                .display()
                .to_string();
            table(settings, "calendar").insert("holidays".to_owned(), holidays.into());
            table(settings, "console").insert("listen".to_owned(), local(console));
            table(settings, "operations").insert("listen".to_owned(), local(responder));
        });
        office
    }

    /// Changes the settings of a program.
    ///
    /// # Panics
    /// When they cannot be written.
    pub fn change(&self, process: &str, change: impl FnOnce(&mut Table)) {
        let path = self.config(process);
        let text = std::fs::read_to_string(&path).expect("the settings can be read");
        let mut settings: Table = toml::from_str(&text).expect("the settings can be read");
        change(&mut settings);
        let text = toml::to_string(&settings).expect("the settings can be written");
        std::fs::write(path, text).expect("the settings can be written");
    }

    /// Where everything is that the programs keep in files.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Adds a file of sources.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn add_sources(&self, text: &str) {
        std::fs::write(self.path("sources.d/added.toml"), text).expect("it can be written");
    }

    fn write(&self, process: &str, kafka: &str, clickhouse: &str, change: impl FnOnce(&mut Table)) {
        let shipped = project().join(format!("deploy/config/{process}.toml"));
        let mut settings: Table =
            toml::from_str(&std::fs::read_to_string(shipped).expect("the settings can be written"))
                .expect("the settings can be written");
        table(&mut settings, "kafka").insert("brokers".to_owned(), kafka.into());
        if settings.contains_key("clickhouse") {
            table(&mut settings, "clickhouse").insert("url".to_owned(), clickhouse.into());
        }
        change(&mut settings);
        std::fs::write(
            self.config(process),
            toml::to_string(&settings).expect("the settings can be written"),
        )
        .expect("the settings can be written");
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The log of a program that was [started with one](Self::start_logging).
    #[must_use]
    pub fn log(&self, process: &str) -> PathBuf {
        self.path(&format!("{process}.log"))
    }

    fn config(&self, process: &str) -> PathBuf {
        self.path(&format!("{process}.toml"))
    }

    /// Starts a program.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start(&self, process: &str) -> Program {
        Program::start(self.command(process, Program::command(process)))
    }

    /// Starts a program whose log goes to a file in the folder, after what is there.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start_logging(&self, process: &str) -> Program {
        self.start_logging_by(process, Program::command(process))
    }

    /// The same by another command: that of an older build, or one that starts the program elsewhere.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start_logging_by(&self, process: &str, by: Command) -> Program {
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.log(process))
            .expect("a log can be written");
        let mut command = self.command(process, by);
        command.stderr(log);
        Program::start(command)
    }

    fn command(&self, process: &str, mut by: Command) -> Command {
        by.arg("--config")
            .arg(self.config(process))
            .env("WENSHENG_ADMIN_PASSWORD", PASSWORD);
        by
    }

    /// Runs a command of a program to its end.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn run(&self, process: &str, arguments: &[&str]) -> Output {
        self.run_by(process, Program::command(process), arguments)
    }

    /// The same by another command, as [`Self::start_logging_by`].
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn run_by(&self, process: &str, mut by: Command, arguments: &[&str]) -> Output {
        by.arg("--config")
            .arg(self.config(process))
            .args(arguments)
            .env("RUST_LOG", "warn");
        by.output().expect("it starts")
    }

    /// The console's address.
    #[must_use]
    pub fn console(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports[0])
    }

    /// Where a program tells operators how it is: the collector is 1, the analyzer 2, the responder 3.
    #[must_use]
    pub fn operations(&self, process: usize) -> String {
        format!("http://127.0.0.1:{}", self.ports[process])
    }

    /// Whether a program is ready: the collector is 1, the analyzer 2, the responder 3.
    pub async fn ready(&self, process: usize) -> Option<()> {
        let address = format!("{}/health/ready", self.operations(process));
        reqwest::get(address)
            .await
            .ok()?
            .status()
            .is_success()
            .then_some(())
    }
}

fn table<'a>(settings: &'a mut Table, name: &str) -> &'a mut Table {
    settings
        .get_mut(name)
        .and_then(Value::as_table_mut)
        .expect("the settings can be written")
}

/// Sends bytes to a topic, keyed by the region.
///
/// # Panics
/// When the brokers do not take them.
pub async fn send_raw(kafka: &str, topic: &str, payload: &str) {
    let producer: FutureProducer = ClientConfig::new()
        .set("bootstrap.servers", kafka)
        .create()
        .expect("the brokers take it");
    let record = FutureRecord::to(topic).key(REGION).payload(payload);
    producer
        .send(record, Duration::from_secs(30))
        .await
        .expect("the brokers take it");
}
