//! Notices on their way: what channels send, what services answer, and what the carrier makes of it.

mod carrying;
mod composing;
mod mail;
mod mail_server;
mod matter;
mod robots;
mod service;
mod settings;
mod webhooks;
mod words;
