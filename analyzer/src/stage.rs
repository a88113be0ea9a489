//! The stages of the chain before events, each pure and one file.

pub mod clean;
pub mod intensity;
pub mod opinion;
pub mod relevance;
pub mod segment;
