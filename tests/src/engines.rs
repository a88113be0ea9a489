//! The engines the programs run on: Apache Kafka and the embedded broker, ClickHouse with Apache ZooKeeper, and PostgreSQL.

use std::io::{BufRead, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use backbone::settings::{Kafka, KafkaSasl, KafkaTls, SaslMechanism, Secret};
use tempfile::TempDir;

use crate::program::{Program, project};

/// A Kafka broker of either kind.
#[derive(Debug)]
pub enum Broker {
    /// Apache Kafka 4 in KRaft mode, started by `tests/kafka`.
    Apache {
        /// Its addresses.
        address: String,
        /// Its state.
        folder: TempDir,
    },
    /// The broker of the standalone program.
    Embedded {
        /// Its address.
        address: String,
        /// The running program.
        program: Program,
        /// Its state.
        folder: TempDir,
    },
}

impl Broker {
    /// Gets and starts Apache Kafka with that many brokers.
    ///
    /// # Panics
    /// When it cannot be had or started.
    #[must_use]
    pub fn apache(brokers: u32) -> Self {
        Self::start(&["--brokers", &brokers.to_string()])
    }

    /// The same with one broker, which speaks TLS only and wants to know to whom. Gives how to get there, too.
    ///
    /// # Panics
    /// When it cannot be had or started.
    #[must_use]
    pub fn secure() -> (Self, Kafka) {
        let broker = Self::start(&["--secure"]);
        let Self::Apache { address, folder } = &broker else {
            unreachable!("it is Apache Kafka");
        };
        let kafka = Kafka {
            tls: Some(KafkaTls {
                ca: Some(folder.path().join("certificate.pem")),
                ..KafkaTls::default()
            }),
            sasl: Some(KafkaSasl {
                mechanism: SaslMechanism::ScramSha512,
                user: "wensheng".to_owned(),
                password: Secret {
                    env: None,
                    file: Some(folder.path().join("password")),
                },
            }),
            ..Kafka::at(address)
        };
        (broker, kafka)
    }

    fn start(options: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let address = started("tests/kafka/run", options, &folder);
        Self::Apache { address, folder }
    }

    /// Starts the embedded broker.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn embedded() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut command = Program::command("broker");
        command
            // As in the standalone program: this library tells of every message it reads.
            .env("RUST_LOG", "warn")
            .arg("--data")
            .arg(folder.path())
            .args(["--port", "0"]);
        let (program, address) = Program::start_and_wait(command);
        Self::Embedded {
            address,
            program,
            folder,
        }
    }

    /// Ends one of Apache Kafka's brokers at once, as a crash would; they are numbered from 1.
    ///
    /// # Panics
    /// When it does not run.
    pub fn kill(&self, node: u32) {
        let killed = Command::new("kill")
            .args(["-KILL", &self.pid(node)])
            .status();
        assert!(killed.expect("kill is a program").success());
        while !self.has_ended(node) {
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Whether one of Apache Kafka's brokers has ended.
    ///
    /// # Panics
    /// When it was never started.
    #[must_use]
    pub fn has_ended(&self, node: u32) -> bool {
        !Path::new("/proc").join(self.pid(node)).join("exe").exists()
    }

    fn pid(&self, node: u32) -> String {
        let file = self.folder().join(format!("{node}.pid"));
        let pid = std::fs::read_to_string(file).expect("a broker that was started");
        pid.trim().to_owned()
    }

    /// Starts brokers of Apache Kafka again that were ended, all at once: those of a majority come up together only.
    ///
    /// # Panics
    /// When one does not start.
    pub fn start_again(&self, nodes: &[u32]) {
        let start = |node: &u32| {
            Command::new(project().join("tests/kafka/run"))
                .args(["again", "--node", &node.to_string(), "--dir"])
                .arg(self.folder())
                .spawn()
                .expect("tests/kafka/run is a program")
        };
        let starting: Vec<Child> = nodes.iter().map(start).collect();
        for mut child in starting {
            let started = child.wait().expect("a child can be waited for");
            assert!(started.success(), "a broker did not start again");
        }
    }

    /// Its addresses, for `kafka.brokers`.
    #[must_use]
    pub fn address(&self) -> &str {
        match self {
            Self::Apache { address, .. } | Self::Embedded { address, .. } => address,
        }
    }

    /// Where its state is.
    #[must_use]
    pub fn folder(&self) -> &Path {
        match self {
            Self::Apache { folder, .. } | Self::Embedded { folder, .. } => folder.path(),
        }
    }

    /// Its name, for messages.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Apache { .. } => "Apache Kafka",
            Self::Embedded { .. } => "the embedded broker",
        }
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        if let Self::Apache { folder, .. } = self {
            let stopped = Command::new(project().join("tests/kafka/run"))
                .args(["stop", "--dir"])
                .arg(folder.path())
                .status();
            drop(stopped);
        }
    }
}

/// Has a script start a server on a folder; gives the address that it prints.
fn started(script: &str, options: &[&str], folder: &TempDir) -> String {
    let output = Command::new(project().join(script))
        .arg("start")
        .args(options)
        .arg("--dir")
        .arg(folder.path())
        .output()
        .unwrap_or_else(|error| panic!("{script} does not run: {error}"));
    assert!(
        output.status.success(),
        "{script} started nothing: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let said = String::from_utf8_lossy(&output.stdout);
    let address = said.lines().last().expect("it prints its address");
    address.trim().to_owned()
}

/// An Apache ZooKeeper, where the replicas of a ClickHouse keep what they agree on; stopped when dropped.
#[derive(Debug)]
pub struct ZooKeeper {
    port: String,
    folder: TempDir,
}

impl ZooKeeper {
    /// Gets and starts it, empty.
    ///
    /// # Panics
    /// When it cannot be had or started.
    #[must_use]
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let port = started("tests/zookeeper/run", &[], &folder);
        Self { port, folder }
    }
}

impl Drop for ZooKeeper {
    fn drop(&mut self) {
        let stopped = Command::new(project().join("tests/zookeeper/run"))
            .args(["stop", "--dir"])
            .arg(self.folder.path())
            .status();
        drop(stopped);
    }
}

/// A PostgreSQL; stopped when dropped.
#[derive(Debug)]
pub struct Postgres {
    /// Address of its empty database.
    pub url: String,
    server: Child,
    said: BufReader<ChildStdout>,
}

/// How a PostgreSQL goes down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shutdown {
    /// In order, but without waiting for anybody.
    Fast,
    /// At once; it reads its log when it starts again.
    Immediate,
}

impl Postgres {
    /// Starts it on an empty folder.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start() -> Self {
        let mut server = Command::new(project().join("tests/postgres/run"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("tests/postgres/run is a program");
        let out = server.stdout.take().expect("standard output is piped");
        let mut started = Self {
            url: String::new(),
            server,
            said: BufReader::new(out),
        };
        started.url = started.line();
        started
    }

    /// Where its `data` and its `log` are.
    ///
    /// # Panics
    /// When its address does not say where its certificate is.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        let (_, certificate) = (self.url.split_once("sslrootcert=")).expect("it speaks TLS");
        (Path::new(certificate).parent())
            .expect("a file is in a folder")
            .to_owned()
    }

    /// Stops it; [`Self::up`] starts it again where it was.
    ///
    /// # Panics
    /// When it does not stop.
    pub fn down(&mut self, how: Shutdown) {
        let order = match how {
            Shutdown::Fast => "fast",
            Shutdown::Immediate => "immediate",
        };
        self.order(order);
        assert_eq!(self.line(), "down");
    }

    /// Starts it again.
    ///
    /// # Panics
    /// When it does not start.
    pub fn up(&mut self) {
        self.order("up");
        assert_eq!(self.line(), self.url);
    }

    fn order(&mut self, order: &str) {
        let input = self.server.stdin.as_mut().expect("its input is piped");
        writeln!(input, "{order}").expect("it reads");
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.said.read_line(&mut line).expect("it answers");
        line.trim().to_owned()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.server.stdin.take());
        self.server.wait().expect("it ends with its input");
    }
}

/// A ClickHouse: the engine as a library behind its HTTP interface.
#[derive(Debug)]
pub struct Store {
    /// Address of the HTTP interface.
    pub url: String,
    program: Program,
    folder: TempDir,
    port: String,
}

impl Store {
    /// Starts it on an empty folder.
    ///
    /// # Panics
    /// When the library cannot be had or the program does not start.
    #[must_use]
    pub fn start() -> Self {
        Self::on(tempfile::tempdir().expect("a temporary folder"))
    }

    /// The same as one of the replicas of a table, by that name.
    ///
    /// # Panics
    /// When the library cannot be had or the program does not start.
    #[must_use]
    pub fn replica(coordinator: &ZooKeeper, name: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let port = &coordinator.port;
        // The engine reads a file of this name in the folder that it is started in.
        std::fs::write(
            folder.path().join("config.xml"),
            format!(
                "<clickhouse>
                <zookeeper><node><host>127.0.0.1</host><port>{port}</port></node></zookeeper>
                <macros><shard>1</shard><replica>{name}</replica></macros>
                <default_replica_path>/clickhouse/tables/{{database}}/{{table}}/{{shard}}</default_replica_path>
                </clickhouse>"
            ),
        )
        .expect("a folder of ours");
        Self::on(folder)
    }

    fn on(folder: TempDir) -> Self {
        let (program, url) = Self::program(&folder, "0");
        let port = url
            .rsplit(':')
            .next()
            .unwrap_or_default()
            .trim_end_matches('/')
            .to_owned();
        Self {
            url,
            program,
            folder,
            port,
        }
    }

    /// Where its state is.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Ends it at once.
    pub fn kill(&mut self) {
        self.program.kill();
    }

    /// Starts it again where it was.
    pub fn start_again(&mut self) {
        let (program, _) = Self::program(&self.folder, &self.port);
        self.program = program;
    }

    fn program(folder: &TempDir, port: &str) -> (Program, String) {
        let library = Command::new(project().join("deploy/libchdb"))
            .output()
            .expect("deploy/libchdb is a program");
        assert!(
            library.status.success(),
            "libchdb cannot be had: {}",
            String::from_utf8_lossy(&library.stderr)
        );
        let path = String::from_utf8_lossy(&library.stdout).trim().to_owned();
        let mut command = Program::command("clickhouse");
        command
            .current_dir(folder.path())
            .env("CHDB_LIB", path)
            .arg("--data")
            .arg(folder.path())
            .args(["--port", port]);
        Program::start_and_wait(command)
    }
}
