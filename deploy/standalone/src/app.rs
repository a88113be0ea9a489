//! The whole of Wensheng in one program: engines first, then the three processes, and the way back.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use backbone::settings::{self, Kafka};
use responder::settings::Store;
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::info;
use url::{Host, Url};

use crate::engine::Engine;
use crate::sample::{Input, Sample};

/// What is run, and where.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    /// Folder with collector.toml, analyzer.toml and responder.toml.
    #[arg(long, default_value = "deploy/config")]
    pub config: PathBuf,
    /// Folder that holds everything it has; made where missing.
    #[arg(long, default_value = "data")]
    pub data: PathBuf,
    /// The console's port; the next three are for operators (health and metrics). 0 takes free ones.
    #[arg(long, default_value_t = 8080)]
    pub port: u16,
    /// The ClickHouse library, as printed by deploy/libchdb.
    #[arg(long, env = "CHDB_LIB")]
    pub lib: PathBuf,
    /// File of posts to try it on (JSON Lines); needs --region.
    #[arg(long, requires = "region")]
    pub posts: Option<PathBuf>,
    /// Folder of the region that those posts are about.
    #[arg(long)]
    pub region: Option<PathBuf>,
}

/// Where everything listens, as written to `standalone.json` once it is ready.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Addresses {
    /// Process id.
    pub pid: u32,
    /// The console.
    pub console: String,
    /// Health and metrics of the collector.
    pub collector: String,
    /// Health and metrics of the analyzer.
    pub analyzer: String,
    /// Health and metrics of the responder.
    pub responder: String,
    /// The embedded broker.
    pub kafka: String,
    /// The embedded ClickHouse.
    pub clickhouse: String,
    /// Posts of the sample; 0 without one.
    pub sample_posts: usize,
}

/// Name of the file with the addresses.
pub const ADDRESSES: &str = "standalone.json";

/// Name of the folder with the settings that it runs with, for commands: `responder --config DATA/settings/responder.toml …`.
pub const SETTINGS: &str = "settings";

/// Runs everything until `stop`; calls `ready` once the console answers.
///
/// # Errors
/// When something cannot start, or a process ends by itself.
pub async fn run(
    mut arguments: Arguments,
    stop: CancellationToken,
    ready: impl FnOnce(&Addresses),
) -> anyhow::Result<()> {
    // Settings are written for commands, which are run from other folders.
    let given = [&mut arguments.config, &mut arguments.data];
    for path in given.into_iter().chain(&mut arguments.region) {
        *path = std::path::absolute(&*path)?;
    }
    let data = &arguments.data;
    std::fs::create_dir_all(data).with_context(|| {
        format!(
            "cannot create {}; choose a folder with --data",
            data.display()
        )
    })?;
    let lock = lock(data)?;
    let sample = match (&arguments.posts, &arguments.region) {
        (Some(posts), Some(region)) => {
            Some(Sample::prepare(Input { posts, region }, &data.join("sample")).await?)
        }
        _ => None,
    };
    let mut broker = Engine::start("broker", data.join("broker"), Vec::new()).await?;
    let library = vec!["--lib".into(), arguments.lib.clone().into()];
    let mut clickhouse = Engine::start("clickhouse", data.join("clickhouse"), library).await?;

    let plan = Plan::new(&arguments, sample.as_ref(), &broker, &clickhouse)?;
    plan.write_settings(&data.join(SETTINGS))?;
    let apps = CancellationToken::new();
    let running = plan.run(sample, &apps);
    let mut running = Box::pin(running);
    let told = async {
        plan.wait_until_ready(&apps).await?;
        write_addresses(data, &plan.addresses)?;
        ready(&plan.addresses);
        std::future::pending::<anyhow::Result<()>>().await
    };
    let ended = tokio::select! {
        () = stop.cancelled() => Ok(()),
        ended = &mut running => ended,
        failed = broker.keep_up() => failed,
        failed = clickhouse.keep_up() => failed,
        failed = told => failed,
    };
    // The apps first: they finish what they hold while the engines still answer.
    apps.cancel();
    let stopped = match ended {
        Ok(()) => running.await,
        Err(failure) => Err(failure),
    };
    clickhouse.stop().await;
    broker.stop().await;
    // It may not have got so far.
    drop(std::fs::remove_file(data.join(ADDRESSES)));
    drop(lock);
    info!("stopped");
    stopped
}

fn lock(data: &Path) -> anyhow::Result<std::fs::File> {
    let path = data.join("lock");
    let file = std::fs::File::create(&path).with_context(|| {
        format!(
            "cannot write {}; choose a folder with --data",
            path.display()
        )
    })?;
    if file.try_lock().is_err() {
        bail!(
            "{} is in use by another Wensheng; stop it with deploy/down or choose another folder with --data",
            data.display()
        );
    }
    Ok(file)
}

fn write_addresses(data: &Path, addresses: &Addresses) -> anyhow::Result<()> {
    let aside = data.join("standalone.json.part");
    std::fs::write(&aside, serde_json::to_string_pretty(addresses)? + "\n")?;
    std::fs::rename(&aside, data.join(ADDRESSES))?;
    Ok(())
}

/// The settings of the three processes, with the addresses of the engines put in.
struct Plan {
    collector: collector::settings::Settings,
    analyzer: analyzer::settings::Settings,
    responder: responder::settings::Settings,
    addresses: Addresses,
}

impl Plan {
    fn new(
        arguments: &Arguments,
        sample: Option<&Sample>,
        broker: &Engine,
        clickhouse: &Engine,
    ) -> anyhow::Result<Self> {
        let (config, data) = (&arguments.config, &arguments.data);
        let mut collector = collector::settings::Settings::load(&config.join("collector.toml"))?;
        let mut analyzer = analyzer::settings::Settings::load(&config.join("analyzer.toml"))?;
        let mut responder = responder::settings::Settings::load(&config.join("responder.toml"))?;
        let kafka = Kafka {
            // One program reads all of them, and each costs the broker a statement whenever it is asked for messages.
            partitions: 1,
            // After an error a producer goes on with its next epoch, which this broker does not take (tansu-broker 0.6): a task of it panics.
            idempotence: false,
            ..Kafka::at(broker.address())
        };
        collector.kafka = kafka.clone();
        analyzer.kafka = kafka.clone();
        responder.kafka = kafka;
        for settings in [&mut analyzer.clickhouse, &mut responder.clickhouse] {
            clickhouse.address().clone_into(&mut settings.url);
            settings.user.clear();
        }
        collector.state = data.join("collector.sqlite");
        responder.store = Store {
            file: Some(data.join("responder.sqlite")),
            ..Store::default()
        };
        analyzer.checkpoints = Some(data.join("checkpoints"));
        if let Some(sample) = sample {
            collector.sources.clone_from(&sample.sources);
            // The sample's site is on loopback, and it is ours.
            collector.fetch.delay_ms = 0;
            analyzer.regions.push(sample.region.clone());
            responder.regions.push(sample.region.clone());
        }
        let ports = ports(arguments.port)?;
        let [console, of_collector, of_analyzer, of_responder] =
            ports.map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        // What the settings say of other machines stands; a loopback address is the console's own.
        let served = &mut responder.console;
        if served.listen.ip().is_loopback() {
            served.listen = console;
        }
        if is_loopback(&served.public_url) {
            let scheme = if served.tls.is_some() {
                "https"
            } else {
                "http"
            };
            served.public_url = format!("{scheme}://{}/", served.listen).parse()?;
        }
        collector.operations.listen = of_collector;
        analyzer.operations.listen = of_analyzer;
        responder.operations.listen = of_responder;
        let addresses = Addresses {
            pid: std::process::id(),
            console: responder.console.public_url.to_string(),
            collector: format!("http://{of_collector}"),
            analyzer: format!("http://{of_analyzer}"),
            responder: format!("http://{of_responder}"),
            kafka: broker.address().to_owned(),
            clickhouse: clickhouse.address().to_owned(),
            sample_posts: sample.map_or(0, |sample| sample.posts),
        };
        Ok(Self {
            collector,
            analyzer,
            responder,
            addresses,
        })
    }

    /// Writes the settings into a folder, with which a command reaches what runs here.
    fn write_settings(&self, folder: &Path) -> anyhow::Result<()> {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
        settings::write(&folder.join("collector.toml"), &self.collector)?;
        settings::write(&folder.join("analyzer.toml"), &self.analyzer)?;
        settings::write(&folder.join("responder.toml"), &self.responder)
    }

    /// Runs the three processes, and the sample's site, until `stop` or one of them fails. Each is a task
    /// of its own, as it would be a process: none waits while another works.
    async fn run(&self, sample: Option<Sample>, stop: &CancellationToken) -> anyhow::Result<()> {
        let mut tasks = JoinSet::new();
        tasks.spawn(collector::app::run(self.collector.clone(), stop.clone()));
        tasks.spawn(analyzer::app::run(self.analyzer.clone(), stop.clone()));
        tasks.spawn(responder::app::run(self.responder.clone(), stop.clone()));
        if let Some(sample) = sample {
            tasks.spawn(sample.serve(stop.clone()));
        }
        let mut ended = Ok(());
        while let Some(task) = tasks.join_next().await {
            // One that ends takes the others with it.
            stop.cancel();
            ended = ended.and(task?);
        }
        ended
    }

    /// Waits until each process says that it is ready.
    async fn wait_until_ready(&self, stop: &CancellationToken) -> anyhow::Result<()> {
        backbone::tls::install();
        let client = reqwest::Client::builder()
            .timeout(Duration::from_secs(5))
            .build()?;
        let addresses = &self.addresses;
        for process in [
            &addresses.collector,
            &addresses.analyzer,
            &addresses.responder,
        ] {
            let address = format!("{process}/health/ready");
            loop {
                let answer = client.get(&address).send().await;
                if answer.is_ok_and(|answer| answer.status().is_success()) || stop.is_cancelled() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
        Ok(())
    }
}

/// Whether an address leads to this machine only.
fn is_loopback(address: &Url) -> bool {
    match address.host() {
        Some(Host::Ipv4(host)) => host.is_loopback(),
        Some(Host::Ipv6(host)) => host.is_loopback(),
        Some(Host::Domain(host)) => host == "localhost",
        None => false,
    }
}

/// The console's port and three for operators.
fn ports(first: u16) -> anyhow::Result<[u16; 4]> {
    if first > u16::MAX - 3 {
        bail!("--port must be at most {}", u16::MAX - 3);
    }
    if first != 0 {
        return Ok([first, first + 1, first + 2, first + 3]);
    }
    // Held together until all are known, so that they differ.
    let mut held = Vec::new();
    let mut ports = [0; 4];
    for port in &mut ports {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        *port = listener.local_addr()?.port();
        held.push(listener);
    }
    Ok(ports)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_reads_the_settings_that_all_run_with_wherever_it_is_run() {
        let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let config = std::path::absolute(project.join("deploy/config")).unwrap();
        let read = |folder: &Path| Plan {
            collector: collector::settings::Settings::load(&folder.join("collector.toml")).unwrap(),
            analyzer: analyzer::settings::Settings::load(&folder.join("analyzer.toml")).unwrap(),
            responder: responder::settings::Settings::load(&folder.join("responder.toml")).unwrap(),
            addresses: Addresses {
                pid: 0,
                console: String::new(),
                collector: String::new(),
                analyzer: String::new(),
                responder: String::new(),
                kafka: String::new(),
                clickhouse: String::new(),
                sample_posts: 0,
            },
        };
        let told = |mut plan: Plan| {
            plan.responder.file = PathBuf::new();
            format!(
                "{:?} {:?} {:?}",
                plan.collector, plan.analyzer, plan.responder
            )
        };
        let data = tempfile::tempdir().unwrap();
        let shipped = read(&config);
        shipped.write_settings(&data.path().join(SETTINGS)).unwrap();
        assert_eq!(told(read(&data.path().join(SETTINGS))), told(shipped));
    }
}
