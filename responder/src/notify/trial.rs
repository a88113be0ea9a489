//! Trying out a contact: a test message by each way to reach them, past the queue.

use std::io::Write;

use anyhow::Context;
use backbone::id;
use backbone::region::{Contact, Region, Unit};
use jiff::Timestamp;
use thiserror::Error;
use url::Url;

use super::body::{Body, Kind, TestBody};
use super::channel::{Channel, Line};
use super::message::Message;
use super::wording::Wording;

/// No channel took the message.
#[derive(Debug, Error)]
#[error("no channel took the message")]
pub struct NotReached;

/// Finds a contact of a region by name, in one unit where its code is given.
///
/// # Errors
/// When there is none of that name, or several and no unit is given.
pub fn contact<'a>(
    region: &'a Region,
    unit: Option<&str>,
    name: &str,
) -> anyhow::Result<(&'a Unit, &'a Contact)> {
    let found: Vec<(&Unit, &Contact)> = region
        .units
        .iter()
        .filter(|known| unit.is_none_or(|code| known.code == code))
        .flat_map(|unit| unit.contact.iter().map(move |contact| (unit, contact)))
        .filter(|(_, contact)| contact.name == name)
        .collect();
    match found.as_slice() {
        [one] => Ok(*one),
        [] => anyhow::bail!(
            "there is no contact of that name in region `{}`; see its units.toml",
            region.code()
        ),
        several => {
            let units: Vec<&str> = several.iter().map(|(unit, _)| unit.code.as_str()).collect();
            anyhow::bail!(
                "several units have a contact of that name; give one with --unit: {}",
                units.join(", ")
            )
        }
    }
}

/// Sends a test message by each way to reach a contact, and writes for each whether it was taken or why not.
///
/// # Errors
/// [`NotReached`] when none took it; when a channel cannot be opened or nothing can be written.
pub async fn run(
    contact: &Contact,
    channels: &[Channel],
    public_url: &Url,
    out: &mut impl Write,
    now: Timestamp,
) -> anyhow::Result<()> {
    let mut any = false;
    for reach in &contact.reach {
        let name = reach.channel.as_str();
        let channel = channels
            .iter()
            .find(|channel| channel.name == name)
            .with_context(|| format!("channel `{name}` is not in the settings"))?;
        let line = Line::open(channel)?;
        let id = id::of("test", &[name, &reach.to, &now.to_string()]);
        let body = Body::Test(TestBody {
            id: id.clone(),
            kind: Kind::Test,
            action: Kind::Test.title().to_owned(),
            channel: name.to_owned(),
            link: public_url.to_string(),
        });
        let message = Message {
            id: &id,
            to: &reach.to,
            wording: Wording::of(&body, now),
            body: &body,
            files: &[],
        };
        match line.send(&message, now).await {
            Ok(()) => {
                any = true;
                writeln!(out, "{name}  done")?;
            }
            Err(refusal) => writeln!(out, "{name}  {}", refusal.problem)?,
        }
    }
    anyhow::ensure!(any, NotReached);
    Ok(())
}
