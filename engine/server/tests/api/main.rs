//! The API in one process: a real service over a folder of schemes, real SQLite, simulated systems; requests without
//! sockets.

mod access;
mod connections;
mod decisions;
mod description;
mod fxiaoke;
mod house;
mod operations;
mod previews;
mod schemes;
