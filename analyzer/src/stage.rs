//! The stages of the chain before events, each pure and one file.

pub mod appeal;
pub mod clean;
pub mod intensity;
pub mod keywords;
pub mod lexicon;
pub mod reasons;
pub mod relevance;
pub mod responsible;
pub mod segment;
pub mod sentiment;
pub mod signs;
pub mod subject;
