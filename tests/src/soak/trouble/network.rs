//! Analyzer and responder of the second place run on another host: a network namespace with a cable to this one, over which the engines are
//! reached. The cable is pulled, the first place goes on alone, and it is put back.

use std::process::Command;
use std::time::Duration;

use crate::Program;
use anyhow::Context;

use super::Outcome;
use crate::soak::scene::{By, Scene, Seat};

/// Who runs there.
const SEATS: [Seat; 2] = [("analyzer", 1), ("responder", 1)];
/// The two ends of the cable.
const ENDS: [&str; 2] = ["10.213.77.1", "10.213.77.2"];
/// Posts that go all the way between two steps.
const MEANWHILE: u64 = 40;

/// The other host, as long as this is kept.
struct Host {
    name: String,
    /// Who carries connections on, here and there: the engines listen on this machine's loopback only.
    relays: Vec<Program>,
}

impl Drop for Host {
    fn drop(&mut self) {
        self.relays.clear();
        // The cable goes with the namespace; one that cannot be removed hurts nobody.
        let _gone = ip(&["netns", "delete", &self.name]);
    }
}

pub(super) async fn make(scene: &mut Scene, apart: Duration) -> anyhow::Result<Outcome> {
    let Some(mut host) = connect() else {
        return Ok(Outcome::LeftOut("no network namespaces".to_owned()));
    };
    host.relays = relays(&host.name, &engines(scene)?);
    let before = read_log(scene)?;
    for seat in SEATS {
        scene.start_by(seat, Some(By::Host(host.name.clone())));
    }
    scene
        .until("the analyzer to work there", async |scene| {
            read_log(scene).is_ok_and(|log| assignments(&log) > assignments(&before))
        })
        .await?;
    scene.archived(MEANWHILE).await?;
    ip(&["link", "set", &cable(&host.name, 0), "down"]).context("the cable is not pulled")?;
    scene.pass(apart).await?;
    scene.archived(MEANWHILE).await?;
    scene.moved(3).await?;
    ip(&["link", "set", &cable(&host.name, 0), "up"]).context("the cable is not put back")?;
    // What the one that was cut off had still to send goes out now, beside what the other did meanwhile.
    let before = read_log(scene)?;
    scene
        .until("the analyzer to work there again", async |scene| {
            read_log(scene).is_ok_and(|log| assignments(&log) > assignments(&before))
        })
        .await?;
    scene.archived(MEANWHILE).await?;
    for seat in SEATS {
        scene.start_by(seat, None);
        scene.ready(seat).await?;
    }
    Ok(Outcome::Made(1))
}

fn ip(arguments: &[&str]) -> Option<()> {
    let done = Command::new("ip").args(arguments).output().ok()?;
    done.status.success().then_some(())
}

fn cable(host: &str, end: usize) -> String {
    format!("{host}-{end}")
}

/// Makes the host and the cable; nothing where that is not allowed.
fn connect() -> Option<Host> {
    let name = format!("ws{}", std::process::id());
    ip(&["netns", "add", &name])?;
    let host = Host {
        name: name.clone(),
        relays: Vec::new(),
    };
    let (here, there) = (cable(&name, 0), cable(&name, 1));
    ip(&["link", "add", &here, "type", "veth", "peer", "name", &there])?;
    ip(&["link", "set", &there, "netns", &name])?;
    ip(&["address", "add", &format!("{}/30", ENDS[0]), "dev", &here])?;
    ip(&["link", "set", &here, "up"])?;
    let inside = |arguments: &[&str]| ip(&[&["-n", &name], arguments].concat());
    inside(&["address", "add", &format!("{}/30", ENDS[1]), "dev", &there])?;
    inside(&["link", "set", &there, "up"])?;
    inside(&["link", "set", "lo", "up"])?;
    Some(host)
}

/// The ports of the engines.
fn engines(scene: &Scene) -> anyhow::Result<Vec<u16>> {
    let brokers = scene.broker.address().split(',').map(str::to_owned);
    let stores = [&scene.clickhouse.url, &scene.postgres.url].map(|url| {
        let url: reqwest::Url = url.parse().context("an address")?;
        anyhow::Ok(format!(":{}", url.port().context("a port")?))
    });
    let mut ports = Vec::new();
    for address in brokers.map(Ok).chain(stores) {
        let address = address?;
        let port = address.rsplit(':').next().unwrap_or_default();
        ports.push(port.parse().context("a port")?);
    }
    Ok(ports)
}

/// On both hosts, who carries connections to the engines on.
fn relays(host: &str, ports: &[u16]) -> Vec<Program> {
    let ways = |from: &str, to: &str| -> Vec<String> {
        (ports.iter())
            .map(|port| format!("{from}:{port}={to}:{port}"))
            .collect()
    };
    let mut here = Program::command("relay");
    here.args(ways(ENDS[0], "127.0.0.1"));
    let mut there = Command::new("ip");
    there.args(["netns", "exec", host]);
    there.arg(Program::command("relay").get_program());
    there.args(ways("127.0.0.1", ENDS[0]));
    [here, there]
        .map(|command| Program::start_and_wait(command).0)
        .into()
}

fn read_log(scene: &Scene) -> anyhow::Result<String> {
    Ok(std::fs::read_to_string(scene.office(1).log("analyzer"))?)
}

fn assignments(log: &str) -> usize {
    log.matches("partitions assigned").count()
}
