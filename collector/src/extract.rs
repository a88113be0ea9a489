//! What is made of what was fetched: text of bytes and of pages, times, addresses.

pub mod address;
pub mod article;
pub mod author;
pub mod charset;
pub mod listing;
pub mod page;
pub mod text;
pub mod time;
