//! What a channel is given to send.

use super::body::Body;
use super::wording::Wording;
use crate::paper::Printed;

/// A notice for one of those that a channel reaches.
#[derive(Debug)]
pub struct Message<'a> {
    /// The notice's id, which goes along where the receiver can tell a repeat by it.
    pub id: &'a str,
    /// Who of those the channel reaches.
    pub to: &'a str,
    /// The notice in words.
    pub wording: Wording,
    /// The notice as data.
    pub body: &'a Body,
    /// What goes along, where the channel takes files.
    pub files: &'a [Printed],
}
