//! The real binary against simulators that answer over real HTTP. One program: it links in one go.

mod authoring;
mod connection;
mod decisions;
mod ends;
mod faults;
mod fxiaoke;
mod hostile;
mod levels;
mod logins;
mod main_job;
mod manual;
mod online;
mod own_operations;
mod recording;
mod replay;
mod sandbox;
mod secrets;
mod steps;
mod systems;
mod tasks;
mod tutorial;
mod upkeep;
mod values;
mod vendors;
mod versions;
