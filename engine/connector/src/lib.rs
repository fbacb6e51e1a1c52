//! connector
mod recipe;
