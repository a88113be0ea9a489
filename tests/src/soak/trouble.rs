//! The troubles, each a file of its own. What a trouble breaks it mends again before it is over; the account is drawn up after it.

mod brokers;
mod clickhouse;
mod clocks;
mod disk;
mod kills;
mod network;
mod poison;
mod postgres;
mod rebalance;
mod together;
mod upgrade;

use std::time::Duration;

use crate::soak::scene::Scene;

/// How much of each trouble is made.
#[derive(Debug, Clone)]
pub struct Measure {
    /// Programs killed at random.
    pub kills: u32,
    /// How long ClickHouse is away.
    pub away: Duration,
    /// How long the hosts are cut off from each other, and a clock is off.
    pub apart: Duration,
    /// How often a program leaves and comes back.
    pub rounds: u32,
}

/// What came of a trouble.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It was made: so many failures.
    Made(u64),
    /// It cannot be made here.
    LeftOut(String),
}

/// A trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Trouble {
    /// An older build is replaced, one place after the other.
    Upgrade,
    /// Messages that nobody can read, in every topic.
    Poison,
    /// Any of the programs is killed, at random.
    Kills,
    /// A broker is killed, then all three.
    Brokers,
    /// PostgreSQL is restarted in order and at once.
    Postgres,
    /// Instances leave and come back.
    Rebalance,
    /// The disk of a collector and an analyzer is full, then those of a broker, PostgreSQL and ClickHouse.
    Disk,
    /// Analyzer and responder are on another host that is cut off.
    Network,
    /// The clocks of a host are two hours ahead, then behind.
    Clocks,
    /// ClickHouse is away.
    Clickhouse,
    /// Several of these at once.
    Together,
}

impl Trouble {
    /// All, in the order in which they are made: an upgrade needs a store that no new program has opened.
    pub const ALL: [Self; 11] = [
        Self::Upgrade,
        Self::Poison,
        Self::Kills,
        Self::Brokers,
        Self::Postgres,
        Self::Rebalance,
        Self::Disk,
        Self::Network,
        Self::Clocks,
        Self::Clickhouse,
        Self::Together,
    ];

    /// What is told of it in the table.
    #[must_use]
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Upgrade => "old and new side by side",
            Self::Poison => "poison in every topic",
            Self::Kills => "programs killed at random",
            Self::Brokers => "one broker killed, then all three",
            Self::Postgres => "PostgreSQL restarted",
            Self::Rebalance => "instances leave and come back",
            Self::Disk => "disk full",
            Self::Network => "network cut between hosts",
            Self::Clocks => "clocks off by two hours",
            Self::Clickhouse => "ClickHouse away",
            Self::Together => "several at once",
        }
    }

    /// Makes it and mends it.
    ///
    /// # Errors
    /// When what should come by itself does not come.
    pub(crate) async fn make(
        self,
        scene: &mut Scene,
        measure: &Measure,
    ) -> anyhow::Result<Outcome> {
        match self {
            Self::Upgrade => upgrade::make(scene).await,
            Self::Poison => poison::make(scene).await,
            Self::Kills => kills::make(scene, measure.kills).await,
            Self::Brokers => brokers::make(scene).await,
            Self::Postgres => postgres::make(scene).await,
            Self::Rebalance => rebalance::make(scene, measure.rounds).await,
            Self::Disk => disk::make(scene).await,
            Self::Network => network::make(scene, measure.apart).await,
            Self::Clocks => clocks::make(scene, measure.apart).await,
            Self::Clickhouse => clickhouse::make(scene, measure.away).await,
            Self::Together => together::make(scene).await,
        }
    }
}
